#include "dialect/replies.h"

#include "dialect/adhoc.h"

namespace tocsin {
namespace {

struct AnswerRow {
  Answer answer;
  string_view type;
  string_view condition;
};
constexpr AnswerRow errors[] = {
    {Answer::gone, "cancel", "item-not-found"},
    {Answer::wait_internal, "wait", "internal-server-error"},
    {Answer::wait_unavailable, "wait", "service-unavailable"},
    {Answer::unsupported, "cancel", "service-unavailable"},
};

}  // namespace

void open_reply(Writer& out, const IqHead& iq, string_view type) {
  out.text("<iq type='").text(type).text("'");
  if (!iq.id.empty()) out.text(" id='").xml(iq.id).text("'");
  out.text(" from='").xml(iq.to).text("' to='").xml(iq.from).text("'");
}

void open_command(Writer& out, const IqHead& iq, string_view node, string_view session, string_view status) {
  open_reply(out, iq, "result");
  out.text("><command xmlns='").text(commands_ns).text("' node='").xml(node).text("'");
  if (!session.empty()) out.text(" sessionid='").xml(session).text("'");
  out.text(" status='").text(status).text("'");
}

void write_result(Writer& out, const IqHead& iq) {
  open_reply(out, iq, "result");
  out.text("/>");
}

// The order of the children is that of RFC 6120 §8.3.2.
void write_error(Writer& out, const IqHead& iq, const ErrorReply& error) {
  open_reply(out, iq, "error");
  out.text("><error type='").text(error.type).text("'><").text(error.condition);
  out.text(" xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>");
  if (!error.text.empty()) {
    out.text("<text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas' xml:lang='en'>").xml(error.text).text("</text>");
  }
  out.text(error.extra).text("</error></iq>");
}

void write_answer(Writer& out, const IqHead& iq, Answer answer) {
  for (const AnswerRow& row : errors) {
    if (row.answer == answer) return write_error(out, iq, {.type = row.type, .condition = row.condition});
  }
  write_result(out, iq);
}

void write_registered(Writer& out, const IqHead& iq, string_view session, string_view node,
                      uint32_t payload_bytes_max) {
  open_command(out, iq, "register-device", session, "completed");
  out.text("><x xmlns='jabber:x:data' type='result'><field var='node' type='text-single'><value>").xml(node);
  // Untyped, features would be read as text-single by TigaseSwift and be lost.
  out.text("</value></field><field var='features' type='text-multi'><value>tigase:push:encrypt:0</value></field>");
  out.text("<field var='max-payload-size' type='text-single'><value>").unsigned_number(payload_bytes_max);
  out.text("</value></field></x></command></iq>");
}

void write_registered(Writer& out, const IqHead& iq, const CommandHead& command, const NodeAndSecret& given) {
  open_command(out, iq, command.node, command.session, "completed");
  // p2 and mod_push_appserver say `form`; nobody minds, and who does was made for them.
  out.text("><x xmlns='jabber:x:data' type='form'><field var='jid' type='jid-single'><value>").xml(given.jid);
  out.text("</value></field><field var='node' type='text-single'><value>").xml(given.node).text("</value></field>");
  if (!given.secret.empty()) {
    out.text("<field var='secret' type='text-single'><value>").xml(given.secret).text("</value></field>");
  }
  out.text("</x></command></iq>");
}

void write_completed(Writer& out, const IqHead& iq, const CommandHead& command) {
  open_command(out, iq, command.node, command.session, "completed");
  out.text("/></iq>");
}

void write_unregistered(Writer& out, const IqHead& iq, string_view session) {
  open_command(out, iq, "unregister-device", session, "completed");
  out.text("><x xmlns='jabber:x:data' type='result'/></command></iq>");
}

}  // namespace tocsin
