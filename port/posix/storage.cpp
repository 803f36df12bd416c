#include "port/posix/storage.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>  // rename
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "base/writer.h"
#include "port/posix/errors.h"

namespace tocsin::posix {

using port::FileFacts;
using port::Handle;
using port::OpenMode;

namespace {

// O_NONBLOCK: opening a FIFO that somebody put there must not wait for its other end.
constexpr int flags_always = O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
constexpr mode_t mode_file = 0600;
constexpr mode_t mode_for_group = 0640;
constexpr mode_t mode_directory = 0700;

Status status_of(int outcome) {
  if (outcome == 0) return {};
  return error_of(errno);
}

int open_file(const char* path, int flags) {
  int file = -1;
  do file = ::open(path, flags | flags_always, mode_file);
  while (file < 0 && errno == EINTR);
  return file;
}

bool fits_off_t(uint64_t offset, size_t count) {
  constexpr uint64_t max = INT64_MAX;
  static_assert(sizeof(off_t) == 8, "build with -D_FILE_OFFSET_BITS=64");
  return offset <= max && count <= max - offset;
}

}  // namespace

Result<Handle> PosixStorage::open(const char* path, OpenMode mode) {
  int file = -1;
  switch (mode) {
    // What is only read may be a symbolic link: administrators link keys and certificates.
    case OpenMode::read: file = open_file(path, O_RDONLY); break;
    case OpenMode::read_write: file = open_file(path, O_RDWR | O_NOFOLLOW); break;
    case OpenMode::create:
    case OpenMode::create_for_group: file = open_file(path, O_RDWR | O_NOFOLLOW | O_CREAT | O_EXCL); break;
  }
  if (file < 0) return error_of(errno);
  // Not by open: the umask would have its say.
  if (mode == OpenMode::create_for_group && fchmod(file, mode_for_group) != 0) {
    const Error error = error_of(errno);
    ::close(file);
    ::unlink(path);
    return error;
  }
  return Handle{file};
}

Result<FileFacts> PosixStorage::facts(const char* path) {
  struct stat s {};
  if (stat(path, &s) != 0) return error_of(errno);
  return FileFacts{.size = static_cast<uint64_t>(s.st_size),
                   .mode = static_cast<uint32_t>(s.st_mode) & 07777u,
                   .directory = S_ISDIR(s.st_mode),
                   .owner = static_cast<uint32_t>(s.st_uid)};
}

Result<uint64_t> PosixStorage::size(Handle file) {
  struct stat s {};
  if (fstat(file, &s) != 0) return error_of(errno);
  return static_cast<uint64_t>(s.st_size);
}

Result<size_t> PosixStorage::read_at(Handle file, uint64_t offset, Bytes room) {
  if (!fits_off_t(offset, room.size())) return Error::too_long;
  size_t got = 0;
  while (got < room.size()) {
    const ssize_t n = pread(file, room.data() + got, room.size() - got, static_cast<off_t>(offset + got));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return error_of(errno);
    if (n == 0) break;
    got += static_cast<size_t>(n);
  }
  return got;
}

Status PosixStorage::write_at(Handle file, uint64_t offset, ByteView bytes) {
  if (!fits_off_t(offset, bytes.size())) return Error::too_long;
  size_t written = 0;
  while (written < bytes.size()) {
    const ssize_t n =
        pwrite(file, bytes.data() + written, bytes.size() - written, static_cast<off_t>(offset + written));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return error_of(errno);
    if (n == 0) return Error::io;
    written += static_cast<size_t>(n);
  }
  return {};
}

Status PosixStorage::truncate(Handle file, uint64_t size) {
  if (!fits_off_t(size, 0)) return Error::too_long;
  int outcome = 0;
  do outcome = ftruncate(file, static_cast<off_t>(size));
  while (outcome != 0 && errno == EINTR);
  return status_of(outcome);
}

Status PosixStorage::sync_now(Handle file) {
  int outcome = 0;
  do outcome = fdatasync(file);
  while (outcome != 0 && errno == EINTR);
  return status_of(outcome);
}

// EINVAL: a file system (some FUSE and network ones) that knows no such thing.
Status PosixStorage::sync_names(Handle directory) {
  return fsync(directory) == 0 || errno == EINVAL ? Status{} : Status{error_of(errno)};
}

Status PosixStorage::sync_directory(const char* path) {
  const int directory = open_file(path, O_RDONLY | O_DIRECTORY);
  if (directory < 0) return error_of(errno);
  const Status outcome = sync_names(directory);
  close(directory);
  return outcome;
}

Status PosixStorage::sync_directory_start(const char* path) {
  const int directory = open_file(path, O_RDONLY | O_DIRECTORY);
  if (directory < 0) return error_of(errno);
  const Status started = start_sync(directory, true);
  if (started.ok()) {
    shut(directory);  // closed when the sync is through
  } else {
    close(directory);
  }
  return started;
}

Status PosixStorage::make_directory(const char* path) {
  if (mkdir(path, mode_directory) == 0) return {};
  const int why = errno;
  struct stat s {};
  if (why == EEXIST && stat(path, &s) == 0 && S_ISDIR(s.st_mode)) return {};
  return error_of(why);
}

Status PosixStorage::replace(const char* from, const char* to) { return status_of(rename(from, to)); }

Status PosixStorage::link(const char* from, const char* to) { return status_of(::link(from, to)); }

Status PosixStorage::remove(const char* path) { return status_of(unlink(path)); }

Result<Handle> PosixStorage::lock(const char* path, int64_t* holder) {
  *holder = 0;
  const int file = open_file(path, O_RDWR | O_NOFOLLOW | O_CREAT);
  if (file < 0) return error_of(errno);
  // flock and not fcntl: the latter's locks vanish when any descriptor of the file is closed.
  if (flock(file, LOCK_EX | LOCK_NB) != 0) {
    const int why = errno;
    uint8_t room[24];
    const Result<size_t> got = read_at(file, 0, room);
    if (got.ok()) {
      const Result<uint64_t> pid = parse_number(trim(text_of({room, got.value()})), INT32_MAX);
      if (pid.ok()) *holder = static_cast<int64_t>(pid.value());
    }
    close(file);
    return why == EWOULDBLOCK ? Error::busy : error_of(why);
  }
  uint8_t room[24];
  Writer text{Bytes(room)};
  text.number(getpid()).character('\n');
  Status written = truncate(file, 0);
  if (written.ok()) written = write_at(file, 0, text.written());
  if (!written.ok()) {
    close(file);
    return written.error();
  }
  return Handle{file};
}

void PosixStorage::shut(Handle file) {
  if (sync_.load(std::memory_order_acquire) != Sync::idle && file == sync_file_) {
    GW_CHECK(!shut_after_sync_);
    shut_after_sync_ = true;
    return;
  }
  close(file);
}

}  // namespace tocsin::posix
