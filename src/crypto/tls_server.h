// A TLS server as a pure core, the opposite number of TlsClient: ciphertext in, plaintext out, and back. TLS 1.2 and,
// where the library has it, 1.3, with forward secrecy and authenticated encryption only. No client certificates, no
// tickets, no resumption: a ticket key would be one more secret, and senders keep their connections.
#pragma once

#include <cstdint>

#include "base/bytes.h"
#include "base/random.h"
#include "base/result.h"
#include "base/ring.h"
#include "crypto/tls_stream.h"
#include "mem/heap.h"

namespace tocsin {

// A certificate chain with its private key, shared by sessions; lives in its own heap, which it has alone.
class TlsServerCertificate {
 public:
  static constexpr size_t chain_bytes_max = 24 * 1024;
  // Measured with mbed TLS 2.28: 25 KiB while a chain of three RSA-4096 certificates is read, 16 KiB afterwards.
  static constexpr size_t heap_bytes = 64 * 1024;

  TlsServerCertificate() = default;
  TlsServerCertificate(const TlsServerCertificate&) = delete;
  TlsServerCertificate& operator=(const TlsServerCertificate&) = delete;
  ~TlsServerCertificate() { unload(); }

  // PEM: the chain with the server's own certificate first, and its key. Neither need live on. What the library keeps
  // with a key at its first use is made here, or it would be in a session's heap. After a failure problem() is a
  // sentence about the certificate, or the key if key_is_wrong(), and this object stays empty.
  Status load(ByteView chain_pem, ByteView key_pem, Heap& heap, RandomSource& random);
  // No session may still be handshaking with it.
  void unload();
  bool loaded() const { return inside_ != nullptr; }
  const char* problem() const { return problem_; }
  bool key_is_wrong() const { return key_is_wrong_; }

  // While loaded. A host name or IP literal, among the alternative names.
  bool covers(string_view host) const;
  int64_t starts() const { return starts_; }  // seconds since 1970 UTC
  int64_t ends() const { return ends_; }

 private:
  friend class TlsAcceptor;
  struct Inside;
  Status give_up(Error error, const char* problem, bool key);
  Inside* inside_ = nullptr;
  Heap* heap_ = nullptr;
  const char* problem_ = "";
  bool key_is_wrong_ = false;
  int64_t starts_ = 0;
  int64_t ends_ = 0;
};

// One session of the server.
class TlsAcceptor final : public TlsStream {
 public:
  TlsAcceptor(Heap& heap, ByteRing& out, RandomSource& random) : TlsStream(heap, out, random) {}
  ~TlsAcceptor();

  // Waits for a client. certificate must stay loaded until the handshake is over or shut(). A client that offers
  // protocols (ALPN) must offer alpn, a literal; one that offers none is taken.
  Status open(const TlsServerCertificate& certificate, const char* alpn);
  // As TlsClient::read, but of a handshake at most one step that costs (a signature, a key agreement: 0.3 to 2 ms) is
  // done in a call: thirsty() is false when the next one needs no more input.
  Result<size_t> read(ByteView& in, Bytes room);
  // Handshaking: without more input, read() would do nothing. Else always true.
  bool thirsty() const { return thirsty_; }
  // read() may have plaintext although there is no more input: decrypted, but there was no room for it.
  bool holds_plaintext() const;
  void shut();  // ends the session and frees all of it

  // After failed: why. Strangers' mistakes: nothing an operator could mend, except exhausted.
  Error error() const { return error_; }
  string_view version() const;  // once open: "TLSv1.2", "TLSv1.3"

 private:
  struct Session;
  Status give_up(int library_error) override;
  int handshake();
  bool thirsty_ = true;
};

}  // namespace tocsin
