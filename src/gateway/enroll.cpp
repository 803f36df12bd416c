#include "gateway/enroll.h"

#include "dialect/replies.h"

namespace tocsin {
namespace {

constexpr size_t answer_bytes_max = 6 * (2 * iq_id_bytes_max + 2 * jid_bytes_max) + 2048;
constexpr Duration replaced_after = days(30);
// A waiting answer: this head, then session, id, from, to.
struct Waiting {
  uint64_t ticket = 0;
  NodeId node;
  uint32_t payload = 0;
  uint16_t session = 0;
  uint16_t id = 0;
  uint16_t from = 0;
  uint16_t to = 0;
  Enroll::Kind kind{};
  uint8_t section = 0;
  bool changed = false;  // something new became durable: worth a log line
};
constexpr size_t session_bytes_max = 255;
constexpr size_t waiting_record_max = sizeof(Waiting) + session_bytes_max + iq_id_bytes_max + 2 * jid_bytes_max;

}  // namespace

Enroll::Enroll(Region& region, uint32_t devices_per_account, const EnrollTools& tools)
    : tools_(tools),
      devices_per_account_(devices_per_account),
      waiting_(region.carve(waiting_bytes)),
      record_room_(region.carve(Registry::record_bytes_max)),
      scratch_room_(region.carve(2 * token_bytes_max)) {}

Section* Enroll::section_of(string_view provider) const {
  Section* second = nullptr;
  for (Section& section : tools_.sections) {
    for (uint32_t i = 0; i < section.id_count; ++i) {
      if (section.ids[i] != provider) continue;
      if (!section.second_choice) return &section;
      second = &section;
    }
  }
  return second;
}

void Enroll::register_device(const Command& command, UnixTime now) {
  if (!may_register(tools_.access, command.iq.from)) {
    return refuse(command, "auth", "forbidden", "This push service is not for accounts of your domain.");
  }
  const string_view account = split_jid(command.iq.from).bare;
  if (account.size() > account_bytes_max) return refuse_value(command, "from", account, "is too long");
  Section* section = section_of(command.provider);
  if (section == nullptr) return refuse_value(command, "provider", command.provider, "is not offered here");
  Arena scratch(scratch_room_);
  const Result<ByteView> token = section->provider->normalise_token(command.token, scratch);
  if (!token.ok()) return refuse_value(command, "device-token", command.token, "is not a token of this provider");
  ByteView second;
  if (!command.second_token.empty()) {
    const Result<ByteView> read = section->provider->normalise_token(command.second_token, scratch);
    if (!read.ok())
      return refuse_value(command, "device-second-token", command.second_token, "is not a token of this provider");
    second = read.value();
  }

  Registration known;
  Ticket staged = 0;
  const Status found = tools_.registry.find_device(account, token.value(), record_room_, known, &staged);
  if (!found.ok() && found.error() != Error::not_found) {
    return refuse(command, "wait", "internal-server-error", "The registry can not be read at the moment.");
  }
  Registration wanted{.node = {},
                      .account = account,
                      .section = section->name,
                      .provider = command.provider,
                      .token = token.value(),
                      .second_token = second,
                      .registered = now};
  Result<Ticket> ticket = Error::busy;
  bool changed = true;
  if (found.ok()) {
    wanted.node = known.node;
    wanted.registered = known.registered;
    // The environment that the device turned out to be of stays.
    if (known.section == tools_.sections[section->partner].name) wanted.section = known.section;
    const bool identical = known.section == wanted.section && same(known.second_token, second);
    changed = !identical;
    // After a refusal the time of this registration decides about the next one: it must survive us.
    const DeviceState* state = tools_.throttle.find(known.node);
    const bool refused = state != nullptr && state->silent_until != Instant{};
    ticket = identical ? tools_.registry.refresh(known.node, now, refused) : tools_.registry.change(wanted, now);
    if (ticket.ok() && ticket.value() < staged) ticket = staged;
  } else {
    const Device* oldest = nullptr;
    if (tools_.registry.count_of_account(account, &oldest) >= devices_per_account_) {
      const int64_t last = oldest == nullptr ? 0
                           : int64_t{oldest->accepted_day} * 86'400 > int64_t{oldest->refreshed}
                               ? int64_t{oldest->accepted_day} * 86'400
                               : int64_t{oldest->refreshed};
      if (oldest == nullptr || !plausible(now) || now - UnixTime{last} < replaced_after) {
        return refuse(command, "wait", "resource-constraint",
                      "This account has as many devices as it may have, all of them in use within the last 30 days.");
      }
      const NodeId replaced = oldest->node;
      if (!tools_.registry.end(replaced, EndReason::replaced, "", now).ok()) {
        return refuse(command, "wait", "service-unavailable", "The registry is busy; try again in a moment.");
      }
      log_change("unregistered", "replaced", replaced, section->number);
    }
    tools_.random.fill(wanted.node.bytes);
    ticket = tools_.registry.add(wanted, now);
  }
  if (!ticket.ok()) {
    return refuse(
        command, "wait", "service-unavailable",
        ticket.error() == Error::exhausted ? "The registry is full." : "The registry is busy; try again in a moment.");
  }
  acknowledge({.kind = Kind::registered,
               .node = wanted.node,
               .section = section->number,
               .payload = section->provider->payload_bytes_max(account),
               .changed = changed},
              command, ticket.value());
}

void Enroll::unregister_device(const Command& command, UnixTime now) {
  // The provider string is advisory: a client may unregister with another one than it registered with.
  const string_view account = split_jid(command.iq.from).bare;
  Registration known;
  Ticket staged = 0;
  Section* named = section_of(command.provider);
  Status found = Error::not_found;
  for (uint32_t i = 0; i <= tools_.sections.size() && !found.ok(); ++i) {
    Section* section = i == 0 ? named : &tools_.sections[i - 1];
    if (section == nullptr || (i > 0 && section == named)) continue;
    Arena scratch(scratch_room_);
    const Result<ByteView> token = section->provider->normalise_token(command.token, scratch);
    if (!token.ok()) continue;
    found = tools_.registry.find_device(account, token.value(), record_room_, known, &staged);
    if (!found.ok() && found.error() != Error::not_found) {
      return refuse(command, "wait", "internal-server-error", "The registry can not be read at the moment.");
    }
  }
  // Somebody else's device and no device at all are answered alike.
  if (!found.ok()) return refuse(command, "cancel", "item-not-found", "No such device is registered for your account.");
  const Result<Ticket> ticket = tools_.registry.end(known.node, EndReason::client, "", now);
  if (!ticket.ok())
    return refuse(command, "wait", "service-unavailable", "The registry is busy; try again in a moment.");
  uint8_t number = 255;
  for (const Section& section : tools_.sections) {
    if (section.name == known.section) number = section.number;
  }
  acknowledge({.kind = Kind::unregistered, .node = known.node, .section = number, .changed = true}, command,
              ticket.value());
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

void Enroll::acknowledge(const Acknowledgement& what, const Command& command, Ticket ticket) {
  if (ticket == 0 || ticket <= tools_.registry.committed_ticket())
    return write(what, command.iq, command.session, true);
  const IqHead& iq = command.iq;
  const string_view session = slice(command.session, 0, session_bytes_max);
  const Waiting head{.ticket = ticket,
                     .node = what.node,
                     .payload = what.payload,
                     .session = static_cast<uint16_t>(session.size()),
                     .id = static_cast<uint16_t>(iq.id.size()),
                     .from = static_cast<uint16_t>(iq.from.size()),
                     .to = static_cast<uint16_t>(iq.to.size()),
                     .kind = what.kind,
                     .section = what.section,
                     .changed = what.changed};
  const size_t size = sizeof head + session.size() + iq.id.size() + iq.from.size() + iq.to.size();
  if (waiting_.free() < size) {
    // It will be durable, but the answer can not wait: the client asks again and gets the same node.
    return refuse(command, "wait", "service-unavailable", "Too many registrations at once; try again in a moment.");
  }
  const bool pushed = waiting_.push({reinterpret_cast<const uint8_t*>(&head), sizeof head}) &&
                      waiting_.push(bytes_of(session)) && waiting_.push(bytes_of(iq.id)) &&
                      waiting_.push(bytes_of(iq.from)) && waiting_.push(bytes_of(iq.to));
  GW_CHECK(pushed);
  ++waiting_count_;
}

void Enroll::commits_decided() { answer_waiting(tools_.registry.committed_ticket(), false); }

void Enroll::stop() { answer_waiting(UINT64_MAX, true); }

// Answers, in order, what waits for tickets up to and including the given one.
void Enroll::answer_waiting(Ticket up_to, bool stopping) {
  while (!waiting_.empty()) {
    uint8_t record[waiting_record_max];
    Waiting head;
    peek(record, sizeof head);
    std::memcpy(&head, record, sizeof head);
    if (head.ticket > up_to) return;
    const size_t size = sizeof head + head.session + head.id + head.from + head.to;
    peek(record, size);
    waiting_.pop(size);
    --waiting_count_;
    const char* at = reinterpret_cast<const char*>(record + sizeof head);
    const string_view session(at, head.session);
    at += head.session;
    const IqHead iq{.id = {at, head.id}, .from = {at + head.id, head.from}, .to = {at + head.id + head.from, head.to}};
    const bool decided = head.ticket <= tools_.registry.committed_ticket();
    const bool stored = decided && !tools_.registry.ticket_failed(head.ticket);
    GW_CHECK(decided || stopping);
    write({.kind = head.kind,
           .node = head.node,
           .section = head.section,
           .payload = head.payload,
           .changed = head.changed},
          iq, session, stored);
  }
}

// Copies the first size waiting bytes, which may wrap around.
void Enroll::peek(uint8_t* to, size_t size) const {
  for (size_t copied = 0; copied < size;) {
    const ByteView piece = waiting_.piece(copied);
    const size_t part = piece.size() < size - copied ? piece.size() : size - copied;
    copy_bytes(to + copied, piece.first(part));
    copied += part;
  }
}

void Enroll::write(const Acknowledgement& what, const IqHead& iq, string_view session, bool stored) {
  uint8_t room[answer_bytes_max];
  Writer out(room);
  if (!stored) {
    write_error(
        out, iq,
        {.type = "wait", .condition = "internal-server-error", .text = "It could not be stored; try again later."});
  } else if (what.kind == Kind::unregistered) {
    write_unregistered(out, iq, session);
  } else {
    uint8_t text[NodeId::text_size];
    Writer name(text);
    name.base64url(what.node.view());
    write_registered(out, iq, session, name.view(), what.payload);
  }
  GW_CHECK(!out.overflowed());
  tools_.outbox.send(out.view());
  if (stored && what.changed) {
    const bool registered = what.kind == Kind::registered;
    log_change(registered ? "registered" : "unregistered", registered ? "" : "client", what.node, what.section);
  }
}

void Enroll::log_change(string_view event, string_view why, const NodeId& node, uint8_t section) {
  if (!tools_.log.enabled(Level::info)) return;
  uint8_t hash[8];
  put_u64(hash, siphash(key_, node.view()));
  uint8_t text[10];
  Writer device(text);
  device.hex(ByteView(hash).first(5));
  LogLine line(tools_.log, Level::info, event);
  if (!why.empty()) line.field("why", why);
  if (section < tools_.sections.size()) line.field("provider", tools_.sections[section].name);
  line.field("device", device.view());
}

}  // namespace tocsin
