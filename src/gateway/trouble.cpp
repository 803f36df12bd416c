// Sections that can not send, and devices that are held: what goes wrong on our
// side must never end a registration.
#include <iterator>

#include "gateway/publish.h"

namespace tocsin {
namespace {

constexpr Duration say_hold_every = days(1);
constexpr uint32_t releases_a_turn = 256;
constexpr Duration brake_window = hours(1);
constexpr string_view unknown_root_advice =
    "ca_file of the section must hold the root above that certificate; without ca_file that is the system's store";

}  // namespace

// ---- sections --------------------------------------------------------------

void Publish::lane_down(Lane& lane, string_view sentence, Instant until, Instant now) {
  lane.down_until = until;
  const bool unknown_root =
      sentence.find("of ca_file") != string_view::npos || sentence.find("not in ca_file") != string_view::npos;
  say_trouble(lane, tools_.sections[lane.section].pooled ? "origin_down" : "provider_down", sentence,
              unknown_root ? unknown_root_advice : "");
  if (!tools_.sections[lane.section].pooled) return answer_waiting(lane, Outcome::retry, "no connection", now);
  // They come again when it is their time: the lane is free for others meanwhile.
  while (Push* push = lane.ready.first())
    retry(*push, RetryClass::origin_busy, {}, Outcome::retry, "no connection", now);
}

void Publish::lane_up(Lane& lane) {
  lane.down_until = Instant{};
  lane.trouble.clear();
}

// Trying again would not help, but the name may say something else tomorrow: the devices stay.
void Publish::lane_refused(Lane& lane, string_view why, Instant now) {
  say_trouble(lane, "push_refused", why,
              "all addresses of an endpoint's name must be public; list others in allow_private of [webpush]");
  while (Push* push = lane.ready.first()) end_push(*push, Outcome::refused, why, now);
}

void Publish::section_paused(uint8_t number, string_view reason, string_view advice, Duration pause, Instant now) {
  Section& section = tools_.sections[number];
  section.paused_until = later(section.paused_until, now + pause);
  say_trouble(section.lanes[0], "provider_down", reason, advice);
  for (Lane& lane : section.lanes) answer_waiting(lane, Outcome::config, reason, now);
}

// Once per condition: the same words are not said again until a push was accepted.
void Publish::say_trouble(Lane& lane, string_view event, string_view reason, string_view advice) {
  const string_view words = slice(reason, 0, 64);
  if (lane.trouble.view() == words) return;
  (void)lane.trouble.assign(words);
  // What strangers named is no failure of a service that the conf names.
  const bool stranger = tools_.sections[lane.section].pooled && event != "provider_down";
  LogLine line(tools_.log, stranger ? Level::warn : Level::error, event);
  line.field("provider", lane.name).sentence("reason", reason);
  if (stranger) line.field("origin", lane.origin.view());
  if (!advice.empty()) line.sentence("check", advice);
}

// Which domain it is stands in the XMPP server's log: addresses have no place in ours.
void Publish::say_limited(Instant now) {
  if (!publishers_.say_limited(now)) return;
  LogLine(tools_.log, Level::warn, "domain_limited")
      .sentence("reason", "a domain publishes more than domain_burst and domain_interval in [limits] allow")
      .sentence("check", "which domain does, in the XMPP server's log; others do not wait for it");
}

// ---- held devices ----------------------------------------------------------

void Publish::hold(Push& push, string_view reason, string_view advice, Instant now, UnixTime wall) {
  Section& section = tools_.sections[push.section];
  const Device* device = tools_.registry.find(push.node);
  // Staging that is full: the next publish is sent, and holds it then.
  if (device != nullptr && !device->held) (void)tools_.registry.hold(push.node, reason, wall).ok();
  if (section.probe == &push) section.probe_now = false;
  if (push.stateless) {
    dead_.hold(push.node, now);
  } else if (section.probe_after <= now) {
    section.probe_after = now + Section::probe_every;
  }
  say_held(push, reason, advice, now);
  end_push(push, Outcome::held, reason, now);
}

// Loudly, and once for a reason: the other devices that are held for it say nothing new until the next day.
void Publish::say_held(const Push& push, string_view reason, string_view advice, Instant now) {
  Section& section = tools_.sections[push.section];
  if (now >= section.say_hold_after) {
    for (auto& said : section.hold_said) said.clear();
    section.say_hold_after = now + say_hold_every;
  }
  const string_view words = slice(reason, 0, 64);
  auto* said = section.hold_said;
  while (said != std::end(section.hold_said) && !said->empty() && said->view() != words) ++said;
  if (said == std::end(section.hold_said) || !said->empty()) return;
  (void)said->assign(words);
  uint32_t held = 1;  // with this one, which is on its way to the registry
  for (uint32_t i = 0; const Device* device = tools_.registry.device_at(i); ++i)
    held += device->held && device->section == section.number && !(device->node == push.node);
  FixedText<16> room;
  LogLine(tools_.log, Level::error, "device_held")
      .field("provider", section.name)
      .field("device", pseudonym(push.node, room))
      .field("reason", reason)
      .field("held", held)
      .sentence("check", advice);
}

// From the last device to the first: when one ends, the last takes its place, and that was looked at already.
void Publish::release_slice(Section& section) {
  for (uint32_t i = 0; i < releases_a_turn && section.release_left > 0; ++i) {
    const Device* device = tools_.registry.device_at(section.release_left - 1);
    const bool ours = device != nullptr && device->held && device->section == section.number;
    if (ours && !tools_.registry.release(device->node, section.releasing).ok())
      return;  // staging is full: on after the commit
    --section.release_left;
  }
  if (section.release_left == 0) section.releasing = UnixTime{};
}

// True when one more device may not be dropped now; else it is counted.
bool Publish::brake(Section& section, Instant now) {
  if (section.drops == 0 || now - section.drops_since >= brake_window) {
    section.drops_since = now;
    section.drops = 0;
    section.stateless_accepted = 0;
  }
  const uint32_t drops = section.drops + 1;
  if (drops > limits_.brake_devices) {
    // The dropped may be gone from the registry, or not yet. Nobody knows how many stateless devices there are.
    uint32_t devices = section.drops + section.stateless_accepted;
    for (uint32_t i = 0; const Device* device = tools_.registry.device_at(i); ++i)
      devices += device->section == section.number;
    if (uint64_t{drops} * 100 > uint64_t{devices} * limits_.brake_percent) return true;
  }
  section.drops = drops;
  return false;
}

}  // namespace tocsin
