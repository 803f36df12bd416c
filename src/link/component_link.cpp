#include "link/component_link.h"

#include "crypto/crypto.h"
#include "link/backoff.h"

namespace tocsin {
namespace {

constexpr Duration connect_within = seconds(10);
// ejabberd deletes registrations while we are away, so the first tries are quick.
constexpr Backoff usual{.first = milliseconds(250), .most = seconds(30)};
// Another component has our name: neither side may hammer.
constexpr Backoff after_conflict{.first = seconds(30), .most = minutes(5)};
constexpr Duration steady_after = seconds(10);  // a stream that lived so long starts the count anew
// Two gateways that kick each other out live for minutes each time: only a long peace counts.
constexpr Duration peace_after = minutes(30);
constexpr Duration goodbye_within = seconds(1);  // after our end tag left: servers close at once
// The longest answer, every byte of id and JIDs escaped. A server that sends more than it reads is
// not read from while there is less room.
constexpr size_t answer_room = 48 * 1024;

// What whoever reads the log can do about it, by the words of the server or ours.
struct Advice {
  string_view reason;  // its beginning
  string_view check;
};
constexpr Advice advices[] = {
    {"not-authorized", "secret and domain in [xmpp] must be those of the component in the XMPP server's conf"},
    {"host-unknown",
     "the XMPP server's conf has no component with the domain of [xmpp], or server in [xmpp] is not its component port "
     "(Prosody's is 5347)"},
    {"invalid-namespace", "that is not a component port: see server in [xmpp]"},
    {"not an XMPP stream", "that is not a component port: see server in [xmpp]"},
    {"no connection to",
     "is the XMPP server running, and was it restarted since its conf has the component (Prosody: Component, ejabberd: "
     "ejabberd_service)?"},
    {"the name ", "server in [xmpp], and this machine's DNS (/etc/resolv.conf)"},
    {"handshake timed out", "is server in [xmpp] the component port of the XMPP server (Prosody's is 5347)?"},
};

string_view next_step(string_view reason) {
  for (const Advice& advice : advices) {
    if (starts_with(reason, advice.reason)) return advice.check;
  }
  return {};
}

}  // namespace

ComponentLink::ComponentLink(Region& region, Heap& xml_heap, const ComponentLinkOptions& options, port::Port& port,
                             Log& log)
    : options_(options),
      port_(port),
      log_(log),
      arena_(region.carve(arena_bytes(options.stanza_bytes_max))),
      output_(region.carve(output_bytes(options.max_inflight))),
      stream_(xml_heap, arena_, output_,
              ComponentOptions{
                  .domain = options.domain, .ping_to = options.ping_to, .stanza_bytes_max = options.stanza_bytes_max}),
      input_(region.carve(input_bytes)) {}

// Before the handshake there are no stanzas, so it never waits for the jobs of an earlier stream.
bool ComponentLink::may_feed() const {
  if (state_ != State::streaming) return false;
  return !stream_.up() || (gateway_->ready_for_input() && output_.free() >= answer_room);
}

// One receive may wait here until the gateway can take it: so the end of the stream is seen even when it can not.
void ComponentLink::want(port::Interest& interest) const {
  const bool streaming = state_ == State::streaming;
  const bool closing = state_ == State::closing;
  interest.socket = socket_;
  interest.read = closing || (streaming && input_start_ == input_end_);
  interest.write = state_ == State::connecting || ((streaming || closing) && !output_.empty());
}

Instant ComponentLink::due() const {
  switch (state_) {
    case State::waiting: return retry_at_;
    case State::resolving:
    case State::connecting:
    case State::closing: return deadline_;
    case State::streaming:
      if (input_start_ != input_end_ && may_feed()) return Instant{};  // at once
      return stream_.due();
    case State::closed: return Instant::never();
  }
  return Instant::never();
}

// ---- making a connection ---------------------------------------------------

void ComponentLink::start(Instant now) {
  was_up_ = false;
  const Result<uint32_t> ticket = port_.net.lookup_start(options_.server.host.view(), options_.server.port);
  if (!ticket.ok()) return lost(describe(ticket.error()), false, now);
  ticket_ = ticket.value();
  state_ = State::resolving;
  deadline_ = now + connect_within;
}

void ComponentLink::resolved(const port::Lookup& lookup, Instant now) {
  if (lookup.error != Error::none || lookup.count == 0) {
    uint8_t room[400];
    Writer reason(room);
    reason.text("the name ").text(options_.server.host.view()).text(" can not be looked up: ");
    reason.text(describe(lookup.error == Error::none ? Error::not_found : lookup.error));
    return lost(reason.view(), false, now);
  }
  addresses_ = lookup;
  address_ = 0;
  connect_next(Error::unreachable, now);
}

// last: why the address before did not do.
void ComponentLink::connect_next(Error last, Instant now) {
  while (address_ < addresses_.count) {
    const Result<port::Handle> socket = port_.net.connect(addresses_.addresses[address_++]);
    if (socket.ok()) {
      socket_ = socket.value();
      state_ = State::connecting;
      deadline_ = now + connect_within;
      return;
    }
    last = socket.error();
  }
  uint8_t room[400];
  Writer reason(room);
  reason.text("no connection to ")
      .text(options_.server.host.view())
      .text(" port ")
      .unsigned_number(options_.server.port);
  lost(reason.text(": ").text(describe(last)).view(), false, now);
}

void ComponentLink::connected(Instant now) {
  const Status connected = port_.net.connect_result(socket_);
  if (!connected.ok()) {
    if (connected.error() == Error::again) return;
    hang_up();
    return connect_next(connected.error(), now);
  }
  state_ = State::streaming;
  input_start_ = input_end_ = 0;
  stream_.open(now);
}

// ---- a turn ----------------------------------------------------------------

void ComponentLink::receive(const port::Interest& ready, Instant now) {
  switch (state_) {
    case State::resolving: {
      port::Lookup lookup;
      if (port_.net.lookup_done(ticket_, lookup)) resolved(lookup, now);
      return;
    }
    case State::connecting:
      if (ready.can_write) connected(now);
      return;
    case State::streaming:
      if (ready.can_read && input_start_ == input_end_) take_input(now);
      return work(now);
    case State::closing:
      if (ready.can_read) discard_input();
      return;
    case State::waiting:
    case State::closed: return;
  }
}

void ComponentLink::take_input(Instant now) {
  const Result<size_t> got = port_.net.receive(socket_, input_);
  if (got.ok() && got.value() > 0) {
    input_start_ = 0;
    input_end_ = got.value();
  } else if (got.ok() || got.error() != Error::again) {
    stream_.peer_closed();
    drain_events(now);
    if (state_ == State::streaming) lost("connection closed by the server", false, now);
  }
}

void ComponentLink::discard_input() {
  const Result<size_t> got = port_.net.receive(socket_, input_);
  if (got.ok() ? got.value() == 0 : got.error() != Error::again) cut();
}

void ComponentLink::work(Instant now) {
  while (input_start_ != input_end_ && may_feed()) {
    input_start_ += stream_.feed(input_.subspan(input_start_, input_end_ - input_start_), now);
    drain_events(now);
  }
}

void ComponentLink::drain_events(Instant now) {
  ComponentEvent event;
  while (state_ == State::streaming && stream_.next(event)) handle(event, now);
}

void ComponentLink::tick(Instant now) {
  switch (state_) {
    case State::waiting:
      if (retry_at_ <= now) start(now);
      return;
    case State::resolving:
      if (deadline_ > now) return;
      port_.net.lookup_cancel(ticket_);
      return lost("the name lookup took too long", false, now);
    case State::connecting:
      if (deadline_ > now) return;
      hang_up();
      return connect_next(Error::timed_out, now);
    case State::streaming:
      work(now);
      if (state_ != State::streaming) return;
      stream_.tick(now);
      return drain_events(now);
    case State::closing:
      if (deadline_ <= now) cut();
      return;
    case State::closed: return;
  }
}

void ComponentLink::flush(Instant now) {
  if (state_ != State::streaming && state_ != State::closing) return;
  while (!output_.empty()) {
    const Result<size_t> sent = port_.net.send(socket_, output_.front());
    if (!sent.ok()) return;  // again: wait for room; anything else shows up when reading
    if (sent.value() == 0) return;
    output_.pop(sent.value());
  }
  if (state_ == State::closing) deadline_ = earlier(deadline_, now + goodbye_within);
}

// ---- the stream ------------------------------------------------------------

void ComponentLink::handle(const ComponentEvent& event, Instant now) {
  switch (event.kind) {
    case ComponentEvent::Kind::challenge: return answer_challenge(event.text, now);
    case ComponentEvent::Kind::up:
      up_since_ = now;
      was_up_ = true;
      last_reason_.clear();
      LogLine(log_, Level::info, "component_up").field("domain", options_.domain);
      return;
    case ComponentEvent::Kind::stanza: return gateway_->handle(event.stanza, now, port_.clock.wall());
    case ComponentEvent::Kind::ended: return lost(event.text, event.conflict, now);
  }
}

// SHA1(stream id ‖ secret), XEP-0114 §3.
void ComponentLink::answer_challenge(string_view stream_id, Instant now) {
  uint8_t room[1024 + 256];
  Writer joined(room);
  joined.text(stream_id).text(options_.secret);
  if (joined.overflowed()) return lost("the server's stream id is too long", false, now);
  uint8_t digest[20];
  sha1(joined.written(), digest);
  uint8_t hex_room[40];
  Writer hex(hex_room);
  stream_.authenticate(hex.hex(digest).view());
}

bool ComponentLink::send(string_view stanza) {
  if (!stream_.up()) return false;
  const Instant now = port_.clock.now();
  if (stream_.send(bytes_of(stanza), now).ok()) return true;
  // Many long answers in one turn: what is there may leave before the turn's end.
  flush(now);
  return stream_.send(bytes_of(stanza), now).ok();
}

// ---- the end ---------------------------------------------------------------

void ComponentLink::lost(string_view reason, bool conflict, Instant now) {
  const Duration wait = pause(conflict, now);
  log_lost(reason, conflict, wait);
  hang_up();
  stream_.shut();  // reason may be a view into it
  input_start_ = input_end_ = 0;
  state_ = State::waiting;
  retry_at_ = now + wait;
}

// How long to stay away.
Duration ComponentLink::pause(bool conflict, Instant now) {
  const Duration lived = was_up_ ? now - up_since_ : Duration{};
  if (lived >= peace_after) conflicts_ = 0;
  if (lived >= steady_after) failures_ = 0;
  uint8_t random[8];
  port_.entropy.fill(random);
  if (conflict) return after_conflict.wait(conflicts_++, get_u64(random));
  // The first try after a steady stream is at once.
  if (lived >= steady_after) return {};
  return usual.wait(failures_++, get_u64(random));
}

void ComponentLink::log_lost(string_view reason, bool conflict, Duration wait) {
  const string_view words = slice(reason, 0, 400);
  if (!was_up_ && last_reason_.view() == words) return;
  GW_CHECK(last_reason_.assign(words));
  LogLine line(log_, Level::warn, "component_down");
  line.sentence("reason", reason).field("retry_ms", wait.ms());
  const string_view check = conflict ? "another component is connected under this domain" : next_step(reason);
  if (!check.empty()) line.sentence("check", check);
}

void ComponentLink::hang_up() {
  if (socket_ != port::no_handle) port_.net.shut(socket_);
  socket_ = port::no_handle;
  output_.clear();
}

void ComponentLink::close(Instant now) {
  if (state_ == State::closing || state_ == State::closed) return;
  if (!stream_.up()) return cut();
  stream_.close();
  input_start_ = input_end_ = 0;
  state_ = State::closing;
  deadline_ = Instant::never();
  flush(now);
}

void ComponentLink::cut() {
  if (state_ == State::resolving) port_.net.lookup_cancel(ticket_);
  hang_up();
  stream_.shut();
  state_ = State::closed;
}

}  // namespace tocsin
