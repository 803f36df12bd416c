// Storage of the posix port that counts what reaches the disk, the journal and
// the second file of a compaction apart. A page of flash is what a sync costs at
// least: pages are those of 4 KiB that writes touched since the sync before.
#pragma once

#include "port/port.h"

namespace tocsin::bench {

struct Written {
  uint64_t bytes = 0;
  uint64_t writes = 0;
  uint64_t syncs = 0;
  uint64_t pages = 0;         // of the file's own bytes; what the file system adds is not known here
  uint64_t unsynced_max = 0;  // bytes
  Written since(const Written& before) const {
    return {bytes - before.bytes, writes - before.writes, syncs - before.syncs, pages - before.pages, unsynced_max};
  }
};

class CountedStorage final : public port::Storage {
 public:
  static constexpr uint64_t page_bytes = 4096;

  // at_once: a sync is made by whoever asks for it, so that a year is over soon. Else the port's thread makes it.
  CountedStorage(port::Storage& under, bool at_once) : under_(under), at_once_(at_once) {}

  const Written& journal() const { return journal_; }
  const Written& second() const { return second_; }
  uint64_t names() const { return names_; }        // syncs of the directory
  uint64_t replaced() const { return replaced_; }  // second files that took the journal's name

  Result<port::Handle> open(const char* path, port::OpenMode mode) override;
  Result<port::FileFacts> facts(const char* path) override { return under_.facts(path); }
  Result<uint64_t> size(port::Handle file) override { return under_.size(file); }
  Result<size_t> read_at(port::Handle file, uint64_t offset, Bytes room) override {
    return under_.read_at(file, offset, room);
  }
  Status write_at(port::Handle file, uint64_t offset, ByteView bytes) override;
  Status truncate(port::Handle file, uint64_t size) override { return under_.truncate(file, size); }
  Status sync_start(port::Handle file) override;
  bool sync_done(Status& outcome) override;
  Status sync_directory_start(const char* path) override;
  Status sync_now(port::Handle file) override;
  Status sync_directory(const char* path) override;
  Status make_directory(const char* path) override { return under_.make_directory(path); }
  Status replace(const char* from, const char* to) override;
  Status link(const char* from, const char* to) override { return under_.link(from, to); }
  Status remove(const char* path) override { return under_.remove(path); }
  Result<port::Handle> lock(const char* path, int64_t* holder) override { return under_.lock(path, holder); }
  void shut(port::Handle file) override;
  void shut_nameless(port::Handle file) override;

 private:
  struct File {
    port::Handle handle = port::no_handle;
    uint64_t from = UINT64_MAX;  // what was written since the last sync; writes are one behind the other
    uint64_t to = 0;
  };
  File* find(port::Handle file);
  void synced(port::Handle file);
  void forget(port::Handle file);

  port::Storage& under_;
  bool at_once_;
  bool done_ = false;
  Status outcome_;
  File files_[8];
  port::Handle second_handle_ = port::no_handle;
  Written journal_;
  Written second_;
  uint64_t names_ = 0;
  uint64_t replaced_ = 0;
};

}  // namespace tocsin::bench
