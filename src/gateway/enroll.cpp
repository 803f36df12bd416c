#include "gateway/enroll.h"

#include "dialect/replies.h"
#include "dialect/unified_push.h"
#include "gateway/identity.h"
#include "gateway/pseudonym.h"

namespace tocsin {
namespace {

constexpr size_t answer_bytes_max = 6 * (2 * iq_id_bytes_max + 2 * jid_bytes_max) + 2048;
constexpr Duration replaced_after = days(30);
constexpr Duration say_full_every = hours(1);
}  // namespace

Enroll::Enroll(Region& region, uint32_t devices_per_account, const EnrollTools& tools)
    : tools_(tools),
      devices_per_account_(devices_per_account),
      waiting_(region.carve(waiting_bytes)),
      record_room_(region.carve(Registry::record_bytes_max)),
      scratch_room_(region.carve(2 * token_bytes_max)) {}

Section* Enroll::section_of(const Command& command) const {
  Section* second = nullptr;
  for (Section& section : tools_.sections) {
    if (!command.service.empty()) {
      if (section.takes_service && section.kind() == command.service) return &section;
      continue;
    }
    for (uint32_t i = 0; i < section.id_count; ++i) {
      if (section.ids[i] != command.provider) continue;
      if (!section.second_choice) return &section;
      second = &section;
    }
  }
  return second;
}

void Enroll::register_device(const Command& command, Instant now, UnixTime wall) {
  if (!may_register(tools_.access, command.iq.from)) {
    say_refused(command, Refusal::accounts, now);
    return refuse(command, "auth", "forbidden", "This push service is not for accounts of your domain.");
  }
  const bool tigase = command.dialect == DialectId::tigase;
  const string_view account = split_jid(command.iq.from).bare;
  if (account.size() > account_bytes_max) return refuse_value(command, "from", account, "is too long");
  if (command.channel.size() > channel_bytes_max) return refuse_value(command, "muc", command.channel, "is too long");
  Section* section = section_of(command);
  if (section == nullptr) {
    say_refused(command, tigase ? Refusal::provider : Refusal::missing, now);
    return tigase ? refuse_value(command, "provider", command.provider, "is not offered here")
                  : refuse(command, "cancel", "item-not-found", "This service is not offered here.");
  }
  Arena scratch(scratch_room_);
  const Result<ByteView> token = read_token(*section, command, false, scratch);
  if (!token.ok() && token.error() == Error::denied) {
    say_refused(command, Refusal::endpoint, now);
    return refuse(command, "cancel", "not-acceptable",
                  "Endpoints must be at port 443 of public addresses; others only where allow_private lists them.");
  }
  if (!token.ok() || looks_like_identity(token.value())) {
    say_refused(command, Refusal::token, now);
    return refuse_value(command, tigase ? "device-token" : "token", command.token, "is not a token of this provider");
  }
  const Result<ByteView> read = read_second(*section, command, scratch);
  if (!read.ok()) {
    say_refused(command, Refusal::token, now);
    if (section->curve != nullptr) return refuse_value(command, "p256dh", command.p256dh, "and auth are no keys");
    return refuse_value(command, "device-second-token", command.second_token, "is not a token of this provider");
  }
  const ByteView second = read.value();

  const Identity identity(command, account);
  Registration wanted{.node = {},
                      .account = account,
                      .section = section->name,
                      .provider = tigase ? command.provider : command.service,
                      .token = token.value(),
                      .second_token = second,
                      .registered = wall,
                      .identity = identity.view(),
                      .channel = command.channel,
                      .dialect = command.dialect};
  Registration known;
  Ticket staged = 0;
  const Status found = tools_.registry.find_device(account, wanted.key(), record_room_, known, &staged);
  if (!found.ok() && found.error() != Error::not_found) return refuse_unreadable(command);
  uint8_t secret_room[secret_size];
  Writer secret(secret_room);
  if (!tigase && known.secret.empty()) {
    uint8_t random[secret_size / 4 * 3];
    tools_.random.fill(random);
    known.secret = secret.base64url(random).view();
  }
  wanted.secret = known.secret;

  Acknowledgement what{.kind = Kind::registered,
                       .section = section->number,
                       .payload = section->provider->payload_bytes_max(wanted),
                       .changed = true,
                       .dialect = command.dialect,
                       .asked = command.asked,
                       .secret = wanted.secret};
  Result<Ticket> ticket = Error::busy;
  if (found.ok()) {
    wanted.node = known.node;
    wanted.registered = known.registered;
    // The environment that the device turned out to be of stays.
    if (known.section == tools_.sections[section->partner].name) wanted.section = known.section;
    const bool identical = known.section == wanted.section && same(known.token, wanted.token) &&
                           same(known.second_token, second) && known.dialect == wanted.dialect && secret.size() == 0;
    what.changed = !identical;
    // After a refusal the time of this registration decides about the next one: it must survive us.
    const DeviceState* state = tools_.throttle.find(known.node);
    const bool refused = state != nullptr && state->silent_until != Instant{};
    ticket = !identical ? tools_.registry.change(wanted, wall)
             : refused  ? tools_.registry.refresh(known.node, wall, true)
                        : tools_.registry.refresh_unhurried(known.node, wall);
    if (ticket.ok() && ticket.value() < staged) ticket = staged;
  } else {
    if (!make_way(command, account, now, wall, what.replaced, what.replaced_section)) return;
    tools_.random.fill(wanted.node.bytes);
    ticket = tools_.registry.add(wanted, wall);
    if (ticket.ok() && what.replaced != NodeId{}) {
      // Only now: had the new one been refused, the old one would have ended for nothing. Both are in one batch. If
      // there is no room for the end, the account has one device too many until it registers the next.
      if (!tools_.registry.end(what.replaced, EndReason::replaced, "", wall).ok()) what.replaced = NodeId{};
    }
  }
  if (!ticket.ok()) return refuse_ticket(command, ticket.error(), now);
  what.node = wanted.node;
  acknowledge(what, command, ticket.value());
}

void Enroll::refuse_ticket(const Command& command, Error error, Instant now) {
  if (error != Error::exhausted) return refuse_busy(command);
  say_full(now);
  refuse(command, "wait", "service-unavailable", "The registry is full.");
}

bool Enroll::make_way(const Command& command, string_view account, Instant now, UnixTime wall, NodeId& replaced,
                      uint8_t& section) {
  const Device* oldest = nullptr;
  if (tools_.registry.count_of_account(account, &oldest) < devices_per_account_) return true;
  const int64_t last = oldest == nullptr ? 0
                       : int64_t{oldest->accepted_day} * 86'400 > int64_t{oldest->refreshed}
                           ? int64_t{oldest->accepted_day} * 86'400
                           : int64_t{oldest->refreshed};
  if (oldest == nullptr || !plausible(wall) || wall - UnixTime{last} < replaced_after) {
    say_refused(command, Refusal::many, now);
    refuse(command, "wait", "resource-constraint",
           "This account has as many devices as it may have, all of them in use within the last 30 days.");
    return false;
  }
  replaced = oldest->node;
  section = oldest->section;
  return true;
}

// Of accounts that may not register at all nothing else is said: else strangers could choose what is.
void Enroll::say_refused(const Command& command, Refusal refusal, Instant now) {
  if (!may_register(tools_.access, command.iq.from)) refusal = Refusal::accounts;
  refusals_.say(tools_.log, command, refusal, tools_.access.accounts, now);
}

// Once an hour: whoever is turned away comes again, and with others.
void Enroll::say_full(Instant now) {
  if (now < say_full_after_) return;
  say_full_after_ = now + say_full_every;
  LogLine(tools_.log, Level::warn, "registry_full")
      .field("max_devices", tools_.registry.capacity())
      .sentence("check", "new devices are turned away; raise max_devices in [registry] and restart");
}

void Enroll::unregister_device(const Command& command, UnixTime now) {
  Registration known;
  Ticket staged = 0;
  const Status found = find_named(command, split_jid(command.iq.from).bare, known, staged);
  if (!found.ok() && found.error() != Error::not_found) return refuse_unreadable(command);
  // Somebody else's device and no device at all are answered alike.
  if (!found.ok() || known.is_endpoint())
    return refuse(command, "cancel", "item-not-found", "No such device is registered for your account.");
  const Result<Ticket> ticket = tools_.registry.end(known.node, EndReason::client, "", now);
  if (!ticket.ok()) return refuse_busy(command);
  acknowledge({.kind = Kind::unregistered,
               .node = known.node,
               .section = number_of(known.section),
               .changed = true,
               .dialect = command.dialect,
               .asked = command.asked},
              command, ticket.value());
}

void Enroll::refuse_unreadable(const Command& command) {
  refuse(command, "wait", "internal-server-error", "The registry can not be read at the moment.");
}
void Enroll::refuse_busy(const Command& command) {
  refuse(command, "wait", "service-unavailable", "The registry is busy; try again in a moment.");
}

void Enroll::refuse(const Command& command, string_view type, string_view condition, string_view text) {
  uint8_t room[answer_bytes_max];
  Writer out(room);
  write_error(out, command.iq, {.type = type, .condition = condition, .text = text});
  GW_CHECK(!out.overflowed());
  tools_.outbox.send(out.view());
}

void Enroll::refuse_value(const Command& command, string_view field, string_view value, string_view what) {
  uint8_t room[256];
  Writer text(room);
  text.text("Field ")
      .text(field)
      .text(": \"")
      .text(cut_utf8(value, 80))
      .text(value.size() > 80 ? "…\" " : "\" ")
      .text(what)
      .text(".");
  refuse(command, "modify", "bad-request", text.view());
}

}  // namespace tocsin
