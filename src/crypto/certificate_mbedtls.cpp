// Our own certificate: reading it, and what must be true of it before anybody is shown it.
#include <mbedtls/asn1.h>
#include <mbedtls/pem.h>
#include <mbedtls/rsa.h>
#include <stdlib.h>

#include <new>

#include "crypto/certificate_inside_mbedtls.h"
#include "crypto/crypto.h"
#include "crypto/key_mbedtls.h"
#include "crypto/tls_inside_mbedtls.h"

namespace tocsin {

static constexpr size_t certificate_bytes_max = 16 * 1024;
// 1.2.840.113635.100.6.3.6, and 0.9.2342.19200300.100.1.1 (RFC 4519 §2.39: uid).
static constexpr uint8_t topics_oid[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x63, 0x64, 0x06, 0x03, 0x06};
static constexpr uint8_t user_id_oid[] = {0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 0x01, 0x01};

static ByteView view_of(const mbedtls_x509_buf& buffer) { return {buffer.p, buffer.len}; }

// Extensions of Apple's that the library does not know: none of them is a reason to refuse our own certificate.
static int take_extension(void* context, const mbedtls_x509_crt*, const mbedtls_x509_buf* oid, int,
                          const unsigned char* at, const unsigned char* end) {
  if (same(view_of(*oid), topics_oid)) *static_cast<ByteView*>(context) = {at, end};
  return 0;
}

// mbed TLS copies what it is given, so only for the moment there is the text once more.
static int parse_one(mbedtls_x509_crt& chain, string_view one, ByteView& topics) {
  if (one.size() > certificate_bytes_max) return MBEDTLS_ERR_X509_INVALID_FORMAT;
  uint8_t* text = static_cast<uint8_t*>(malloc(one.size() + 1));
  if (text == nullptr) return MBEDTLS_ERR_X509_ALLOC_FAILED;
  copy_bytes(text, bytes_of(one));
  text[one.size()] = 0;
  mbedtls_pem_context pem;
  mbedtls_pem_init(&pem);
  size_t used = 0;
  int error = mbedtls_pem_read_buffer(&pem, "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----", text, nullptr,
                                      0, &used);
  if (error == 0) {
    error = mbedtls_x509_crt_parse_der_with_ext_cb(&chain, pem.TOCSIN_INSIDE(buf), pem.TOCSIN_INSIDE(buflen), 1,
                                                   take_extension, &topics);
  }
  mbedtls_pem_free(&pem);
  free(text);
  return error;
}

ClientCertificate::~ClientCertificate() { clear(); }

void ClientCertificate::clear() {
  if (inside_ == nullptr) return;
  HeapScope scope(*heap_);
  mbedtls_x509_crt_free(&inside_->chain);
  mbedtls_pk_free(&inside_->key);
  free(inside_);
  inside_ = nullptr;
}

Status ClientCertificate::load(ByteView chain_pem, ByteView key_pem, Heap& heap, RandomSource& random) {
  GW_CHECK(!loaded());
  HeapScope scope(heap);
  heap.forget_refusals();
  heap_ = &heap;
  topics_.clear();
  about_key_ = false;
  problem_ = no_memory_for_key;
  void* room = malloc(sizeof(Inside));
  if (room == nullptr) return Error::exhausted;
  inside_ = new (room) Inside{};
  mbedtls_x509_crt_init(&inside_->chain);
  mbedtls_pk_init(&inside_->key);
  Status status = read_chain(chain_pem);
  if (status.ok()) {
    about_key_ = true;
    status = read_key(key_pem, random);
  }
  if (status.ok()) status = sign_once(random);
  if (status.ok()) {
    problem_ = "";
    about_key_ = false;
    return {};
  }
  clear();
  // Starved of memory, the library often blames the file.
  if (heap.refused() == 0) return status;
  problem_ = no_memory_for_key;
  return Error::exhausted;
}

Status ClientCertificate::read_chain(ByteView pem) {
  string_view text = text_of(pem);
  uint32_t count = 0;
  problem_ = "a certificate in it can not be read";
  for (string_view one = take_certificate(text); !one.empty(); one = take_certificate(text)) {
    // The library's parser appends; what Apple says of the first is still in its copy afterwards.
    ByteView topics;
    if (parse_one(inside_->chain, one, topics) != 0) return Error::malformed;
    if (count++ > 0) continue;
    const mbedtls_x509_crt& leaf = inside_->chain;
    begins_ = UnixTime{TlsJudge::unix_time(leaf.valid_from)};
    ends_ = UnixTime{TlsJudge::unix_time(leaf.valid_to)};
    sha256(view_of(leaf.raw), mark_);
    for (const mbedtls_x509_name* part = &leaf.subject; part != nullptr; part = part->next) {
      if (part->oid.p != nullptr && same(view_of(part->oid), user_id_oid)) add_topic(text_of(view_of(part->val)));
    }
    // SEQUENCE of a topic and a SEQUENCE of the kinds of pushes for it, in turn.
    auto* at = const_cast<unsigned char*>(topics.data());
    const unsigned char* const end = topics.data() + topics.size();
    size_t size = 0;
    if (topics.empty() || mbedtls_asn1_get_tag(&at, end, &size, MBEDTLS_ASN1_CONSTRUCTED | MBEDTLS_ASN1_SEQUENCE) != 0)
      continue;
    while (at < end) {
      const unsigned tag = *at;
      if (mbedtls_asn1_get_tag(&at, end, &size, static_cast<int>(tag)) != 0) break;
      if (tag == MBEDTLS_ASN1_UTF8_STRING) add_topic(text_of({at, size}));
      at += size;
    }
  }
  if (count > 0) return {};
  problem_ = "it holds no certificate in PEM (-----BEGIN CERTIFICATE-----)";
  return Error::malformed;
}

Status ClientCertificate::read_key(ByteView pem, RandomSource& random) {
  problem_ = odd_looks(text_of(pem));
  if (problem_ != nullptr) return Error::malformed;
  problem_ = "its PEM text is damaged";
  if (parse_private_key(inside_->key, pem, random) != 0) return Error::malformed;
  problem_ = "it holds a key of another kind than RSA and EC";
  const mbedtls_pk_type_t kind = mbedtls_pk_get_type(&inside_->key);
  if (kind != MBEDTLS_PK_RSA && kind != MBEDTLS_PK_ECKEY) return Error::unsupported;
  problem_ = "it is not the key of the certificate: they must be made from one request";
#if MBEDTLS_VERSION_MAJOR >= 3
  if (mbedtls_pk_check_pair(&inside_->chain.pk, &inside_->key, fill_from_source, &random) != 0) return Error::malformed;
#else
  if (mbedtls_pk_check_pair(&inside_->chain.pk, &inside_->key) != 0) return Error::malformed;
#endif
  return {};
}

Status ClientCertificate::sign_once(RandomSource& random) {
  problem_ = "the key can not sign";
  uint8_t hash[32];
  sha256({}, hash);
  uint8_t signature[MBEDTLS_PK_SIGNATURE_MAX_SIZE];
  size_t size = 0;
#if MBEDTLS_VERSION_MAJOR >= 3
  const int error = mbedtls_pk_sign(&inside_->key, MBEDTLS_MD_SHA256, hash, sizeof hash, signature, sizeof signature,
                                    &size, fill_from_source, &random);
#else
  const int error =
      mbedtls_pk_sign(&inside_->key, MBEDTLS_MD_SHA256, hash, sizeof hash, signature, &size, fill_from_source, &random);
#endif
  forget_blinding();
  return error == 0 ? Status() : Status(Error::unsupported);
}

void ClientCertificate::forget_blinding() const {
  if (mbedtls_pk_get_type(&inside_->key) != MBEDTLS_PK_RSA) return;
  mbedtls_rsa_context& rsa = *mbedtls_pk_rsa(inside_->key);
  mbedtls_mpi_free(&rsa.TOCSIN_INSIDE(Vi));
  mbedtls_mpi_free(&rsa.TOCSIN_INSIDE(Vf));
}

// What does not fit, or is not fit to be shown, is left out; such a certificate is then not for that topic.
void ClientCertificate::add_topic(string_view topic) {
  for (const char c : topic) {
    if (c <= ' ' || c > '~' || c == ',') return;
  }
  if (topic.empty() || names_topic(topic)) return;
  uint8_t room[topics_bytes_max];
  Writer all(room);
  all.text(topics_.view()).text(topics_.empty() ? "" : ", ").text(topic);
  if (!all.overflowed()) GW_CHECK(topics_.assign(all.view()));
}

bool ClientCertificate::names_topic(string_view topic) const {
  string_view rest = topics_.view();
  while (!rest.empty()) {
    string_view one = take_until(rest, ',');
    if (starts_with(one, " ")) one = slice(one, 1);
    if (one == topic) return true;
  }
  return false;
}

}  // namespace tocsin
