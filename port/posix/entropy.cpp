#include "port/posix/entropy.h"

#include <errno.h>
#include <sys/random.h>

namespace tocsin::posix {

namespace {

void fill_from_kernel(Bytes room) {
  while (!room.empty()) {
    const ssize_t got = getrandom(room.data(), room.size() < 256 ? room.size() : 256, 0);
    if (got < 0 && errno == EINTR) continue;
    GW_CHECK(got > 0);
    room = room.subspan(static_cast<size_t>(got));
  }
}

}  // namespace

void PosixEntropy::fill(Bytes room) {
  if (room.size() > small_wish) return fill_from_kernel(room);
  if (left_ < room.size()) {
    fill_from_kernel(stock_);
    left_ = sizeof stock_;
  }
  uint8_t* from = stock_ + sizeof stock_ - left_;
  copy_bytes(room.data(), ByteView(from, room.size()));
  std::memset(from, 0, room.size());
  left_ -= room.size();
}

}  // namespace tocsin::posix
