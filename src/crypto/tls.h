// A TLS client as a pure core: ciphertext in, plaintext out, and back. TLS 1.2
// and, where the library has it, 1.3; certificate and host name are always
// verified (IP literals against the certificate's iPAddress names, which mbed
// TLS 2.28 can not do by itself).
#pragma once

#include <cstdint>

#include "base/bytes.h"
#include "base/random.h"
#include "base/result.h"
#include "base/ring.h"
#include "crypto/certificate.h"
#include "crypto/tls_stream.h"
#include "mem/heap.h"

namespace tocsin {

// Trusted roots, shared by sessions; lives in its own heap for as long as any session.
class TlsRoots {
 public:
  TlsRoots() = default;
  TlsRoots(const TlsRoots&) = delete;
  TlsRoots& operator=(const TlsRoots&) = delete;
  ~TlsRoots();
  // Parses every certificate of a PEM bundle into heap; ones that can not be read are
  // counted in skipped(), but at least one must be good. pem need not live on.
  // With up to 10 roots warm_up() is done at once (145 roots would take 95 ms).
  // After a failure problem() says why, and this object stays empty.
  Status load(ByteView pem, Heap& heap);
  // What the library keeps per root at its first use must be in this heap before a
  // session uses it, or it would be in the session's. Does the next count roots;
  // for slices between turns. TlsClient::open does what is left, all at once.
  Status warm_up(uint32_t count) const;
  bool warm() const;
  uint32_t count() const { return count_; }
  uint32_t skipped() const { return skipped_; }
  const char* problem() const { return problem_; }

 private:
  friend class TlsClient;
  struct Inside;
  Inside* inside_ = nullptr;
  Heap* heap_ = nullptr;
  uint32_t count_ = 0;
  uint32_t skipped_ = 0;
  const char* problem_ = "";
};

struct TlsSession;

class TlsClient final : public TlsStream {
 public:
  TlsClient(Heap& heap, ByteRing& out, RandomSource& random) : TlsStream(heap, out, random) {}
  ~TlsClient();

  // Starts a handshake with host (a name for SNI and verification, or an IP literal) and
  // puts the first flight into out. alpn: "h2" or "h2,http/1.1"; a peer that answers none
  // of them fails the session when require_alpn. own: shown to a peer that asks for a certificate; nullptr: none is.
  // roots and own must outlive the session.
  Status open(const TlsRoots& roots, string_view host, string_view alpn, bool require_alpn,
              const ClientCertificate* own = nullptr);
  // Consumes from the front of in (what was taken is cut off), advances the handshake,
  // decrypts into room. 0 means: give me more input (in is empty then), or the handshake
  // just finished, or the peer closed (state says which). Never blocks, never loops on
  // data beyond in. After failed it keeps answering the same error: untrusted (certificate),
  // unsupported (versions, suites, ALPN), refused (the peer's alert), exhausted, malformed.
  Result<size_t> read(ByteView& in, Bytes room);
  // Ends the session and frees all of it: the heap is empty afterwards.
  void shut();

  string_view alpn() const;  // what was agreed, "" before or when none
  // After failed: a sentence for the operator: "the certificate is not for api.push.apple.com",
  // "the certificate is signed by no root of ca_file", "the certificate is not valid yet: check the
  // clock", "out of counted memory (fence of 64 KiB)". Valid until shut().
  const char* problem() const { return problem_; }
  // When the peer's certificate ends, in seconds since 1970 UTC (0: unknown). Known once open.
  int64_t certificate_ends() const { return certificate_ends_; }

 private:
  Status give_up(Error error, const char* problem);
  Status give_up(int library_error) override;
  Status opened();
  TlsSession& session() const;
  const ClientCertificate* own_ = nullptr;
  const char* problem_ = "";
  int64_t certificate_ends_ = 0;
};

}  // namespace tocsin
