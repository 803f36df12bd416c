// The curve that the program uses, behind its fence, for the tests of this folder.
#pragma once

#include "crypto/p256.h"
#include "push/vapid.h"
#include "test/unit/push/desk.h"

namespace tocsin::test {

// In static storage of each file, because a failing assert skips destructors.
struct CurveDesk {
  alignas(64) uint8_t room[OwnP256::heap_bytes];
  Heap heap{Bytes(room), "curve"};
  Numbers random{4};
  OwnP256 curve;
};

inline CurveDesk& curve_desk() {
  alignas(CurveDesk) static uint8_t storage[sizeof(CurveDesk)];
  static bool made = false;
  if (!made) {
    CurveDesk& desk = *new (storage) CurveDesk;
    assert_true(desk.curve.start(desk.heap, desk.random).ok());
    made = true;
  }
  return *reinterpret_cast<CurveDesk*>(storage);
}

// With the key of a test, secret · G for a small secret; 0: none yet.
inline Vapid& vapid_of(uint8_t secret) {
  alignas(Vapid) static uint8_t storage[2][sizeof(Vapid)];
  static VapidToken tokens[2];
  const uint8_t i = secret == 0 ? 0 : 1;
  Vapid& vapid = *new (storage[i]) Vapid({tokens + i, 1}, curve_desk().curve, "mailto:ops@push.example.org");
  if (secret == 0) return vapid;
  P256Pair pair = {};
  pair.secret[sizeof pair.secret - 1] = secret;
  assert_true(curve_desk().curve.public_point(pair.secret, pair.point, curve_desk().random).ok());
  vapid.set_key(pair);
  return vapid;
}
inline Vapid& no_vapid() { return vapid_of(0); }

}  // namespace tocsin::test
