// A push service without HTTP/2: real TLS and as much HTTP/1.1 as it takes to ask
// for a request and to answer it in the words of the story.
#pragma once

#include "base/ring.h"
#include "base/text.h"
#include "port/sim/simulation.h"
#include "test/support/tls_server.h"

namespace tocsin::test {

class OldService final : public sim::Acceptor, public sim::PeerHandler {
 public:
  static constexpr uint32_t requests_kept = 16;
  OldService(const TlsIdentity& identity, RandomSource& random);

  // ---- the story
  void alpn(string_view offered) { alpn_ = offered; }
  void answer(string_view whole) { answer_ = whole; }  // status line, headers and body
  void close_after(bool close) { close_after_ = close; }
  void silent(bool silent) { silent_ = silent; }

  // ---- what came
  uint32_t requests() const { return requests_; }
  string_view request(uint32_t number) const { return seen_[number % requests_kept].view(); }
  uint32_t connections() const { return connections_; }
  uint32_t alive() const { return connection_ == nullptr ? 0 : 1; }

  void accepted(sim::Connection& connection) override;
  void received(sim::Connection& connection, ByteView bytes) override;
  void closed(sim::Connection& connection, Error why) override;

 private:
  void work();
  void flush();
  const TlsIdentity& identity_;
  string_view alpn_ = "http/1.1";
  string_view answer_ = "HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n";
  bool close_after_ = false;
  bool silent_ = false;
  uint8_t ring_room_[64 * 1024];
  ByteRing out_{Bytes(ring_room_)};
  TlsServer tls_;
  sim::Connection* connection_ = nullptr;
  uint32_t connections_ = 0;
  uint32_t requests_ = 0;
  uint8_t in_[16 * 1024];  // what came of the request that is being read
  size_t in_size_ = 0;
  FixedText<8192> seen_[requests_kept];
};

}  // namespace tocsin::test
