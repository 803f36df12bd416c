// What the fuzzers share.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "base/bytes.h"

namespace tocsin::fuzz {

inline void check(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "FAILED: %s\n", what);
  std::abort();
}

// A copy in a block of its own size, so that the sanitizer sees whoever reads beyond it, or after its time.
class Copy {
 public:
  explicit Copy(ByteView bytes) : block_(static_cast<uint8_t*>(std::malloc(bytes.size() + 1))), size_(bytes.size()) {
    check(block_ != nullptr, "memory");
    copy_bytes(start(), bytes);
  }
  ~Copy() { std::free(block_); }
  Copy(const Copy&) = delete;
  Copy& operator=(const Copy&) = delete;
  ByteView view() const { return {start(), size_}; }

 private:
  // malloc(0) may be nothing: one byte more, in front.
  uint8_t* start() const { return block_ + 1; }
  uint8_t* block_;
  size_t size_;
};

}  // namespace tocsin::fuzz
