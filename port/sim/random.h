// Chance from a seed: the same seed gives the same numbers on every machine
// (xoshiro256**, Blackman and Vigna 2018, public domain; seeded by splitmix64).
#pragma once

#include <cstdint>

#include "base/bytes.h"
#include "base/check.h"

namespace tocsin::sim {

class Random {
 public:
  explicit Random(uint64_t seed) {
    for (auto& word : state_) word = split(seed);
  }

  uint64_t next() {
    const uint64_t result = rotate(state_[1] * 5, 7) * 9;
    const uint64_t shifted = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= shifted;
    state_[3] = rotate(state_[3], 45);
    return result;
  }
  // 0 … bound-1. The bias of the remainder (below 2^-32 for small bounds) does not matter here.
  uint64_t below(uint64_t bound) {
    GW_CHECK(bound > 0);
    return next() % bound;
  }
  uint64_t between(uint64_t first, uint64_t last) { return first + below(last - first + 1); }
  bool coin() { return (next() >> 63) != 0; }
  bool chance(uint32_t per_million) { return per_million > 0 && below(1'000'000) < per_million; }
  void fill(Bytes room) {
    for (size_t i = 0; i < room.size(); i += 8) {
      const uint64_t word = next();
      for (size_t j = i; j < room.size() && j < i + 8; ++j) room[j] = static_cast<uint8_t>(word >> (8 * (j - i)));
    }
  }

 private:
  static constexpr uint64_t rotate(uint64_t x, int k) { return (x << k) | (x >> (64 - k)); }
  static uint64_t split(uint64_t& seed) {
    uint64_t z = (seed += 0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }
  uint64_t state_[4];
};

}  // namespace tocsin::sim
