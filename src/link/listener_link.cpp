#include "link/listener_link.h"

#include <new>

namespace tocsin {

namespace {

constexpr uint32_t accepts_a_turn = 16;
constexpr Duration retry_address_after = seconds(10);
constexpr Duration out_of_descriptors = seconds(1);
// Whoever got a connection may at least try to ask something before others are preferred.
constexpr Duration grace = seconds(2);

}  // namespace

ListenerLink::ListenerLink(Region& region, const ListenerOptions& options, port::Port& port, Log& log)
    : options_(options),
      port_(port),
      log_(log),
      limits_(region),
      connections_(
          reinterpret_cast<WebConnection*>(region.carve(sizeof(WebConnection) * size_t{options.connections}).data())) {
  const size_t room = WebConnection::room_bytes(options.connection);
  const size_t heap = WebConnection::heap_bytes(options.connection);
  Bytes rooms = region.carve(room * options.connections);
  Bytes heaps = region.carve(heap * options.connections);
  for (uint32_t i = 0; i < options.connections; ++i)
    new (&connections_[i])
        WebConnection(rooms.subspan(i * room, room), heaps.subspan(i * heap, heap), port, options.connection);
}

ListenerLink::~ListenerLink() {
  close();
  for (uint32_t i = 0; i < options_.connections; ++i) connections_[i].~WebConnection();
}

// ---- sockets ---------------------------------------------------------------

port::Door ListenerLink::door_of(uint32_t index) const {
  const ListenAddress& at = options_.addresses.items[index];
  port::Door door{.address = at.address, .path = at.path.c_str(), .mode = options_.socket_mode};
  switch (at.kind) {
    case ListenAddress::Kind::any: door.kind = port::Door::Kind::dual; break;
    case ListenAddress::Kind::ip: door.kind = port::Door::Kind::tcp; break;
    case ListenAddress::Kind::unix_path: door.kind = port::Door::Kind::unix_path; break;
    case ListenAddress::Kind::systemd: door.kind = port::Door::Kind::handed; break;
  }
  return door;
}

Status ListenerLink::open_door(uint32_t index, Instant now) {
  DoorState& door = doors_[index];
  const Result<port::Handle> made = port_.net.listen(door_of(index));
  uint8_t room[listen_path_bytes_max + 64];
  Writer name(room);
  write_listen_address(name, options_.addresses.items[index]);
  if (made.ok()) {
    door = DoorState{.socket = made.value()};
    LogLine(log_, Level::info, "listening").sentence("address", name.view()).field("for", options_.name);
    return {};
  }
  door.retry_at = now + retry_address_after;
  if (!door.said)
    LogLine(log_, Level::warn, "listen_failed")
        .sentence("address", name.view())
        .field("reason", describe(made.error()))
        .sentence("check", "it is tried again every 10 s");
  door.said = true;
  return made.error();
}

Status ListenerLink::open(Writer& problem, Instant now) {
  door_count_ = options_.addresses.count;
  for (uint32_t i = 0; i < door_count_; ++i) {
    const port::Door door = door_of(i);
    const Status opened = open_door(i, now);
    // What is not there yet may come: an address by DHCP or a VPN.
    if (opened.ok() || opened.error() == Error::unreachable) continue;
    problem.text("cannot listen at ");
    write_listen_address(problem, options_.addresses.items[i]);
    switch (opened.error()) {
      case Error::busy: problem.text(": another program listens there, or another gateway"); break;
      case Error::denied:
        if (door.kind == port::Door::Kind::unix_path) {
          problem.text(": permission denied; its directory must be the service's, such as /run/tocsin");
        } else {
          problem.text(
              ": permission denied; ports under 1024 need CAP_NET_BIND_SERVICE, which the unit of tocsin grants");
        }
        break;
      case Error::not_found:
        if (door.kind == port::Door::Kind::handed) {
          problem.text(": no socket was handed over; that needs a tocsin.socket of systemd");
        } else {
          problem.text(": its directory does not exist");
        }
        break;
      default: problem.text(": ").text(describe(opened.error())); break;
    }
    return opened;
  }
  return {};
}

void ListenerLink::want(std::span<port::Interest> interests) const {
  for (uint32_t i = 0; i < doors_max; ++i)
    interests[i] = {.socket = stopping_ ? port::no_handle : doors_[i].socket, .read = !accept_paused_};
  for (uint32_t i = 0; i < options_.connections; ++i) {
    interests[doors_max + i] = {};
    connections_[i].want(interests[doors_max + i]);
  }
}

Instant ListenerLink::due(Instant now) const {
  if (more_work_) return now;
  Instant when = more_steps_ ? later(now, step_due()) : Instant::never();
  if (accept_paused_) when = earlier(when, accept_again_);
  for (uint32_t i = 0; i < door_count_ && !stopping_; ++i) when = earlier(when, doors_[i].retry_at);
  for (uint32_t i = 0; i < options_.connections; ++i) {
    if (connections_[i].has_work()) return now;
    when = earlier(when, connections_[i].deadline());
  }
  if (services_.forget != nullptr) when = earlier(when, services_.forget->due());
  if (services_.certificate != nullptr) when = earlier(when, services_.certificate->due());
  return when;
}

void ListenerLink::accept_from(DoorState& door, Instant now) {
  for (uint32_t i = 0; i < accepts_a_turn; ++i) {
    const Result<port::Accepted> accepted = port_.net.accept(door.socket);
    if (accepted.ok()) {
      let_in(accepted.value(), now);
      continue;
    }
    if (accepted.error() != Error::exhausted) return;
    accept_paused_ = true;
    accept_again_ = now + out_of_descriptors;
    return;
  }
}

bool ListenerLink::is_forwarder(const port::Accepted& accepted) const {
  return accepted.local || (options_.forwarded_from != nullptr && options_.forwarded_from->contain(accepted.peer));
}

uint32_t ListenerLink::connections_of(const Address& client) const {
  uint32_t count = 0;
  for (uint32_t i = 0; i < options_.connections; ++i) {
    const WebConnection& c = connections_[i];
    if (c.state() != WebConnection::State::shut && !c.trusted() && same(c.client().ip(), client.ip())) ++count;
  }
  return count;
}

void ListenerLink::let_in(const port::Accepted& accepted, Instant now) {
  const bool forwarder = is_forwarder(accepted);
  const uint32_t of_one = options_.connections < 16 ? 4 : options_.connections / 4;
  const bool welcome = forwarder || (!options_.proxy_protocol && connections_of(accepted.peer) < of_one &&
                                     limits_.take(accepted.peer, ClientLimits::What::connect, now));
  WebConnection* connection = welcome ? free_connection(now) : nullptr;
  if (connection == nullptr) return port_.net.shut(accepted.socket);
  const TlsServerCertificate* certificate =
      services_.certificate == nullptr ? nullptr : &services_.certificate->current();
  connection->open(accepted, certificate, options_.proxy_protocol, now);
  if (forwarder) connection->trust();
}

// A free one, or that of whoever has had one for longest without asking anything.
WebConnection* ListenerLink::free_connection(Instant now) {
  using Phase = WebConnection::Phase;
  WebConnection* oldest = nullptr;
  for (uint32_t i = 0; i < options_.connections; ++i) {
    WebConnection& c = connections_[i];
    if (c.state() == WebConnection::State::shut) return &c;
    const bool idle = c.phase() == Phase::idle || c.phase() == Phase::leaving;
    if (c.phase() == Phase::answer || (!idle && now - c.since() < grace)) continue;
    if (oldest == nullptr) {
      oldest = &c;
      continue;
    }
    const bool oldest_idle = oldest->phase() == Phase::idle || oldest->phase() == Phase::leaving;
    if (idle != oldest_idle ? idle : c.since() < oldest->since()) oldest = &c;
  }
  if (oldest != nullptr) oldest->shut();
  return oldest;
}

// ---- a turn ----------------------------------------------------------------

void ListenerLink::receive(std::span<const port::Interest> interests, bool pushing, Instant now) {
  for (uint32_t i = 0; i < options_.connections; ++i) {
    // A connection that was made in this turn has no interest yet.
    if (interests[doors_max + i].socket != port::no_handle) connections_[i].receive(interests[doors_max + i]);
  }
  if (accept_paused_ && now >= accept_again_) accept_paused_ = false;
  more_work_ = false;
  uint32_t wanting = 0;
  WebConnection* const stepping = choose_step(wanting, now);
  for (uint32_t i = 0; i < options_.connections; ++i) {
    if (&connections_[i] == stepping) {
      step(connections_[i], pushing ? wanting : 0, now);
    } else {
      bool may_not = false;
      work(connections_[i], may_not, now);
    }
  }
  more_steps_ = false;
  for (uint32_t i = 0; i < options_.connections; ++i) more_steps_ = more_steps_ || connections_[i].wants_step();
  for (uint32_t i = 0; i < doors_max; ++i) {
    if (interests[i].can_read && doors_[i].socket == interests[i].socket) accept_from(doors_[i], now);
  }
}

void ListenerLink::work(WebConnection& connection, bool& may_step, Instant now) {
  HttpServerEvent event;
  for (int events = 0; events < 8; ++events) {
    if (!connection.work(event, may_step, now)) return;
    handle(connection, event, now);
  }
  more_work_ = true;  // many small requests at once: the others first
}

void ListenerLink::tick(Instant now) {
  for (uint32_t i = 0; i < door_count_ && !stopping_; ++i) {
    if (doors_[i].retry_at <= now) (void)open_door(i, now).ok();  // it said what there is to say
  }
  for (uint32_t i = 0; i < options_.connections; ++i) {
    WebConnection& c = connections_[i];
    if (c.deadline() > now) continue;
    // Who is in the middle of a request is told; there is nobody to tell else.
    const bool asking = c.state() == WebConnection::State::open && c.phase() == WebConnection::Phase::body;
    if (asking) {
      c.respond({.status = 408, .close = true}, now);
      c.flush(now);
    }
    if (!asking || c.deadline() <= now) c.shut();
  }
  if (services_.certificate != nullptr) services_.certificate->tick(now);
}

void ListenerLink::flush(Instant now) {
  answer_waiting(now);
  for (uint32_t i = 0; i < options_.connections; ++i) connections_[i].flush(now);
}

// ---- what is asked ---------------------------------------------------------

void ListenerLink::handle(WebConnection& connection, const HttpServerEvent& event, Instant now) {
  switch (event.kind) {
    case HttpServerEvent::Kind::head: return handle_head(connection, now);
    case HttpServerEvent::Kind::complete: return handle_request(connection, event.body, now);
    case HttpServerEvent::Kind::refused: return answer(connection, event.status, "", "", now);
    case HttpServerEvent::Kind::body: return;  // all bodies are gathered
  }
}

void ListenerLink::handle_head(WebConnection& connection, Instant now) {
  if (!limits_.take(asker(connection), ClientLimits::What::request, now))
    return answer(connection, 429, "text/plain", "Too many requests.\n", now);
  if (!connection.request().has_body()) return;
  const string_view path = connection.request().path;
  const bool wanted = (services_.forget != nullptr && Forget::is_path(path)) || serves_endpoints(path);
  if (wanted) return connection.gather();
  answer(connection, 404, "text/plain", "There is nothing here.\n", now);
}

uint64_t ListenerLink::waiter_of(const WebConnection& connection) const {
  return static_cast<uint64_t>(&connection - connections_) << 32 | connection.serial();
}

void ListenerLink::handle_request(WebConnection& connection, ByteView body, Instant now) {
  using Method = HttpRequest::Method;
  const HttpRequest& request = connection.request();
  const bool get = request.method == Method::get || request.method == Method::head;
  if (services_.health != nullptr && get && request.path == "/health") {
    uint8_t room[128];
    Writer line(room);
    const bool well = services_.health->look(line, now);
    return answer(connection, well ? 200 : 503, "text/plain", line.text("\n").view(), now);
  }
  if (services_.forget != nullptr && request.method == Method::post && Forget::is_path(request.path)) {
    if (!limits_.take(asker(connection), ClientLimits::What::unregister, now))
      return answer(connection, 429, "text/plain", "Too many requests.\n", now);
    const Forget::Outcome outcome =
        services_.forget->post(request, body, waiter_of(connection), now, port_.clock.wall());
    if (outcome.status == 404) return answer(connection, 404, "text/plain", "Not found.\n", now);
    if (outcome.status == 503) return answer(connection, 503, "text/plain", "Try again later.\n", now);
    return;
  }
  if (serves_endpoints(request.path)) return handle_endpoint(connection, body, now);
  answer(connection, 404, "text/plain", "There is nothing here.\n", now);
}

void ListenerLink::answer(WebConnection& connection, uint16_t status, string_view type, string_view body, Instant now) {
  connection.respond({.status = status, .type = type, .body = bytes_of(body), .close = stopping_}, now);
}

// Who waits for an answer. nullptr: went away meanwhile, and has left the place to others.
WebConnection* ListenerLink::waiting(uint64_t waiter) const {
  const uint64_t slot = waiter >> 32;
  GW_CHECK(slot < options_.connections);
  WebConnection& connection = connections_[slot];
  const bool there = connection.state() == WebConnection::State::open && waiter_of(connection) == waiter;
  return there && connection.phase() == WebConnection::Phase::answer ? &connection : nullptr;
}

void ListenerLink::answer_waiting(Instant now) {
  Forget::Outcome outcome;
  while (services_.forget != nullptr && services_.forget->next(outcome, now)) {
    WebConnection* connection = waiting(outcome.waiter);
    if (connection == nullptr) continue;
    if (outcome.status == 200) {
      answer(*connection, 200, "application/json", R"({"result":"success"})", now);
    } else {
      answer(*connection, outcome.status, "text/plain", "Try again later.\n", now);
    }
  }
  Relay::Outcome posted;
  while (services_.relay != nullptr && services_.relay->next(posted)) {
    if (WebConnection* connection = waiting(posted.waiter)) answer_post(*connection, posted, now);
  }
}

// ---- the end ---------------------------------------------------------------

void ListenerLink::stop() {
  if (stopping_) return;
  stopping_ = true;
  if (services_.forget != nullptr) services_.forget->stop();
  for (DoorState& door : doors_) {
    if (door.socket != port::no_handle) port_.net.shut(door.socket);
    door = DoorState{};
  }
}

bool ListenerLink::drained() const {
  for (uint32_t i = 0; i < options_.connections; ++i) {
    const WebConnection& c = connections_[i];
    if (c.state() == WebConnection::State::open && c.phase() != WebConnection::Phase::idle &&
        c.phase() != WebConnection::Phase::head)
      return false;
  }
  return true;
}

void ListenerLink::close() {
  stop();
  for (uint32_t i = 0; i < options_.connections; ++i) connections_[i].shut();
}

uint32_t ListenerLink::connections() const {
  uint32_t count = 0;
  for (uint32_t i = 0; i < options_.connections; ++i) count += connections_[i].state() != WebConnection::State::shut;
  return count;
}

void ListenerLink::shut_handshakes_with(const TlsServerCertificate& certificate) {
  for (uint32_t i = 0; i < options_.connections; ++i) {
    WebConnection& c = connections_[i];
    if (c.certificate() != &certificate) continue;
    if (c.handshaking() || c.state() == WebConnection::State::preface) c.shut();
  }
}

}  // namespace tocsin
