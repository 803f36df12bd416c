#include "dialect/dialects.h"

#include "base/text.h"
#include "base/writer.h"
#include "test/unit/dialect/ask.h"

namespace tocsin::test {

namespace {

using Kind = Command::Kind;

uint8_t xml_room[200 * 1024];
uint8_t big_room[128 * 1024];

void fill(Writer& out, size_t count, char c) {
  for (size_t i = 0; i < count; ++i) out.character(c);
}

void only_gets_and_sets_are_answered(void**) {
  for (const string_view xml : {
           "<iq type='result' id='1' from='example.org' to='push.example.org'/>",
           "<iq type='error' id='1' from='example.org' to='push.example.org'><error type='cancel'/></iq>",
           "<iq type='error' id='1' from='example.org' to='push.example.org'><pubsub "
           "xmlns='http://jabber.org/protocol/pubsub'><publish node='n1'/></pubsub></iq>",
           "<iq type='GET' id='1' from='example.org' to='push.example.org'><ping xmlns='urn:xmpp:ping'/></iq>",
           "<iq id='1' from='example.org' to='push.example.org'><ping xmlns='urn:xmpp:ping'/></iq>",
           "<iq type='get' id='1' to='push.example.org'><ping xmlns='urn:xmpp:ping'/></iq>",
           "<message type='get' id='1' from='example.org' to='push.example.org'><ping "
           "xmlns='urn:xmpp:ping'/></message>",
           "<message type='error' from='example.org' to='push.example.org'><error type='cancel'/></message>",
           "<presence type='subscribe' from='ann@example.org' to='push.example.org'/>",
       }) {
    const Asked asked = ask(xml);
    assert_int_equal(asked.command.kind, Kind::ignore);
    expect_text(asked.answer, "");
  }
}

void unknown_requests_are_not_supported(void**) {
  for (const string_view payload :
       {"<query xmlns='jabber:iq:last'/>", "<ping xmlns='urn:other'/>", "<ping/>", "<query/>", ""}) {
    expect_answer(ask_get(payload), "error", unsupported);
    expect_answer(ask_set(payload), "error", unsupported);
  }
}

void a_stanza_of_any_stream_namespace_is_the_same(void**) {
  for (const string_view ns : {"jabber:client", "jabber:server", "jabber:component:accept", ""}) {
    Writer out{Bytes(xml_room)};
    out.text("<iq xmlns='").text(ns).text("' type='get' id='q1' from='ann@example.org/phone' to='push.example.org'>");
    out.text("<ping xmlns='urn:xmpp:ping'/></iq>");
    expect_answer(ask(out.view()), "result", "");
  }
}

void an_iq_without_id_or_to_is_answered_all_the_same(void**) {
  expect_text(ask("<iq type='get' from='ann@example.org/phone'><ping xmlns='urn:xmpp:ping'/></iq>").answer,
              "<iq type='result' from='push.example.org' to='ann@example.org/phone'/>");
  const Asked asked =
      ask("<iq type='set' from='example.org'><pubsub xmlns='http://jabber.org/protocol/pubsub'>"
          "<publish node='n1'/></pubsub></iq>");
  assert_int_equal(asked.command.kind, Kind::publish);
  expect_text(asked.command.iq.id, "");
  expect_text(asked.command.iq.to, "push.example.org");
}

void the_answer_comes_from_where_it_was_asked(void**) {
  expect_text(ask("<iq type='get' id='1' from='example.org/5e88' to='Push.Example.org/x'>"
                  "<ping xmlns='urn:xmpp:ping'/></iq>")
                  .answer,
              "<iq type='result' id='1' from='Push.Example.org/x' to='example.org/5e88'/>");
}

// An IQ whose id, from or to (by place) has this many bytes.
string_view iq_with(unsigned place, size_t size, char c, string_view type, string_view payload) {
  Writer out{Bytes(xml_room)};
  constexpr string_view names[] = {"id", "from", "to"};
  constexpr string_view usual[] = {"q1", "ann@example.org/phone", "push.example.org"};
  out.text("<iq type='").text(type).text("'");
  for (unsigned i = 0; i < 3; ++i) {
    out.text(" ").text(names[i]).text("=\"");
    if (i == place) {
      fill(out, size, c);
    } else {
      out.text(usual[i]);
    }
    out.text("\"");
  }
  out.text(">").text(payload).text("</iq>");
  assert_false(out.overflowed());
  return out.view();
}

void endless_ids_and_addresses_are_answered_wait_and_not_kept(void**) {
  constexpr string_view publish = "<pubsub xmlns='http://jabber.org/protocol/pubsub'><publish node='n1'/></pubsub>";
  const size_t most[] = {1023, 3071, 3071};
  for (unsigned place = 0; place < 3; ++place) {
    assert_int_equal(ask(iq_with(place, most[place], 'a', "set", publish)).command.kind, Kind::publish);
    const Asked ping = ask(iq_with(place, most[place], '\'', "get", "<ping xmlns='urn:xmpp:ping'/>"));
    expect_text(slice(ping.answer, 0, 17), "<iq type='result'");
    for (const string_view type : {"get", "set"}) {
      const Asked asked = ask(iq_with(place, most[place] + 1, '\'', type, publish));
      assert_int_equal(asked.command.kind, Kind::answered);
      const Stanza& answer = stanza_of(asked.answer, 256 * 1024);
      expect_text(answer.root->value("id"), asked.command.iq.id);
      expect_text(answer.root->value("to"), asked.command.iq.from);
      expect_text(answer.root->value("from"), asked.command.iq.to);
      const Element* error = answer.root->child("error", "jabber:component:accept");
      assert_non_null(error);
      expect_text(error->value("type"), "wait");
      expect_text(error->first_child->name, "internal-server-error");
    }
  }
}

void the_longest_addresses_fit_into_48_kib(void**) {
  Writer xml{Bytes(xml_room)};
  xml.text("<iq type='set' id=\"");
  fill(xml, 1023, '\'');
  xml.text("\" from=\"");
  fill(xml, 3071, '\'');
  xml.text("\" to=\"");
  fill(xml, 3071, '\'');
  xml.text("\"><x/></iq>");
  Writer answer{Bytes(big_room).first(48 * 1024)};
  const Command command = read_stanza(stanza_of(xml.view()), service, fresh_session, answer);
  assert_int_equal(command.kind, Kind::answered);
  assert_non_null(try_stanza_of(answer.view()));
}

void an_answer_that_does_not_fit_becomes_a_wait(void**) {
  const Stanza& question = stanza_of(
      "<iq type='get' id='q1' from='ann@example.org/phone' to='push.example.org'>"
      "<query xmlns='http://jabber.org/protocol/disco#info'/></iq>");
  Writer small{Bytes(big_room).first(300)};
  small.text("before");
  const Command command = read_stanza(question, service, fresh_session, small);
  assert_int_equal(command.kind, Kind::answered);
  assert_false(small.overflowed());
  expect_text(slice(small.view(), 0, 6), "before");
  expect_answer(Asked({.command = command, .answer = slice(small.view(), 6)}), "error", wait_internal);

  // Not even that: nothing is said.
  Writer tiny{Bytes(big_room).first(40)};
  tiny.text("before");
  assert_int_equal(read_stanza(question, service, fresh_session, tiny).kind, Kind::ignore);
  assert_false(tiny.overflowed());
  expect_text(tiny.view(), "before");
}

// ---- over a limit

// The stanza of an IQ to us that is read up to `bytes_max` bytes only.
Asked ask_cut(string_view type, string_view payload, size_t bytes_max) {
  Writer out{Bytes(xml_room)};
  out.text("<iq type='").text(type).text("' id='q1' from='ann@example.org/phone' to='push.example.org'>");
  out.text(payload).text("</iq>");
  assert_false(out.overflowed());
  assert_true(stanza_of(out.view(), bytes_max).odd);
  return ask(out.view(), bytes_max);
}

constexpr string_view publish_start =
    "<pubsub xmlns='http://jabber.org/protocol/pubsub'><publish node='n1'><item>"
    "<notification xmlns='urn:xmpp:push:0'><x xmlns='jabber:x:data'><field var='message-count'><value>0</value></field>"
    "<field var='last-message-body'><value>";
constexpr string_view publish_end = "</value></field></x></notification></item></publish></pubsub>";

void a_publish_over_the_limit_is_a_wake_up_if_the_node_was_read(void**) {
  Writer out{Bytes(big_room)};
  out.text(publish_start);
  fill(out, 70'000, 'a');
  out.text(publish_end);
  const string_view payload = out.view();
  size_t wakes = 0;
  for (const size_t bytes_max : {90u, 130u, 170u, 220u, 300u, 400u, 1000u, 65536u}) {
    const Asked asked = ask_cut("set", payload, bytes_max);
    if (asked.command.kind != Kind::publish) {
      // The cut came before the node.
      assert_true(wakes == 0);
      expect_answer(asked, "error", wait_unavailable);
      continue;
    }
    ++wakes;
    static uint8_t room[256];
    expect_text(words_of(asked.command, Bytes(room)), "publish n1 incomplete");
  }
  assert_true(wakes >= 5);
}

void a_publish_that_is_too_deep_or_too_wide_is_a_wake_up(void**) {
  static uint8_t room[256];
  Writer deep{Bytes(big_room)};
  deep.text(publish_start).text("hi").text("</value></field></x>");
  for (int i = 0; i < 50; ++i) deep.text("<a>");
  for (int i = 0; i < 50; ++i) deep.text("</a>");
  deep.text("</notification></item></publish></pubsub>");
  expect_text(words_of(ask_cut("set", deep.view(), 65536).command, Bytes(room)), "publish n1 incomplete");

  Writer wide{Bytes(big_room)};
  wide.text(publish_start).text("hi").text("</value></field></x>");
  for (int i = 0; i < 600; ++i) wide.text("<a/>");
  wide.text("</notification></item></publish></pubsub>");
  expect_text(words_of(ask_cut("set", wide.view(), 65536).command, Bytes(room)), "publish n1 incomplete");

  Writer many{Bytes(big_room)};
  many.text(publish_start).text("hi").text("</value></field></x><a");
  for (int i = 0; i < 1100; ++i) many.text(" a").unsigned_number(static_cast<uint64_t>(i)).text("='1'");
  many.text("/></notification></item></publish></pubsub>");
  expect_text(words_of(ask_cut("set", many.view(), 65536).command, Bytes(room)), "publish n1 incomplete");
}

void whatever_else_is_over_the_limit_is_answered_wait(void**) {
  for (const string_view start : {
           "<pubsub xmlns='http://jabber.org/protocol/pubsub'><publish/><a>",
           "<pubsub xmlns='http://jabber.org/protocol/pubsub'><a>",
           "<command xmlns='http://jabber.org/protocol/commands' node='register-device'><a>",
           "<query xmlns='http://jabber.org/protocol/disco#info'><a>",
           "<x><a>",
       }) {
    Writer out{Bytes(big_room)};
    const string_view first = slice(start, 1, start.find_first_of(" >") - 1);
    out.text(start);
    fill(out, 2000, 'a');
    out.text("</a></").text(first).text(">");
    expect_answer(ask_cut("set", out.view(), 1000), "error", wait_unavailable);
    expect_answer(ask_cut("get", out.view(), 1000), "error", wait_unavailable);
  }
  Writer out{Bytes(big_room)};
  out.text("<x ");
  fill(out, 2000, 'a');
  out.text("='1'/>");
  expect_answer(ask_cut("set", out.view(), 1000), "error", wait_unavailable);
}

}  // namespace

TESTS(dialects, cmocka_unit_test(only_gets_and_sets_are_answered), cmocka_unit_test(unknown_requests_are_not_supported),
      cmocka_unit_test(a_stanza_of_any_stream_namespace_is_the_same),
      cmocka_unit_test(an_iq_without_id_or_to_is_answered_all_the_same),
      cmocka_unit_test(the_answer_comes_from_where_it_was_asked),
      cmocka_unit_test(endless_ids_and_addresses_are_answered_wait_and_not_kept),
      cmocka_unit_test(the_longest_addresses_fit_into_48_kib),
      cmocka_unit_test(an_answer_that_does_not_fit_becomes_a_wait),
      cmocka_unit_test(a_publish_over_the_limit_is_a_wake_up_if_the_node_was_read),
      cmocka_unit_test(a_publish_that_is_too_deep_or_too_wide_is_a_wake_up),
      cmocka_unit_test(whatever_else_is_over_the_limit_is_answered_wait));

}  // namespace tocsin::test
