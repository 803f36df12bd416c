#include "crypto/tls_server.h"

#include <mbedtls/pk.h>
#include <stdlib.h>

#include <new>

#include "base/address.h"
#include "crypto/key_mbedtls.h"
#include "crypto/tls_inside_mbedtls.h"

namespace tocsin {

struct TlsServerCertificate::Inside {
  mbedtls_x509_crt chain;
  mbedtls_pk_context key;
};

struct TlsAcceptor::Session : TlsPipe {
  const char* alpn[2] = {};
};

// ---- the certificate -------------------------------------------------------

Status TlsServerCertificate::give_up(Error error, const char* problem, bool key) {
  const bool starved = heap_->refused() > 0;
  unload();
  problem_ = starved ? "there is no counted memory left to read it" : problem;
  key_is_wrong_ = key;
  return starved ? Error::exhausted : error;
}

// The library wants a zero behind the text.
static int parse_chain(mbedtls_x509_crt& chain, ByteView pem) {
  uint8_t* copy = static_cast<uint8_t*>(malloc(pem.size() + 1));
  if (copy == nullptr) return MBEDTLS_ERR_X509_ALLOC_FAILED;
  copy_bytes(copy, pem);
  copy[pem.size()] = 0;
  const int error = mbedtls_x509_crt_parse(&chain, copy, pem.size() + 1);
  free(copy);
  return error;
}

static int sign_once(mbedtls_pk_context& key, RandomSource& random) {
  static const uint8_t hash[32] = {1};
  uint8_t signature[MBEDTLS_PK_SIGNATURE_MAX_SIZE];
  size_t size = 0;
#if MBEDTLS_VERSION_MAJOR >= 3
  return mbedtls_pk_sign(&key, MBEDTLS_MD_SHA256, hash, sizeof hash, signature, sizeof signature, &size,
                         fill_from_source, &random);
#else
  return mbedtls_pk_sign(&key, MBEDTLS_MD_SHA256, hash, sizeof hash, signature, &size, fill_from_source, &random);
#endif
}

static bool is_pair(const mbedtls_pk_context& of_certificate, const mbedtls_pk_context& key, RandomSource& random) {
#if MBEDTLS_VERSION_MAJOR >= 3
  return mbedtls_pk_check_pair(&of_certificate, &key, fill_from_source, &random) == 0;
#else
  (void)random;
  return mbedtls_pk_check_pair(&of_certificate, &key) == 0;
#endif
}

Status TlsServerCertificate::load(ByteView chain_pem, ByteView key_pem, Heap& heap, RandomSource& random) {
  GW_CHECK(inside_ == nullptr);
  heap_ = &heap;
  heap.forget_refusals();
  HeapScope scope(heap);
  if (chain_pem.size() > chain_bytes_max) return give_up(Error::too_long, "it is over 24 KiB long", false);
  if (text_of(chain_pem).find("-----BEGIN CERTIFICATE-----") == string_view::npos)
    return give_up(Error::malformed, "it holds no PEM certificate (-----BEGIN CERTIFICATE-----)", false);
  if (const char* odd = odd_looks(text_of(key_pem))) return give_up(Error::malformed, odd, true);
  void* room = malloc(sizeof(Inside));
  if (room == nullptr) return give_up(Error::exhausted, "", false);
  inside_ = new (room) Inside{};
  mbedtls_x509_crt_init(&inside_->chain);
  mbedtls_pk_init(&inside_->key);
  if (parse_chain(inside_->chain, chain_pem) != 0)
    return give_up(Error::malformed, "a certificate in it can not be read", false);
  if (parse_private_key(inside_->key, key_pem, random) != 0)
    return give_up(Error::malformed, "it holds a key that can not be read", true);
  const mbedtls_pk_type_t type = mbedtls_pk_get_type(&inside_->key);
  if (type != MBEDTLS_PK_RSA && type != MBEDTLS_PK_ECKEY && type != MBEDTLS_PK_ECDSA)
    return give_up(Error::unsupported, "it holds a key of a kind that TLS clients do not take; use RSA or EC", true);
  if (type == MBEDTLS_PK_RSA && mbedtls_pk_get_bitlen(&inside_->key) < 2048)
    return give_up(Error::unsupported, "it holds an RSA key under 2048 bits, which clients refuse", true);
  if (!is_pair(inside_->chain.pk, inside_->key, random))
    return give_up(Error::malformed, "it holds another key than that of the first certificate of the chain", true);
  // Blinding and the generator's multiples are made at the first signature, and grow at the second.
  for (int i = 0; i < 3; ++i) {
    if (sign_once(inside_->key, random) != 0) return give_up(Error::malformed, "its key can not sign", true);
  }
  starts_ = TlsJudge::unix_time(inside_->chain.valid_from);
  ends_ = TlsJudge::unix_time(inside_->chain.valid_to);
  problem_ = "";
  key_is_wrong_ = false;
  return {};
}

void TlsServerCertificate::unload() {
  if (inside_ == nullptr) return;
  HeapScope scope(*heap_);
  mbedtls_x509_crt_free(&inside_->chain);
  mbedtls_pk_free(&inside_->key);
  free(inside_);
  inside_ = nullptr;
}

bool TlsServerCertificate::covers(string_view host) const {
  GW_CHECK(inside_ != nullptr);
  if (ends_with(host, ".")) host.remove_suffix(1);
  const bool brackets = starts_with(host, "[") && ends_with(host, "]");
  const Result<Address> address = parse_ip(brackets ? slice(host, 1, host.size() - 2) : host, 0);
  return address.ok() ? TlsJudge::names_ip(inside_->chain, address.value().ip())
                      : TlsJudge::names_host(inside_->chain, host);
}

// ---- a session -------------------------------------------------------------

TlsAcceptor::~TlsAcceptor() { shut(); }

Status TlsAcceptor::give_up(int library_error) {
  state_ = State::failed;
  switch (library_error) {
    case MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE: error_ = Error::refused; break;
    case MBEDTLS_ERR_SSL_CONN_EOF: error_ = Error::closed; break;
    default: error_ = Error::malformed; break;
  }
  if (heap_.refused() > 0) error_ = Error::exhausted;
  return error_;
}

Status TlsAcceptor::open(const TlsServerCertificate& certificate, const char* alpn) {
  GW_CHECK(state_ == State::shut && certificate.loaded());
  heap_.forget_refusals();
  HeapScope scope(heap_);
  void* room = malloc(sizeof(Session));
  if (room == nullptr) return give_up(MBEDTLS_ERR_SSL_ALLOC_FAILED);
  Session& session = *new (room) Session{};
  take(session);
  session.alpn[0] = alpn;
  mbedtls_ssl_config& config = session.config;
  int error = configure_modern(config, MBEDTLS_SSL_IS_SERVER, random_);
  if (error == 0) error = mbedtls_ssl_conf_alpn_protocols(&config, session.alpn);
  if (error == 0) error = mbedtls_ssl_conf_own_cert(&config, &certificate.inside_->chain, &certificate.inside_->key);
  if (error == 0) error = begin();
  if (error != 0) return give_up(error);
  thirsty_ = true;
  return {};
}

// The library's states in which a signature is made or a key agreed on.
static bool costs(int state) {
  switch (state) {
    case MBEDTLS_SSL_SERVER_HELLO:
    case MBEDTLS_SSL_SERVER_KEY_EXCHANGE:
    case MBEDTLS_SSL_CLIENT_KEY_EXCHANGE:
    case MBEDTLS_SSL_CERTIFICATE_VERIFY: return true;
    default: return false;
  }
}

int TlsAcceptor::handshake() {
  mbedtls_ssl_context& ssl = pipe_->ssl;
  int error = 0;
  bool done_one = false;
  while (error == 0 && ssl.TOCSIN_INSIDE(state) != MBEDTLS_SSL_HANDSHAKE_OVER) {
    const bool next_costs = costs(ssl.TOCSIN_INSIDE(state));
    if (next_costs && done_one) return 0;
    error = mbedtls_ssl_handshake_step(&ssl);
    done_one = done_one || (next_costs && error == 0);
  }
  return error;
}

Result<size_t> TlsAcceptor::read(ByteView& in, Bytes room) {
  GW_CHECK(state_ != State::shut);
  if (state_ != State::handshaking) return decrypt(in, room);
  HeapScope scope(heap_);
  pipe_->in = &in;
  const int done = handshake();
  pipe_->in = nullptr;
  thirsty_ = true;
  if (done == MBEDTLS_ERR_SSL_WANT_READ || done == MBEDTLS_ERR_SSL_WANT_WRITE) return size_t{0};
  if (done != 0) return give_up(done).error();
  if (pipe_->ssl.TOCSIN_INSIDE(state) != MBEDTLS_SSL_HANDSHAKE_OVER) {
    thirsty_ = false;
    return size_t{0};
  }
  heap_.forget_refusals();  // whatever the library did without
  state_ = State::open;
  return size_t{0};
}

bool TlsAcceptor::holds_plaintext() const {
  return state_ == State::open && mbedtls_ssl_get_bytes_avail(&pipe_->ssl) > 0;
}

void TlsAcceptor::shut() {
  free_pipe();
  thirsty_ = true;
}

string_view TlsAcceptor::version() const {
  return state_ == State::open ? string_view(mbedtls_ssl_get_version(&pipe_->ssl)) : string_view();
}

}  // namespace tocsin
