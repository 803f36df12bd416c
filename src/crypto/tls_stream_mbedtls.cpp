#include "crypto/tls_stream.h"

#include <stdlib.h>

#include "crypto/tls_inside_mbedtls.h"

namespace tocsin {

static constexpr size_t record_plain_max = 16384;  // RFC 8446 §5.1
// Header 5, nonce 8 and tag 16 in TLS 1.2; header, type, padding to 16 and tag in mbed TLS's 1.3.
static constexpr size_t record_overhead_max = 64;

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

static int receive(void* context, unsigned char* to, size_t size) {
  auto& pipe = *static_cast<TlsPipe*>(context);
  if (pipe.in == nullptr || pipe.in->empty()) return MBEDTLS_ERR_SSL_WANT_READ;
  const ByteView part = pipe.in->first(size < pipe.in->size() ? size : pipe.in->size());
  copy_bytes(to, part);
  for (size_t i = 0; i < part.size() && pipe.first_count < 2; ++i) pipe.first_bytes[pipe.first_count++] = part[i];
  *pipe.in = pipe.in->subspan(part.size());
  return static_cast<int>(part.size());
}

// All or nothing: a record that lies half in the ring would confuse the next mbedtls_ssl_write,
// which takes what is left of any record for its own.
static int transmit(void* context, const unsigned char* from, size_t size) {
  auto& pipe = *static_cast<TlsPipe*>(context);
  return pipe.out->push({from, size}) ? static_cast<int>(size) : MBEDTLS_ERR_SSL_WANT_WRITE;
}

void TlsStream::take(TlsPipe& pipe) {
  mbedtls_ssl_config_init(&pipe.config);
  mbedtls_ssl_init(&pipe.ssl);
  pipe.out = &out_;
  pipe_ = &pipe;
}

int TlsStream::begin() {
  const int error = mbedtls_ssl_setup(&pipe_->ssl, &pipe_->config);
  if (error != 0) return error;
  mbedtls_ssl_set_bio(&pipe_->ssl, pipe_, transmit, receive, nullptr);
  state_ = State::handshaking;
  return 0;
}

Result<size_t> TlsStream::decrypt(ByteView& in, Bytes room) {
  if (state_ == State::failed) return error_;
  if (state_ == State::ended || room.empty()) return size_t{0};
  HeapScope scope(heap_);
  pipe_->in = &in;
  int done = 0;
  do {
    done = mbedtls_ssl_read(&pipe_->ssl, room.data(), room.size());
#if defined(MBEDTLS_ERR_SSL_RECEIVED_NEW_SESSION_TICKET)
  } while (done == MBEDTLS_ERR_SSL_RECEIVED_NEW_SESSION_TICKET);  // consumed from in each time
#else
  } while (false);
#endif
  pipe_->in = nullptr;
  if (done > 0) return static_cast<size_t>(done);
  if (done == MBEDTLS_ERR_SSL_WANT_READ) return size_t{0};
  if (done == MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY) {
    state_ = State::ended;
    return size_t{0};
  }
  return give_up(done).error();
}

Result<size_t> TlsStream::write(ByteView plain) {
  GW_CHECK(state_ != State::shut);
  if (state_ == State::failed) return error_;
  if (state_ == State::ended || pipe_->closing) return Error::closed;
  if (state_ == State::handshaking || plain.empty()) return size_t{0};
  const size_t size = plain.size() < record_plain_max ? plain.size() : record_plain_max;
  if (out_.free() < size + record_overhead_max) return size_t{0};
  HeapScope scope(heap_);
  const int done = mbedtls_ssl_write(&pipe_->ssl, plain.data(), size);
  if (done <= 0) return give_up(done).error();
  return static_cast<size_t>(done);
}

void TlsStream::close_notify() {
  if ((state_ != State::open && state_ != State::ended) || pipe_->closing) return;
  HeapScope scope(heap_);
  pipe_->closing = true;
  (void)mbedtls_ssl_close_notify(&pipe_->ssl);  // no room in out: the peer will see the end of the stream
}

void TlsStream::free_pipe() {
  if (pipe_ != nullptr) {
    HeapScope scope(heap_);
    mbedtls_ssl_free(&pipe_->ssl);
    mbedtls_ssl_config_free(&pipe_->config);
    free(pipe_);
    pipe_ = nullptr;
  }
  state_ = State::shut;
  error_ = Error::none;
}

}  // namespace tocsin
