// The curve P-256 (secp256r1) for Web Push: key pairs, shared secrets and
// signatures. Two libraries stand behind the same words: nettle's libhogweed, which
// is several times as fast, and mbed TLS, which a gateway has anyway. The make variable
// P256 chooses which one the program uses; a test holds the two against each other.
#pragma once

#include <cstdint>

#include "base/bytes.h"
#include "base/random.h"
#include "base/result.h"
#include "mem/heap.h"

namespace tocsin {

inline constexpr size_t p256_secret_bytes = 32;  // big-endian, 1 … order - 1
inline constexpr size_t p256_point_bytes = 65;   // uncompressed: 04 ‖ X ‖ Y (SEC 1 §2.3.3)
inline constexpr size_t p256_signature_bytes = 64;

using P256Secret = uint8_t[p256_secret_bytes];
using P256Point = uint8_t[p256_point_bytes];
using P256Signature = uint8_t[p256_signature_bytes];

struct P256Pair {
  P256Secret secret;
  P256Point point;
};

// Every call draws on a heap of its own, which nobody else may use and which is left as it was found.
// `random` only blinds: the same secret and message give the same bytes.
class P256 {
 public:
  // Once, before all else; heap has at least OwnP256::heap_bytes and lives as long as this.
  virtual Status start(Heap& heap, RandomSource& random) = 0;
  // Error::malformed: the secret is 0 or not below the order.
  virtual Status public_point(const P256Secret& secret, P256Point& point, RandomSource& random) = 0;
  // X of secret · point, leading zeros kept (RFC 8291 §3.1). Error::malformed: the secret as above, or the
  // point is not one of the curve: whoever may choose it freely could learn the secret.
  virtual Status shared_secret(const P256Secret& secret, const P256Point& point, uint8_t (&shared)[32],
                               RandomSource& random) = 0;
  // Deterministic ECDSA (RFC 6979) over SHA-256 of message: raw R‖S (RFC 7518 §3.4).
  virtual Status sign(const P256Secret& secret, ByteView message, P256Signature& signature, RandomSource& random) = 0;
  // Whether sign() with the secret of this point may have made it. Error::malformed: it did not, or the point is none.
  virtual Status verify(const P256Point& point, ByteView message, const P256Signature& signature) = 0;

  // A fresh pair from 32 bytes of entropy; drawn again, once in 2³² times, where they are no secret.
  Status make_pair(RandomSource& entropy, P256Pair& pair);

 protected:
  ~P256() = default;
};

// gmp below it aborts when it is refused memory: what it may need is asked for before each call. So this
// heap is the one that must not be told to fail.
class P256Nettle final : public P256 {
 public:
  static constexpr size_t heap_bytes = 8 * 1024;  // measured: 2.3 KiB in a call, nothing between them
  static const char* library();                   // "nettle 3.8"
  Status start(Heap& heap, RandomSource& random) override;
  Status public_point(const P256Secret& secret, P256Point& point, RandomSource& random) override;
  Status shared_secret(const P256Secret& secret, const P256Point& point, uint8_t (&shared)[32],
                       RandomSource& random) override;
  Status sign(const P256Secret& secret, ByteView message, P256Signature& signature, RandomSource& random) override;
  Status verify(const P256Point& point, ByteView message, const P256Signature& signature) override;

 private:
  Heap* heap_ = nullptr;
};

class P256Mbedtls final : public P256 {
 public:
  static constexpr size_t heap_bytes = 16 * 1024;  // measured: 5.6 KiB in a call, 1.6 KiB between them
  static const char* library();
  P256Mbedtls() = default;
  P256Mbedtls(const P256Mbedtls&) = delete;
  P256Mbedtls& operator=(const P256Mbedtls&) = delete;
  ~P256Mbedtls() { shut(); }
  Status start(Heap& heap, RandomSource& random) override;
  void shut();  // gives back what start() took from the heap
  Status public_point(const P256Secret& secret, P256Point& point, RandomSource& random) override;
  Status shared_secret(const P256Secret& secret, const P256Point& point, uint8_t (&shared)[32],
                       RandomSource& random) override;
  Status sign(const P256Secret& secret, ByteView message, P256Signature& signature, RandomSource& random) override;
  Status verify(const P256Point& point, ByteView message, const P256Signature& signature) override;

 private:
  struct Inside;
  Inside* inside_ = nullptr;
  Heap* heap_ = nullptr;
};

#ifdef TOCSIN_P256_MBEDTLS
using OwnP256 = P256Mbedtls;
#else
using OwnP256 = P256Nettle;
#endif

}  // namespace tocsin
