// Gives a mutated log the checksums that it should have, so that the fuzzer gets
// past them and into what stands behind.
#pragma once

#include <cstdint>

#include "base/bytes.h"

namespace tocsin::fuzz {

// The first byte of every input.
enum Mend : uint8_t {
  mend_records = 1,  // CRCs of records
  mend_header = 2,   // the header: magic, size, CRC
  mend_marks = 4,    // what marks say of their batches
  mend_end = 8,      // one more mark, of what stands behind the last one
  live_on = 16,      // changes, a commit, and another replay
  compact = 32,      // a compaction, and another replay
  outcome_bad = 64,  // the commit fails
};

// The bytes of the log that are left; room is what they stand in, with space behind them.
size_t mend(Bytes room, size_t size, uint8_t how);

}  // namespace tocsin::fuzz
