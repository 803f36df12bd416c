// Tells what the registry does with its storage, and what becomes of it, one line
// for each: `swarm --tell`, for whoever wants to know why a seed fails.
#pragma once

#include "port/port.h"

namespace tocsin::swarm {

// Of all lives of this process.
void tell_everything();
bool telling();
// As printf, with a line feed; the depth of the life stands in front.
[[gnu::format(printf, 2, 3)]] void tell(uint32_t depth, const char* format, ...);

class TellingStorage final : public port::Storage {
 public:
  TellingStorage(port::Storage& inner, uint32_t depth) : inner_(inner), depth_(depth) {}

  Result<port::Handle> open(const char* path, port::OpenMode mode) override;
  Result<port::FileFacts> facts(const char* path) override { return inner_.facts(path); }
  Result<uint64_t> size(port::Handle file) override { return inner_.size(file); }
  Result<size_t> read_at(port::Handle file, uint64_t offset, Bytes room) override;
  Status write_at(port::Handle file, uint64_t offset, ByteView bytes) override;
  Status truncate(port::Handle file, uint64_t size) override;
  Status sync_start(port::Handle file) override;
  bool sync_done(Status& outcome) override;
  Status sync_directory_start(const char* path) override;
  Status sync_now(port::Handle file) override;
  Status sync_directory(const char* path) override;
  Status make_directory(const char* path) override { return inner_.make_directory(path); }
  Status replace(const char* from, const char* to) override;
  Status link(const char* from, const char* to) override;
  Status remove(const char* path) override;
  Result<port::Handle> lock(const char* path, int64_t* holder) override { return inner_.lock(path, holder); }
  void shut(port::Handle file) override { inner_.shut(file); }

 private:
  port::Storage& inner_;
  uint32_t depth_;
};

}  // namespace tocsin::swarm
