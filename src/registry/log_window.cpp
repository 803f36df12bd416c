#include "registry/log_window.h"

#include <algorithm>

namespace tocsin {

Result<ByteView> LogWindow::bytes(uint64_t offset, size_t count) {
  GW_CHECK(count <= room_.size() / 2);
  if (offset >= size_) return ByteView{};
  count = static_cast<size_t>(std::min<uint64_t>(count, size_ - offset));
  if (offset < at_ || offset + count > at_ + used_) {
    // From the sector's start on, so that one that can not be read takes no other with it.
    at_ = offset - offset % sector_bytes;
    used_ = static_cast<size_t>(std::min<uint64_t>(room_.size(), size_ - at_));
    if (const Status filled = fill(); !filled.ok()) {
      used_ = 0;
      return filled.error();
    }
  }
  return ByteView(room_).subspan(static_cast<size_t>(offset - at_), count);
}

Result<ByteView> LogWindow::record(uint64_t offset) {
  const Result<ByteView> head = bytes(offset, record_head_bytes);
  if (!head.ok()) return head.error();
  if (head.value().size() < record_head_bytes) return ByteView{};
  const size_t size = record_size(head.value().data());
  if (size > room_.size() / 2) return ByteView{};  // no record of ours, or of a version to come, is that long
  const Result<ByteView> all = bytes(offset, size);
  if (!all.ok()) return all.error();
  return intact(all.value()) ? all.value() : ByteView{};
}

Status LogWindow::fill() {
  const Result<size_t> read = journal_.read(at_, room_.first(used_));
  if (read.ok()) return read.value() == used_ ? Status() : Status(Error::io);  // it became shorter
  return read.error() == Error::io ? fill_by_sectors() : Status(read.error());
}

Status LogWindow::fill_by_sectors() {
  for (size_t done = 0; done < used_;) {
    const Bytes sector = room_.subspan(done, std::min(sector_bytes, used_ - done));
    const Result<size_t> read = journal_.read(at_ + done, sector);
    if (!read.ok() && read.error() != Error::io) return read.error();
    if (!read.ok() || read.value() != sector.size()) {
      std::memset(sector.data(), 0, sector.size());
      unreadable_ += sector.size();
    }
    done += sector.size();
  }
  return {};
}

}  // namespace tocsin
