// P-256 by mbed TLS: slower, but no further library.
#include <mbedtls/ecdh.h>
#include <mbedtls/ecdsa.h>
#include <mbedtls/ecp.h>
#include <stdlib.h>

#include <new>

#include "base/check.h"
#include "crypto/crypto.h"
#include "crypto/inside_mbedtls.h"
#include "crypto/p256.h"

namespace tocsin {
namespace {

// The library wipes what it frees.
struct Number {
  Number() { mbedtls_mpi_init(&n); }
  ~Number() { mbedtls_mpi_free(&n); }
  Number(const Number&) = delete;
  Number& operator=(const Number&) = delete;
  int read(ByteView bytes) { return mbedtls_mpi_read_binary(&n, bytes.data(), bytes.size()); }
  int write(Bytes bytes) const { return mbedtls_mpi_write_binary(&n, bytes.data(), bytes.size()); }
  mbedtls_mpi n;
};

struct Point {
  Point() { mbedtls_ecp_point_init(&p); }
  ~Point() { mbedtls_ecp_point_free(&p); }
  Point(const Point&) = delete;
  Point& operator=(const Point&) = delete;
  mbedtls_ecp_point p;
};

// Starved of memory, the library may say anything.
Status status_of(int error, const Heap& heap) {
  if (error == 0) return {};
  return heap.refused() > 0 || error == MBEDTLS_ERR_MPI_ALLOC_FAILED ? Error::exhausted : Error::malformed;
}

}  // namespace

struct P256Mbedtls::Inside {
  mbedtls_ecp_group group;
};

const char* P256Mbedtls::library() { return MBEDTLS_VERSION_STRING_FULL; }

Status P256Mbedtls::start(Heap& heap, RandomSource& random) {
  GW_CHECK(inside_ == nullptr);
  heap_ = &heap;
  {
    HeapScope scope(heap);
    heap.forget_refusals();
    void* room = malloc(sizeof(Inside));
    if (room == nullptr) return Error::exhausted;
    inside_ = new (room) Inside;
    mbedtls_ecp_group_init(&inside_->group);
    if (mbedtls_ecp_group_load(&inside_->group, MBEDTLS_ECP_DP_SECP256R1) != 0) {
      shut();
      return Error::exhausted;
    }
  }
  // 2.28 keeps a table of multiples of the generator from the first multiplication on.
  P256Pair pair;
  const Status made = make_pair(random, pair);
  if (!made.ok()) shut();
  return made;
}

void P256Mbedtls::shut() {
  if (inside_ == nullptr) return;
  HeapScope scope(*heap_);
  mbedtls_ecp_group_free(&inside_->group);
  free(inside_);
  inside_ = nullptr;
}

Status P256Mbedtls::public_point(const P256Secret& secret, P256Point& point, RandomSource& random) {
  GW_CHECK(inside_ != nullptr);
  HeapScope scope(*heap_);
  heap_->forget_refusals();
  mbedtls_ecp_group& group = inside_->group;
  Number scalar;
  Point result;
  size_t written = 0;
  int error = scalar.read(secret);
  if (error == 0) error = mbedtls_ecp_check_privkey(&group, &scalar.n);
  if (error == 0) {
    error = mbedtls_ecp_mul(&group, &result.p, &scalar.n, &group.G, fill_from_source, &random);
  }
  if (error == 0) {
    error =
        mbedtls_ecp_point_write_binary(&group, &result.p, MBEDTLS_ECP_PF_UNCOMPRESSED, &written, point, sizeof point);
  }
  return status_of(error, *heap_);
}

Status P256Mbedtls::shared_secret(const P256Secret& secret, const P256Point& point, uint8_t (&shared)[32],
                                  RandomSource& random) {
  GW_CHECK(inside_ != nullptr);
  if (point[0] != 4) return Error::malformed;  // infinity has one byte, other forms are not Web Push's
  HeapScope scope(*heap_);
  heap_->forget_refusals();
  mbedtls_ecp_group& group = inside_->group;
  Number scalar, x;
  Point other;
  int error = scalar.read(secret);
  if (error == 0) error = mbedtls_ecp_check_privkey(&group, &scalar.n);
  if (error == 0) error = mbedtls_ecp_point_read_binary(&group, &other.p, point, sizeof point);
  if (error == 0) error = mbedtls_ecp_check_pubkey(&group, &other.p);
  if (error == 0) error = mbedtls_ecdh_compute_shared(&group, &x.n, &other.p, &scalar.n, fill_from_source, &random);
  if (error == 0) error = x.write(shared);
  return status_of(error, *heap_);
}

Status P256Mbedtls::sign(const P256Secret& secret, ByteView message, P256Signature& signature, RandomSource& random) {
  GW_CHECK(inside_ != nullptr);
  uint8_t hash[32];
  sha256(message, hash);
  HeapScope scope(*heap_);
  heap_->forget_refusals();
  mbedtls_ecp_group& group = inside_->group;
  Number scalar, r, s;
  int error = scalar.read(secret);
  if (error == 0) error = mbedtls_ecp_check_privkey(&group, &scalar.n);
  if (error == 0) {
    error = mbedtls_ecdsa_sign_det_ext(&group, &r.n, &s.n, &scalar.n, hash, sizeof hash, MBEDTLS_MD_SHA256,
                                       fill_from_source, &random);
  }
  if (error == 0) error = r.write(Bytes(signature).first(32));
  if (error == 0) error = s.write(Bytes(signature).subspan(32));
  return status_of(error, *heap_);
}

Status P256Mbedtls::verify(const P256Point& point, ByteView message, const P256Signature& signature) {
  GW_CHECK(inside_ != nullptr);
  if (point[0] != 4) return Error::malformed;
  uint8_t hash[32];
  sha256(message, hash);
  HeapScope scope(*heap_);
  heap_->forget_refusals();
  mbedtls_ecp_group& group = inside_->group;
  Number r, s;
  Point signer;
  int error = mbedtls_ecp_point_read_binary(&group, &signer.p, point, sizeof point);
  if (error == 0) error = mbedtls_ecp_check_pubkey(&group, &signer.p);
  if (error == 0) error = r.read(ByteView(signature).first(32));
  if (error == 0) error = s.read(ByteView(signature).subspan(32));
  if (error == 0) error = mbedtls_ecdsa_verify(&group, hash, sizeof hash, &signer.p, &r.n, &s.n);
  return status_of(error, *heap_);
}

}  // namespace tocsin
