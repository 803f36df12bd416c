// The key of a Google service account: RSA, PKCS#1 v1.5, SHA-256.
#include <mbedtls/rsa.h>
#include <stdlib.h>

#include <new>

#include "crypto/crypto.h"
#include "crypto/key_mbedtls.h"

namespace tocsin {

static constexpr size_t bits_min = 2048;
static constexpr size_t bits_max = 4096;
static_assert(Rs256Key::signature_bytes_max == bits_max / 8);

struct Rs256Key::Inside {
  mbedtls_pk_context pk;
};

static const char* parse_problem(int error) {
  if (error == MBEDTLS_ERR_PK_UNKNOWN_PK_ALG || error == MBEDTLS_ERR_PK_UNKNOWN_NAMED_CURVE ||
      error == MBEDTLS_ERR_PK_FEATURE_UNAVAILABLE) {
    return "it holds a key of another kind, but RS256 needs RSA";
  }
  return "its PEM text is damaged";
}

Rs256Key::~Rs256Key() {
  if (inside_ == nullptr) return;
  HeapScope scope(*heap_);
  mbedtls_pk_free(&inside_->pk);
  free(inside_);
}

Status Rs256Key::load(ByteView pem, Heap& heap, RandomSource& random) {
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
  if (mbedtls_pk_get_type(&inside_->pk) != MBEDTLS_PK_RSA) {
    return give_up(Error::unsupported, "it holds a key of another kind, but RS256 needs RSA");
  }
  const size_t bits = mbedtls_pk_get_bitlen(&inside_->pk);
  if (bits < bits_min) return give_up(Error::unsupported, "its RSA key has fewer than 2,048 bits");
  if (bits > bits_max) return give_up(Error::unsupported, "its RSA key has more than 4,096 bits");

  // Fills the library's caches inside this heap, and finds a file whose parts do not belong together.
  uint8_t hash[32];
  uint8_t signature[signature_bytes_max];
  sha256({}, hash);
  const Result<size_t> size = sign({}, signature, random);
  if (!size.ok() ||
      mbedtls_pk_verify(&inside_->pk, MBEDTLS_MD_SHA256, hash, sizeof hash, signature, size.value()) != 0) {
    return give_up(Error::malformed, "its private and public halves do not belong together");
  }
  problem_ = "";
  return {};
}

Result<size_t> Rs256Key::sign(ByteView message, uint8_t signature[signature_bytes_max], RandomSource& random) const {
  GW_CHECK(loaded());
  uint8_t hash[32];
  sha256(message, hash);
  HeapScope scope(*heap_);
  size_t size = 0;
#if MBEDTLS_VERSION_MAJOR >= 3
  const int error = mbedtls_pk_sign(&inside_->pk, MBEDTLS_MD_SHA256, hash, sizeof hash, signature, signature_bytes_max,
                                    &size, fill_from_source, &random);
#else
  const int error =
      mbedtls_pk_sign(&inside_->pk, MBEDTLS_MD_SHA256, hash, sizeof hash, signature, &size, fill_from_source, &random);
#endif
  // The blinding numbers are made anew each time: the library changes them in place, so that a call that was refused
  // memory half-way would spoil all that follow.
  mbedtls_rsa_context& rsa = *mbedtls_pk_rsa(inside_->pk);
  mbedtls_mpi_free(&rsa.TOCSIN_INSIDE(Vi));
  mbedtls_mpi_free(&rsa.TOCSIN_INSIDE(Vf));
  if (error == 0) return size;
  return Error::exhausted;  // with a checked key, memory is the only thing that can be missing
}

}  // namespace tocsin
