#include "dialect/replies.h"

#include "base/text.h"
#include "base/writer.h"
#include "test/unit/dialect/ask.h"

namespace tocsin::test {

namespace {

constexpr IqHead head{.id = "q1", .from = "ann@example.org/phone", .to = "push.example.org"};
uint8_t room[4096];

void the_answers_to_a_publish_are_the_four_safe_ones(void**) {
  struct {
    Answer answer;
    string_view type;
    string_view payload;
  } const rows[] = {
      {Answer::result, "result", ""},
      {Answer::gone, "error", not_found},
      {Answer::wait_internal, "error", wait_internal},
      {Answer::wait_unavailable, "error", wait_unavailable},
      {Answer::unsupported, "error", unsupported},
  };
  for (const auto& row : rows) {
    Writer out{Bytes(room)};
    write_answer(out, head, row.answer);
    expect_answer(Asked({.command = {}, .answer = out.view()}), row.type, row.payload);
    // Publishers take the first child of <error> for the condition, whatever it is.
    const Element& iq = *stanza_of(out.view()).root;
    if (row.payload.empty()) {
      assert_null(iq.first_child);
    } else {
      expect_text(iq.first_child->name, "error");
      expect_text(iq.first_child->first_child->ns, error_ns);
      assert_true(iq.first_child->first_child->name != "text");
    }
  }
}

void id_and_addresses_come_back_byte_for_byte(void**) {
  for (const string_view odd : {"a'b\"c&d<e>f", "rr-1755-AbC+/x=-ejabberd@localhost", "\t\n\r", " ", "é😀", "&amp;"}) {
    const IqHead iq{.id = odd, .from = odd, .to = odd};
    Writer out{Bytes(room)};
    write_result(out, iq);
    const Element& root = *stanza_of(out.view()).root;
    expect_text(root.value("type"), "result");
    expect_text(root.value("id"), odd);
    expect_text(root.value("from"), odd);
    expect_text(root.value("to"), odd);
  }
  Writer out{Bytes(room)};
  write_result(out, {.id = "a'\t\n\rb", .from = "\"<x>&", .to = "push.example.org"});
  expect_text(out.view(),
              "<iq type='result' id='a&apos;&#9;&#10;&#13;b' from='push.example.org' to='&quot;&lt;x&gt;&amp;'/>");
}

void without_an_id_there_is_none_to_echo(void**) {
  Writer out{Bytes(room)};
  write_result(out, {.id = "", .from = "ann@example.org/phone", .to = "push.example.org"});
  expect_text(out.view(), "<iq type='result' from='push.example.org' to='ann@example.org/phone'/>");
}

void an_error_has_condition_then_text_then_extra(void**) {
  Writer out{Bytes(room)};
  write_error(out, head,
              {.type = "modify", .condition = "bad-request", .text = "a <b> & c", .extra = "<x xmlns='urn:x'/>"});
  expect_answer(Asked({.command = {}, .answer = out.view()}), "error",
                "<error type='modify'><bad-request xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>"
                "<text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas' xml:lang='en'>a &lt;b&gt; &amp; c</text>"
                "<x xmlns='urn:x'/></error>");
}

void a_registration_is_answered_with_a_typed_form(void**) {
  Writer out{Bytes(room)};
  write_registered(out, head, "s&1", "k3Jq0Zt", 2900);
  expect_answer(Asked({.command = {}, .answer = out.view()}), "result",
                "<command xmlns='http://jabber.org/protocol/commands' node='register-device' sessionid='s&amp;1' "
                "status='completed'><x xmlns='jabber:x:data' type='result'>"
                "<field var='node' type='text-single'><value>k3Jq0Zt</value></field>"
                "<field var='features' type='text-multi'><value>tigase:push:encrypt:0</value></field>"
                "<field var='max-payload-size' type='text-single'><value>2900</value></field></x></command>");
}

// The rules of the clients that were read, each as it reads: Martin, TigaseSwift 2.1.3, Stork.
void clients_understand_the_registration(void**) {
  Writer out{Bytes(room)};
  write_registered(out, head, "s1", "k3Jq0Zt", 2900);
  const Element& iq = *stanza_of(out.view()).root;
  const Element* command = iq.child("command", "http://jabber.org/protocol/commands");
  assert_non_null(command);
  // Stork: an unknown word throws.
  expect_text(command->value("status"), "completed");
  expect_text(command->value("sessionid"), "s1");
  const Element* x = command->child("x", "jabber:x:data");
  assert_non_null(x);
  // Martin: without a type there is no form.
  expect_text(x->value("type"), "result");
  bool node = false;
  bool features = false;
  bool size = false;
  for (const Element* field = x->first_child; field != nullptr; field = field->next) {
    expect_text(field->name, "field");
    const Element* value = field->child("value", "jabber:x:data");
    assert_non_null(value);
    if (field->value("var") == "node") {
      // TigaseSwift and Stork cast to a single-line field.
      expect_text(field->value("type"), "text-single");
      expect_text(value->text, "k3Jq0Zt");
      node = true;
    } else if (field->value("var") == "features") {
      expect_text(field->value("type"), "text-multi");
      expect_text(value->text, "tigase:push:encrypt:0");
      features = true;
    } else if (field->value("var") == "max-payload-size") {
      expect_text(field->value("type"), "text-single");
      assert_int_equal(parse_number(value->text).value(), 2900);
      size = true;
    }
  }
  assert_true(node && features && size);
}

void an_unregistration_is_answered_with_an_empty_form(void**) {
  Writer out{Bytes(room)};
  write_unregistered(out, head, "");
  expect_answer(Asked({.command = {}, .answer = out.view()}), "result",
                "<command xmlns='http://jabber.org/protocol/commands' node='unregister-device' status='completed'>"
                "<x xmlns='jabber:x:data' type='result'/></command>");
}

void nothing_is_written_beyond_the_room(void**) {
  for (size_t size = 0; size < 600; ++size) {
    Writer out{Bytes(room).first(size)};
    write_registered(out, head, "s1", "k3Jq0Zt", 2900);
    Writer whole{Bytes(room).subspan(1024)};
    write_registered(whole, head, "s1", "k3Jq0Zt", 2900);
    assert_true(out.overflowed() == (size < whole.size()));
    assert_true(starts_with(whole.view(), out.view()));
  }
}

}  // namespace

TESTS(replies, cmocka_unit_test(the_answers_to_a_publish_are_the_four_safe_ones),
      cmocka_unit_test(id_and_addresses_come_back_byte_for_byte), cmocka_unit_test(without_an_id_there_is_none_to_echo),
      cmocka_unit_test(an_error_has_condition_then_text_then_extra),
      cmocka_unit_test(a_registration_is_answered_with_a_typed_form),
      cmocka_unit_test(clients_understand_the_registration),
      cmocka_unit_test(an_unregistration_is_answered_with_an_empty_form),
      cmocka_unit_test(nothing_is_written_beyond_the_room));

}  // namespace tocsin::test
