// Hashes, MACs, one cipher and the signatures that a gateway makes. Pure: randomness is
// an argument. The implementation is the only place that knows the library.
#pragma once

#include <cstdint>

#include "base/bytes.h"
#include "base/random.h"
#include "base/result.h"
#include "mem/heap.h"

namespace tocsin {

// Once per process, before everything else here: global state of the library
// (mbedTLS 3 keeps key slots) is made inside the long-lived heap.
Status crypto_start(Heap& long_lived);
const char* crypto_library();  // "mbed TLS 2.28.3", for --version

void sha1(ByteView in, uint8_t out[20]);  // only where peers ask for it: XEP-0114 handshakes, p2 hashes
void sha256(ByteView in, uint8_t out[32]);
void hmac_sha256(ByteView key, ByteView in, uint8_t out[32]);
// HKDF (RFC 5869 §2.3): from the extracted key, which is hmac_sha256(salt, secret), and info of at most 256 bytes
// as much as out takes, at most 8,160 bytes. Whoever expands one secret twice extracts it once.
void hkdf_expand(const uint8_t (&extracted)[32], ByteView info, Bytes out);
// Overwrites what must not stay in memory; the compiler does not leave it out.
void wipe(Bytes secret);

inline constexpr size_t gcm_tag_bytes = 16;
// AES-128-GCM without additional data (RFC 8188 §2): out has plain.size() + 16 bytes and may begin where plain
// does. A (key, nonce) pair is for one message only. Error::exhausted: heap had no 1 KiB left.
Status aes128gcm_seal(const uint8_t key[16], const uint8_t nonce[12], ByteView plain, Bytes out, Heap& heap);

// An EC P-256 private key that signs JWTs (RFC 7518 §3.4: raw R‖S, 64 bytes).
class Es256Key {
 public:
  Es256Key() = default;
  Es256Key(const Es256Key&) = delete;
  Es256Key& operator=(const Es256Key&) = delete;
  ~Es256Key();

  // Reads a PEM PKCS#8 ("BEGIN PRIVATE KEY", Apple's .p8) or SEC1 key, which then
  // lives in heap until the object ends. One signature is made and verified at once, so that what the
  // library caches lazily is in this heap too. On failure problem() is a sentence
  // without the file's name: "it holds an RSA key, but ES256 needs EC P-256".
  Status load(ByteView pem, Heap& heap, RandomSource& random);
  bool loaded() const { return inside_ != nullptr; }
  const char* problem() const { return problem_; }
  // Deterministic ECDSA (RFC 6979) over SHA-256 of message; random only blinds.
  Status sign(ByteView message, uint8_t signature[64], RandomSource& random) const;
  // The public point, uncompressed (65 bytes, 04 ‖ X ‖ Y).
  void public_point(uint8_t out[65]) const;
  // The private number, 32 bytes: for a library that signs faster. The caller wipes it.
  void secret(uint8_t out[32]) const;

 private:
  struct Inside;
  Inside* inside_ = nullptr;
  Heap* heap_ = nullptr;
  const char* problem_ = "";
};

// An RSA private key of 2,048 to 4,096 bits that signs JWTs (RFC 7518 §3.3: RSASSA-PKCS1-v1_5 with SHA-256).
class Rs256Key {
 public:
  static constexpr size_t signature_bytes_max = 512;

  Rs256Key() = default;
  Rs256Key(const Rs256Key&) = delete;
  Rs256Key& operator=(const Rs256Key&) = delete;
  ~Rs256Key();

  // As Es256Key::load; PKCS#8 as Google hands it out, or PKCS#1.
  Status load(ByteView pem, Heap& heap, RandomSource& random);
  bool loaded() const { return inside_ != nullptr; }
  const char* problem() const { return problem_; }
  // How many bytes the signature has: those of the modulus. random only blinds. Measured: 5 ms with 2,048 bits, 26 with
  // 4,096 (x86-64); small devices need ten times that.
  Result<size_t> sign(ByteView message, uint8_t signature[signature_bytes_max], RandomSource& random) const;

 private:
  struct Inside;
  Inside* inside_ = nullptr;
  Heap* heap_ = nullptr;
  const char* problem_ = "";
};

}  // namespace tocsin
