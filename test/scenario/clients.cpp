#include "test/scenario/clients.h"

#include "base/writer.h"

namespace tocsin::test {
namespace {

void write_fields(Writer& out, Fields fields) {
  out.text("<x xmlns='jabber:x:data' type='submit'>");
  for (const FormField& field : fields) {
    out.text("<field var='").xml(field.var).text("'><value>").xml(field.value).text("</value></field>");
  }
  out.text("</x>");
}

// "" when there is no such field.
string_view field_of(string_view answer, string_view var) {
  uint8_t room[64];
  Writer mark(room);
  mark.text("<field var='").text(var).text("' type='");
  const size_t at = answer.find(mark.view());
  if (at == string_view::npos) return {};
  const string_view rest = slice(answer, answer.find("<value>", at) + 7);
  return slice(rest, 0, rest.find('<'));
}

}  // namespace

void send_command(string_view from, string_view id, string_view node, string_view attributes, Fields fields) {
  static uint8_t room[32 * 1024];
  Writer out{Bytes(room)};
  out.text("<iq type='set' from='").xml(from).text("' to='push.example.org' id='").text(id);
  out.text("'><command xmlns='http://jabber.org/protocol/commands' node='").text(node).text("'").text(attributes);
  out.text(">");
  write_fields(out, fields);
  out.text("</command></iq>");
  GW_CHECK(!out.overflowed());
  world().server().send(out.view());
}

void ask_command(string_view from, string_view id, string_view node, string_view attributes, Fields fields) {
  send_command(from, id, node, attributes, fields);
  world().wait_for_answer(id);
}

Given given(string_view id) {
  const string_view answer = world().server().answer(id);
  if (!contains(answer, "status='completed'")) print_error("%.*s\n", static_cast<int>(answer.size()), answer.data());
  assert_true(contains(answer, "status='completed'"));
  Given given;
  assert_true(given.jid.assign(field_of(answer, "jid")) && !given.jid.empty());
  assert_true(given.node.assign(field_of(answer, "node")) && !given.node.empty());
  assert_true(given.secret.assign(field_of(answer, "secret")) && !given.secret.empty());
  return given;
}

void send_publish(const Published& published) {
  static uint8_t room[256 * 1024];
  Writer out{Bytes(room)};
  out.text("<iq to='push.example.org' id='").text(published.id).text("' from='").xml(published.from);
  out.text("' type='set'><pubsub xmlns='http://jabber.org/protocol/pubsub'><publish node='").xml(published.node);
  out.text("'><item>").text(published.notification).text("</item></publish>");
  if (!published.options.empty()) {
    out.text("<publish-options>");
    write_fields(out, published.options);
    out.text("</publish-options>");
  }
  out.text("</pubsub></iq>");
  GW_CHECK(!out.overflowed());
  world().server().send(out.view());
}

void publish(const Published& published) {
  send_publish(published);
  world().wait_for_answer(published.id);
}

}  // namespace tocsin::test
