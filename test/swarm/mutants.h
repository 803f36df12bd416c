// The bugs that the swarm must find: each turns one rule of the registry off. They
// are planted around the code, in the storage that it writes through or in the words
// it is told, so that the code under test is the one that ships. (crc_skipped alone
// is another program: without_crc/.)
#pragma once

#include <cstdint>

#include "port/port.h"

namespace tocsin::swarm {

enum class Mutation : uint8_t {
  none,
  answer_before_sync,           // a sync counts as done when it was started
  index_before_outcome,         // the index has a batch although its commit may still fail
  no_directory_sync_on_create,  // a file's name is not made durable
  no_directory_sync_on_rename,  // nor is a compacted file's new name
  no_directory_sync_at_start,   // a name that was found is taken for durable
  no_renewal_at_start,          // a batch that was read is taken for durable
  no_rewrite_at_start,          // it is synced, but not written anew
  replace_before_sync,          // a compacted file gets its name before its bytes are durable
};
inline constexpr Mutation mutations[] = {Mutation::answer_before_sync,          Mutation::index_before_outcome,
                                         Mutation::no_directory_sync_on_create, Mutation::no_directory_sync_on_rename,
                                         Mutation::no_directory_sync_at_start,  Mutation::no_renewal_at_start,
                                         Mutation::no_rewrite_at_start,         Mutation::replace_before_sync};
const char* name_of(Mutation mutation);

// Storage that breaks the rule, and is true otherwise.
class MutantStorage final : public port::Storage {
 public:
  MutantStorage(port::Storage& inner, Mutation mutation) : inner_(inner), mutation_(mutation) {}
  void reboot() { state_ = {}; }

  Result<port::Handle> open(const char* path, port::OpenMode mode) override;
  Result<port::FileFacts> facts(const char* path) override { return inner_.facts(path); }
  Result<uint64_t> size(port::Handle file) override { return inner_.size(file); }
  Result<size_t> read_at(port::Handle file, uint64_t offset, Bytes room) override {
    return inner_.read_at(file, offset, room);
  }
  Status write_at(port::Handle file, uint64_t offset, ByteView bytes) override;
  Status truncate(port::Handle file, uint64_t size) override { return inner_.truncate(file, size); }
  Status sync_start(port::Handle file) override;
  bool sync_done(Status& outcome) override;
  Status sync_directory_start(const char* path) override;
  Status sync_now(port::Handle file) override;
  Status sync_directory(const char* path) override;
  Status make_directory(const char* path) override { return inner_.make_directory(path); }
  Status replace(const char* from, const char* to) override;
  Status link(const char* from, const char* to) override { return inner_.link(from, to); }
  Status remove(const char* path) override { return inner_.remove(path); }
  Result<port::Handle> lock(const char* path, int64_t* holder) override { return inner_.lock(path, holder); }
  void shut(port::Handle file) override { inner_.shut(file); }

 private:
  struct State {
    bool opened = false;
    bool starting = true;  // until the first batch or compaction
    bool created = false;  // at this start
    bool renamed = false;  // and the directory not synced since
    bool claimed = false;  // a sync was said to be started that never was, or is not waited for
    port::Handle second = port::no_handle;
  };
  bool swallows_directory_sync();
  bool swallows_start() const;

  port::Storage& inner_;
  Mutation mutation_;
  State state_;
};

}  // namespace tocsin::swarm
