// Down: what a Command becomes and when it leaves.
#include "gateway/publish.h"

namespace tocsin {
namespace {

// A weaker push says nothing that the one that waits already does not say.
bool replaces(const Outgoing& newer, const Push& waiting) {
  return newer.urgent || !waiting.urgent || newer.unread_zero;
}

}  // namespace

Publish::Publish(Region& region, const PublishLimits& limits, Throttle& throttle, const PublishTools& tools)
    : tools_(tools),
      limits_(limits),
      throttle_(throttle),
      jobs_(region, limits.max_inflight),
      pushes_(region, pushes_for(limits)),
      delayed_(reinterpret_cast<Push**>(region.carve(sizeof(Push*) * pushes_for(limits)).data()), pushes_for(limits)),
      record_room_(region.carve(Registry::record_bytes_max)),
      dead_(region, limits.dead_tokens),
      publishers_(region,
                  {.burst = limits.domain_burst,
                   .interval = limits.domain_interval,
                   .jobs = limits.max_inflight,
                   .pushes = pushes_for(limits)},
                  tools.access) {}

void Publish::start(const Command& command, Instant now, UnixTime wall) {
  // ---- may it be sent at all?
  const Meant to = meant(command, now);
  if (stopping_ && (to.section != nullptr || to.refusal != Outcome::unknown)) {
    return answer_command(command, Outcome::busy, "stopping", "");
  }
  if (to.section == nullptr) return answer_command(command, to.refusal, to.reason, to.provider);
  Section& section = *to.section;
  const NodeId& node = to.node;
  Notice notice = command.notice;
  name_addressee(to, notice);
  const Outgoing outgoing = section.provider->outgoing(notice);
  if (!outgoing.send) return answer_command(command, Outcome::coalesced, "", section.name);
  DeviceState* const state = throttle_.entry(node, now);
  if (state != nullptr && state->ending > tools_.registry.committed_ticket()) {
    return answer_command(command, Outcome::retry, "ending", section.name);
  }
  if (state != nullptr && state->silent_until > now) {
    return answer_command(command, Outcome::retry, "registered after 410", section.name);
  }
  const bool probe = to.device != nullptr && to.device->held && section.releasing == UnixTime{};
  if (probe && (section.probe != nullptr || (!section.probe_now && now < section.probe_after))) {
    return answer_command(command, Outcome::held, "", section.name);
  }

  // ---- what has not left yet is replaced rather than joined by a second push
  Push* old = nullptr;
  if (state != nullptr && !outgoing.call) old = outgoing.content ? state->content : state->wake;
  const bool other_app = old != nullptr && old->section != section.number && old->section != section.partner;
  if (other_app || (old != nullptr && old->elsewhere)) {  // the device has registered with another app meanwhile
    answer_superseded(*old, now);
    forget(*old);
    old = nullptr;
  }
  if (old != nullptr && !outgoing.content && !replaces(outgoing, *old)) {
    return answer_command(command, Outcome::coalesced, "", section.name);
  }
  // ---- one domain's flood is its own trouble
  Publisher& publisher = publishers_.of(command.iq.from, now);
  const bool more = old == nullptr || old->publisher != &publisher;
  if (more && !publishers_.may_have_push(publisher, outgoing.call)) {
    say_limited(now);
    return answer_command(command, Outcome::busy, "domain_burst", section.name);
  }
  if (state != nullptr && outgoing.unread_zero && state->content != nullptr) {  // it was read: nothing to show any more
    answer_superseded(*state->content, now);
    forget(*state->content);
  }
  // What takes the place of one that waits for the device's limits is not counted again.
  const bool keeps_place = old != nullptr && old->retry_class == RetryClass::never;
  const bool counts = state != nullptr && !outgoing.call && !keeps_place;
  Instant leaves = now;
  if (counts) leaves = throttle_.leaves_at(*state, outgoing.content, now);
  const bool domain_counts = !outgoing.call && !keeps_place;
  if (domain_counts) leaves = later(leaves, publishers_.leaves_at(publisher, now));
  if (keeps_place && old->place == Push::Place::delayed) leaves = old->due;
  Push* const push = take_push(old, node, section.number, now);
  if (push == nullptr) return answer_command(command, Outcome::busy, "max_pending", section.name);
  push->stateless = to.stateless;
  hand_to(*push, publisher);
  if (!map(*push, to.registration, notice, outgoing, wall).ok()) {
    give_back(*push);
    return answer_command(command, Outcome::refused, "too long", section.name);
  }
  push->expires = now + outgoing.ttl;
  if (state != nullptr && !outgoing.call && (!outgoing.content || leaves > now)) {
    (outgoing.content ? state->content : state->wake) = push;
    push->device = state;
  }

  // ---- who waits for the outcome? Nobody when it is known, or is not to be waited for
  Lane* const lane = leaves > now ? nullptr : lane_for(section, push->request.origin, now);
  const Outcome at_once = known_at_once(section, lane, publisher, leaves, now);
  const bool trouble = at_once == Outcome::config || at_once == Outcome::retry;
  if (at_once != Outcome::delivered && !room_for_pending()) {
    give_back(*push);
    return answer_command(command, trouble ? at_once : Outcome::busy, "max_pending", section.name);
  }
  if (at_once != Outcome::delivered) {
    goes_on_alone(*push);
    answer_command(command, at_once,
                   trouble ? (lane == nullptr ? section.lanes[0] : *lane).trouble.view() : string_view(), section.name);
  } else if (!open_job(command, *push, now)) {
    // The caller asks ready_for_input() before it reads, so this is a stanza too many: never lost, always answered.
    give_back(*push);
    return answer_command(command, Outcome::busy, "max_inflight", section.name);
  }
  if (probe) {
    section.probe = push;
    section.probe_after = now + Section::probe_every;
  }
  if (counts) throttle_.count(*state, outgoing.content, leaves);
  if (domain_counts) publishers_.count(publisher, now);
  if (keeps_place) return;
  if (leaves > now) {
    delay(*push, leaves);
  } else {
    make_ready(*push, now);
  }
}

// A fresh push, or the one that is replaced. Its place stays unless it waited for a retry: a new publish does not.
Push* Publish::take_push(Push* old, const NodeId& node, uint8_t section, Instant now) {
  Push* push = old;
  if (old == nullptr) {
    push = pushes_.take();
    if (push == nullptr) return nullptr;
    push->node = node;
    push->section = section;
    push->exchange.room = Bytes(push->reply.bytes);
  } else {
    answer_superseded(*old, now);
    --pending_;
    old->pending = false;
    if (old->retry_class != RetryClass::never) unplace(*old);
    old->retry_class = RetryClass::never;
    old->tries = 0;
    old->shrunk = old->elsewhere = false;
  }
  tools_.random.fill(push->request_id);
  push->request_id[6] = static_cast<uint8_t>((push->request_id[6] & 0x0f) | 0x40);  // RFC 9562 §5.4: version 4
  push->request_id[8] = static_cast<uint8_t>((push->request_id[8] & 0x3f) | 0x80);
  return push;
}

void Publish::hand_to(Push& push, Publisher& publisher) {
  if (push.publisher != nullptr) --push.publisher->pushes;
  push.publisher = &publisher;
  ++publisher.pushes;
}

// Outcome::delivered stands for: not known yet.
Outcome Publish::known_at_once(const Section& section, const Lane* lane, const Publisher& publisher, Instant leaves,
                               Instant now) const {
  if (leaves > now) return Outcome::limited;
  if (section.paused_until > now) return Outcome::config;
  if (lane == nullptr) return Outcome::queued;  // all of the pool are busy
  if (lane->down_until > now) return Outcome::retry;
  if (!publishers_.may_wait(publisher)) return Outcome::queued;
  if (lane->slow(now) && section.slow_jobs(now) >= jobs_when_slow()) return Outcome::queued;
  return Outcome::delivered;
}

Status Publish::map(Push& push, const Registration& registration, const Notice& notice, const Outgoing& outgoing,
                    UnixTime wall) {
  // What expires does so by the provider's clock; those of a pool have one each, and are asked by no date.
  const Section& section = tools_.sections[push.section];
  const Credential* credential = section.pooled ? nullptr : section.lanes[0].credential;
  const Duration clock_off = credential == nullptr ? Duration{} : credential->clock_off();
  MapInputs in{
      .now = plausible(wall) ? wall + clock_off : wall, .without_content = push.shrunk, .random = &tools_.random};
  std::memcpy(in.request_id, push.request_id, sizeof in.request_id);
  // By device where the account is not known; and a group chat's wake-ups replace each other, not the account's.
  ByteView tagged = bytes_of(registration.account);
  if (!notice.channel_hash.empty()) tagged = notice.channel_hash;
  if (push.stateless) tagged = push.node.view();
  put_u64(in.account_tag, siphash(key_, tagged));
  push.request.clear();
  push.call = outgoing.call;
  push.content = outgoing.content;
  push.urgent = outgoing.urgent;
  push.token_tags[0] = token_tag(registration.token);
  push.token_tags[1] = token_tag(registration.second_token);
  return tools_.sections[push.section].provider->map(registration, notice, outgoing, in, push.request);
}

Push* Publish::next(Lane& lane, Instant now) {
  if (!wants_to_send(lane, now)) return nullptr;
  while (Push* push = lane.ready.first()) {
    // Nothing is sent for a device that has ended meanwhile: its user has logged out.
    const bool ended = !push->stateless && tools_.registry.find(push->node) == nullptr;
    if (ended || push->expires <= now) {
      end_push(*push, ended ? Outcome::unknown : Outcome::retry, ended ? "" : "expired", now);
      continue;
    }
    lane.ready.remove(*push);
    leaves_device(*push);  // newer ones no longer replace it
    push->place = Push::Place::in_flight;
    push->sent = now;
    lane.in_flight.push_back(*push);
    return push;
  }
  return nullptr;
}

void Publish::put_back(Push& push) {
  Lane& lane = *push.lane;
  lane.in_flight.remove(push);
  push.place = Push::Place::ready;
  lane.ready.push_front(push);
}

Instant Publish::wanted_at(const Lane& lane) const {
  const Section& section = tools_.sections[lane.section];
  return section.off || lane.ready.empty() ? Instant::never() : section.paused_until;
}

}  // namespace tocsin
