// Who we are to peers that ask for it in the TLS handshake: a certificate, those
// above it, and the private key. One for all sessions; their opposite is TlsRoots.
#pragma once

#include <cstdint>

#include "base/bytes.h"
#include "base/random.h"
#include "base/result.h"
#include "base/text.h"
#include "base/time.h"
#include "mem/heap.h"

namespace tocsin {

class ClientCertificate {
 public:
  // Each of Apple's topics has up to 155 bytes and a suffix.
  static constexpr size_t topics_bytes_max = 1024;

  ClientCertificate() = default;
  ClientCertificate(const ClientCertificate&) = delete;
  ClientCertificate& operator=(const ClientCertificate&) = delete;
  ~ClientCertificate();

  // PEM: the certificate first, then perhaps those above it; and its key, RSA or EC. Both may be one file. All of it
  // lives in heap until this object ends. The key signs once, so that what the library caches lazily is there too.
  // On failure problem() is a sentence without the file's name, and about_key() says which of the two it is about.
  Status load(ByteView chain_pem, ByteView key_pem, Heap& heap, RandomSource& random);
  bool loaded() const { return inside_ != nullptr; }
  const char* problem() const { return problem_; }
  bool about_key() const { return about_key_; }

  UnixTime begins() const { return begins_; }
  UnixTime ends() const { return ends_; }
  const uint8_t (&mark() const)[32] { return mark_; }  // SHA-256 of the certificate
  // What Apple says in its certificates: the bundle id in the subject, and the topics in an extension
  // (1.2.840.113635.100.6.3.6), with ", " between them; "" when it says nothing.
  string_view topics() const { return topics_.view(); }
  bool names_topic(string_view topic) const;

 private:
  friend class TlsClient;
  struct Inside;
  Status read_chain(ByteView pem);
  Status read_key(ByteView pem, RandomSource& random);
  Status sign_once(RandomSource& random);
  void add_topic(string_view topic);
  // RSA keys keep the numbers that blind them; made within a session they are of its heap.
  void forget_blinding() const;
  void clear();
  Inside* inside_ = nullptr;
  Heap* heap_ = nullptr;
  const char* problem_ = "";
  bool about_key_ = false;
  UnixTime begins_{};
  UnixTime ends_{};
  uint8_t mark_[32] = {};
  FixedText<topics_bytes_max> topics_;
};

}  // namespace tocsin
