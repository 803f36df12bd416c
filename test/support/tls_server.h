// A TLS server as a pure core, the opposite number of TlsClient: for tests, the
// simulated provider and the benchmark. It judges nobody, and asks for a
// certificate where it is told to. What it allocates comes from wherever the caller's scope points.
#pragma once

#include <cstdint>

#include "base/bytes.h"
#include "base/random.h"
#include "base/result.h"
#include "base/ring.h"

namespace tocsin::test {

// A certificate chain (leaf first) with its key, shared by any number of servers.
class TlsIdentity {
 public:
  TlsIdentity() = default;
  TlsIdentity(const TlsIdentity&) = delete;
  TlsIdentity& operator=(const TlsIdentity&) = delete;
  ~TlsIdentity();
  // Both are PEM text that ends in a zero. False: they can not be used.
  [[nodiscard]] bool load(const char* chain_pem, const char* key_pem, RandomSource& random);

 private:
  friend class TlsServer;
  struct Inside;
  Inside* inside_ = nullptr;
};

class TlsServer {
 public:
  enum class State : uint8_t { shut, handshaking, open, ended, failed };
  // For peers that a client must refuse: only_1_1 speaks TLS 1.1, static_rsa offers key exchanges without
  // forward secrecy only. only_1_2 is the same as modern where the library has no 1.3.
  enum class Kind : uint8_t { modern, only_1_2, only_1_1, static_rsa };

  // out: where ciphertext waits to leave; records wait whole, so at least 17 KiB.
  TlsServer(ByteRing& out, RandomSource& random) : out_(out), random_(random) {}
  TlsServer(const TlsServer&) = delete;
  TlsServer& operator=(const TlsServer&) = delete;
  ~TlsServer();

  // alpn: what it speaks, "h2" or "h2,http/1.1"; "": it knows no ALPN. The text is copied.
  // clients_under: a root as PEM; clients are asked for a certificate under it, and may show none.
  [[nodiscard]] bool open(const TlsIdentity& identity, string_view alpn, Kind kind = Kind::modern,
                          const char* clients_under = nullptr);
  // As TlsClient::read and write.
  Result<size_t> read(ByteView& in, Bytes room);
  Result<size_t> write(ByteView plain);
  void close_notify();
  void alert(uint8_t description);  // a fatal one
  void shut();

  State state() const { return state_; }
  string_view alpn() const;
  bool was_shown_certificate() const;       // a good one
  string_view asked_for() const;            // the client's server name (SNI), "" when it sent none
  int problem() const { return problem_; }  // the library's number, after failed

 private:
  struct Inside;
  ByteRing& out_;
  RandomSource& random_;
  Inside* inside_ = nullptr;
  State state_ = State::shut;
  int problem_ = 0;
};

}  // namespace tocsin::test
