#include "base/siphash.h"

#include <bit>

namespace tocsin {
namespace {

uint64_t little_endian(const uint8_t* at, size_t count) {
  uint64_t v = 0;
  for (size_t i = 0; i < count; ++i) v |= static_cast<uint64_t>(at[i]) << (8 * i);
  return v;
}

struct State {
  uint64_t v0, v1, v2, v3;
  void round() {
    v0 += v1;
    v1 = std::rotl(v1, 13) ^ v0;
    v0 = std::rotl(v0, 32);
    v2 += v3;
    v3 = std::rotl(v3, 16) ^ v2;
    v0 += v3;
    v3 = std::rotl(v3, 21) ^ v0;
    v2 += v1;
    v1 = std::rotl(v1, 17) ^ v2;
    v2 = std::rotl(v2, 32);
  }
  void absorb(uint64_t word) {
    v3 ^= word;
    round();
    round();
    v0 ^= word;
  }
};

}  // namespace

uint64_t siphash(const HashKey& key, ByteView in) {
  const uint64_t k0 = little_endian(key.bytes, 8);
  const uint64_t k1 = little_endian(key.bytes + 8, 8);
  State s{k0 ^ 0x736f6d6570736575U, k1 ^ 0x646f72616e646f6dU, k0 ^ 0x6c7967656e657261U, k1 ^ 0x7465646279746573U};
  size_t at = 0;
  for (; at + 8 <= in.size(); at += 8) s.absorb(little_endian(in.data() + at, 8));
  s.absorb(little_endian(in.data() + at, in.size() - at) | (static_cast<uint64_t>(in.size() & 0xff) << 56));
  s.v2 ^= 0xff;
  for (int i = 0; i < 4; ++i) s.round();
  return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}

}  // namespace tocsin
