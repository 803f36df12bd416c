// What the TLS wrappers share: streams (tls_stream_mbedtls.cpp), the client's side (tls_mbedtls.cpp) and the server's
// (tls_server_mbedtls.cpp), roots (tls_roots_mbedtls.cpp) and judgement (tls_judge_mbedtls.cpp).
#pragma once

#include <mbedtls/ssl.h>
#include <mbedtls/x509_crt.h>

#include "base/text.h"
#include "base/writer.h"
#include "crypto/inside_mbedtls.h"
#include "crypto/tls.h"

namespace tocsin {

// Versions, suites, curves and hashes of either side, without renegotiation. role: MBEDTLS_SSL_IS_CLIENT or _SERVER.
int configure_modern(mbedtls_ssl_config& config, int role, RandomSource& random);

struct TlsRoots::Inside {
  mbedtls_x509_crt chain;            // the first one, with the others linked behind it
  mbedtls_x509_crt* cold = nullptr;  // the next to warm up; nullptr: all are warm
};

// Of either side. Lives in the session's heap and never moves: the library keeps pointers into it.
struct TlsPipe {
  mbedtls_ssl_config config;
  mbedtls_ssl_context ssl;
  ByteView* in = nullptr;  // what may be received, only during a call
  ByteRing* out = nullptr;
  bool closing = false;         // close_notify was sent
  uint8_t first_bytes[2] = {};  // of what the peer ever sent, to tell TLS from something else
  size_t first_count = 0;
};

// A client's.
struct TlsSession : TlsPipe {
  bool require_alpn = false;

  FixedText<255> host;
  uint8_t ip[16] = {};
  size_t ip_size = 0;  // 0: host is a name
  FixedText<63> alpn_text;
  FixedText<15> alpn_names[4];
  const char* alpn_list[5] = {};

  // What verification found, apart for the peer's own certificate and those above it.
  uint32_t leaf_flags = 0;
  uint32_t chain_flags = 0;
  bool self_signed = false;
  int64_t ends = 0;
  char sentence[400] = {};
};

// Cuts the next certificate, its lines included, off the front of pem; empty: there is none.
// One without an end is what is left.
string_view take_certificate(string_view& pem);

// The rules of verification, and the words for what went wrong.
struct TlsJudge {
  static const mbedtls_x509_crt_profile profile;
  // mbedTLS's verification callback, once per certificate of the chain, root first;
  // adds what the library does not check. context is the session's Inside.
  static int look(void* context, mbedtls_x509_crt* certificate, int depth, uint32_t* flags);
  // Does the certificate carry this address as an iPAddress name (RFC 5280 §4.2.1.6)?
  static bool names_ip(const mbedtls_x509_crt& certificate, ByteView ip);
  // … and this name as a dNSName, by our rules for wildcards?
  static bool names_host(const mbedtls_x509_crt& certificate, string_view host);
  static int64_t unix_time(const mbedtls_x509_time& time);

  struct Finding {
    Error error;
    const char* problem;  // a literal, or written into inside.sentence
  };
  static Finding find(TlsSession& inside, int library_error);
  static const char* no_alpn(TlsSession& inside);
  static const char* no_memory(TlsSession& inside, size_t fence);
};

}  // namespace tocsin
