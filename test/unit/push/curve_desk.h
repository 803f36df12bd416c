// The curve that the program uses, behind its fence, for the tests of this folder.
#pragma once

#include "crypto/p256.h"
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

}  // namespace tocsin::test
