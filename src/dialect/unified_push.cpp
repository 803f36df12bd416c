#include "dialect/unified_push.h"

#include "base/calendar.h"
#include "base/encode.h"
#include "dialect/replies.h"

namespace tocsin {
namespace {

constexpr string_view conditions_ns = "urn:ietf:params:xml:ns:xmpp-stanzas";

// One spelling each, so that it goes back to the client byte for byte.
bool read_part(const Element& element, string_view name, uint8_t (&out)[endpoint_part_bytes], const IqHead& iq,
               Writer& answer) {
  const Result<size_t> size = decode_base64(element.value(name), out);
  if (size.ok() && size.value() == sizeof out) return true;
  uint8_t room[96];
  Writer text(room);
  text.text("Attribute ").text(name).text(" must be the base64 of 32 bytes.");
  write_error(answer, iq, {.type = "modify", .condition = "bad-request", .text = text.view()});
  return false;
}

void read_error(const Element& root, Command& command) {
  // An error without a condition, or cut off before it.
  command.condition = "undefined-condition";
  const Element* error = root.first_child;
  while (error != nullptr && error->name != "error") error = error->next;
  if (error == nullptr) return;
  command.error_type = error->value("type");
  for (const Element* child = error->first_child; child != nullptr; child = child->next) {
    if (child->ns != conditions_ns || child->name == "text") continue;
    command.condition = child->name;
    return;
  }
}

}  // namespace

void read_endpoint(const Element& element, Command& command, Writer& answer) {
  command.dialect = DialectId::unified_push;
  command.refusal = Refusal::field;
  if (!read_part(element, "application", command.application, command.iq, answer)) return;
  if (!read_part(element, "instance", command.instance, command.iq, answer)) return;
  command.refusal = Refusal::none;
  command.kind = Command::Kind::register_endpoint;
}

bool read_event(const Stanza& stanza, Command& command) {
  const Element& root = *stanza.root;
  const string_view type = root.value("type");
  const bool reply = root.name == "iq" && (type == "result" || type == "error");
  const bool presence = root.name == "presence" && (type.empty() || type == "unavailable");
  const string_view from = root.value("from");
  if ((!reply && !presence) || from.empty() || from.size() > jid_bytes_max) return false;
  command.iq = {.id = root.value("id"), .from = from, .to = root.value("to")};
  command.kind = reply ? Command::Kind::reply : Command::Kind::presence;
  command.available = type.empty();
  if (type == "error") read_error(root, command);
  return true;
}

void write_endpoint(Writer& out, const IqHead& iq, string_view url, UnixTime expires) {
  open_reply(out, iq, "result");
  out.text("><registered xmlns='").text(unified_push_ns).text("' expiration='");
  write_time(out, expires.s);
  out.text("Z' endpoint='").xml(url).text("'/></iq>");
}

void write_push(Writer& out, const IqHead& head, ByteView application, ByteView instance, ByteView body) {
  open_reply(out, head, "set");
  out.text("><push xmlns='").text(unified_push_ns).text("' application='").base64(application);
  out.text("' instance='").base64(instance).text("'>").base64(body).text("</push></iq>");
}

}  // namespace tocsin
