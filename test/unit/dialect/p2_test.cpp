// The words of Conversations and its family, and of apps made for Openfire's push server, as their sources write them.
#include "dialect/p2.h"

#include "base/text.h"
#include "base/writer.h"
#include "dialect/replies.h"
#include "test/unit/dialect/ask.h"

namespace tocsin::test {

namespace {

using Kind = Command::Kind;

string_view words(const Asked& asked) {
  static uint8_t room[4096];
  return words_of(asked.command, Bytes(room));
}

constexpr string_view form =
    "<x xmlns='jabber:x:data' type='submit'><field var='token'><value>fcm:APA91b_x-1</value></field>"
    "<field var='android-id'><value>92afd7a91cdba9a0</value></field></x>";

Asked ask_command(string_view attributes, string_view content) {
  static uint8_t room[32 * 1024];
  Writer out{Bytes(room)};
  out.text("<command xmlns='http://jabber.org/protocol/commands' ").text(attributes).text(">");
  out.text(content).text("</command>");
  assert_false(out.overflowed());
  return ask_rich_set(out.view());
}

void expect_bad_request(const Asked& asked, string_view text) {
  uint8_t room[1024];
  Writer want{Bytes(room)};
  want.text(
      "<error type='modify'><bad-request xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>"
      "<text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas' xml:lang='en'>");
  expect_answer(asked, "error", want.text(text).text("</text></error>").view());
}

void conversations_of_every_age_is_understood(void**) {
  // 2.12.8, 2.19 and Snikket Android; the newest code begins with `complete`; older code and p2's own tests say
  // nothing.
  for (const string_view action : {" action='execute'", " action='complete'", " action='next'", ""}) {
    uint8_t room[128];
    Writer attributes{Bytes(room)};
    attributes.text("node='register-push-fcm'").text(action);
    expect_text(words(ask_command(attributes.view(), form)),
                "register-device token=fcm:APA91b_x-1 session=fresh-1 service=fcm device=92afd7a91cdba9a0 "
                "asked=register-push-fcm p2");
  }
}

void a_group_chat_is_a_channel_of_the_device(void**) {
  const string_view with_muc =
      "<x xmlns='jabber:x:data' type='submit'><field var='token'><value>t1</value></field>"
      "<field var='android-id'><value>d1</value></field><field "
      "var='muc'><value>tea@muc.example.org</value></field></x>";
  expect_text(words(ask_command("node='register-push-fcm' action='execute'", with_muc)),
              "register-device token=t1 session=fresh-1 service=fcm device=d1 channel=tea@muc.example.org "
              "asked=register-push-fcm p2");
  expect_text(words(ask_command("node='unregister-push-fcm' action='execute'", with_muc)),
              "unregister-device session=fresh-1 service=fcm device=d1 channel=tea@muc.example.org "
              "asked=unregister-push-fcm p2");
  expect_bad_request(
      ask_command("node='register-push-fcm'",
                  "<x xmlns='jabber:x:data'><field var='token'><value>t</value></field><field var='android-id'><value>d"
                  "</value></field><field var='muc'><value>tea@muc.example.org/ann</value></field></x>"),
      "Field muc is not a bare JID.");
}

void the_service_is_named_in_either_case(void**) {
  const Asked asked = ask_command("node='register-push-FCM'", form);
  expect_text(asked.command.service, "fcm");
  expect_text(asked.command.asked, "register-push-FCM");
}

void apps_for_openfire_name_a_device_id(void**) {
  const string_view openfire =
      "<x xmlns='jabber:x:data' type='submit'><field var='token'><value>0a1b</value></field>"
      "<field var='device-id'><value>device 7</value></field></x>";
  expect_text(words(ask_command("node='register-push-apns' action='execute'", openfire)),
              "register-device token=0a1b session=fresh-1 service=apns device=device 7 asked=register-push-apns "
              "openfire");
  expect_text(words(ask_command("node='unregister-push-apns' action='execute'", openfire)),
              "unregister-device session=fresh-1 service=apns device=device 7 asked=unregister-push-apns openfire");
  // Of both names the first counts unless it is empty, as p2 reads them.
  const string_view both =
      "<x xmlns='jabber:x:data'><field var='android-id'><value>a</value></field><field var='token'><value>t</value>"
      "</field><field var='device-id'><value>d</value></field></x>";
  expect_text(ask_command("node='register-push-fcm'", both).command.device_id, "d");
  const string_view empty =
      "<x xmlns='jabber:x:data'><field var='android-id'><value>a</value></field><field var='token'><value>t</value>"
      "</field><field var='device-id'><value/></field></x>";
  expect_text(ask_command("node='register-push-fcm'", empty).command.device_id, "a");
  assert_int_equal(ask_command("node='register-push-fcm'", empty).command.dialect, DialectId::p2);
}

void what_is_missing_is_named(void**) {
  expect_bad_request(ask_command("node='register-push-fcm'", "<x xmlns='jabber:x:data'/>"),
                     "Field token is missing or empty.");
  expect_bad_request(ask_command("node='register-push-fcm' action='complete'", ""), "Field token is missing or empty.");
  expect_bad_request(ask_command("node='register-push-fcm'",
                                 "<x xmlns='jabber:x:data'><field var='token'><value>t</value></field></x>"),
                     "Field device-id is missing or empty.");
  expect_bad_request(ask_command("node='unregister-push-fcm'", "<x xmlns='jabber:x:data'/>"),
                     "Field device-id is missing or empty.");
}

void services_without_a_section_are_unknown_commands(void**) {
  for (const string_view node : {"node='register-push-wns'", "node='register-push-'", "node='register-push'",
                                 "node='Register-push-fcm'", "node='register-push-fcm '"}) {
    expect_answer(ask_command(node, form), "error", not_found);
  }
  const Asked plain = ask_set("<command xmlns='http://jabber.org/protocol/commands' node='register-push-fcm'/>");
  expect_answer(plain, "error", no_section);
  assert_true(plain.command.refusal == Refusal::missing && plain.command.dialect == DialectId::p2);
  const Asked leaving = ask_set("<command xmlns='http://jabber.org/protocol/commands' node='unregister-push-fcm'/>");
  expect_answer(leaving, "error", not_found);
  assert_true(leaving.command.refusal == Refusal::none);
}

void several_sections_of_which_none_is_preferred_are_said(void**) {
  constexpr string_view fcm[] = {"fcm"};
  ServiceFacts undecided = service;
  undecided.undecided = fcm;
  const auto asked_of = [&undecided](string_view node, string_view fields) {
    static uint8_t question[1024];
    static uint8_t answer_room[1024];
    Writer out{Bytes(question)};
    out.text("<iq type='set' id='q1' from='ann@example.org/phone' to='push.example.org'>");
    out.text("<command xmlns='http://jabber.org/protocol/commands' node='").text(node).text("'>").text(fields);
    Writer answer{Bytes(answer_room)};
    const Command command =
        read_stanza(stanza_of(out.text("</command></iq>").view(), 4096), undecided, fresh_session, answer);
    return Asked{command, answer.view()};
  };
  const string_view said =
      "<error type='cancel'><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>"
      "<text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas' xml:lang='en'>The conf of this gateway has several sections "
      "of "
      "this kind, and dialect = p2 in none of them.</text></error>";
  for (const string_view node : {"register-push-fcm", "register-push-FCM", "v1-register-push"}) {
    const Asked asked = asked_of(node, form);
    expect_answer(asked, "error", said);
    assert_true(asked.command.refusal == Refusal::undecided);
  }
  expect_answer(asked_of("register-push-apns", form), "error", no_section);
  // Where another kind is offered, v1 is there and names its service in the form.
  constexpr string_view apns[] = {"apns"};
  undecided.services = apns;
  const Asked asked =
      asked_of("v1-register-push", "<x xmlns='jabber:x:data'><field var='type'><value>fcm</value></field></x>");
  expect_answer(asked, "error",
                "<error type='modify'><bad-request xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>"
                "<text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas' xml:lang='en'>Field type: the conf of this gateway "
                "has several sections of this kind, and dialect = p2 in none of them.</text></error>");
  assert_true(asked.command.refusal == Refusal::undecided);
}

void people_get_a_form(void**) {
  expect_answer(ask_command("node='register-push-apns' action='execute'", ""), "result",
                "<command xmlns='http://jabber.org/protocol/commands' node='register-push-apns' sessionid='fresh-1' "
                "status='executing'><actions execute='complete'><complete/></actions>"
                "<x xmlns='jabber:x:data' type='form'><title>Register for push (APNs)</title>"
                "<field var='token' type='text-single' label='Device token'><required/></field>"
                "<field var='device-id' type='text-single' label='Device id'><required/></field>"
                "<field var='muc' type='text-single' label='Group chat'/></x></command>");
  expect_answer(ask_command("node='unregister-push-apns' action='cancel'", ""), "result",
                "<command xmlns='http://jabber.org/protocol/commands' node='unregister-push-apns' sessionid='fresh-1' "
                "status='canceled'/>");
}

void offered_services_are_listed(void**) {
  expect_answer(
      ask_rich_get(
          "<query xmlns='http://jabber.org/protocol/disco#items' node='http://jabber.org/protocol/commands'/>"),
      "result",
      "<query xmlns='http://jabber.org/protocol/disco#items' node='http://jabber.org/protocol/commands'>"
      "<item jid='push.example.org' node='register-device' name='Register device'/>"
      "<item jid='push.example.org' node='unregister-device' name='Unregister device'/>"
      "<item jid='push.example.org' node='register-push-apns' name='Register for push (APNs)'/>"
      "<item jid='push.example.org' node='register-push-fcm' name='Register for push (FCM)'/>"
      "<item jid='push.example.org' node='unregister-push-apns' name='Unregister from push (APNs)'/>"
      "<item jid='push.example.org' node='unregister-push-fcm' name='Unregister from push (FCM)'/>"
      "<item jid='push.example.org' node='v1-register-push' name='Register for push (version 1)'/>"
      "<item jid='push.example.org' node='v1-unregister-push' name='Unregister from push (version 1)'/></query>");
  expect_answer(ask_rich_get("<query xmlns='http://jabber.org/protocol/disco#info' node='register-push-fcm'/>"),
                "result",
                "<query xmlns='http://jabber.org/protocol/disco#info' node='register-push-fcm'>"
                "<identity category='automation' type='command-node' name='Register for push (FCM)'/>"
                "<feature var='http://jabber.org/protocol/disco#info'/>"
                "<feature var='http://jabber.org/protocol/commands'/><feature var='jabber:x:data'/></query>");
}

// The rules of the clients that were read: the form has jid (up to 2.12), node and secret, not empty, and the
// status is `completed` (the newest).
void clients_understand_the_answer(void**) {
  static uint8_t room[2048];
  Writer out{Bytes(room)};
  const IqHead head{.id = "q1", .from = "ann@example.org/phone", .to = "push.example.org"};
  write_registered(out, head, {.node = "register-push-fcm", .session = "s1"},
                   {.jid = "push.example.org", .node = "eKxTS5n3bOe0", .secret = "KK4&wpX"});
  expect_answer(Asked({.command = {}, .answer = out.view()}), "result",
                "<command xmlns='http://jabber.org/protocol/commands' node='register-push-fcm' sessionid='s1' "
                "status='completed'><x xmlns='jabber:x:data' type='form'>"
                "<field var='jid' type='jid-single'><value>push.example.org</value></field>"
                "<field var='node' type='text-single'><value>eKxTS5n3bOe0</value></field>"
                "<field var='secret' type='text-single'><value>KK4&amp;wpX</value></field></x></command>");
  out.rewind(0);
  write_completed(out, head, {.node = "unregister-push-fcm", .session = "s1"});
  expect_answer(Asked({.command = {}, .answer = out.view()}), "result",
                "<command xmlns='http://jabber.org/protocol/commands' node='unregister-push-fcm' sessionid='s1' "
                "status='completed'/>");
}

}  // namespace

TESTS(p2, cmocka_unit_test(conversations_of_every_age_is_understood),
      cmocka_unit_test(a_group_chat_is_a_channel_of_the_device), cmocka_unit_test(the_service_is_named_in_either_case),
      cmocka_unit_test(apps_for_openfire_name_a_device_id), cmocka_unit_test(what_is_missing_is_named),
      cmocka_unit_test(services_without_a_section_are_unknown_commands),
      cmocka_unit_test(several_sections_of_which_none_is_preferred_are_said), cmocka_unit_test(people_get_a_form),
      cmocka_unit_test(offered_services_are_listed), cmocka_unit_test(clients_understand_the_answer));

}  // namespace tocsin::test
