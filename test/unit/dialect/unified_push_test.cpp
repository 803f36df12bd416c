// Conversations registers endpoints, and answers what is pushed to it; the words are those of its sources.
#include "dialect/unified_push.h"

#include "test/unit/dialect/ask.h"

namespace tocsin::test {

namespace {

using Kind = Command::Kind;

constexpr string_view hash_a = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";  // bytes 0 … 31
constexpr string_view hash_b = "//////////////////////////////////////////8=";

ServiceFacts offering() {
  ServiceFacts facts = service;
  facts.unified_push = true;
  return facts;
}

Asked ask_offering(string_view xml) {
  static uint8_t room[16 * 1024];
  Writer answer{Bytes(room)};
  const Command command = read_stanza(stanza_of(xml, 8192), offering(), fresh_session, answer);
  assert_false(answer.overflowed());
  return {command, answer.view()};
}

Asked ask_register(string_view attributes, string_view type = "set") {
  static uint8_t room[4096];
  Writer out{Bytes(room)};
  out.text("<iq type='").text(type).text("' id='q1' from='ann@example.org/phone' to='push.example.org'>");
  out.text("<register xmlns='http://gultsch.de/xmpp/drafts/unified-push'").text(attributes).text("/></iq>");
  return ask_offering(out.view());
}

Asked ask_pair(string_view application, string_view instance) {
  static uint8_t room[4096];
  Writer out{Bytes(room)};
  out.text(" application='").text(application).text("' instance='").text(instance).text("'");
  return ask_register(out.view());
}

void a_registration_names_application_and_instance(void**) {
  const Asked asked = ask_pair(hash_a, hash_b);
  assert_int_equal(asked.command.kind, Kind::register_endpoint);
  for (uint8_t i = 0; i < 32; ++i) {
    assert_int_equal(asked.command.application[i], i);
    assert_int_equal(asked.command.instance[i], 0xFF);
  }
  expect_text(asked.command.iq.from, "ann@example.org/phone");
  assert_true(asked.answer.empty());
}

void a_malformed_one_is_a_bad_request(void**) {
  constexpr string_view about_application =
      "<error type='modify'><bad-request xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/><text "
      "xmlns='urn:ietf:params:xml:ns:xmpp-stanzas' xml:lang='en'>Attribute application must be the base64 of 32 "
      "bytes.</text></error>";
  constexpr string_view about_instance =
      "<error type='modify'><bad-request xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/><text "
      "xmlns='urn:ietf:params:xml:ns:xmpp-stanzas' xml:lang='en'>Attribute instance must be the base64 of 32 "
      "bytes.</text></error>";
  for (const string_view wrong :
       {"", "x", "AAECAw==", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8",
        "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh9=", "not base64 but as long as it has to be!!!!",
        "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8g"}) {
    const Asked first = ask_pair(wrong, hash_b);
    assert_int_equal(first.command.kind, Kind::answered);
    expect_answer(first, "error", about_application);
    expect_answer(ask_pair(hash_a, wrong), "error", about_instance);
  }
  expect_answer(ask_register(""), "error", about_application);
}

void it_is_not_known_where_it_is_not_offered_and_never_an_iq_get(void**) {
  static uint8_t room[4096];
  Writer out{Bytes(room)};
  out.text("<register xmlns='http://gultsch.de/xmpp/drafts/unified-push' application='").text(hash_a);
  out.text("' instance='").text(hash_a).text("'/>");
  expect_answer(ask_set(out.view()), "error", unsupported);
  expect_answer(ask_register("", "get"), "error", unsupported);
}

void disco_shows_the_feature_only_where_it_is_offered(void**) {
  constexpr string_view query = "<query xmlns='http://jabber.org/protocol/disco#info'/>";
  constexpr string_view feature = "<feature var='http://gultsch.de/xmpp/drafts/unified-push'/>";
  assert_true(ask_get(query).answer.find(feature) == string_view::npos);
  const Asked asked = ask_offering(
      "<iq type='get' id='q1' from='ann@example.org/phone' to='push.example.org'><query "
      "xmlns='http://jabber.org/protocol/disco#info'/></iq>");
  assert_true(asked.answer.find(feature) != string_view::npos);
}

void the_answer_has_endpoint_and_expiration(void**) {
  uint8_t room[1024];
  Writer out{Bytes(room)};
  write_endpoint(out, {.id = "p1", .from = "ann@example.org/phone", .to = "push.example.org"},
                 "https://push.example.org/up/AbC", UnixTime{1'788'955'200});
  expect_text(out.view(),
              "<iq type='result' id='p1' from='push.example.org' to='ann@example.org/phone'><registered "
              "xmlns='http://gultsch.de/xmpp/drafts/unified-push' expiration='2026-09-09T12:00:00Z' "
              "endpoint='https://push.example.org/up/AbC'/></iq>");
}

void a_push_carries_the_bytes_and_both_hashes_as_they_came(void**) {
  const Asked asked = ask_pair(hash_a, hash_b);
  uint8_t room[1024];
  Writer out{Bytes(room)};
  write_push(out, {.id = "q1", .from = "ann@example.org/phone", .to = "push.example.org"}, asked.command.application,
             asked.command.instance, bytes_of("hello"));
  expect_text(out.view(),
              "<iq type='set' id='q1' from='push.example.org' to='ann@example.org/phone'><push "
              "xmlns='http://gultsch.de/xmpp/drafts/unified-push' application='"
              "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=' "
              "instance='//////////////////////////////////////////8='>aGVsbG8=</push></iq>");
}

void the_longest_push_fits_the_room_that_is_said(void**) {
  static uint8_t jid[jid_bytes_max];
  std::memset(jid, '\'', sizeof jid);
  static uint8_t body[4096];
  static uint8_t room[push_stanza_bytes(sizeof body)];
  Writer out{Bytes(room)};
  const Asked asked = ask_pair(hash_a, hash_b);
  write_push(out, {.id = "0123456789abcdef", .from = text_of(jid), .to = text_of(jid)}, asked.command.application,
             asked.command.instance, body);
  assert_false(out.overflowed());
}

void answers_to_our_pushes_are_read(void**) {
  const Asked done = ask_offering("<iq type='result' id='r7' from='ann@example.org/phone' to='push.example.org'/>");
  assert_int_equal(done.command.kind, Kind::reply);
  expect_text(done.command.iq.id, "r7");
  expect_text(done.command.iq.from, "ann@example.org/phone");
  expect_text(done.command.condition, "");

  const Asked gone = ask_offering(
      "<iq type='error' id='r7' from='ann@example.org/phone' to='push.example.org'><push "
      "xmlns='http://gultsch.de/xmpp/drafts/unified-push'>aGVsbG8=</push><error type='cancel' code='404'><text "
      "xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'>no</text><item-not-found "
      "xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>");
  assert_int_equal(gone.command.kind, Kind::reply);
  expect_text(gone.command.error_type, "cancel");
  expect_text(gone.command.condition, "item-not-found");

  for (const string_view odd : {"<iq type='error' id='r7' from='ann@example.org/phone' to='push.example.org'/>",
                                "<iq type='error' id='r7' from='ann@example.org/phone' to='push.example.org'><error "
                                "type='wait'><busy xmlns='urn:other'/></error></iq>"}) {
    expect_text(ask_offering(odd).command.condition, "undefined-condition");
  }
}

void presence_says_who_is_there(void**) {
  const Asked here = ask_offering("<presence from='ann@example.org/phone' to='push.example.org'/>");
  assert_int_equal(here.command.kind, Kind::presence);
  assert_true(here.command.available);
  const Asked away = ask_offering("<presence type='unavailable' from='ann@example.org/phone' to='push.example.org'/>");
  assert_int_equal(away.command.kind, Kind::presence);
  assert_false(away.command.available);
  for (const string_view other :
       {"<presence type='subscribe' from='ann@example.org' to='push.example.org'/>",
        "<presence type='error' from='ann@example.org/phone' to='push.example.org'/>",
        "<presence to='push.example.org'/>", "<message from='ann@example.org/phone' to='push.example.org'/>"}) {
    assert_int_equal(ask_offering(other).command.kind, Kind::ignore);
  }
}

void none_of_it_is_heard_where_it_is_not_offered(void**) {
  for (const string_view told : {"<presence from='ann@example.org/phone' to='push.example.org'/>",
                                 "<iq type='result' id='r7' from='ann@example.org/phone' to='push.example.org'/>"}) {
    assert_int_equal(ask(told).command.kind, Kind::ignore);
  }
}

}  // namespace

TESTS(unified_push, cmocka_unit_test(a_registration_names_application_and_instance),
      cmocka_unit_test(a_malformed_one_is_a_bad_request),
      cmocka_unit_test(it_is_not_known_where_it_is_not_offered_and_never_an_iq_get),
      cmocka_unit_test(disco_shows_the_feature_only_where_it_is_offered),
      cmocka_unit_test(the_answer_has_endpoint_and_expiration),
      cmocka_unit_test(a_push_carries_the_bytes_and_both_hashes_as_they_came),
      cmocka_unit_test(the_longest_push_fits_the_room_that_is_said), cmocka_unit_test(answers_to_our_pushes_are_read),
      cmocka_unit_test(presence_says_who_is_there), cmocka_unit_test(none_of_it_is_heard_where_it_is_not_offered));

}  // namespace tocsin::test
