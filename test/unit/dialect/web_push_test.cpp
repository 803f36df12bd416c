// A Web Push subscription registers in the words of register-device.
#include "base/writer.h"
#include "test/unit/dialect/ask.h"

namespace tocsin::test {

namespace {

string_view words(const Asked& asked) {
  static uint8_t room[4096];
  return words_of(asked.command, Bytes(room));
}

Asked ask_form(string_view node, string_view form) {
  static uint8_t room[8192];
  Writer out{Bytes(room)};
  out.text("<command xmlns='http://jabber.org/protocol/commands' node='").text(node).text("'>").text(form);
  out.text("</command>");
  assert_false(out.overflowed());
  return ask_set(out.view());
}

void a_subscription_may_be_json_or_fields(void**) {
  expect_text(
      words(ask_form("register-device",
                     "<x xmlns='jabber:x:data' type='submit'><field var='provider'><value>webpush</value></field>"
                     "<field var='device-token'><value>{\"endpoint\":\"https://up.example.net/x\",\"keys\":"
                     "{\"p256dh\":\"BP\",\"auth\":\"a\"}}</value></field></x>")),
      "register-device provider=webpush token={\"endpoint\":\"https://up.example.net/x\",\"keys\":{\"p256dh\":\"BP\","
      "\"auth\":\"a\"}} session=fresh-1");
  expect_text(words(ask_form(
                  "register-device",
                  "<x xmlns='jabber:x:data' type='submit'><field var='provider'><value>webpush</value></field>"
                  "<field var='endpoint'><value>https://up.example.net/x</value></field>"
                  "<field var='p256dh'><value>BP_-</value></field><field var='auth'><value>a_-</value></field></x>")),
              "register-device provider=webpush token=https://up.example.net/x p256dh=BP_- auth=a_- session=fresh-1");
}

void unregistering_takes_the_bare_endpoint(void**) {
  for (const string_view field : {"endpoint", "device-token"}) {
    uint8_t room[512];
    Writer form{Bytes(room)};
    form.text("<x xmlns='jabber:x:data'><field var='provider'><value>webpush</value></field><field var='").text(field);
    form.text("'><value>https://up.example.net/x</value></field></x>");
    expect_text(words(ask_form("unregister-device", form.view())),
                "unregister-device provider=webpush token=https://up.example.net/x session=fresh-1");
  }
}

void the_form_shows_the_key_where_web_push_is_offered(void**) {
  ServiceFacts offering = service;
  offering.vapid_key = "BNx_y-z";
  static uint8_t room[4096];
  Writer answer{Bytes(room)};
  const Command command =
      read_stanza(stanza_of("<iq type='set' id='q1' from='ann@example.org/web' to='push.example.org'><command "
                            "xmlns='http://jabber.org/protocol/commands' node='register-device'/></iq>",
                            8192),
                  offering, fresh_session, answer);
  assert_int_equal(command.kind, Command::Kind::answered);
  for (const string_view part :
       {"<field var='p256dh' type='text-single' label='Web Push: p256dh of the subscription'/>",
        "<field var='auth' type='text-single' label='Web Push: auth of the subscription'/>",
        "<field var='vapid-key' type='fixed' label='Web Push: the key to subscribe "
        "with'><value>BNx_y-z</value></field>"}) {
    assert_true(answer.view().find(part) != string_view::npos);
  }
  assert_true(ask_form("register-device", "").answer.find("p256dh") == string_view::npos);
}

void discovery_shows_the_key_where_web_push_is_offered(void**) {
  ServiceFacts offering = service;
  offering.vapid_key = "BNx_y-z";
  static uint8_t room[4096];
  for (const string_view node : {"", " node='register-device'"}) {
    uint8_t question_room[256];
    Writer question(question_room);
    question.text("<iq type='get' id='q1' from='ann@example.org/web' to='push.example.org'><query ");
    question.text("xmlns='http://jabber.org/protocol/disco#info'").text(node).text("/></iq>");
    Writer answer{Bytes(room)};
    const Command command = read_stanza(stanza_of(question.view(), 8192), offering, fresh_session, answer);
    assert_int_equal(command.kind, Command::Kind::answered);
    constexpr string_view form =
        "<x xmlns='jabber:x:data' type='result'><field var='FORM_TYPE' type='hidden'><value>tocsin:webpush:0</value>"
        "</field><field var='vapid-key'><value>BNx_y-z</value></field></x></query></iq>";
    assert_true((answer.view().find(form) != string_view::npos) == node.empty());
  }
}

}  // namespace

TESTS(web_push, cmocka_unit_test(a_subscription_may_be_json_or_fields),
      cmocka_unit_test(unregistering_takes_the_bare_endpoint),
      cmocka_unit_test(the_form_shows_the_key_where_web_push_is_offered),
      cmocka_unit_test(discovery_shows_the_key_where_web_push_is_offered));

}  // namespace tocsin::test
