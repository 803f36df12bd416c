// Random bytes from getrandom(2). Small wishes are served from a stock, so that a
// publish costs no system call; what was handed out is wiped from it.
#pragma once

#include "port/port.h"

namespace tocsin::posix {

class PosixEntropy final : public port::Entropy {
 public:
  // Blocks once, when the system has just booted and has no entropy yet.
  void fill(Bytes room) override;

 private:
  static constexpr size_t small_wish = 32;
  uint8_t stock_[256];  // comes whole or not at all (getrandom(2))
  size_t left_ = 0;     // at the end of stock_
};

}  // namespace tocsin::posix
