// What the tests of this folder share: a JSON reader behind its fence, numbers
// from a seed, and text comparison.
#pragma once

#include <new>

#include "base/random.h"
#include "proto/json.h"
#include "test/support/tests.h"

namespace tocsin::test {

// Numbers from a seed (splitmix64).
class Numbers : public RandomSource {
 public:
  explicit Numbers(uint64_t seed) : state_(seed) {}
  uint64_t next() {
    uint64_t z = state_ += 0x9E3779B97F4A7C15u;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
  }
  uint64_t below(uint64_t bound) { return next() % bound; }
  void fill(Bytes room) override {
    for (uint8_t& byte : room) byte = static_cast<uint8_t>(next());
  }

 private:
  uint64_t state_;
};

// In static storage of each file, because a failing assert skips destructors.
struct JsonDesk {
  alignas(64) uint8_t room[256 << 10];
  Heap heap{Bytes(room), "json"};
  JsonDocument json{heap};
};

// The first group's stays: jansson wants its seed once.
inline JsonDesk& json_desk() {
  alignas(JsonDesk) static uint8_t storage[sizeof(JsonDesk)];
  static bool made = false;
  if (!made) {
    json_start(20250701);
    new (storage) JsonDesk;
    made = true;
  }
  return *reinterpret_cast<JsonDesk*>(storage);
}

inline void assert_text(string_view got, string_view wanted) {
  if (got != wanted) {
    print_error("got    %.*s\nwanted %.*s\n", static_cast<int>(got.size()), got.data(), static_cast<int>(wanted.size()),
                wanted.data());
  }
  assert_true(got == wanted);
}

}  // namespace tocsin::test
