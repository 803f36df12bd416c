// The thread behind PosixStorage::sync_start. It touches nothing but the file
// to sync, the three members that belong to it while a sync runs, and a file that
// is to be closed.
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <unistd.h>

#include "port/posix/errors.h"
#include "port/posix/storage.h"

namespace tocsin::posix {

using port::Handle;
using port::no_handle;

// fdatasync needs next to nothing; the rest is for the C library's thread-local
// data, which lies on the same mapping. Pages that are not touched cost nothing.
static constexpr size_t stack_bytes = 128 * 1024;

PosixStorage::PosixStorage(const Wake& wake) : wake_(wake) { GW_CHECK(sem_init(&requests_, 0, 0) == 0); }

PosixStorage::~PosixStorage() {
  if (thread_started_) {
    stopping_.store(true, std::memory_order_release);
    sem_post(&requests_);
    pthread_join(thread_, nullptr);
  }
  if (shut_after_sync_) close(sync_file_);
  sem_destroy(&requests_);
}

Status PosixStorage::start_thread() {
  pthread_attr_t attributes;
  if (pthread_attr_init(&attributes) != 0) return Error::exhausted;
  // An inherited mask: signals must reach the loop, whose poll() they end.
  sigset_t all;
  sigset_t mask;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &mask);
  const bool started = pthread_attr_setstacksize(&attributes, stack_bytes) == 0 &&
                       pthread_create(&thread_, &attributes, run_thread, this) == 0;
  pthread_sigmask(SIG_SETMASK, &mask, nullptr);
  pthread_attr_destroy(&attributes);
  thread_started_ = started;
  return started ? Status{} : Status{Error::exhausted};
}

Status PosixStorage::sync_start(Handle file) { return start_sync(file, false); }

Status PosixStorage::start_sync(Handle file, bool names) {
  GW_CHECK(file != no_handle);
  if (sync_.load(std::memory_order_acquire) != Sync::idle) return Error::busy;
  if (!thread_started_) {
    const Status started = start_thread();
    if (!started.ok()) return started;
  }
  sync_file_ = file;
  sync_names_ = names;
  sync_.store(Sync::running, std::memory_order_release);
  sem_post(&requests_);
  return {};
}

void PosixStorage::shut_nameless(Handle file) {
  const bool syncing = sync_.load(std::memory_order_acquire) != Sync::idle && file == sync_file_;
  Handle none = no_handle;
  if (!thread_started_ || syncing || !to_close_.compare_exchange_strong(none, file, std::memory_order_acq_rel))
    return shut(file);
  sem_post(&requests_);
}

bool PosixStorage::sync_done(Status& outcome) {
  if (sync_.load(std::memory_order_acquire) != Sync::ended) return false;
  outcome = Status{sync_error_};
  sync_.store(Sync::idle, std::memory_order_relaxed);
  if (shut_after_sync_) {
    shut_after_sync_ = false;
    close(sync_file_);
  }
  sync_file_ = no_handle;
  return true;
}

void* PosixStorage::run_thread(void* self) {
  static_cast<PosixStorage*>(self)->serve_syncs();
  return nullptr;
}

void PosixStorage::serve_syncs() {
  while (true) {
    while (sem_wait(&requests_) != 0) GW_CHECK(errno == EINTR);
    // Looked at first: what was asked for before the end is still done.
    const bool last = stopping_.load(std::memory_order_acquire);
    if (sync_.load(std::memory_order_acquire) == Sync::running) {
      const Status outcome = sync_names_ ? sync_names(sync_file_) : sync_now(sync_file_);
      sync_error_ = outcome.error();
      // Before the ring: whoever wakes up finds the outcome.
      sync_.store(Sync::ended, std::memory_order_release);
      wake_.ring();
    }
    const Handle nameless = to_close_.exchange(no_handle, std::memory_order_acq_rel);
    if (nameless != no_handle) close(nameless);
    if (last) return;
  }
}

}  // namespace tocsin::posix
