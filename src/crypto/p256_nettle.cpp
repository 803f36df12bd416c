// P-256 by nettle's libhogweed: multiplications whose time and memory accesses do not
// depend on the secret.
#include <nettle/bignum.h>
#include <nettle/dsa.h>
#include <nettle/ecc-curve.h>
#include <nettle/ecc.h>
#include <nettle/ecdsa.h>
#include <nettle/version.h>

#include "base/check.h"
#include "crypto/crypto.h"
#include "crypto/p256.h"

#define TOCSIN_TEXT_OF(number) #number
#define TOCSIN_TEXT(number) TOCSIN_TEXT_OF(number)

namespace tocsin {
namespace {

constexpr uint8_t order[32] = {0xFF, 0xFF, 0xFF, 0xFF, 0x00, 0x00, 0x00, 0x00, 0xFF, 0xFF, 0xFF,
                               0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xBC, 0xE6, 0xFA, 0xAD, 0xA7, 0x17,
                               0x9E, 0x84, 0xF3, 0xB9, 0xCA, 0xC2, 0xFC, 0x63, 0x25, 0x51};

void wipe_limbs(mp_limb_t* at, size_t count) { wipe(Bytes(reinterpret_cast<uint8_t*>(at), count * sizeof(mp_limb_t))); }

// Numbers of the library, given back to the heap when the call ends; what may be secret is wiped before.
struct Number {
  Number() { mpz_init(z); }
  explicit Number(ByteView big_endian) {
    mpz_init2(z, 256);
    nettle_mpz_set_str_256_u(z, big_endian.size(), big_endian.data());
  }
  ~Number() {
    wipe_limbs(z->_mp_d, static_cast<size_t>(z->_mp_alloc));
    mpz_clear(z);
  }
  Number(const Number&) = delete;
  Number& operator=(const Number&) = delete;
  void write(uint8_t* to) const { nettle_mpz_get_str_256(32, to, z); }
  mpz_t z;
};

struct Scalar {
  Scalar() { ecc_scalar_init(&s, nettle_get_secp_256r1()); }
  ~Scalar() {
    wipe_limbs(s.p, static_cast<size_t>(ecc_size(s.ecc)));
    ecc_scalar_clear(&s);
  }
  Scalar(const Scalar&) = delete;
  Scalar& operator=(const Scalar&) = delete;
  bool set(const P256Secret& secret) { return ecc_scalar_set(&s, Number(secret).z) == 1; }
  ecc_scalar s;
};

struct Point {
  Point() { ecc_point_init(&p, nettle_get_secp_256r1()); }
  ~Point() { ecc_point_clear(&p); }
  Point(const Point&) = delete;
  Point& operator=(const Point&) = delete;
  // False for what is not on the curve; infinity has no uncompressed form.
  bool set(const P256Point& bytes) {
    if (bytes[0] != 4) return false;
    const ByteView view(bytes);
    return ecc_point_set(&p, Number(view.subspan(1, 32)).z, Number(view.subspan(33)).z) == 1;
  }
  void write(uint8_t* x_to, uint8_t* y_to) const {
    Number x, y;
    ecc_point_get(&p, x.z, y.z);
    x.write(x_to);
    if (y_to != nullptr) y.write(y_to);
  }
  ecc_point p;
};

// The numbers k of RFC 6979 §3.2 for SHA-256, one after the other. The library takes them for its entropy,
// so that a signature needs none and both libraries give the same.
class Nonces {
 public:
  Nonces(const P256Secret& secret, const uint8_t (&hash)[32]) {
    uint8_t room[32 + 1 + 32 + 32];
    for (uint8_t& byte : v_) byte = 1;
    copy_bytes(room + 33, secret);
    copy_bytes(room + 65, hash);
    if (std::memcmp(hash, order, sizeof order) >= 0) subtract_order(room + 65);
    for (const uint8_t mark : {uint8_t{0}, uint8_t{1}}) {
      copy_bytes(room, v_);
      room[32] = mark;
      hmac_sha256(k_, room, k_);
      hmac_sha256(k_, v_, v_);
    }
    wipe(room);
  }
  ~Nonces() {
    wipe(k_);
    wipe(v_);
  }
  Nonces(const Nonces&) = delete;
  Nonces& operator=(const Nonces&) = delete;
  static void fill(void* context, size_t size, uint8_t* to) { static_cast<Nonces*>(context)->next({to, size}); }

 private:
  static void subtract_order(uint8_t* number) {
    int borrow = 0;
    for (size_t i = 32; i-- > 0;) {
      const int left = number[i] - order[i] - borrow;
      borrow = left < 0 ? 1 : 0;
      number[i] = static_cast<uint8_t>(left);
    }
  }
  void next(Bytes to) {
    GW_CHECK(to.size() == sizeof v_);
    if (drawn_) {  // the last one was no number below the order
      uint8_t room[33] = {};
      copy_bytes(room, v_);
      hmac_sha256(k_, room, k_);
      hmac_sha256(k_, v_, v_);
    }
    hmac_sha256(k_, v_, v_);
    copy_bytes(to.data(), v_);
    drawn_ = true;
  }
  uint8_t k_[32] = {};
  uint8_t v_[32];
  bool drawn_ = false;
};

}  // namespace

const char* P256Nettle::library() {
  return "nettle " TOCSIN_TEXT(NETTLE_VERSION_MAJOR) "." TOCSIN_TEXT(NETTLE_VERSION_MINOR);
}

Status P256Nettle::start(Heap& heap, RandomSource& random) {
  if (heap.size() < heap_bytes) return Error::exhausted;
  heap_ = &heap;
  // Whatever the library finds out at its first call (which instructions the processor has) is found out now.
  P256Pair pair;
  return make_pair(random, pair);
}

Status P256Nettle::public_point(const P256Secret& secret, P256Point& point, RandomSource&) {
  GW_CHECK(heap_ != nullptr);
  if (heap_->live() > 0) return Error::exhausted;
  HeapScope scope(*heap_);
  Scalar scalar;
  if (!scalar.set(secret)) return Error::malformed;
  Point result;
  ecc_point_mul_g(&result.p, &scalar.s);
  point[0] = 4;
  result.write(point + 1, point + 33);
  return {};
}

Status P256Nettle::shared_secret(const P256Secret& secret, const P256Point& point, uint8_t (&shared)[32],
                                 RandomSource&) {
  GW_CHECK(heap_ != nullptr);
  if (heap_->live() > 0) return Error::exhausted;
  HeapScope scope(*heap_);
  Scalar scalar;
  Point other, result;
  if (!scalar.set(secret) || !other.set(point)) return Error::malformed;
  ecc_point_mul(&result.p, &scalar.s, &other.p);
  result.write(shared, nullptr);
  return {};
}

Status P256Nettle::sign(const P256Secret& secret, ByteView message, P256Signature& signature, RandomSource&) {
  GW_CHECK(heap_ != nullptr);
  if (heap_->live() > 0) return Error::exhausted;
  uint8_t hash[32];
  sha256(message, hash);
  Nonces nonces(secret, hash);
  HeapScope scope(*heap_);
  Scalar scalar;
  if (!scalar.set(secret)) return Error::malformed;
  dsa_signature made;
  dsa_signature_init(&made);
  ecdsa_sign(&scalar.s, &nonces, Nonces::fill, sizeof hash, hash, &made);
  nettle_mpz_get_str_256(32, signature, made.r);
  nettle_mpz_get_str_256(32, signature + 32, made.s);
  dsa_signature_clear(&made);
  return {};
}

Status P256Nettle::verify(const P256Point& point, ByteView message, const P256Signature& signature) {
  GW_CHECK(heap_ != nullptr);
  if (heap_->live() > 0) return Error::exhausted;
  uint8_t hash[32];
  sha256(message, hash);
  HeapScope scope(*heap_);
  Point signer;
  if (!signer.set(point)) return Error::malformed;
  const ByteView bytes(signature);
  const Number r(bytes.first(32)), s(bytes.subspan(32));
  dsa_signature given;
  dsa_signature_init(&given);
  mpz_set(given.r, r.z);
  mpz_set(given.s, s.z);
  const bool good = ecdsa_verify(&signer.p, sizeof hash, hash, &given) == 1;
  dsa_signature_clear(&given);
  return good ? Status() : Status(Error::malformed);
}

}  // namespace tocsin
