#include "tools/bench/counted_storage.h"

#include <algorithm>

#include "base/text.h"

namespace tocsin::bench {

using port::Handle;

CountedStorage::File* CountedStorage::find(Handle file) {
  for (File& known : files_) {
    if (known.handle == file) return &known;
  }
  return nullptr;
}

Result<Handle> CountedStorage::open(const char* path, port::OpenMode mode) {
  const Result<Handle> opened = under_.open(path, mode);
  if (!opened.ok()) return opened;
  File* free = find(port::no_handle);
  GW_CHECK(free != nullptr);
  *free = {.handle = opened.value()};
  if (ends_with(path, ".new")) second_handle_ = opened.value();
  return opened;
}

void CountedStorage::forget(Handle file) {
  if (File* known = find(file)) *known = {};
  if (file == second_handle_) second_handle_ = port::no_handle;
}

void CountedStorage::shut(Handle file) {
  forget(file);
  under_.shut(file);
}

void CountedStorage::shut_nameless(Handle file) {
  forget(file);
  under_.shut_nameless(file);
}

Status CountedStorage::write_at(Handle file, uint64_t offset, ByteView bytes) {
  Written& sum = file == second_handle_ ? second_ : journal_;
  sum.bytes += bytes.size();
  ++sum.writes;
  if (File* known = find(file); known != nullptr && !bytes.empty()) {
    known->from = std::min(known->from, offset);
    known->to = std::max(known->to, offset + bytes.size());
    sum.unsynced_max = std::max(sum.unsynced_max, known->to - known->from);
  }
  return under_.write_at(file, offset, bytes);
}

void CountedStorage::synced(Handle file) {
  Written& sum = file == second_handle_ ? second_ : journal_;
  ++sum.syncs;
  File* known = find(file);
  if (known == nullptr || known->to == 0) return;
  sum.pages += (known->to - 1) / page_bytes - known->from / page_bytes + 1;
  known->from = UINT64_MAX;
  known->to = 0;
}

Status CountedStorage::sync_start(Handle file) {
  synced(file);
  if (!at_once_) return under_.sync_start(file);
  outcome_ = under_.sync_now(file);
  done_ = true;
  return {};
}

bool CountedStorage::sync_done(Status& outcome) {
  if (!at_once_) return under_.sync_done(outcome);
  if (!done_) return false;
  outcome = outcome_;
  done_ = false;
  return true;
}

Status CountedStorage::sync_directory_start(const char* path) {
  ++names_;
  if (!at_once_) return under_.sync_directory_start(path);
  outcome_ = under_.sync_directory(path);
  done_ = true;
  return {};
}

Status CountedStorage::sync_now(Handle file) {
  synced(file);
  return under_.sync_now(file);
}

Status CountedStorage::sync_directory(const char* path) {
  ++names_;
  return under_.sync_directory(path);
}

Status CountedStorage::replace(const char* from, const char* to) {
  const Status placed = under_.replace(from, to);
  if (!placed.ok()) return placed;
  ++replaced_;
  second_handle_ = port::no_handle;
  return placed;
}

}  // namespace tocsin::bench
