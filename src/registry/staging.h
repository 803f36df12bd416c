// One batch under construction: records from the front of a buffer, just as the
// journal will get them, and from its back what the index must know of each
// (one Change a record). Full when the two meet.
#pragma once

#include <cstdint>

#include "registry/record.h"

namespace tocsin {

// What a staged record is about, and what of it is in RAM already.
struct Change {
  NodeId node;
  uint32_t key_hash;          // full records
  uint32_t account_hash;      // full records
  uint32_t at;                // of the record, in the buffer
  uint32_t refreshed;         // registered: the device's refresh time when it is applied
  uint32_t refreshed_before;  // as it was before this change: restored when the change is dropped
  uint16_t day_before;        // the same of the day of the last accepted push
  RecordKind kind;
  bool unhurried = false;  // nobody waits for it
  bool full() const { return kind == RecordKind::registered || kind == RecordKind::changed; }
};

class Staging {
 public:
  // room starts at a multiple of alignof(Change).
  explicit Staging(Bytes room);

  // Adds record with its change (at is set here). False: full, nothing was added.
  [[nodiscard]] bool add(const Record& record, const Change& change);
  bool empty() const { return count_ == 0; }
  uint32_t count() const { return count_; }
  Change& change(uint32_t i) { return *(end_ - 1 - i); }  // in the order they were added
  const Change& change(uint32_t i) const { return *(end_ - 1 - i); }
  ByteView record(const Change& change) const;
  // Devices more (or fewer) when this batch is applied.
  int32_t growth() const { return growth_; }
  // Changes for which somebody waits.
  uint32_t hurried() const { return hurried_; }

  // Ends the batch. What the journal gets lives in the buffer; file_end: where it is going to stand. An empty
  // file (0) gets the header as well. Offsets of the batch's records are known from now on.
  ByteView close(uint64_t file_end, uint64_t number, const FileHeader& header);
  uint64_t offset(const Change& change) const { return start_ + change.at - FileHeader::size; }

  void clear();

 private:
  Bytes room_;
  Change* end_;
  size_t used_ = FileHeader::size;  // a place for the header, used or not
  uint32_t count_ = 0;
  int32_t growth_ = 0;
  uint32_t hurried_ = 0;
  uint64_t start_ = 0;
};

}  // namespace tocsin
