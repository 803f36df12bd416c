#include "test/swarm/telling.h"

#include <cstdarg>
#include <cstdio>

namespace tocsin::swarm {
namespace {

bool told = false;

using Number = unsigned long long;

Status said(uint32_t depth, const char* what, port::Handle file, const Status& status) {
  if (telling()) tell(depth, "%s of file %d: %s", what, static_cast<int>(file), describe(status.error()));
  return status;
}

Status said(uint32_t depth, const char* what, const char* path, const Status& status) {
  if (telling()) tell(depth, "%s %s: %s", what, path, describe(status.error()));
  return status;
}

}  // namespace

void tell_everything() { told = true; }
bool telling() { return told; }

void tell(uint32_t depth, const char* format, ...) {
  if (!told) return;
  std::printf("%*s[%u] ", static_cast<int>(4 * depth), "", depth);
  va_list arguments;
  va_start(arguments, format);
  std::vprintf(format, arguments);
  va_end(arguments);
  std::printf("\n");
}

Result<port::Handle> TellingStorage::open(const char* path, port::OpenMode mode) {
  const Result<port::Handle> file = inner_.open(path, mode);
  tell(depth_, "%s %s: %s, file %d", mode == port::OpenMode::create ? "create" : "open", path, describe(file.error()),
       file.ok() ? static_cast<int>(file.value()) : -1);
  return file;
}

Result<size_t> TellingStorage::read_at(port::Handle file, uint64_t offset, Bytes room) {
  const Result<size_t> read = inner_.read_at(file, offset, room);
  if (!read.ok()) tell(depth_, "read of file %d at %llu: %s", file, Number{offset}, describe(read.error()));
  return read;
}

Status TellingStorage::write_at(port::Handle file, uint64_t offset, ByteView bytes) {
  const Status status = inner_.write_at(file, offset, bytes);
  tell(depth_, "write to file %d at %llu, %llu bytes: %s", file, Number{offset}, Number{bytes.size()},
       describe(status.error()));
  return status;
}

Status TellingStorage::truncate(port::Handle file, uint64_t size) {
  const Status status = inner_.truncate(file, size);
  tell(depth_, "truncation of file %d to %llu: %s", file, Number{size}, describe(status.error()));
  return status;
}

Status TellingStorage::sync_start(port::Handle file) {
  return said(depth_, "start of a sync", file, inner_.sync_start(file));
}

bool TellingStorage::sync_done(Status& outcome) {
  const bool done = inner_.sync_done(outcome);
  if (done) tell(depth_, "end of the sync: %s", describe(outcome.error()));
  return done;
}

Status TellingStorage::sync_directory_start(const char* path) {
  return said(depth_, "start of a sync of", path, inner_.sync_directory_start(path));
}

Status TellingStorage::sync_now(port::Handle file) { return said(depth_, "sync", file, inner_.sync_now(file)); }

Status TellingStorage::sync_directory(const char* path) {
  return said(depth_, "sync of", path, inner_.sync_directory(path));
}

Status TellingStorage::replace(const char* from, const char* to) {
  return said(depth_, "replacement by", from, inner_.replace(from, to));
}

Status TellingStorage::link(const char* from, const char* to) {
  return said(depth_, "second name", to, inner_.link(from, to));
}

Status TellingStorage::remove(const char* path) { return said(depth_, "removal of", path, inner_.remove(path)); }

}  // namespace tocsin::swarm
