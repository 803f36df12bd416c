// Up: what a provider's reply means for the push, the device, the section and the
// publisher. A device is dropped only on the provider's clear word about that
// device; words that our own mistakes produce too need proof, else it is held.
#include "gateway/identity.h"
#include "gateway/publish.h"

namespace tocsin {
namespace {

constexpr Duration open_job_retry_max = seconds(1);  // a retry this soon keeps its publisher waiting
constexpr Duration silence_after_410 = hours(1);     // a 410 that is older than the registration
constexpr uint8_t rate_level_max = 16;               // the waits of every class have come to their end long before
constexpr string_view too_many_drops = "many devices of this section ended within an hour: check topic and environment";
constexpr string_view nothing_taken = "nothing for this device is taken any more: its app must register again";

}  // namespace

void Publish::over(Push& push, Instant now, UnixTime wall) {
  GW_CHECK(push.place == Push::Place::in_flight);
  if (push.dropped) return give_back(push);
  const H2Exchange& exchange = push.exchange;
  switch (exchange.outcome) {
    case H2Exchange::Outcome::answered: {
      Reply reply;
      reply.status = exchange.status;
      reply.retry_after = exchange.retry_after.view();
      if (!exchange.date.empty()) reply.date = parse_http_date(exchange.date.view());
      const Provider& provider = *tools_.sections[push.section].provider;
      JsonDocument json(tools_.json_heap);
      if (exchange.body_size > 0) provider.read(exchange.body_text(), json, reply);
      if (!reply.ref.empty()) (void)push.exchange.id.assign(slice(reply.ref, 0, H2Exchange::id_bytes_max));
      return judged(push, provider.judge(reply, wall), now, wall);
    }
    case H2Exchange::Outcome::unprocessed:
      return retry(push, RetryClass::unprocessed, {}, Outcome::retry, "unprocessed", now);
    case H2Exchange::Outcome::reset: return retry(push, RetryClass::unknown, {}, Outcome::retry, "reset", now);
    case H2Exchange::Outcome::cancelled: return retry(push, RetryClass::unknown, {}, Outcome::retry, "timed out", now);
    case H2Exchange::Outcome::lost:
    case H2Exchange::Outcome::open: return retry(push, RetryClass::unknown, {}, Outcome::retry, "connection lost", now);
  }
}

void Publish::judged(Push& push, const Verdict& given, Instant now, UnixTime wall) {
  Credential* const credential = push.lane->credential;
  const bool pooled = tools_.sections[push.section].pooled;
  Verdict verdict = given;
  if (verdict.clock_off.us != 0 && credential != nullptr) {
    const Credential::Clock clock = credential->correct_clock(verdict.clock_off, now);
    if (clock == Credential::Clock::learnt) {
      LogLine line(tools_.log, Level::warn, "clock_skew");
      line.field("provider", push.lane->name).field("seconds", verdict.clock_off.whole_seconds());
      if (pooled) line.field("origin", push.lane->origin.view());  // whose word it is
    }
    // Signed again in the provider's time, with Apple on a new connection: what was refused is no trouble then.
    if (clock != Credential::Clock::no) {
      verdict.kind = Verdict::Kind::retry;
      verdict.retry_class = RetryClass::authorization;
      verdict.reconnect = !pooled;
      verdict.reauthorize = false;
      verdict.advice = {};
    }
  }
  if (verdict.reauthorize && credential != nullptr) credential->renew(now, wall, tools_.random);
  if (verdict.reconnect) tools_.dispatch.reconnect(*push.lane);
  const bool about_device = verdict.kind == Verdict::Kind::dead || verdict.kind == Verdict::Kind::suspect;
  if (about_device && of_another_app(push)) return end_push(push, Outcome::retry, verdict.reason, now);
  if (about_device && push.request.to_second()) return second_refused(push, verdict, now);
  if (about_device && of_another_token(push)) return to_present_token(push, verdict.reason, now, wall);
  if (patience_ends(push, verdict, now)) {
    return hold(push, verdict.reason, verdict.advice.empty() ? nothing_taken : verdict.advice, now, wall);
  }
  switch (verdict.kind) {
    case Verdict::Kind::delivered: return delivered(push, now, wall);
    case Verdict::Kind::dead: return gone(push, verdict, now, wall);
    case Verdict::Kind::suspect: return suspected(push, verdict, now, wall);
    case Verdict::Kind::limited: return limited(push, verdict, now);
    case Verdict::Kind::shrink: return shrink(push, verdict, now, wall);
    case Verdict::Kind::retry:
      // What a new token or a new connection mends is not worth a word; what comes back is.
      if (!verdict.advice.empty() && push.retry_class == verdict.retry_class) {
        say_trouble(*push.lane, "provider_trouble", verdict.reason, verdict.advice);
      }
      return retry(push, verdict.retry_class, verdict.after, Outcome::retry, verdict.reason, now);
    case Verdict::Kind::refused:
      say_trouble(*push.lane, "push_refused", verdict.reason, verdict.advice);
      return end_push(push, Outcome::refused, verdict.reason, now);
    case Verdict::Kind::config:
      section_paused(push.section, verdict.reason, verdict.advice, verdict.pause, now);
      return retry(push, verdict.retry_class, verdict.after, Outcome::config, verdict.reason, now);
  }
}

// The device has registered with another app since the push left: what the one before knows is no word about that.
bool Publish::of_another_app(const Push& push) const {
  const Device* device = tools_.registry.find(push.node);
  if (device == nullptr || device->section == push.section) return false;
  return device->section != tools_.sections[push.section].partner;  // the other environment of the same app
}

// The device has registered with another token since, or is about to: whatever became of the one before, this one is
// good. Without its record nothing is known of it, so it does not end.
bool Publish::of_another_token(const Push& push) const {
  const Device* device = tools_.registry.find(push.node);
  if (device == nullptr) return false;
  Registration latest;
  if (!tools_.registry.read_latest(*device, record_room_, latest).ok()) return true;
  const bool second = push.request.to_second();
  return token_tag(second ? latest.second_token : latest.token) != push.token_tags[second ? 1 : 0];
}

// Who forgets a device here begins to count anew, which errs on the side of sending.
bool Publish::patience_ends(const Push& push, const Verdict& verdict, Instant now) {
  const bool counts = verdict.hold_after_times > 0 || verdict.hold_after.us > 0;
  DeviceState* const state = counts ? throttle_.entry(push.node, now) : throttle_.find(push.node);
  if (state == nullptr) return false;
  if (state->refusals == 0) state->refused_since = now;
  state->refusals = static_cast<uint8_t>(!counts ? 0 : state->refusals < UINT8_MAX ? state->refusals + 1 : UINT8_MAX);
  const bool often = verdict.hold_after_times > 0 && state->refusals >= verdict.hold_after_times;
  const bool long_since = verdict.hold_after.us > 0 && now - state->refused_since >= verdict.hold_after;
  if (often || long_since) state->refusals = 0;
  return often || long_since;
}

// Devices that keep their node with another token are only ever woken, so nothing is lost on the way.
void Publish::to_present_token(Push& push, string_view reason, Instant now, UnixTime wall) {
  const Device* device = tools_.registry.find(push.node);
  Registration latest;
  if (device == nullptr || !tools_.registry.read_latest(*device, record_room_, latest).ok() ||
      !map_wake_up(push, latest, now, wall).ok()) {
    return end_push(push, Outcome::retry, reason, now);
  }
  unplace(push);
  make_ready(push, now);
}

void Publish::delivered(Push& push, Instant now, UnixTime wall) {
  Section& section = tools_.sections[push.section];
  push.lane->trouble.clear();
  if (push.request.to_second()) return end_push(push, Outcome::delivered, "", now);  // proves nothing of the first
  section.note_accepted(push.node, now);
  if (DeviceState* state = throttle_.find(push.node)) state->rate_level = 0;
  if (push.stateless) {
    dead_.accepted(push.node);
    ++section.stateless_accepted;
  } else if (const Device* device = tools_.registry.find(push.node); device != nullptr && !of_another_app(push)) {
    // It is of the other environment: from now on it is sent there at once.
    if (device->section != push.section) (void)tools_.registry.move_to_section(push.node, section.name).ok();
    // Staging that is full only means that the next success writes it. The first success alone proves something, and
    // only of the token that it was for.
    const bool proven = device->accepted_under == section.fingerprint;
    if (proven || !of_another_token(push)) (void)tools_.registry.accepted(push.node, section.fingerprint, wall).ok();
    if (device->held) (void)tools_.registry.release(push.node, wall).ok();
  }
  if (section.probe == &push &&
      section.probe_now) {  // the first since the configuration may have changed: it speaks for all
    section.probe_now = false;
    section.say_hold_after = Instant{};
    section.releasing = wall.s > 0 ? wall : UnixTime{1};
    section.release_left = tools_.registry.count();
  }
  end_push(push, Outcome::delivered, "", now);
}

// The provider's clear word, if the registration is not younger than it.
void Publish::gone(Push& push, const Verdict& verdict, Instant now, UnixTime wall) {
  const Device* device = tools_.registry.find(push.node);
  // A registration made while the clock was implausible counts as the oldest.
  const UnixTime since{device == nullptr ? 0 : static_cast<int64_t>(device->refreshed)};
  const bool younger = verdict.gone_since != UnixTime{} && plausible(since) && since > verdict.gone_since;
  if (!younger) return drop(push, verdict.reason, now, wall);
  if (DeviceState* state = throttle_.entry(push.node, now)) state->silent_until = now + silence_after_410;
  end_push(push, Outcome::retry, verdict.reason, now);
}

void Publish::suspected(Push& push, const Verdict& verdict, Instant now, UnixTime wall) {
  const Device* device = tools_.registry.find(push.node);
  if (push.elsewhere && device != nullptr && device->section < tools_.sections.size()) move(push, device->section);
  const Section& section = tools_.sections[push.section];
  // A stateless device's module names the environment, and nothing would remember another one.
  if (verdict.environment && section.partner != section.number && !push.elsewhere && !push.stateless) {
    const Section& partner = tools_.sections[section.partner];
    // What can not be tried there now proves nothing.
    if (partner.off || partner.lanes[0].down_until > now || partner.paused_until > now)
      return hold(push, verdict.reason, verdict.advice, now, wall);
    push.elsewhere = true;
    move(push, section.partner);
    return make_ready(push, now);
  }
  // It counts when a new token is refused as well.
  if (verdict.reauthorize && push.retry_class != RetryClass::authorization)
    return retry(push, RetryClass::authorization, {}, Outcome::retry, verdict.reason, now);
  const bool ended = device == nullptr && !push.stateless;
  const bool proven = device != nullptr && device->accepted_under == section.fingerprint;
  if (ended || proven || (verdict.environment && section.another_accepted(push.node, now))) {
    return drop(push, verdict.reason, now, wall);
  }
  hold(push, verdict.reason, verdict.advice, now, wall);
}

// The word is believed: the device ends. `gone` is said once that is durable.
void Publish::drop(Push& push, string_view reason, Instant now, UnixTime wall) {
  if (push.stateless) return drop_stateless(push, reason, now, wall);
  if (tools_.registry.find(push.node) == nullptr) return end_push(push, Outcome::dead, reason, now);
  Section& section = tools_.sections[push.section];
  DeviceState* const state = throttle_.entry(push.node, now);
  const bool again = state != nullptr && state->ending > tools_.registry.committed_ticket();
  if (!again && brake(section, now)) {
    return hold(push, reason, too_many_drops, now, wall);
  }
  const Result<Ticket> ticket = tools_.registry.end(push.node, EndReason::provider, reason, wall);
  // It will be asked again at the next publish.
  if (!ticket.ok()) return end_push(push, Outcome::busy, describe(ticket.error()), now);
  if (state != nullptr) state->ending = ticket.value();
  if (Job* const job = push.job) {
    job->ticket = ticket.value();
    --push.lane->jobs;
    job->push = nullptr;
    push.job = nullptr;
  }
  give_back(push);
}

// A device that ended by its provider's word: said when that is durable.
void Publish::say_end(const EndOfDevice& end) {
  FixedText<16> room;
  LogLine line(tools_.log, Level::info, "unregistered");
  line.field("why", "provider");
  if (end.section < tools_.sections.size()) line.field("provider", tools_.sections[end.section].name);
  line.field("device", pseudonym(end.node, room)).field("reason", end.word);
}

// There is nothing to end: it is remembered, so that its publishers hear of it without asking the provider again.
void Publish::drop_stateless(Push& push, string_view reason, Instant now, UnixTime wall) {
  Section& section = tools_.sections[push.section];
  if (brake(section, now)) return hold(push, reason, too_many_drops, now, wall);
  dead_.died(push.node, now);
  end_push(push, Outcome::dead, reason, now);
}

// The provider limits this device; its later pushes wait as well.
void Publish::limited(Push& push, const Verdict& verdict, Instant now) {
  DeviceState* const state = throttle_.entry(push.node, now);
  uint8_t random[8];
  tools_.random.fill(random);
  // What counts is how often the device was limited, whichever of its pushes it was.
  const uint32_t times = state == nullptr ? 1 : state->rate_level + 1u;
  const RetryPlan plan = plan_retry(verdict.retry_class, times, get_u64(random), verdict.after);
  if (state != nullptr) {
    state->quiet_until = now + plan.after;
    if (state->rate_level < rate_level_max) ++state->rate_level;
  }
  push.retry_class = verdict.retry_class;
  ++push.tries;
  go_again(push, plan, Outcome::limited, verdict.reason, now);
}

// The second token alone ends, on the provider's clear word; either way the call goes out as an alert.
void Publish::second_refused(Push& push, const Verdict& verdict, Instant now) {
  const Section& section = tools_.sections[push.section];
  const Device* device = tools_.registry.find(push.node);
  const UnixTime since{device == nullptr ? 0 : static_cast<int64_t>(device->refreshed)};
  const bool younger = verdict.gone_since != UnixTime{} && plausible(since) && since > verdict.gone_since;
  if (verdict.kind == Verdict::Kind::dead && !younger && !of_another_token(push)) {
    // Staging that is full: the next call asks again.
    (void)tools_.registry.clear_second_token(push.node).ok();
    FixedText<16> room;
    LogLine(tools_.log, Level::info, "second_token_gone")
        .field("provider", section.name)
        .field("device", pseudonym(push.node, room))
        .field("reason", verdict.reason);
  }
  section.provider->to_first(push.request);
  unplace(push);
  make_ready(push, now);
}

// Too large for the provider: account and alert go alone, once.
void Publish::shrink(Push& push, const Verdict& verdict, Instant now, UnixTime wall) {
  const Device* device = tools_.registry.find(push.node);
  Registration registration;
  if (push.shrunk || device == nullptr || !tools_.registry.read(*device, record_room_, registration).ok()) {
    if (!verdict.advice.empty()) say_trouble(*push.lane, "push_refused", verdict.reason, verdict.advice);
    return end_push(push, Outcome::refused, verdict.reason, now);
  }
  push.shrunk = true;
  if (!map_wake_up(push, registration, now, wall).ok()) return end_push(push, Outcome::refused, verdict.reason, now);
  unplace(push);
  make_ready(push, now);
}

// What the push said but its content, for the rest of its time.
Status Publish::map_wake_up(Push& push, const Registration& registration, Instant now, UnixTime wall) {
  Notice wake_up;
  address(wake_up, registration);
  Outgoing outgoing = tools_.sections[push.section].provider->outgoing(wake_up);
  outgoing.send = true;
  outgoing.alert = outgoing.urgent = push.urgent;
  outgoing.call = push.call;
  if (push.expires > now) outgoing.ttl = push.expires - now;
  return map(push, registration, wake_up, outgoing, wall);
}

void Publish::retry(Push& push, RetryClass retry_class, Duration told, Outcome outcome, string_view reason,
                    Instant now) {
  // Long waits stay long: what was silent for so many tries is not asked in quick succession again.
  const bool long_already = push.retry_class == RetryClass::server_trouble;
  if (retry_class == RetryClass::unknown && long_already) retry_class = RetryClass::server_trouble;
  if (push.retry_class != retry_class) {
    push.retry_class = retry_class;
    push.tries = 0;
    push.tried_since = now;
  }
  ++push.tries;
  uint8_t random[8];
  tools_.random.fill(random);
  const RetryPlan plan = plan_retry(retry_class, push.tries, get_u64(random), told, now - push.tried_since);
  if (!plan.again && (retry_class == RetryClass::unprocessed || retry_class == RetryClass::unknown)) {
    // Quick tries are over, but what was answered `result` is not given up before it expires.
    return retry(push, RetryClass::server_trouble, {}, outcome, reason, now);
  }
  go_again(push, plan, outcome, reason, now);
}

// As planned, if that is before it expires; from the pending pool, if that has room.
void Publish::go_again(Push& push, const RetryPlan& plan, Outcome outcome, string_view reason, Instant now) {
  const bool in_time = plan.again && now + plan.after < push.expires && !stopping_;
  const bool stays_open = in_time && plan.after <= open_job_retry_max && outcome == Outcome::retry;
  if (push.job != nullptr && !stays_open) {
    const bool room = room_for_pending();
    // `result` is a promise that only the pending pool can keep.
    if (in_time && !room && (outcome == Outcome::limited || outcome == Outcome::queued)) outcome = Outcome::busy;
    answer_job(*push.job, {outcome, reason, push.exchange.id.view()}, now);
    if (!room || !in_time) return give_back(push);
  }
  if (!in_time) return end_push(push, outcome, reason, now);
  unplace(push);
  if (!push.call && (!push.content || outcome == Outcome::limited)) {
    if (DeviceState* state = throttle_.entry(push.node, now)) {
      Push*& waiting = push.content ? state->content : state->wake;
      // One push waits per device: a newer one that is already there speaks for this one.
      if (waiting != nullptr && waiting != &push) return end_push(push, Outcome::coalesced, reason, now);
      waiting = &push;
      push.device = state;
    }
  }
  if (plan.after.us == 0) {
    make_ready(push, now);
  } else {
    delay(push, now + plan.after);
  }
}

}  // namespace tocsin
