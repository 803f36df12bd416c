// Trusted roots, read one by one: the library's own bundle parser would need the
// whole bundle as text once more, and stop at the first shortage of memory halfway.
#include <stdlib.h>

#include <new>

#include "crypto/tls_inside_mbedtls.h"

namespace tocsin {

// Roots have 1 to 3 KiB as PEM.
static constexpr size_t certificate_bytes_max = 16 * 1024;
static constexpr uint32_t warm_at_once = 10;

static constexpr string_view begin_line = "-----BEGIN CERTIFICATE-----";
static constexpr string_view end_line = "-----END CERTIFICATE-----";
static const char* const no_memory = "there is no counted memory left to read it";

string_view take_certificate(string_view& pem) {
  const size_t start = pem.find(begin_line);
  if (start == string_view::npos) return pem = {};
  pem.remove_prefix(start);
  const size_t end = pem.find(end_line);
  const size_t next = pem.find(begin_line, begin_line.size());
  size_t size = end == string_view::npos ? pem.size() : end + end_line.size();
  if (next < size) size = next;  // the end is missing, but another one follows
  const string_view one = slice(pem, 0, size);
  pem.remove_prefix(size);
  return one;
}

// The library wants a zero behind the text.
static bool parse(mbedtls_x509_crt& chain, string_view one) {
  if (one.size() > certificate_bytes_max) return false;
  uint8_t* copy = static_cast<uint8_t*>(malloc(one.size() + 1));
  if (copy == nullptr) return false;
  copy_bytes(copy, bytes_of(one));
  copy[one.size()] = 0;
  const bool good = mbedtls_x509_crt_parse(&chain, copy, one.size() + 1) == 0;
  free(copy);
  return good;
}

TlsRoots::~TlsRoots() {
  if (inside_ == nullptr) return;
  HeapScope scope(*heap_);
  mbedtls_x509_crt_free(&inside_->chain);
  free(inside_);
}

Status TlsRoots::load(ByteView pem, Heap& heap) {
  GW_CHECK(inside_ == nullptr);
  HeapScope scope(heap);
  heap.forget_refusals();
  heap_ = &heap;
  count_ = skipped_ = 0;
  const auto give_up = [this](Error error, const char* problem) {
    if (inside_ != nullptr) {
      mbedtls_x509_crt_free(&inside_->chain);
      free(inside_);
      inside_ = nullptr;
    }
    count_ = 0;
    problem_ = problem;
    return error;
  };
  void* room = malloc(sizeof(Inside));
  if (room == nullptr) return give_up(Error::exhausted, no_memory);
  inside_ = new (room) Inside{};
  mbedtls_x509_crt_init(&inside_->chain);

  string_view text = text_of(pem);
  for (string_view one = take_certificate(text); !one.empty(); one = take_certificate(text)) {
    if (parse(inside_->chain, one)) {
      ++count_;
    } else {
      ++skipped_;
    }
    if (heap.refused() > 0) return give_up(Error::exhausted, no_memory);
  }
  if (count_ == 0) {
    return give_up(Error::malformed, skipped_ == 0 ? "it holds no PEM certificate (-----BEGIN CERTIFICATE-----)"
                                                   : "no certificate in it can be read");
  }
  inside_->cold = &inside_->chain;
  if (count_ <= warm_at_once && !warm_up(count_).ok()) return give_up(Error::exhausted, no_memory);
  problem_ = "";
  return {};
}

bool TlsRoots::warm() const { return inside_ != nullptr && inside_->cold == nullptr; }

// RSA keys keep R² mod N for Montgomery's multiplication, EC groups may keep multiples of
// the generator. Any verification makes them; that this one fails does not matter.
static void use_once(mbedtls_x509_crt& root) {
  static const uint8_t hash[32] = {1};
  uint8_t signature[MBEDTLS_PK_SIGNATURE_MAX_SIZE] = {};
  size_t size = mbedtls_pk_get_len(&root.pk);
  if (size > sizeof signature) return;
  if (mbedtls_pk_can_do(&root.pk, MBEDTLS_PK_RSA)) {
    signature[size - 1] = 1;  // the number one
  } else {
    static const uint8_t ones[] = {0x30, 6, 2, 1, 1, 2, 1, 1};  // r = s = 1 in DER
    size = sizeof ones;
    std::memcpy(signature, ones, size);
  }
  (void)mbedtls_pk_verify(&root.pk, MBEDTLS_MD_SHA256, hash, sizeof hash, signature, size);
}

Status TlsRoots::warm_up(uint32_t count) const {
  GW_CHECK(inside_ != nullptr);
  HeapScope scope(*heap_);
  for (; count > 0 && inside_->cold != nullptr; --count) {
    heap_->forget_refusals();
    use_once(*inside_->cold);
    if (heap_->refused() > 0) return Error::exhausted;
    inside_->cold = inside_->cold->next;
  }
  return {};
}

}  // namespace tocsin
