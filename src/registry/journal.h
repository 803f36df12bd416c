// Through which a change becomes durable: the whole interface between the
// registry and whatever keeps its bytes. A file with syncs implements it today
// (link/journal_file); a replicated log can stand in its place.
#pragma once

#include <cstdint>

#include "base/bytes.h"
#include "base/result.h"

namespace tocsin {

class Journal {
 public:
  // Bytes that are stored at offset (fewer only at the end); for replay and look-ups.
  virtual Result<size_t> read(uint64_t offset, Bytes room) = 0;
  virtual uint64_t size() const = 0;  // where the next batch goes
  // Starts making batch durable at size(); one at a time. The batch's bytes stay
  // untouched until Registry::committed() is called with the outcome. An error here: nothing was started.
  virtual Status append(ByteView batch) = 0;
  // Cuts the tail that replay found behind the last commit mark.
  virtual Status cut(uint64_t size) = 0;

 protected:
  ~Journal() = default;
};

}  // namespace tocsin
