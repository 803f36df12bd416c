#include "link/log_file.h"

#include <algorithm>

namespace tocsin {

Status LogFile::open(const char* path) {
  const Result<port::Handle> file = storage_.open(path, port::OpenMode::read);
  if (!file.ok()) return file.error();
  const Result<uint64_t> size = storage_.size(file.value());
  if (!size.ok()) {
    storage_.shut(file.value());
    return size.error();
  }
  file_ = file.value();
  size_ = size.value();
  return {};
}

Status LogFile::create(const char* path) {
  const Result<port::Handle> file = storage_.open(path, port::OpenMode::create);
  if (!file.ok()) return file.error();
  file_ = file.value();
  size_ = 0;
  return {};
}

Status LogFile::write(ByteView bytes) {
  if (const Status written = storage_.write_at(file_, size_, bytes); !written.ok()) return written;
  size_ += bytes.size();
  return {};
}

void LogFile::shut() {
  if (file_ != port::no_handle) storage_.shut(file_);
  file_ = port::no_handle;
}

Result<size_t> LogFile::read(uint64_t offset, Bytes room) {
  if (offset >= size_) return size_t{0};
  const uint64_t left = size_ - offset;
  return storage_.read_at(file_, offset, room.first(static_cast<size_t>(std::min<uint64_t>(room.size(), left))));
}

Status LogFile::cut(uint64_t size) {
  GW_CHECK(size <= size_);
  size_ = size;
  return {};
}

}  // namespace tocsin
