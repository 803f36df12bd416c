// Files through pread, pwrite and friends; durability through one helper thread,
// because a sync takes up to half a second on SD cards and must not stall the loop.
#pragma once

#include <pthread.h>
#include <semaphore.h>

#include <atomic>

#include "port/port.h"
#include "port/posix/wake.h"

namespace tocsin::posix {

class PosixStorage final : public port::Storage {
 public:
  // A completed sync rings wake, which outlives the storage.
  explicit PosixStorage(const Wake& wake);
  ~PosixStorage();  // waits for a sync under way
  PosixStorage(const PosixStorage&) = delete;
  PosixStorage& operator=(const PosixStorage&) = delete;

  Result<port::Handle> open(const char* path, port::OpenMode mode) override;
  Result<port::FileFacts> facts(const char* path) override;
  Result<uint64_t> size(port::Handle file) override;
  Result<size_t> read_at(port::Handle file, uint64_t offset, Bytes room) override;
  Status write_at(port::Handle file, uint64_t offset, ByteView bytes) override;
  Status truncate(port::Handle file, uint64_t size) override;
  // The first call starts the thread: Error::exhausted when the system refuses one.
  Status sync_start(port::Handle file) override;
  bool sync_done(Status& outcome) override;
  Status sync_directory_start(const char* path) override;
  Status sync_now(port::Handle file) override;
  Status sync_directory(const char* path) override;
  Status make_directory(const char* path) override;
  Status replace(const char* from, const char* to) override;
  Status link(const char* from, const char* to) override;
  Status remove(const char* path) override;
  Result<port::Handle> lock(const char* path, int64_t* holder) override;
  // A file whose sync is under way is closed when sync_done reports the outcome:
  // its number must not be given to another file before the thread is through.
  void shut(port::Handle file) override;
  // By the thread, if there is one, and after a sync that waits.
  void shut_nameless(port::Handle file) override;

 private:
  enum class Sync : int { idle, running, ended };

  Status start_thread();
  Status start_sync(port::Handle file, bool names);
  static Status sync_names(port::Handle directory);
  static void* run_thread(void* self);
  void serve_syncs();

  const Wake& wake_;
  pthread_t thread_{};
  sem_t requests_;
  bool thread_started_ = false;
  bool shut_after_sync_ = false;
  // The loop writes the next three while idle or ended, the thread while running.
  port::Handle sync_file_ = port::no_handle;
  bool sync_names_ = false;  // the file is a directory
  Error sync_error_ = Error::none;
  std::atomic<Sync> sync_{Sync::idle};
  std::atomic<port::Handle> to_close_{port::no_handle};  // the loop fills it, the thread empties it
  std::atomic<bool> stopping_{false};
};

}  // namespace tocsin::posix
