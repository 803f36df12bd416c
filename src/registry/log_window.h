// A piece of a log in memory, moved along with the reading. For whoever walks a
// log that is not whole; what can not be read counts as lost, as it would be on
// flash that wears out.
#pragma once

#include <cstdint>

#include "registry/journal.h"
#include "registry/record.h"

namespace tocsin {

class LogWindow {
 public:
  static constexpr size_t sector_bytes = 512;  // the least that a medium loses

  // room: twice the longest record, at least.
  LogWindow(Journal& journal, Bytes room) : journal_(journal), room_(room), size_(journal.size()) {}

  uint64_t size() const { return size_; }
  // At most count bytes at offset, fewer only at the end of the log; valid until the next call. Bytes of
  // sectors that the medium does not give read as zeros.
  Result<ByteView> bytes(uint64_t offset, size_t count);
  // The intact record at offset, of whatever kind; empty when there is none.
  Result<ByteView> record(uint64_t offset);
  // What could not be read so far (a sector that was tried twice counts twice).
  uint64_t unreadable() const { return unreadable_; }

 private:
  Status fill();
  Status fill_by_sectors();

  Journal& journal_;
  Bytes room_;
  uint64_t size_;
  uint64_t at_ = 0;  // offset of what room_ holds
  size_t used_ = 0;
  uint64_t unreadable_ = 0;
};

}  // namespace tocsin
