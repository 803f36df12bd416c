// The key that signs JWTs: deterministic ECDSA (RFC 6979) on P-256.
#include <mbedtls/ecdsa.h>
#include <mbedtls/ecp.h>
#include <stdlib.h>

#include <new>

#include "crypto/crypto.h"
#include "crypto/key_mbedtls.h"

namespace tocsin {

struct Es256Key::Inside {
  mbedtls_pk_context pk;
  uint8_t point[65];
  // Only while pk is known to be an EC key.
  mbedtls_ecp_keypair& pair() { return *mbedtls_pk_ec(pk); }
  mbedtls_ecp_group& group() { return pair().TOCSIN_INSIDE(grp); }
};

static const char* parse_problem(int error) {
  if (error == MBEDTLS_ERR_PK_UNKNOWN_PK_ALG) return "it holds a key of another kind, but ES256 needs EC P-256";
  if (error == MBEDTLS_ERR_PK_UNKNOWN_NAMED_CURVE || error == MBEDTLS_ERR_PK_FEATURE_UNAVAILABLE) {
    return "it holds an EC key on an unknown curve, but ES256 needs EC P-256";
  }
  return "its PEM text is damaged";
}

// Also what fills the lazy caches: see load.
static bool verifies(mbedtls_ecp_group& group, const mbedtls_ecp_point& public_point, const uint8_t hash[32],
                     const uint8_t signature[64]) {
  mbedtls_mpi r, s;
  mbedtls_mpi_init(&r);
  mbedtls_mpi_init(&s);
  const bool good = mbedtls_mpi_read_binary(&r, signature, 32) == 0 &&
                    mbedtls_mpi_read_binary(&s, signature + 32, 32) == 0 &&
                    mbedtls_ecdsa_verify(&group, hash, 32, &public_point, &r, &s) == 0;
  mbedtls_mpi_free(&r);
  mbedtls_mpi_free(&s);
  return good;
}

Es256Key::~Es256Key() {
  if (inside_ == nullptr) return;
  HeapScope scope(*heap_);
  mbedtls_pk_free(&inside_->pk);
  free(inside_);
}

Status Es256Key::load(ByteView pem, Heap& heap, RandomSource& random) {
  GW_CHECK(!loaded());
  problem_ = odd_looks(text_of(pem));
  if (problem_ != nullptr) return Error::malformed;

  HeapScope scope(heap);
  heap.forget_refusals();
  heap_ = &heap;
  const auto give_up = [this, &heap](Error error, const char* problem) {
    if (inside_ != nullptr) {
      mbedtls_pk_free(&inside_->pk);
      free(inside_);
      inside_ = nullptr;
    }
    // Starved of memory, the library often blames the key.
    problem_ = heap.refused() > 0 ? no_memory_for_key : problem;
    return heap.refused() > 0 ? Error::exhausted : error;
  };
  void* room = malloc(sizeof(Inside));
  if (room == nullptr) {
    problem_ = no_memory_for_key;
    return Error::exhausted;
  }
  inside_ = new (room) Inside{};
  mbedtls_pk_init(&inside_->pk);
  const int error = parse_private_key(inside_->pk, pem, random);
  if (error != 0) return give_up(Error::malformed, parse_problem(error));

  const mbedtls_pk_type_t kind = mbedtls_pk_get_type(&inside_->pk);
  if (kind == MBEDTLS_PK_RSA) return give_up(Error::unsupported, "it holds an RSA key, but ES256 needs EC P-256");
  if (kind != MBEDTLS_PK_ECKEY) {
    return give_up(Error::unsupported, "it holds a key of another kind, but ES256 needs EC P-256");
  }
  if (inside_->group().id != MBEDTLS_ECP_DP_SECP256R1) {
    return give_up(Error::unsupported, "it holds an EC key on another curve, but ES256 needs EC P-256");
  }
  size_t written = 0;
  mbedtls_ecp_point& point = inside_->pair().TOCSIN_INSIDE(Q);
  if (mbedtls_ecp_point_write_binary(&inside_->group(), &point, MBEDTLS_ECP_PF_UNCOMPRESSED, &written, inside_->point,
                                     sizeof inside_->point) != 0 ||
      written != sizeof inside_->point) {
    return give_up(Error::malformed, "its PEM text is damaged");
  }

  // Fills the library's caches inside this heap, and finds a file whose halves do not match.
  uint8_t hash[32];
  uint8_t signature[64];
  sha256({}, hash);
  const Status signed_once = sign({}, signature, random);
  if (!signed_once.ok() || !verifies(inside_->group(), point, hash, signature)) {
    return give_up(Error::malformed, "its private and public halves do not belong together");
  }
  problem_ = "";
  return {};
}

Status Es256Key::sign(ByteView message, uint8_t signature[64], RandomSource& random) const {
  GW_CHECK(loaded());
  uint8_t hash[32];
  sha256(message, hash);
  HeapScope scope(*heap_);
  mbedtls_mpi r, s;
  mbedtls_mpi_init(&r);
  mbedtls_mpi_init(&s);
  const bool good = mbedtls_ecdsa_sign_det_ext(&inside_->group(), &r, &s, &inside_->pair().TOCSIN_INSIDE(d), hash,
                                               sizeof hash, MBEDTLS_MD_SHA256, fill_from_source, &random) == 0 &&
                    mbedtls_mpi_write_binary(&r, signature, 32) == 0 &&
                    mbedtls_mpi_write_binary(&s, signature + 32, 32) == 0;
  mbedtls_mpi_free(&r);
  mbedtls_mpi_free(&s);
  if (good) return {};
  return Error::exhausted;  // with a checked key, memory is the only thing that can be missing
}

void Es256Key::public_point(uint8_t out[65]) const {
  GW_CHECK(loaded());
  std::memcpy(out, inside_->point, sizeof inside_->point);
}

void Es256Key::secret(uint8_t out[32]) const {
  GW_CHECK(loaded());
  GW_CHECK(mbedtls_mpi_write_binary(&inside_->pair().TOCSIN_INSIDE(d), out, 32) == 0);
}

}  // namespace tocsin
