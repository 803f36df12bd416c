// Connections: making them, watching them, giving them up.
#include "link/origin_link.h"

namespace tocsin {
namespace {

constexpr Duration lookup_within = seconds(10);
constexpr Backoff between_rounds{.first = seconds(1), .most = seconds(60)};
constexpr Duration drain_within = seconds(10);
constexpr Duration steady_after = seconds(10);
constexpr Duration idle_ping_after = minutes(55);  // Apple: "after an hour of inactivity"
constexpr Duration idle_ping_within = seconds(10);
constexpr Duration http1_idle_close = seconds(45);
constexpr uint32_t roots_a_turn = 4;  // 0.7 ms each where 145 take 95 ms; small devices need ten times that

OriginConnection::Sizes second(const OriginOptions& options) {
  return options.pooled ? OriginConnection::Sizes{.output_bytes = 0, .http1_head_bytes = 0} : options.sizes;
}

// IPv6 and IPv4 in turn, each family in the resolver's order: one dead family costs one attempt.
void interleave(port::Lookup& lookup) {
  port::Lookup sorted = lookup;
  uint32_t at[2] = {0, 0};
  const Address::Family first = lookup.addresses[0].family;
  for (uint32_t i = 0; i < lookup.count; ++i) {
    for (uint32_t turn = 0; turn < 2; ++turn) {
      const bool want_first = (i % 2 == 0) == (turn == 0);
      uint32_t& next = at[want_first ? 0 : 1];
      while (next < lookup.count && (lookup.addresses[next].family == first) != want_first) ++next;
      if (next < lookup.count) {
        sorted.addresses[i] = lookup.addresses[next++];
        break;
      }
    }
  }
  lookup = sorted;
}

}  // namespace

OriginLink::OriginLink(Region& region, Heap* tls_heaps, Heap* h2_heaps, const OriginOptions& options, Lane& lane,
                       RequestSource& source, port::Port& port, LinkScratch& scratch, Log& log)
    : options_(options),
      lane_(lane),
      source_(source),
      port_(port),
      log_(log),
      connections_{{region, options.sizes, tls_heaps[0], h2_heaps[0], port, scratch},
                   {region, second(options), tls_heaps[connections_of(options.pooled) - 1],
                    h2_heaps[connections_of(options.pooled) - 1], port, scratch}} {
  follow();
}

// The lane was given to another origin: nothing is on its way to the one before.
void OriginLink::follow() {
  close();
  open_ = announced_ = pinging_ = false;
  ping_deadline_ = stuck_at_ = drain_deadline_ = lookup_deadline_ = Instant::never();
  retry_at_ = Instant{};
  failures_ = 0;
  moves_ = lane_.moves;
  uint8_t room[300];
  Writer authority(room);
  const bool brackets = lane_.host.host.view().find(':') != string_view::npos;
  authority.text(brackets ? "[" : "").text(lane_.host.host.view()).text(brackets ? "]" : "");
  if (lane_.host.port != 443) authority.character(':').unsigned_number(lane_.host.port);
  GW_CHECK(authority_.assign(authority.view()));
  for (OriginConnection& each : connections_) each.show(options_.certificate);
}

// Others need the lane, which has been silent for long.
void OriginLink::give_way(Instant now) {
  constexpr string_view why = "silent while others waited";
  lane_.gives_way = false;
  close();
  collect(connection(), now);
  drain_deadline_ = lookup_deadline_ = Instant::never();
  forget_active(now);
  round_failed(why, now);
}

// ---- a turn ----------------------------------------------------------------

void OriginLink::want(port::Interest* interests) const {
  connections_[0].want(interests[0]);
  connections_[1].want(interests[1]);
}

Instant OriginLink::due(Instant now) const {
  if (again_ || cold_ || moves_ != lane_.moves || lane_.gives_way) return Instant{};  // at once
  Instant when = earlier(earlier(ping_deadline_, drain_deadline_), stuck_at_);
  const OriginConnection& active = connections_[active_];
  const Instant wanted = waits_for_credential(now) ? Instant::never() : source_.wanted_at(lane_);
  if (resolving_) {
    when = earlier(when, lookup_deadline_);
  } else if (active.alive()) {
    when = earlier(when, active.deadline());
    if (open_ && !pinging_) when = earlier(when, active.heard() + idle_ping_after);
    if (options_.idle_close.us > 0 && idle() && wanted > now) when = earlier(when, active.heard() + idle_close());
    if (wanted > now) when = earlier(when, wanted);
  } else {
    when = earlier(when, later(wanted, retry_at_));
  }
  return earlier(when, next_timeout());
}

void OriginLink::receive(const port::Interest* ready, Instant now) {
  if (resolving_) {
    port::Lookup lookup;
    if (port_.net.lookup_done(ticket_, lookup)) resolved(lookup, now);
  }
  for (uint8_t i = 0; i < 2; ++i) {
    OriginConnection& each = connections_[i];
    if (!each.alive()) continue;
    each.receive(ready[i], now);
    collect(each, now);
    if (!each.alive()) ended(each, now);
  }
  if (connection().state() == OriginConnection::State::open) check_open(now);
}

void OriginLink::check_open(Instant now) {
  OriginConnection& active = connection();
  if (!open_) {
    open_ = true;
    opened_ = now;
    timeouts_ = 0;
  }
  if (!announced_ && active.welcome()) {
    announced_ = true;
    source_.lane_up(lane_);
    uint8_t room[64];
    Writer address(room);
    write_address(address, active.address());
    // Those of a pool come and go.
    LogLine(log_, options_.pooled ? Level::debug : Level::info, "provider_up")
        .field("provider", lane_.name)
        .field("address", address.view());
  }
  if (pinging_ && active.h2()->ping_answered()) {
    pinging_ = false;
    ping_deadline_ = Instant::never();
  }
  if (active.spent()) drain("spent", now);
}

void OriginLink::tick(Instant now) {
  warm_roots();
  if (moves_ != lane_.moves) follow();
  if (lane_.gives_way) give_way(now);
  if (resolving_ && lookup_deadline_ <= now) {
    port_.net.lookup_cancel(ticket_);
    port::Lookup none;
    none.error = Error::timed_out;
    resolved(none, now);
  }
  check_deadlines(now);
  time_out_requests(now);
  const bool pings = connection().h2() != nullptr;
  if (open_ && pings && !pinging_ && connection().heard() + idle_ping_after <= now && !ping(idle_ping_within, now)) {
    end(connection(), "out of counted memory for a PING", now);
  }
  if (options_.idle_close.us > 0 && idle() && connection().heard() + idle_close() <= now &&
      !source_.wants_to_send(lane_, now)) {
    connection().shut();
    forget_active(now);
  }
  const bool none = !resolving_ && !cold_ && !connection().alive();
  if (none && retry_at_ <= now && source_.wants_to_send(lane_, now) && may_sign(now)) start(now);
}

void OriginLink::flush(Instant now) {
  if (moves_ != lane_.moves) follow();
  submit(now);
  bool back = false;
  for (OriginConnection& each : connections_) {
    if (!each.alive()) continue;
    each.flush();
    back |= collect(each, now);  // a cancelled stream is over once its RST was written
    if (!each.alive()) ended(each, now);
  }
  // What came back may leave in the next turn; two silent requests are the next tick's business.
  again_ = (back && source_.wants_to_send(lane_, now)) || timeouts_ >= timeouts_max;
  watch_for_stuck(now);
  if (drain_deadline_ != Instant::never() && draining().in_flight() == 0 && draining().drained()) {
    drain_deadline_ = Instant::never();
    if (options_.pooled) return end(connection(), "spent", now);
    draining().shut();
  }
}

bool OriginLink::idle() const { return open_ && !pinging_ && connections_[active_].in_flight() == 0; }

// A server's patience with HTTP/1.1 ends soon; a request that meets the end of it is lost.
Duration OriginLink::idle_close() const {
  const OriginConnection& active = connections_[active_];
  if (active.h2() != nullptr) return options_.idle_close;
  const uint32_t told = active.keep_alive_seconds();
  const Duration most = told > 2 && told < 1000 ? seconds(told) - seconds(2) : http1_idle_close;
  return most < http1_idle_close ? most : http1_idle_close;
}

bool OriginLink::drained() const { return connections_[0].drained() && connections_[1].drained(); }

void OriginLink::close() {
  if (resolving_) port_.net.lookup_cancel(ticket_);
  resolving_ = false;
  for (OriginConnection& each : connections_) each.shut();
}

// ---- making a connection ---------------------------------------------------

// In slices: a whole bundle at once would hold everybody up.
void OriginLink::warm_roots() {
  if (cold_) cold_ = options_.roots->warm_up(roots_a_turn).ok() && !options_.roots->warm();
}

void OriginLink::start(Instant now) {
  const Result<uint32_t> ticket = port_.net.lookup_start(lane_.host.host.view(), lane_.host.port);
  if (!ticket.ok()) return round_failed(describe(ticket.error()), now);
  ticket_ = ticket.value();
  resolving_ = true;
  lookup_deadline_ = now + lookup_within;
}

void OriginLink::resolved(const port::Lookup& lookup, Instant now) {
  resolving_ = false;
  lookup_deadline_ = Instant::never();
  if (lookup.error != Error::none || lookup.count == 0) {
    uint8_t room[100];
    Writer why(room);
    why.text("the name can not be looked up: ");
    why.text(describe(lookup.error == Error::none ? Error::not_found : lookup.error));
    return round_failed(why.view(), now);
  }
  addresses_ = lookup;
  if (options_.pooled && !addresses_allowed(now)) return;
  interleave(addresses_);
  address_ = 0;
  round_problem_.clear();
  round_connected_ = false;
  connect_next(now);
}

// Whoever registered the name decides what it says, and when: so it is asked for the very addresses that are then
// connected to, and one that may not be speaks against all of them.
bool OriginLink::addresses_allowed(Instant now) {
  for (uint32_t i = 0; i < addresses_.count; ++i) {
    const char* word = options_.rules.refusal(addresses_.addresses[i]);
    if (word == nullptr) continue;
    uint8_t room[100];
    Writer why(room);
    write_address(why.text("its address "), addresses_.addresses[i]);
    source_.lane_refused(lane_, why.text(" is ").text(word).view(), now);
    return false;
  }
  return true;
}

void OriginLink::connect_next(Instant now) {
  while (address_ < addresses_.count) {
    const Address& address = addresses_.addresses[address_++];
    const Status started = connection().connect(address, lane_.host.host.view(), *options_.roots, options_.h2, now);
    if (started.ok()) return;
    note_problem(address, describe(started.error()), false);
  }
  round_failed(round_problem_.view(), now);
}

// A certificate that does not fit says more than a dead IPv6 route behind it.
void OriginLink::note_problem(const Address& address, string_view why, bool connected) {
  uint8_t room[64];
  Writer to(room);
  write_address(to, address);
  LogLine(log_, Level::debug, "provider_refused").field("address", to.view()).sentence("reason", why);
  if (round_connected_ && !connected) return;
  round_connected_ = connected;
  GW_CHECK(round_problem_.assign(slice(why, 0, 400)));
}

void OriginLink::back_off(Instant now) {
  uint8_t random[8];
  port_.entropy.fill(random);
  retry_at_ = now + between_rounds.wait(failures_++, get_u64(random));
}

void OriginLink::round_failed(string_view why, Instant now) {
  back_off(now);
  say_down(why, now);
}

// What went wrong stands first and no address is in it: the same trouble is said once, by its beginning.
void OriginLink::say_down(string_view why, Instant now) {
  uint8_t room[800];
  Writer sentence(room);
  sentence.text(why).text(" (").text(authority_.view()).text(")");
  GW_CHECK(!sentence.overflowed());
  source_.lane_down(lane_, sentence.view(), retry_at_, now);
}

// ---- the end of a connection -------------------------------------------------

void OriginLink::check_deadlines(Instant now) {
  using State = OriginConnection::State;
  OriginConnection& active = connection();
  if (active.alive() && active.deadline() <= now) {
    end(active,
        active.state() == State::connecting    ? "timed out"
        : active.state() == State::handshaking ? "the TLS handshake took too long"
                                               : "no HTTP/2 SETTINGS came",
        now);
  } else if (ping_deadline_ <= now) {
    end(active, "no answer to a PING", now);
  } else if (stuck_at_ <= now) {
    announced_ = false;  // not a steady one, however old it is
    end(active, "it takes no requests", now);
  }
  if (drain_deadline_ <= now) end(draining(), "drained", now);
}

void OriginLink::end(OriginConnection& which, string_view why, Instant now) {
  which.give_up(why);
  collect(which, now);
  ended(which, now);
}

// What is true of the active connection only; was it a steady one?
bool OriginLink::forget_active(Instant now) {
  // Some push services close after every answer, and soon when there is nothing to do.
  const bool served = options_.pooled && answered_;
  const bool steady = announced_ && (served || now - opened_ >= steady_after);
  open_ = announced_ = pinging_ = answered_ = false;
  ping_deadline_ = stuck_at_ = Instant::never();
  return steady;
}

void OriginLink::ended(OriginConnection& which, Instant now) {
  if (!options_.pooled && &which == &draining()) {
    drain_deadline_ = Instant::never();
    return;
  }
  const string_view why = which.problem();
  const bool was_open = open_;
  const bool steady = forget_active(now);
  if (!was_open) {
    note_problem(which.address(), why, which.was_connected());
    return connect_next(now);
  }
  if (options_.pooled) {
    drain_deadline_ = Instant::never();
  } else if (steady) {
    LogLine line(log_, Level::info, "provider_closed");
    line.field("provider", lane_.name).sentence("reason", why);
    if (which.spent()) line.field("goaway", which.h2()->goaway_reason());
  }
  next_after(steady, why, now);
}

// No new requests over the active connection; what is open on it may still be answered.
void OriginLink::drain(string_view why, Instant now) {
  if (options_.pooled) {
    if (drain_deadline_ == Instant::never()) drain_deadline_ = now + drain_within;
    return;
  }
  if (draining().alive()) end(draining(), "drained", now);
  const H2Client& http = *connection().h2();
  if (http.going_away()) {
    LogLine(log_, Level::info, "provider_goaway")
        .field("provider", lane_.name)
        .field("reason", http.goaway_reason())
        .field("code", int64_t{http.goaway_code()});
  } else {
    LogLine(log_, Level::info, "provider_closed").field("provider", lane_.name).sentence("reason", why);
  }
  const bool steady = forget_active(now);
  active_ = static_cast<uint8_t>(1 - active_);
  drain_deadline_ = now + drain_within;
  next_after(steady, why, now);
}

// Rapid reconnects are taken for an attack: at once only after a steady connection. The first
// that was not is nobody's trouble yet; after the second, publishers need not wait for a third.
void OriginLink::next_after(bool steady, string_view why, Instant now) {
  if (steady) {
    failures_ = 0;
    retry_at_ = now;
    return;
  }
  back_off(now);
  if (failures_ >= 2) say_down(why, now);
}

void OriginLink::reconnect(Instant now) {
  // The answer came over a connection that takes no requests any more: that one is spent, not its successor.
  if (collecting_ != nullptr && collecting_ != &connection()) return;
  if (open_) drain("the provider refused its credentials", now);
}

}  // namespace tocsin
