// The registry's journal in one file: append, then an asynchronous sync. After
// a failed write or sync the file is cut back to the last synced byte before
// anything else is written (re-reading proves nothing: the page cache still
// shows what the disk lost).
#pragma once

#include <cstdint>

#include "port/port.h"
#include "registry/journal.h"

namespace tocsin {

class JournalFile : public Journal {
 public:
  explicit JournalFile(port::Storage& storage) : storage_(storage) {}
  // Opens or creates path (0600; the directory is synced then). path must outlive this.
  Status open(const char* path, const char* directory);
  void shut();

  Result<size_t> read(uint64_t offset, Bytes room) override;
  uint64_t size() const override { return size_; }
  Status append(ByteView batch) override;
  Status cut(uint64_t size) override;

  // After every wait: true once when the sync of the last append is decided.
  bool decided(Status& outcome);
  bool syncing() const { return syncing_; }

 private:
  port::Storage& storage_;
  port::Handle file_ = port::no_handle;
  uint64_t size_ = 0;      // durable bytes
  uint64_t appended_ = 0;  // bytes of the batch that is being synced
  bool syncing_ = false;
  bool tail_dirty_ = false;  // bytes behind size_ may be in the file
};

}  // namespace tocsin
