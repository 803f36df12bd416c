// A TLS session: setting up, moving bytes, and ending. Judgement of certificates
// and the sentences for the operator are in tls_judge_mbedtls.cpp.
#include <mbedtls/platform_util.h>
#include <stdlib.h>

#include <new>

#include "base/address.h"
#include "crypto/certificate_inside_mbedtls.h"
#include "crypto/tls_inside_mbedtls.h"

namespace tocsin {

// ECDHE and authenticated encryption only: HTTP/2 forbids the rest (RFC 9113 §9.2.2).
static const int suites[] = {
#if defined(MBEDTLS_SSL_PROTO_TLS1_3)
    MBEDTLS_TLS1_3_AES_128_GCM_SHA256,
    MBEDTLS_TLS1_3_CHACHA20_POLY1305_SHA256,
    MBEDTLS_TLS1_3_AES_256_GCM_SHA384,
#endif
    MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
    MBEDTLS_TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
    MBEDTLS_TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
    MBEDTLS_TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
    MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
    MBEDTLS_TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
    0,
};

// P-256 first: the one curve for which the library has fast arithmetic. The list
// also bounds the curves of certificates, so the larger ones must be in it.
#if MBEDTLS_VERSION_MAJOR >= 3
static const uint16_t curves[] = {MBEDTLS_SSL_IANA_TLS_GROUP_SECP256R1, MBEDTLS_SSL_IANA_TLS_GROUP_X25519,
                                  MBEDTLS_SSL_IANA_TLS_GROUP_SECP384R1, MBEDTLS_SSL_IANA_TLS_GROUP_SECP521R1,
                                  MBEDTLS_SSL_IANA_TLS_GROUP_NONE};
#else
static const mbedtls_ecp_group_id curves[] = {MBEDTLS_ECP_DP_SECP256R1, MBEDTLS_ECP_DP_CURVE25519,
                                              MBEDTLS_ECP_DP_SECP384R1, MBEDTLS_ECP_DP_SECP521R1, MBEDTLS_ECP_DP_NONE};
static const int hashes[] = {MBEDTLS_MD_SHA256, MBEDTLS_MD_SHA384, MBEDTLS_MD_SHA512, MBEDTLS_MD_NONE};
#endif

static int receive(void* context, unsigned char* to, size_t size) {
  auto& inside = *static_cast<TlsSession*>(context);
  if (inside.in == nullptr || inside.in->empty()) return MBEDTLS_ERR_SSL_WANT_READ;
  const ByteView part = inside.in->first(size < inside.in->size() ? size : inside.in->size());
  copy_bytes(to, part);
  for (size_t i = 0; i < part.size() && inside.first_count < 2; ++i) inside.first_bytes[inside.first_count++] = part[i];
  *inside.in = inside.in->subspan(part.size());
  return static_cast<int>(part.size());
}

// All or nothing: a record that lies half in the ring would confuse the next mbedtls_ssl_write,
// which takes what is left of any record for its own.
static int transmit(void* context, const unsigned char* from, size_t size) {
  auto& inside = *static_cast<TlsSession*>(context);
  return inside.out->push({from, size}) ? static_cast<int>(size) : MBEDTLS_ERR_SSL_WANT_WRITE;
}

TlsClient::~TlsClient() { shut(); }

Status TlsClient::give_up(Error error, const char* problem) {
  state_ = State::failed;
  error_ = error;
  problem_ = problem;
  return error;
}

// Starved of memory, the library often blames the certificate or the peer: the heap is asked first.
Status TlsClient::give_up(int library_error) {
  if (heap_.refused() > 0) return give_up(Error::exhausted, TlsJudge::no_memory(*inside_, heap_.size()));
  const TlsJudge::Finding finding = TlsJudge::find(*inside_, library_error);
  return give_up(finding.error, finding.problem);
}

// Host and protocols, checked and kept; nullptr when all is well, else what is wrong.
static const char* keep_names(TlsSession& inside, string_view host, string_view alpn) {
  const Result<Address> address = parse_ip(host, 0);
  if (ends_with(host, ".")) host.remove_suffix(1);  // SNI and certificates have none (RFC 6066 §3)
  if (host.empty() || host.find('\0') != string_view::npos || !inside.host.assign(host)) {
    return "the host is not a name";
  }
  if (address.ok()) {
    inside.ip_size = address.value().ip().size();
    copy_bytes(inside.ip, address.value().ip());
  }
  if (!inside.alpn_text.assign(alpn)) return "the list of protocols is too long";
  size_t count = 0;
  while (!alpn.empty()) {
    const string_view name = take_until(alpn, ',');
    if (count == 4 || name.empty() || !inside.alpn_names[count].assign(name)) {
      return "the list of protocols can not be used";
    }
    inside.alpn_list[count] = inside.alpn_names[count].c_str();
    ++count;
  }
  return nullptr;
}

int configure_modern(mbedtls_ssl_config& config, int role, RandomSource& random) {
  const int error =
      mbedtls_ssl_config_defaults(&config, role, MBEDTLS_SSL_TRANSPORT_STREAM, MBEDTLS_SSL_PRESET_DEFAULT);
  if (error != 0) return error;
  mbedtls_ssl_conf_rng(&config, fill_from_source, &random);
  mbedtls_ssl_conf_ciphersuites(&config, suites);
#if MBEDTLS_VERSION_MAJOR >= 3
  mbedtls_ssl_conf_min_tls_version(&config, MBEDTLS_SSL_VERSION_TLS1_2);
  mbedtls_ssl_conf_groups(&config, curves);
#else
  mbedtls_ssl_conf_min_version(&config, MBEDTLS_SSL_MAJOR_VERSION_3, MBEDTLS_SSL_MINOR_VERSION_3);
  mbedtls_ssl_conf_curves(&config, curves);
  mbedtls_ssl_conf_sig_hashes(&config, hashes);
#endif
#if defined(MBEDTLS_SSL_RENEGOTIATION)
  mbedtls_ssl_conf_renegotiation(&config, MBEDTLS_SSL_RENEGOTIATION_DISABLED);
#endif
  return 0;
}

static int configure(TlsSession& inside, mbedtls_x509_crt& roots, RandomSource& random) {
  mbedtls_ssl_config& config = inside.config;
  const int error = configure_modern(config, MBEDTLS_SSL_IS_CLIENT, random);
  if (error != 0) return error;
  mbedtls_ssl_conf_ca_chain(&config, &roots, nullptr);
  mbedtls_ssl_conf_authmode(&config, MBEDTLS_SSL_VERIFY_REQUIRED);
  mbedtls_ssl_conf_cert_profile(&config, &TlsJudge::profile);
  mbedtls_ssl_conf_verify(&config, &TlsJudge::look, &inside);
#if defined(MBEDTLS_SSL_SESSION_TICKETS)
  // Connections live for days: a ticket would cost memory and save nothing.
  mbedtls_ssl_conf_session_tickets(&config, MBEDTLS_SSL_SESSION_TICKETS_DISABLED);
#endif
  return inside.alpn_list[0] == nullptr ? 0 : mbedtls_ssl_conf_alpn_protocols(&config, inside.alpn_list);
}

Status TlsClient::open(const TlsRoots& roots, string_view host, string_view alpn, bool require_alpn,
                       const ClientCertificate* own) {
  GW_CHECK(state_ == State::shut);
  if (roots.inside_ == nullptr) return give_up(Error::untrusted, "there are no roots to verify a certificate with");
  if (!roots.warm_up(roots.count()).ok()) return give_up(Error::exhausted, "out of counted memory (roots)");
  heap_.forget_refusals();
  HeapScope scope(heap_);
  void* room = malloc(sizeof(TlsSession));
  if (room == nullptr) return give_up(Error::exhausted, "out of counted memory");
  inside_ = new (room) TlsSession{};
  mbedtls_ssl_config_init(&inside_->config);
  mbedtls_ssl_init(&inside_->ssl);
  inside_->out = &out_;
  inside_->require_alpn = require_alpn;
  if (const char* problem = keep_names(*inside_, host, alpn)) return give_up(Error::malformed, problem);
  int error = configure(*inside_, roots.inside_->chain, random_);
  if (error == 0 && own != nullptr) {
    GW_CHECK(own->loaded());
    own_ = own;
    error = mbedtls_ssl_conf_own_cert(&inside_->config, &own->inside_->chain, &own->inside_->key);
  }
  if (error == 0) error = mbedtls_ssl_setup(&inside_->ssl, &inside_->config);
  // An address is no SNI name (RFC 6066 §3) and is compared by us; mbed TLS 3.6.3 wants to be told so.
  if (error == 0) {
    error = mbedtls_ssl_set_hostname(&inside_->ssl, inside_->ip_size > 0 ? nullptr : inside_->host.c_str());
  }
  if (error != 0) return give_up(error);
  mbedtls_ssl_set_bio(&inside_->ssl, inside_, transmit, receive, nullptr);
  state_ = State::handshaking;
  error = mbedtls_ssl_handshake(&inside_->ssl);
  if (error == MBEDTLS_ERR_SSL_WANT_READ || error == MBEDTLS_ERR_SSL_WANT_WRITE) return {};
  return give_up(error);
}

Status TlsClient::opened() {
  if (inside_->require_alpn && alpn().empty()) {
    mbedtls_ssl_send_alert_message(&inside_->ssl, MBEDTLS_SSL_ALERT_LEVEL_FATAL,
                                   MBEDTLS_SSL_ALERT_MSG_NO_APPLICATION_PROTOCOL);
    return give_up(Error::unsupported, TlsJudge::no_alpn(*inside_));
  }
  // Required above, and asked again: what follows trusts it.
  if (mbedtls_ssl_get_verify_result(&inside_->ssl) != 0) return give_up(MBEDTLS_ERR_X509_CERT_VERIFY_FAILED);
  heap_.forget_refusals();  // whatever the library did without
  state_ = State::open;
  certificate_ends_ = inside_->ends;
  return {};
}

Result<size_t> TlsClient::read(ByteView& in, Bytes room) {
  GW_CHECK(state_ != State::shut);
  if (state_ == State::failed) return error_;
  if (state_ == State::ended) return size_t{0};
  HeapScope scope(heap_);
  inside_->in = &in;
  int done = 0;
  if (state_ == State::handshaking) {
    done = mbedtls_ssl_handshake(&inside_->ssl);
    inside_->in = nullptr;
    if (own_ != nullptr) own_->forget_blinding();
    if (done == MBEDTLS_ERR_SSL_WANT_READ || done == MBEDTLS_ERR_SSL_WANT_WRITE) return size_t{0};
    const Status status = done == 0 ? opened() : give_up(done);
    if (!status.ok()) return status.error();
    return size_t{0};
  }
  if (room.empty()) {
    inside_->in = nullptr;
    return size_t{0};
  }
  do {
    done = mbedtls_ssl_read(&inside_->ssl, room.data(), room.size());
#if defined(MBEDTLS_ERR_SSL_RECEIVED_NEW_SESSION_TICKET)
  } while (done == MBEDTLS_ERR_SSL_RECEIVED_NEW_SESSION_TICKET);  // consumed from in each time
#else
  } while (false);
#endif
  inside_->in = nullptr;
  if (done > 0) return static_cast<size_t>(done);
  if (done == MBEDTLS_ERR_SSL_WANT_READ) return size_t{0};
  if (done == MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY) {
    state_ = State::ended;
    return size_t{0};
  }
  return give_up(done).error();
}

Result<size_t> TlsClient::write(ByteView plain) {
  GW_CHECK(state_ != State::shut);
  if (state_ == State::failed) return error_;
  if (state_ == State::ended || inside_->closing) return Error::closed;
  if (state_ == State::handshaking || plain.empty()) return size_t{0};
  const size_t size = plain.size() < record_plain_max ? plain.size() : record_plain_max;
  if (out_.free() < size + record_overhead_max) return size_t{0};
  HeapScope scope(heap_);
  const int done = mbedtls_ssl_write(&inside_->ssl, plain.data(), size);
  if (done <= 0) return give_up(done).error();
  return static_cast<size_t>(done);
}

void TlsClient::close_notify() {
  if ((state_ != State::open && state_ != State::ended) || inside_->closing) return;
  HeapScope scope(heap_);
  inside_->closing = true;
  (void)mbedtls_ssl_close_notify(&inside_->ssl);  // no room in out: the peer will see the end of the stream
}

void TlsClient::shut() {
  if (inside_ != nullptr) {
    HeapScope scope(heap_);
    mbedtls_ssl_free(&inside_->ssl);
    mbedtls_ssl_config_free(&inside_->config);
    free(inside_);
    inside_ = nullptr;
  }
  own_ = nullptr;
  state_ = State::shut;
  error_ = Error::none;
  problem_ = "";
  certificate_ends_ = 0;
}

string_view TlsClient::alpn() const {
  if (inside_ == nullptr) return {};
  const char* name = mbedtls_ssl_get_alpn_protocol(&inside_->ssl);
  return name == nullptr ? string_view() : string_view(name);
}

}  // namespace tocsin
