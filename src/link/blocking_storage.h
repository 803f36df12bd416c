// Storage whose syncs block, for tools: what is started is decided at once, so that
// code made for the gateway's loop runs without one.
#pragma once

#include "port/port.h"

namespace tocsin {

class BlockingStorage final : public port::Storage {
 public:
  explicit BlockingStorage(port::Storage& storage) : storage_(storage) {}

  Result<port::Handle> open(const char* path, port::OpenMode mode) override { return storage_.open(path, mode); }
  Result<port::FileFacts> facts(const char* path) override { return storage_.facts(path); }
  Result<uint64_t> size(port::Handle file) override { return storage_.size(file); }
  Result<size_t> read_at(port::Handle file, uint64_t offset, Bytes room) override {
    return storage_.read_at(file, offset, room);
  }
  Status write_at(port::Handle file, uint64_t offset, ByteView bytes) override {
    return storage_.write_at(file, offset, bytes);
  }
  Status truncate(port::Handle file, uint64_t size) override { return storage_.truncate(file, size); }
  Status sync_start(port::Handle file) override { return decide(storage_.sync_now(file)); }
  Status sync_directory_start(const char* path) override { return decide(storage_.sync_directory(path)); }
  bool sync_done(Status& outcome) override {
    if (!decided_) return false;
    decided_ = false;
    outcome = outcome_;
    return true;
  }
  Status sync_now(port::Handle file) override { return storage_.sync_now(file); }
  Status sync_directory(const char* path) override { return storage_.sync_directory(path); }
  Status make_directory(const char* path) override { return storage_.make_directory(path); }
  Status replace(const char* from, const char* to) override { return storage_.replace(from, to); }
  Status link(const char* from, const char* to) override { return storage_.link(from, to); }
  Status remove(const char* path) override { return storage_.remove(path); }
  Result<port::Handle> lock(const char* path, int64_t* holder) override { return storage_.lock(path, holder); }
  void shut(port::Handle file) override { storage_.shut(file); }

 private:
  Status decide(Status outcome) {
    outcome_ = outcome;
    decided_ = true;
    return {};
  }

  port::Storage& storage_;
  bool decided_ = false;
  Status outcome_;
};

}  // namespace tocsin
