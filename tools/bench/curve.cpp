// The curve of Web Push by itself: what the library behind src/crypto/p256.h needs for
// a message's key pair and shared secret, before anything of ours is paid for. It is
// the library that the gateway of this build uses (make variable P256).
//
//   curve COUNT     that many messages; one line of JSON
#include <stdio.h>
#include <stdlib.h>

#include "crypto/p256.h"
#include "mem/heap_default.h"
#include "port/posix/entropy.h"
#include "tools/bench/common.h"

// Of the C library itself; the curve has a heap of its own.
const tocsin::size_t tocsin::heap_gate_default_bytes = size_t{1} << 20;

int main(int count, char** arguments) {
  using namespace tocsin;
  const long messages = count == 2 ? strtol(arguments[1], nullptr, 10) : 0;
  if (messages <= 0) {
    fprintf(stderr, "usage: curve COUNT\n");
    return 64;
  }
  static uint8_t room[OwnP256::heap_bytes];
  static Heap heap(Bytes(room), "curve");
  static OwnP256 curve;
  posix::PosixEntropy entropy;
  P256Pair theirs;
  bool good = curve.start(heap, entropy).ok() && curve.make_pair(entropy, theirs).ok();
  const int64_t before = bench::cpu_ns();
  for (long i = 0; i < messages && good; ++i) {
    P256Pair ours;
    uint8_t shared[32];
    good = curve.make_pair(entropy, ours).ok() && curve.shared_secret(ours.secret, theirs.point, shared, entropy).ok();
  }
  const double used_us = static_cast<double>(bench::cpu_ns() - before) / 1000;
  if (!good) {
    fprintf(stderr, "curve: %s refused\n", OwnP256::library());
    return 1;
  }
  printf("{\"library\":\"%s\",\"messages\":%ld,\"cpu_us\":%.0f}\n", OwnP256::library(), messages, used_us);
  return 0;
}
