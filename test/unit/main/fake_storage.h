// Files that a test writes down, for code that only reads.
#pragma once

#include "base/text.h"
#include "port/port.h"
#include "test/support/tests.h"

namespace tocsin::test {

// A few files in memory; only reading works.
class FakeStorage final : public port::Storage {
 public:
  struct File {
    string_view path;
    string_view text;
    uint32_t mode = 0640;
    Error on_open = Error::none;
    bool directory = false;
  };
  void put(const File& file) {
    for (File& f : files_) {
      if (f.path.empty() || f.path == file.path) {
        f = file;
        return;
      }
    }
    fail_here();
  }
  void drop(string_view path) {
    for (File& f : files_)
      if (f.path == path) f.path = "(gone)";
  }
  int open_files = 0;

  Result<port::Handle> open(const char* path, port::OpenMode mode) override {
    if (mode != port::OpenMode::read) return Error::read_only;
    const int i = find(path);
    if (i < 0) return Error::not_found;
    if (files_[i].on_open != Error::none) return files_[i].on_open;
    ++open_files;
    return port::Handle{i};
  }
  Result<port::FileFacts> facts(const char* path) override {
    const int i = find(path);
    if (i < 0) return Error::not_found;
    return port::FileFacts{.size = files_[i].text.size(), .mode = files_[i].mode, .directory = files_[i].directory};
  }
  Result<uint64_t> size(port::Handle file) override { return uint64_t{files_[file].text.size()}; }
  Result<size_t> read_at(port::Handle file, uint64_t offset, Bytes room) override {
    const string_view part = slice(files_[file].text, offset, room.size());
    copy_bytes(room.data(), bytes_of(part));
    return part.size();
  }
  Status write_at(port::Handle, uint64_t, ByteView) override { return Error::read_only; }
  Status truncate(port::Handle, uint64_t) override { return Error::read_only; }
  Status sync_start(port::Handle) override { return Error::read_only; }
  bool sync_done(Status&) override { return false; }
  Status sync_now(port::Handle) override { return Error::read_only; }
  Status sync_directory(const char*) override { return Error::read_only; }
  Status sync_directory_start(const char*) override { return Error::read_only; }
  Status link(const char*, const char*) override { return Error::read_only; }
  Status make_directory(const char*) override { return Error::read_only; }
  Status replace(const char*, const char*) override { return Error::read_only; }
  Status remove(const char*) override { return Error::read_only; }
  Result<port::Handle> lock(const char*, int64_t*) override { return Error::read_only; }
  void shut(port::Handle) override { --open_files; }

 private:
  int find(string_view path) const {
    for (int i = 0; i < 16; ++i)
      if (files_[i].path == path) return i;
    return -1;
  }
  File files_[16];
};

}  // namespace tocsin::test
