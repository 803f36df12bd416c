// A byte ring: what waits to leave a socket. It never grows; push is all or nothing.
#pragma once

#include "base/bytes.h"

namespace tocsin {

class ByteRing {
 public:
  ByteRing() = default;
  explicit ByteRing(Bytes room) : room_(room) {}

  size_t size() const { return size_; }
  size_t capacity() const { return room_.size(); }
  size_t free() const { return room_.size() - size_; }
  bool empty() const { return size_ == 0; }

  // False, and nothing written, when bytes do not fit.
  [[nodiscard]] bool push(ByteView bytes) {
    if (bytes.size() > free()) return false;
    const size_t end = (start_ + size_) % (room_.empty() ? 1 : room_.size());
    const size_t first = bytes.size() < room_.size() - end ? bytes.size() : room_.size() - end;
    copy_bytes(room_.data() + end, bytes.first(first));
    copy_bytes(room_.data(), bytes.subspan(first));
    size_ += bytes.size();
    return true;
  }
  // The longest run of bytes at the front that lies in one piece.
  ByteView front() const { return piece(0); }
  // The same from `skip` bytes behind the front on; empty when there are no more.
  ByteView piece(size_t skip) const {
    if (skip >= size_) return {};
    const size_t at = start_ + skip < room_.size() ? start_ + skip : start_ + skip - room_.size();
    const size_t left = size_ - skip;
    return room_.subspan(at, left < room_.size() - at ? left : room_.size() - at);
  }
  void pop(size_t count) {
    start_ = (start_ + count) % (room_.empty() ? 1 : room_.size());
    size_ -= count;
    if (size_ == 0) start_ = 0;
  }
  void clear() { start_ = size_ = 0; }

 private:
  Bytes room_;
  size_t start_ = 0;
  size_t size_ = 0;
};

}  // namespace tocsin
