// A client's TLS session: setting up and shaking hands. Judgement of certificates
// and the sentences for the operator are in tls_judge_mbedtls.cpp, all else in tls_stream_mbedtls.cpp.
#include <stdlib.h>

#include <new>

#include "base/address.h"
#include "crypto/certificate_inside_mbedtls.h"
#include "crypto/tls_inside_mbedtls.h"

namespace tocsin {

TlsSession& TlsClient::session() const { return static_cast<TlsSession&>(*pipe_); }

TlsClient::~TlsClient() { shut(); }

Status TlsClient::give_up(Error error, const char* problem) {
  state_ = State::failed;
  error_ = error;
  problem_ = problem;
  return error;
}

// Starved of memory, the library often blames the certificate or the peer: the heap is asked first.
Status TlsClient::give_up(int library_error) {
  if (heap_.refused() > 0) return give_up(Error::exhausted, TlsJudge::no_memory(session(), heap_.size()));
  const TlsJudge::Finding finding = TlsJudge::find(session(), library_error);
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
  TlsSession& session = *new (room) TlsSession{};
  take(session);
  session.require_alpn = require_alpn;
  if (const char* problem = keep_names(session, host, alpn)) return give_up(Error::malformed, problem);
  int error = configure(session, roots.inside_->chain, random_);
  if (error == 0 && own != nullptr) {
    GW_CHECK(own->loaded());
    own_ = own;
    error = mbedtls_ssl_conf_own_cert(&session.config, &own->inside_->chain, &own->inside_->key);
  }
  if (error == 0) error = begin();
  // An address is no SNI name (RFC 6066 §3) and is compared by us; mbed TLS 3.6.3 wants to be told so.
  if (error == 0) {
    error = mbedtls_ssl_set_hostname(&session.ssl, session.ip_size > 0 ? nullptr : session.host.c_str());
  }
  if (error != 0) return give_up(error);
  error = mbedtls_ssl_handshake(&session.ssl);
  if (error == MBEDTLS_ERR_SSL_WANT_READ || error == MBEDTLS_ERR_SSL_WANT_WRITE) return {};
  return give_up(error);
}

Status TlsClient::opened() {
  if (session().require_alpn && alpn().empty()) {
    mbedtls_ssl_send_alert_message(&pipe_->ssl, MBEDTLS_SSL_ALERT_LEVEL_FATAL,
                                   MBEDTLS_SSL_ALERT_MSG_NO_APPLICATION_PROTOCOL);
    return give_up(Error::unsupported, TlsJudge::no_alpn(session()));
  }
  // Required above, and asked again: what follows trusts it.
  if (mbedtls_ssl_get_verify_result(&pipe_->ssl) != 0) return give_up(MBEDTLS_ERR_X509_CERT_VERIFY_FAILED);
  heap_.forget_refusals();  // whatever the library did without
  state_ = State::open;
  certificate_ends_ = session().ends;
  return {};
}

Result<size_t> TlsClient::read(ByteView& in, Bytes room) {
  GW_CHECK(state_ != State::shut);
  if (state_ != State::handshaking) return decrypt(in, room);
  HeapScope scope(heap_);
  pipe_->in = &in;
  const int done = mbedtls_ssl_handshake(&pipe_->ssl);
  pipe_->in = nullptr;
  if (own_ != nullptr) own_->forget_blinding();
  if (done == MBEDTLS_ERR_SSL_WANT_READ || done == MBEDTLS_ERR_SSL_WANT_WRITE) return size_t{0};
  const Status status = done == 0 ? opened() : give_up(done);
  if (!status.ok()) return status.error();
  return size_t{0};
}

void TlsClient::shut() {
  free_pipe();
  own_ = nullptr;
  problem_ = "";
  certificate_ends_ = 0;
}

string_view TlsClient::alpn() const {
  if (pipe_ == nullptr) return {};
  const char* name = mbedtls_ssl_get_alpn_protocol(&pipe_->ssl);
  return name == nullptr ? string_view() : string_view(name);
}

}  // namespace tocsin
