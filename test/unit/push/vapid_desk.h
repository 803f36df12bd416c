// The VAPID key of the tests of this folder, and another one.
#pragma once

#include "base/encode.h"
#include "push/vapid.h"
#include "test/unit/push/curve_desk.h"

namespace tocsin::test {

// The key of RFC 6979 A.2.5, and one more than it.
inline Vapid& vapid_desk(bool other = false) {
  static VapidToken table[2][2];
  alignas(Vapid) static uint8_t storage[2][sizeof(Vapid)];
  static bool made[2];
  const size_t at = other ? 1 : 0;
  if (!made[at]) {
    Vapid& vapid = *new (storage[at]) Vapid(table[at], curve_desk().curve, "mailto:push@chat.example.com");
    P256Pair pair;
    assert_true(decode_hex("C9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721", pair.secret).ok());
    pair.secret[31] = static_cast<uint8_t>(pair.secret[31] + at);
    assert_true(curve_desk().curve.public_point(pair.secret, pair.point, curve_desk().random).ok());
    vapid.set_key(pair);
    made[at] = true;
  }
  return *reinterpret_cast<Vapid*>(storage[at]);
}

}  // namespace tocsin::test
