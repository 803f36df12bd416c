// Requests: what may leave, what came of it, and what never came back.
#include "link/origin_link.h"

namespace tocsin {
namespace {

constexpr Duration request_within = seconds(20);  // then RST_STREAM(CANCEL); two in a row: the connection is stuck
constexpr Duration doubtful_after = seconds(60);  // home routers drop idle mappings silently: ask before sending
// Publishers wait 5 s: there should be time left for another connection.
constexpr Duration doubt_ping_within = seconds(3);
constexpr Duration clock_pause = seconds(30);

}  // namespace

bool OriginLink::waits_for_credential(Instant now) const {
  return lane_.credential != nullptr && lane_.credential->waiting(now);
}

// Without a clock nothing can be signed, and no certificate be verified.
bool OriginLink::may_sign(Instant now) {
  if (lane_.credential == nullptr) return true;
  const Status fresh = lane_.credential->keep_fresh(now, port_.clock.wall(), port_.entropy);
  if (fresh.ok()) return true;
  if (fresh.error() == Error::busy) return false;
  const bool clock = fresh.error() == Error::again;
  source_.section_paused(lane_.section, clock ? "the clock was never set" : "the key can not sign",
                         clock ? "set the system's clock: a provider refuses signatures from the past" : "",
                         clock_pause, now);
  return false;
}

bool OriginLink::ping(Duration within, Instant now) {
  if (!connection().h2()->ping().ok()) return false;
  pinging_ = true;
  ping_deadline_ = now + within;
  return true;
}

void OriginLink::submit(Instant now) {
  // Of a pool: a connection that drains has no successor yet.
  const bool drains = options_.pooled && drain_deadline_ != Instant::never();
  if (!open_ || drains || connection().spent() || !source_.wants_to_send(lane_, now) || !may_sign(now)) return;
  const OriginConnection& active = connection();
  if (!pinging_ && active.h2() != nullptr && active.in_flight() == 0 && now - active.heard() > doubtful_after) {
    (void)ping(doubt_ping_within, now);  // without memory for it the requests themselves will tell
  }
  if (pinging_ && active.in_flight() == 0) return;
  while (open_ && active.room() > 0) {
    Push* push = source_.next(lane_, now);
    if (push == nullptr || !submit_one(*push, now)) break;
  }
}

// Nothing is open whose time could run out, and yet nothing leaves: no stream is granted, or no window.
void OriginLink::watch_for_stuck(Instant now) {
  const bool stuck = idle() && !waits_for_credential(now) && source_.wants_to_send(lane_, now);
  if (!stuck) {
    stuck_at_ = Instant::never();
  } else if (stuck_at_ == Instant::never()) {
    stuck_at_ = now + request_within;
  }
}

// False: nothing more can be submitted now.
bool OriginLink::submit_one(Push& push, Instant now) {
  const Request& request = push.request;
  H2Header headers[Request::headers_max + 5];
  uint32_t count = 0;
  headers[count++] = {":method", "POST"};
  headers[count++] = {":scheme", "https"};
  headers[count++] = {":authority", authority_.view()};
  headers[count++] = {":path", request.path, true};
  const string_view authorization = lane_.credential == nullptr ? string_view() : lane_.credential->authorization();
  if (!authorization.empty()) headers[count++] = {"authorization", authorization, true};
  for (uint32_t i = 0; i < request.count; ++i) {
    headers[count++] = {request.headers[i].name, request.headers[i].value, request.headers[i].no_index};
  }
  push.timed_out = false;
  push.connection = active_;
  push.exchange.owner = &push;
  OriginConnection& active = connection();
  if (active.in_flight() == 0) unanswered_since_ = now;
  const Status submitted = active.submit({headers, count}, request.body, push.exchange);
  if (submitted.ok()) return true;
  if (submitted.error() == Error::too_long || submitted.error() == Error::malformed) {
    // It never can be sent: it must not stand in everybody's way.
    push.exchange.outcome = H2Exchange::Outcome::reset;
    source_.over(push, now, port_.clock.wall());
    return true;
  }
  source_.put_back(push);
  // A session that can not even take one request will not recover by waiting.
  if (submitted.error() == Error::exhausted && active.in_flight() == 0) {
    announced_ = false;
    end(connection(), "out of counted memory for a request", now);
  }
  return false;
}

Instant OriginLink::next_timeout() const {
  for (const Push* push = lane_.in_flight.first(); push != nullptr; push = lane_.in_flight.after(*push)) {
    if (!push->timed_out) return push->sent + request_within;
  }
  return Instant::never();
}

// They come back through collect() when their RST was written.
void OriginLink::time_out_requests(Instant now) {
  for (Push* push = lane_.in_flight.first(); push != nullptr; push = lane_.in_flight.after(*push)) {
    if (push->timed_out) continue;
    if (push->sent + request_within > now) break;
    push->timed_out = true;
    if (push->connection == active_) ++timeouts_;
    cancel(*push);
  }
  if (timeouts_ < timeouts_max) return;
  timeouts_ = 0;
  if (!open_) return;
  announced_ =
      false;  // not a steady one, however old it is: a provider that is silent for hours is asked more and more seldom
  drain("two requests in a row were not answered", now);
}

// Pushes that were given up before their time was over tell the same when nothing else is answered either.
void OriginLink::note_outcome(const Push& push, Instant now) {
  if (push.exchange.outcome == H2Exchange::Outcome::answered) {
    timeouts_ = 0;
    unanswered_since_ = now;
  } else if (push.exchange.outcome == H2Exchange::Outcome::cancelled && !push.timed_out &&
             now - unanswered_since_ >= request_within) {
    ++timeouts_;
  }
}

// True when pushes came back.
bool OriginLink::collect(OriginConnection& from, Instant now) {
  const OriginConnection* outer = collecting_;
  collecting_ = &from;
  bool any = false;
  while (H2Exchange* exchange = from.next()) {
    any = true;
    Push& push = *static_cast<Push*>(exchange->owner);
    if (&from == &connection()) {
      note_outcome(push, now);
      answered_ = answered_ || push.exchange.outcome == H2Exchange::Outcome::answered;
    }
    source_.over(push, now, port_.clock.wall());
  }
  collecting_ = outer;
  return any;
}

void OriginLink::cancel(Push& push) { connections_[push.connection].cancel(push.exchange); }

}  // namespace tocsin
