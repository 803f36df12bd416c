// A batch of a log that is written in one go (compaction, repair): records, then
// the commit mark over them. Staging does the same for live changes.
#pragma once

#include <cstdint>

#include "registry/record.h"

namespace tocsin {

class Batch {
 public:
  // room for one record of any size and a mark at least; header is the log's.
  Batch(Bytes room, const FileHeader& header) : room_(room), header_(header), sum_(header) {}

  // False: no room, nothing was added. A full record's parts must be within bounds.
  [[nodiscard]] bool add(const Record& record);
  bool empty() const { return sum_.records() == 0; }
  // Where the record that add() takes next will stand in the log, when the batch starts at start.
  uint64_t offset(uint64_t start) const { return start + used_; }
  // Ends the batch, which may be empty: its bytes, to be written at start. number: batches count from 1.
  ByteView close(uint64_t start, uint64_t number);
  void clear();

 private:
  Bytes room_;
  FileHeader header_;
  BatchSum sum_;
  size_t used_ = 0;
};

}  // namespace tocsin
