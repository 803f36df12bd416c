// One connection of somebody who asks us by HTTP: socket, PROXY header, TLS, HTTP/1.1, stacked. It moves bytes, keeps
// time and says what was asked; what is answered, and when it is turned away for others, is ListenerLink's business.
#pragma once

#include <cstdint>

#include "base/address.h"
#include "crypto/tls_server.h"
#include "port/port.h"
#include "proto/http_server.h"

namespace tocsin {

struct WebConnectionOptions {
  bool tls = true;
  size_t body_bytes_max = 4096;
};

class WebConnection {
 public:
  enum class State : uint8_t {
    shut,
    preface,      // a PROXY header is due
    handshaking,  // TLS
    open,
    lingering,  // we said all; what the client still sends is dropped until it ends too (RFC 9112 §9.6)
  };
  // What it waits for, which decides how long it may.
  enum class Phase : uint8_t { arriving, idle, head, body, answer, leaving };

  static constexpr size_t input_bytes = 2048;
  static constexpr size_t plain_bytes = 1024;
  static constexpr size_t cipher_bytes = 17 * 1024;  // one full record, or a handshake's flight
  static constexpr size_t tls_heap_bytes = 64 * 1024;
  static size_t answer_bytes() { return HttpServer::response_head_bytes_max + 1024; }
  // What the constructor carves, beside the heap of TLS.
  static size_t room_bytes(const WebConnectionOptions& options);
  static size_t heap_bytes(const WebConnectionOptions& options) { return options.tls ? tls_heap_bytes : 0; }

  WebConnection(Bytes room, Bytes tls_heap, port::Port& port, const WebConnectionOptions& options);
  WebConnection(const WebConnection&) = delete;
  WebConnection& operator=(const WebConnection&) = delete;
  ~WebConnection() { shut(); }

  // certificate: with TLS; must stay loaded while handshaking(). preface: a PROXY header comes first.
  void open(const port::Accepted& accepted, const TlsServerCertificate* certificate, bool preface, Instant now);
  void want(port::Interest& interest) const;
  // One receive.
  void receive(const port::Interest& ready);
  // Decrypts and parses up to the next event; false: nothing to do without more input. A step of a handshake is only
  // done where may_step, and clears it.
  bool work(HttpServerEvent& event, bool& may_step, Instant now);
  // work() would do something without more input: a client may ask several things at once.
  bool has_work() const;
  // Wants a step of its handshake.
  bool wants_step() const;
  void gather() { http_.gather(body_room_); }
  // Ends the connection when the answer has no room, which only we can do wrong.
  void respond(const HttpResponse& response, Instant now);
  void flush(Instant now);
  void shut();  // at once

  State state() const { return state_; }
  Phase phase() const { return phase_; }
  Instant since() const { return since_; }  // of the phase
  Instant deadline() const { return deadline_; }
  bool handshaking() const { return state_ == State::handshaking; }
  // Whom it comes from: behind a proxy that speaks PROXY, the proxy's client. Without an address where it is local.
  const Address& client() const { return client_; }
  bool trusted() const { return trusted_; }  // may name others (X-Forwarded-For)
  void trust() { trusted_ = true; }
  const HttpRequest& request() const { return http_.request(); }
  uint32_t serial() const { return serial_; }  // of the request; another one for every request
  bool stepped = false;                        // a handshake of this connection was paid for
  const TlsServerCertificate* certificate() const { return certificate_; }

 private:
  void enter(Phase phase, Instant now);
  bool read_preface(Instant now);
  bool feed(ByteView& input);
  bool decrypt();
  void encrypt();
  void begin_http(Instant now);
  void linger(Instant now);
  void follow(Instant now);
  bool sent_all() const { return answers_.empty() && cipher_.empty(); }
  size_t send(ByteRing& from);

  port::Port& port_;
  WebConnectionOptions options_;
  Heap tls_heap_;
  ByteRing answers_;  // HTTP that wants to leave
  ByteRing cipher_;   // the same, encrypted
  Bytes input_room_;
  Bytes plain_room_;
  Bytes body_room_;
  ByteView input_;  // received and not used
  ByteView plain_;  // decrypted and not used
  HttpServer http_;
  TlsAcceptor tls_;
  State state_ = State::shut;
  Phase phase_ = Phase::arriving;
  port::Handle socket_ = port::no_handle;
  Address client_;
  const TlsServerCertificate* certificate_ = nullptr;
  bool trusted_ = false;
  bool peer_ended_ = false;
  uint32_t serial_ = 0;
  Instant since_{};
  Instant deadline_ = Instant::never();
  Instant stalled_ = Instant::never();  // since when nothing of what waits could leave
};

}  // namespace tocsin
