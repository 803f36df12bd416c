// What was asked for and is not on disk yet: who asked waits in a ring, and is answered when it is.
#include "dialect/replies.h"
#include "dialect/unified_push.h"
#include "gateway/enroll.h"
#include "gateway/pseudonym.h"

namespace tocsin {
namespace {

constexpr size_t answer_bytes_max = 6 * (2 * iq_id_bytes_max + 2 * jid_bytes_max) + 2048;
// A waiting answer: this head, then asked, secret, session, id, from, to.
struct Waiting {
  uint64_t ticket = 0;
  int64_t expires = 0;
  NodeId node;
  NodeId replaced;
  uint32_t payload = 0;
  uint16_t asked = 0;
  uint16_t secret = 0;
  uint16_t session = 0;
  uint16_t id = 0;
  uint16_t from = 0;
  uint16_t to = 0;
  Enroll::Kind kind{};
  DialectId dialect{};
  uint8_t section = 0;
  uint8_t replaced_section = 0;
  bool changed = false;
};
constexpr size_t session_bytes_max = 255;
constexpr size_t asked_bytes_max = 64;  // of the commands that there are, the longest has half of it
constexpr size_t waiting_record_max =
    sizeof(Waiting) + asked_bytes_max + secret_bytes_max + session_bytes_max + iq_id_bytes_max + 2 * jid_bytes_max;

}  // namespace

void Enroll::acknowledge(const Acknowledgement& what, const Command& command, Ticket ticket) {
  if (ticket == 0 || ticket <= tools_.registry.committed_ticket())
    return write(what, command.iq, command.session, true);
  const IqHead& iq = command.iq;
  const string_view session = slice(command.session, 0, session_bytes_max);
  GW_CHECK(what.asked.size() <= asked_bytes_max && what.secret.size() <= secret_bytes_max);
  const Waiting head{.ticket = ticket,
                     .expires = what.expires.s,
                     .node = what.node,
                     .replaced = what.replaced,
                     .payload = what.payload,
                     .asked = static_cast<uint16_t>(what.asked.size()),
                     .secret = static_cast<uint16_t>(what.secret.size()),
                     .session = static_cast<uint16_t>(session.size()),
                     .id = static_cast<uint16_t>(iq.id.size()),
                     .from = static_cast<uint16_t>(iq.from.size()),
                     .to = static_cast<uint16_t>(iq.to.size()),
                     .kind = what.kind,
                     .dialect = what.dialect,
                     .section = what.section,
                     .replaced_section = what.replaced_section,
                     .changed = what.changed};
  const string_view texts[] = {what.asked, what.secret, session, iq.id, iq.from, iq.to};
  size_t size = sizeof head;
  for (const string_view text : texts) size += text.size();
  if (waiting_.free() < size) {
    // It will be durable, but the answer can not wait: the client asks again and gets the same node.
    return refuse(command, "wait", "service-unavailable", "Too many registrations at once; try again in a moment.");
  }
  bool pushed = waiting_.push({reinterpret_cast<const uint8_t*>(&head), sizeof head});
  for (const string_view text : texts) pushed = pushed && waiting_.push(bytes_of(text));
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
    const size_t size = sizeof head + head.asked + head.secret + head.session + head.id + head.from + head.to;
    peek(record, size);
    waiting_.pop(size);
    --waiting_count_;
    const char* at = reinterpret_cast<const char*>(record + sizeof head);
    const auto text = [&at](size_t length) {
      at += length;
      return string_view(at - length, length);
    };
    const string_view asked = text(head.asked), secret = text(head.secret), session = text(head.session);
    const string_view id = text(head.id), from = text(head.from), to = text(head.to);
    const IqHead iq{.id = id, .from = from, .to = to};
    const bool decided = head.ticket <= tools_.registry.committed_ticket();
    const bool stored = decided && !tools_.registry.ticket_failed(head.ticket);
    GW_CHECK(decided || stopping);
    write({.kind = head.kind,
           .node = head.node,
           .section = head.section,
           .payload = head.payload,
           .changed = head.changed,
           .replaced = head.replaced,
           .replaced_section = head.replaced_section,
           .dialect = head.dialect,
           .asked = asked,
           .secret = secret,
           .expires = UnixTime{head.expires}},
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

// In the words of the dialect in which it was asked.
void Enroll::write_done(Writer& out, const Acknowledgement& what, const IqHead& iq, string_view session) {
  uint8_t text[NodeId::text_size];
  Writer name(text);
  name.base64url(what.node.view());
  const CommandHead head{.node = what.asked, .session = session};
  const NodeAndSecret given{.jid = split_jid(iq.to).domain, .node = name.view(), .secret = what.secret};
  const bool registered = what.kind == Kind::registered;
  switch (what.dialect) {
    case DialectId::tigase:
    case DialectId::web_push:
      return registered ? write_registered(out, iq, session, name.view(), what.payload)
                        : write_unregistered(out, iq, session);
    case DialectId::p2:
    case DialectId::openfire:
      return registered ? write_registered(out, iq, head, given) : write_completed(out, iq, head);
    case DialectId::v1: return write_registered(out, iq, head, given);
    case DialectId::unified_push: {
      uint8_t url_room[endpoint_url_bytes_max];
      Writer url(url_room);
      write_endpoint_url(url, tools_.endpoints.public_url, what.node);
      return write_endpoint(out, iq, url.view(), what.expires);
    }
  }
}

void Enroll::write(const Acknowledgement& what, const IqHead& iq, string_view session, bool stored) {
  uint8_t room[answer_bytes_max];
  Writer out(room);
  if (!stored) {
    write_error(
        out, iq,
        {.type = "wait", .condition = "internal-server-error", .text = "It could not be stored; try again later."});
  } else {
    write_done(out, what, iq, session);
  }
  GW_CHECK(!out.overflowed());
  tools_.outbox.send(out.view());
  if (stored && what.changed) {
    const bool registered = what.kind == Kind::registered;
    const bool endpoint = what.dialect == DialectId::unified_push;
    log_change(endpoint     ? "endpoint_registered"
               : registered ? "registered"
                            : "unregistered",
               registered ? "" : "client", what.node, what.section, registered ? name_of(what.dialect) : string_view());
    if (what.replaced != NodeId{}) log_change("unregistered", "replaced", what.replaced, what.replaced_section);
  }
}

void Enroll::log_change(string_view event, string_view why, const NodeId& node, uint8_t section, string_view dialect) {
  if (!tools_.log.enabled(Level::info)) return;
  uint8_t text[10];
  Writer device(text);
  write_pseudonym(device, key_, node);
  LogLine line(tools_.log, Level::info, event);
  if (!why.empty()) line.field("why", why);
  if (section < tools_.sections.size()) line.field("provider", tools_.sections[section].name);
  if (!dialect.empty()) line.field("dialect", dialect);
  line.field("device", device.view());
}

}  // namespace tocsin
