// Where others connect to us: sockets, a counted number of connections, and who is let in. Two of them may exist: for
// [listen] (the public one) and for [metrics].
//
// Nobody here may disturb pushes or each other: a turn accepts a few, makes at most one costly step of one handshake,
// and reads each connection once; handshakes are so many a second, and have a small share of the time; a client has so
// many connections; and when all are
// in use, whoever holds one without asking anything makes room.
#pragma once

#include <cstdint>

#include "base/log.h"
#include "gateway/forget.h"
#include "gateway/relay.h"
#include "link/client_limits.h"
#include "link/health.h"
#include "link/web_certificate.h"
#include "link/web_connection.h"
#include "port/port.h"
#include "settings/settings.h"

namespace tocsin {

struct ListenerOptions {
  string_view name;  // "listen", "metrics": for the log
  const ListenAddresses& addresses;
  uint32_t socket_mode = 0660;
  uint32_t connections = 64;
  const Forwarders* forwarded_from = nullptr;
  bool proxy_protocol = false;
  WebConnectionOptions connection;
};

// What is served: some of these.
struct WebServices {
  Forget* forget = nullptr;
  Relay* relay = nullptr;  // UnifiedPush
  const Health* health = nullptr;
  WebCertificate* certificate = nullptr;  // with TLS
};

class ListenerLink {
 public:
  static constexpr uint32_t doors_max = listen_addresses_max;
  static constexpr uint32_t sockets_for(uint32_t connections) { return doors_max + connections; }

  ListenerLink(Region& region, const ListenerOptions& options, port::Port& port, Log& log);
  ListenerLink(const ListenerLink&) = delete;
  ListenerLink& operator=(const ListenerLink&) = delete;
  ~ListenerLink();

  void serve(const WebServices& services) { services_ = services; }
  void set_key(const HashKey& key) { limits_.set_key(key); }
  // At start: opens all sockets. An address that is not up is tried again later; anything else is told in problem.
  Status open(Writer& problem, Instant now);

  // ---- a turn
  uint32_t sockets() const { return sockets_for(options_.connections); }
  void want(std::span<port::Interest> interests) const;  // sockets() of them
  Instant due(Instant now) const;
  // pushing: the XMPP server is at work with us, and a flood of handshakes shall not be felt there.
  void receive(std::span<const port::Interest> interests, bool pushing, Instant now);
  void tick(Instant now);
  void flush(Instant now);

  // TERM: nobody new; what is owed is still answered.
  void stop();
  bool drained() const;
  void close();

  uint32_t connections() const;  // that are open now
  // Certificates may not be unloaded while one of these handshakes with them.
  void shut_handshakes_with(const TlsServerCertificate& certificate);

 private:
  struct DoorState {
    port::Handle socket = port::no_handle;
    Instant retry_at = Instant::never();
    bool said = false;
  };
  port::Door door_of(uint32_t index) const;
  Status open_door(uint32_t index, Instant now);
  void accept_from(DoorState& door, Instant now);
  void let_in(const port::Accepted& accepted, Instant now);
  WebConnection* free_connection(Instant now);
  uint32_t connections_of(const Address& client) const;
  bool is_forwarder(const port::Accepted& accepted) const;
  void work(WebConnection& connection, bool& may_step, Instant now);
  void handle(WebConnection& connection, const HttpServerEvent& event, Instant now);
  void handle_head(WebConnection& connection, Instant now);
  void handle_request(WebConnection& connection, ByteView body, Instant now);
  // Handshakes (listener_steps.cpp).
  bool may_step(WebConnection& connection, Instant now);
  Instant step_due() const;
  WebConnection* choose_step(uint32_t& wanting, Instant now);
  // disturbing: so many handshakes that pushes may feel it.
  void step(WebConnection& connection, uint32_t disturbing, Instant now);
  // UnifiedPush (listener_posts.cpp).
  bool serves_endpoints(string_view path) const;
  void handle_endpoint(WebConnection& connection, ByteView body, Instant now);
  void answer_post(WebConnection& connection, const Relay::Outcome& outcome, Instant now);
  WebConnection* waiting(uint64_t waiter) const;
  void answer(WebConnection& connection, uint16_t status, string_view type, string_view body, Instant now);
  void answer_waiting(Instant now);
  Address asker(const WebConnection& connection) const;
  uint64_t waiter_of(const WebConnection& connection) const;

  ListenerOptions options_;
  port::Port& port_;
  Log& log_;
  WebServices services_;
  ClientLimits limits_;
  WebConnection* connections_;
  DoorState doors_[doors_max];
  uint32_t door_count_ = 0;
  uint32_t next_ = 0;          // whose handshake goes on in this turn
  Instant handshakes_full_{};  // when a whole burst of them is possible again
  Instant step_again_{};       // the share of the last step
  Instant accept_again_{};     // the system was out of descriptors
  bool accept_paused_ = false;
  bool more_steps_ = false;  // somebody waits for the next turn
  bool more_work_ = false;
  bool stopping_ = false;
};

}  // namespace tocsin
