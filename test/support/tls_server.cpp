#include "test/support/tls_server.h"

#include <mbedtls/oid.h>
#include <mbedtls/pk.h>
#include <mbedtls/ssl.h>
#include <mbedtls/ssl_ticket.h>
#include <mbedtls/version.h>
#include <mbedtls/x509_crt.h>
#include <stdlib.h>

#include <new>

#include "base/text.h"

#if MBEDTLS_VERSION_MAJOR >= 3
#define EXT_TYPES MBEDTLS_PRIVATE(ext_types)
#else
#define EXT_TYPES ext_types
#endif

namespace tocsin::test {

struct TlsIdentity::Inside {
  mbedtls_x509_crt chain;
  mbedtls_pk_context key;
};

struct TlsServer::Inside {
  mbedtls_ssl_config config;
  mbedtls_ssl_context ssl;
  mbedtls_ssl_ticket_context tickets;
  mbedtls_x509_crt clients;
  ByteView* in = nullptr;
  ByteRing* out = nullptr;
  FixedText<255> asked_for;
  FixedText<15> alpn_names[4];
  const char* alpn_list[5] = {};

  static int receive(void* context, unsigned char* to, size_t size) {
    auto& inside = *static_cast<Inside*>(context);
    if (inside.in == nullptr || inside.in->empty()) return MBEDTLS_ERR_SSL_WANT_READ;
    const ByteView part = inside.in->first(size < inside.in->size() ? size : inside.in->size());
    copy_bytes(to, part);
    *inside.in = inside.in->subspan(part.size());
    return static_cast<int>(part.size());
  }
  // All or nothing, as the library expects before the next record.
  static int transmit(void* context, const unsigned char* from, size_t size) {
    auto& inside = *static_cast<Inside*>(context);
    return inside.out->push({from, size}) ? static_cast<int>(size) : MBEDTLS_ERR_SSL_WANT_WRITE;
  }
  static int name(void* context, mbedtls_ssl_context*, const unsigned char* text, size_t size) {
    return static_cast<Inside*>(context)->asked_for.assign(text_of({text, size})) ? 0 : -1;
  }
};

static int fill(void* source, unsigned char* out, size_t size) {
  static_cast<RandomSource*>(source)->fill({out, size});
  return 0;
}

TlsIdentity::~TlsIdentity() {
  if (inside_ == nullptr) return;
  mbedtls_x509_crt_free(&inside_->chain);
  mbedtls_pk_free(&inside_->key);
  free(inside_);
}

bool TlsIdentity::load(const char* chain_pem, const char* key_pem, RandomSource& random) {
  void* room = malloc(sizeof(Inside));
  if (room == nullptr || inside_ != nullptr) return false;
  inside_ = new (room) Inside{};
  mbedtls_x509_crt_init(&inside_->chain);
  mbedtls_pk_init(&inside_->key);
  const auto text = [](const char* pem) { return reinterpret_cast<const unsigned char*>(pem); };
  const size_t key_size = std::strlen(key_pem) + 1;
#if MBEDTLS_VERSION_MAJOR >= 3
  const int error = mbedtls_pk_parse_key(&inside_->key, text(key_pem), key_size, nullptr, 0, fill, &random);
#else
  (void)random;
  const int error = mbedtls_pk_parse_key(&inside_->key, text(key_pem), key_size, nullptr, 0);
#endif
  if (error != 0 || mbedtls_x509_crt_parse(&inside_->chain, text(chain_pem), std::strlen(chain_pem) + 1) != 0) {
    return false;
  }
  // The library would not show a certificate that is not meant for servers; tests want it shown.
  inside_->chain.EXT_TYPES &= ~MBEDTLS_X509_EXT_EXTENDED_KEY_USAGE;
  return true;
}

static const int static_rsa_suites[] = {MBEDTLS_TLS_RSA_WITH_AES_128_GCM_SHA256, MBEDTLS_TLS_RSA_WITH_AES_128_CBC_SHA,
                                        0};

TlsServer::~TlsServer() { shut(); }

bool TlsServer::open(const TlsIdentity& identity, string_view alpn, Kind kind, const char* clients_under) {
  void* room = state_ == State::shut && identity.inside_ != nullptr ? malloc(sizeof(Inside)) : nullptr;
  if (room == nullptr) return false;
  inside_ = new (room) Inside{};
  mbedtls_ssl_config& config = inside_->config;
  mbedtls_ssl_config_init(&config);
  mbedtls_ssl_init(&inside_->ssl);
  mbedtls_ssl_ticket_init(&inside_->tickets);
  mbedtls_x509_crt_init(&inside_->clients);
  inside_->out = &out_;
  state_ = State::failed;
  problem_ = mbedtls_ssl_config_defaults(&config, MBEDTLS_SSL_IS_SERVER, MBEDTLS_SSL_TRANSPORT_STREAM,
                                         MBEDTLS_SSL_PRESET_DEFAULT);
  if (problem_ != 0) return false;
  mbedtls_ssl_conf_rng(&config, fill, &random_);
  mbedtls_ssl_conf_sni(&config, Inside::name, inside_);
#if MBEDTLS_VERSION_MAJOR >= 3
  if (kind == Kind::only_1_1) return false;  // gone from the library
  mbedtls_ssl_conf_min_tls_version(&config, MBEDTLS_SSL_VERSION_TLS1_2);
  if (kind != Kind::modern) mbedtls_ssl_conf_max_tls_version(&config, MBEDTLS_SSL_VERSION_TLS1_2);
#else
  const int newest = kind == Kind::only_1_1 ? MBEDTLS_SSL_MINOR_VERSION_2 : MBEDTLS_SSL_MINOR_VERSION_3;
  mbedtls_ssl_conf_min_version(&config, MBEDTLS_SSL_MAJOR_VERSION_3, MBEDTLS_SSL_MINOR_VERSION_1);
  mbedtls_ssl_conf_max_version(&config, MBEDTLS_SSL_MAJOR_VERSION_3, newest);
#endif
  if (kind == Kind::static_rsa) mbedtls_ssl_conf_ciphersuites(&config, static_rsa_suites);
  size_t count = 0;
  while (!alpn.empty() && count < 4) {
    if (!inside_->alpn_names[count].assign(take_until(alpn, ','))) return false;
    inside_->alpn_list[count] = inside_->alpn_names[count].c_str();
    ++count;
  }
  if (count > 0) problem_ = mbedtls_ssl_conf_alpn_protocols(&config, inside_->alpn_list);
  // Large providers hand out tickets in TLS 1.3 whether or not the client can use them.
  if (problem_ == 0) {
    problem_ = mbedtls_ssl_ticket_setup(&inside_->tickets, fill, &random_, MBEDTLS_CIPHER_AES_128_GCM, 86400);
  }
  mbedtls_ssl_conf_session_tickets_cb(&config, mbedtls_ssl_ticket_write, mbedtls_ssl_ticket_parse, &inside_->tickets);
  if (problem_ == 0 && clients_under != nullptr) {
    problem_ = mbedtls_x509_crt_parse(&inside_->clients, reinterpret_cast<const unsigned char*>(clients_under),
                                      std::strlen(clients_under) + 1);
    mbedtls_ssl_conf_ca_chain(&config, &inside_->clients, nullptr);
    mbedtls_ssl_conf_authmode(&config, MBEDTLS_SSL_VERIFY_OPTIONAL);
  }
  if (problem_ == 0) problem_ = mbedtls_ssl_conf_own_cert(&config, &identity.inside_->chain, &identity.inside_->key);
  if (problem_ == 0) problem_ = mbedtls_ssl_setup(&inside_->ssl, &config);
  if (problem_ != 0) return false;
  mbedtls_ssl_set_bio(&inside_->ssl, inside_, Inside::transmit, Inside::receive, nullptr);
  state_ = State::handshaking;
  return true;
}

Result<size_t> TlsServer::read(ByteView& in, Bytes room) {
  if (state_ == State::failed || state_ == State::shut) return Error::closed;
  if (state_ == State::ended) return size_t{0};
  inside_->in = &in;
  const bool handshaking = state_ == State::handshaking;
  int done = 0;
  if (handshaking) {
    done = mbedtls_ssl_handshake(&inside_->ssl);
  } else if (!room.empty()) {
    done = mbedtls_ssl_read(&inside_->ssl, room.data(), room.size());
  }
  inside_->in = nullptr;
  if (done == MBEDTLS_ERR_SSL_WANT_READ || done == MBEDTLS_ERR_SSL_WANT_WRITE) return size_t{0};
  if (done >= 0) {
    state_ = State::open;
    return static_cast<size_t>(done);
  }
  state_ = done == MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY ? State::ended : State::failed;
  if (state_ == State::ended) return size_t{0};
  problem_ = done;
  return Error::malformed;
}

Result<size_t> TlsServer::write(ByteView plain) {
  if (state_ == State::handshaking || plain.empty()) return size_t{0};
  if (state_ != State::open) return Error::closed;
  const size_t size = plain.size() < 16384 ? plain.size() : 16384;
  if (out_.free() < size + 64) return size_t{0};
  const int done = mbedtls_ssl_write(&inside_->ssl, plain.data(), size);
  if (done > 0) return static_cast<size_t>(done);
  state_ = State::failed;
  problem_ = done;
  return Error::closed;
}

void TlsServer::close_notify() {
  if (state_ == State::open || state_ == State::ended) (void)mbedtls_ssl_close_notify(&inside_->ssl);
}

void TlsServer::alert(uint8_t description) {
  if (inside_ == nullptr) return;
  (void)mbedtls_ssl_send_alert_message(&inside_->ssl, MBEDTLS_SSL_ALERT_LEVEL_FATAL, description);
}

void TlsServer::shut() {
  if (inside_ != nullptr) {
    mbedtls_ssl_free(&inside_->ssl);
    mbedtls_ssl_config_free(&inside_->config);
    mbedtls_ssl_ticket_free(&inside_->tickets);
    mbedtls_x509_crt_free(&inside_->clients);
    free(inside_);
    inside_ = nullptr;
  }
  state_ = State::shut;
  problem_ = 0;
}

string_view TlsServer::alpn() const {
  const char* name = inside_ == nullptr ? nullptr : mbedtls_ssl_get_alpn_protocol(&inside_->ssl);
  return name == nullptr ? string_view() : string_view(name);
}

bool TlsServer::was_shown_certificate() const {
  return inside_ != nullptr && mbedtls_ssl_get_peer_cert(&inside_->ssl) != nullptr &&
         mbedtls_ssl_get_verify_result(&inside_->ssl) == 0;
}

string_view TlsServer::asked_for() const { return inside_ == nullptr ? string_view() : inside_->asked_for.view(); }

}  // namespace tocsin::test
