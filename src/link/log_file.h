// A registry's file for tools: one that is only read, or a new one that is written
// in one go. The gateway's own is JournalFile.
#pragma once

#include <cstdint>

#include "port/port.h"
#include "registry/journal.h"

namespace tocsin {

class LogFile final : public Journal {
 public:
  explicit LogFile(port::Storage& storage) : storage_(storage) {}
  // To read. What is appended to the file from now on is not seen.
  Status open(const char* path);
  // To write; 0600. Error::exists: nothing is ever overwritten.
  Status create(const char* path);
  Status write(ByteView bytes);
  Status sync() { return storage_.sync_now(file_); }
  void shut();

  Result<size_t> read(uint64_t offset, Bytes room) override;
  uint64_t size() const override { return size_; }
  Status append(ByteView) override { return Error::read_only; }
  bool decided(Status&) override { return false; }
  Status renew(uint64_t) override { return {}; }
  Status cut(uint64_t size) override;  // looks away from there on; the file stays as it is

 private:
  port::Storage& storage_;
  port::Handle file_ = port::no_handle;
  uint64_t size_ = 0;
};

}  // namespace tocsin
