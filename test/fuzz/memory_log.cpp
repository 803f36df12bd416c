#include "test/fuzz/memory_log.h"

#include <algorithm>

#include "base/check.h"

namespace tocsin::fuzz {

void MemoryLog::set(ByteView content) {
  GW_CHECK(content.size() <= capacity);
  current_ = 0;
  size_ = content.size();
  second_size_ = appended_ = 0;
  copy_bytes(bytes_[0], content);
}

Result<size_t> MemoryLog::read_of(int which, uint64_t size, uint64_t offset, Bytes room) const {
  if (offset >= size) return size_t{0};
  const size_t count = static_cast<size_t>(std::min<uint64_t>(room.size(), size - offset));
  copy_bytes(room.data(), {bytes_[which] + offset, count});
  return count;
}

Status MemoryLog::append(ByteView batch) {
  if (batch.size() > capacity - size_) return Error::no_space;
  copy_bytes(bytes_[current_] + size_, batch);
  appended_ = batch.size();
  return {};
}

bool MemoryLog::decided(Status& outcome) {
  if (appended_ == 0) return false;
  size_ += appended_;
  appended_ = 0;
  outcome = {};
  return true;
}

Status MemoryLog::cut(uint64_t size) {
  GW_CHECK(size < size_);
  size_ = size;
  return {};
}

Status MemoryLog::renew(uint64_t offset) {
  GW_CHECK(offset <= size_);
  return {};
}

Status MemoryLog::begin() {
  second_size_ = 0;
  return {};
}

Status MemoryLog::write(ByteView bytes) {
  if (bytes.size() > capacity - second_size_) return Error::no_space;
  copy_bytes(bytes_[1 - current_] + second_size_, bytes);
  second_size_ += bytes.size();
  return {};
}

bool MemoryLog::decided_rewrite(Status& outcome) {
  outcome = {};
  return true;
}

void MemoryLog::switch_over() {
  current_ = 1 - current_;
  std::swap(size_, second_size_);
}

}  // namespace tocsin::fuzz
