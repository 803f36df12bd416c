// The words of mod_push_appserver's clients.
#include "dialect/appserver.h"

#include "base/writer.h"
#include "dialect/replies.h"
#include "test/unit/dialect/ask.h"

namespace tocsin::test {

namespace {

string_view words(const Asked& asked) {
  static uint8_t room[4096];
  return words_of(asked.command, Bytes(room));
}

Asked ask_command(string_view attributes, string_view content) {
  static uint8_t room[32 * 1024];
  Writer out{Bytes(room)};
  out.text("<command xmlns='http://jabber.org/protocol/commands' ").text(attributes).text(">");
  out.text(content).text("</command>");
  assert_false(out.overflowed());
  return ask_rich_set(out.view());
}

void old_builds_of_monal_are_understood(void**) {
  expect_text(
      words(ask_command(
          "node='v1-register-push' action='execute'",
          "<x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'><value>https://github.com/tmolitor-stud-tu/"
          "mod_push_appserver/#v1-register-push</value></field><field var='type'><value>apns</value></field>"
          "<field var='node'><value>0B2D-device-uuid</value></field><field "
          "var='token'><value>0a1b</value></field></x>")),
      "register-device token=0a1b session=fresh-1 service=apns device=0B2D-device-uuid asked=v1-register-push v1");
}

// Through Smack's RemoteCommand: no types, no FORM_TYPE.
void yaxim_is_understood(void**) {
  const string_view form =
      "<x xmlns='jabber:x:data' type='submit'><field var='type'><value>fcm</value></field><field var='node'><value>"
      "dev1</value></field><field var='token'><value>APA91</value></field></x>";
  expect_text(words(ask_command("node='v1-register-push' action='execute'", form)),
              "register-device token=APA91 session=fresh-1 service=fcm device=dev1 asked=v1-register-push v1");
  expect_text(words(ask_command("node='v1-register-push' action='complete' sessionid='s1'", form)),
              "register-device token=APA91 session=s1 service=fcm device=dev1 asked=v1-register-push v1");
}

// Its form lacks the token, on which mod_push_appserver insists all the same.
void unregistering_needs_no_token(void**) {
  expect_text(words(ask_command("node='v1-unregister-push' action='execute'",
                                "<x xmlns='jabber:x:data'><field var='type'><value>fcm</value></field>"
                                "<field var='node'><value>dev1</value></field></x>")),
              "unregister-device session=fresh-1 service=fcm device=dev1 asked=v1-unregister-push v1");
}

void a_type_without_a_section_is_refused(void**) {
  for (const string_view type : {"wns", "FCM", "apns "}) {
    uint8_t room[512];
    Writer form{Bytes(room)};
    form.text("<x xmlns='jabber:x:data'><field var='type'><value>").text(type);
    form.text("</value></field><field var='node'><value>d</value></field></x>");
    const Asked asked = ask_command("node='v1-register-push'", form.view());
    if (type == "apns ") {
      expect_answer(asked, "error",
                    "<error type='modify'><bad-request xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>"
                    "<text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas' xml:lang='en'>Field token is missing or "
                    "empty.</text></error>");
      continue;
    }
    expect_answer(asked, "error",
                  "<error type='modify'><bad-request xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>"
                  "<text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas' xml:lang='en'>Field type names no service that is "
                  "offered here.</text></error>");
  }
  expect_answer(ask_set("<command xmlns='http://jabber.org/protocol/commands' node='v1-register-push'/>"), "error",
                no_section);
}

void people_get_a_form_with_the_services(void**) {
  expect_answer(
      ask_command("node='v1-register-push'", ""), "result",
      "<command xmlns='http://jabber.org/protocol/commands' node='v1-register-push' sessionid='fresh-1' "
      "status='executing'><actions execute='complete'><complete/></actions>"
      "<x xmlns='jabber:x:data' type='form'><title>Register for push (version 1)</title>"
      "<field var='type' type='list-single' label='Service'><required/>"
      "<option label='apns'><value>apns</value></option><option label='fcm'><value>fcm</value></option></field>"
      "<field var='node' type='text-single' label='Device id'><required/></field>"
      "<field var='token' type='text-single' label='Device token'><required/></field></x></command>");
}

void the_answer_to_an_unregistration_has_no_secret(void**) {
  static uint8_t room[2048];
  Writer out{Bytes(room)};
  write_registered(out, {.id = "q1", .from = "ann@example.org/phone", .to = "push.example.org"},
                   {.node = "v1-unregister-push", .session = ""},
                   {.jid = "push.example.org", .node = "n", .secret = ""});
  expect_answer(Asked({.command = {}, .answer = out.view()}), "result",
                "<command xmlns='http://jabber.org/protocol/commands' node='v1-unregister-push' status='completed'>"
                "<x xmlns='jabber:x:data' type='form'>"
                "<field var='jid' type='jid-single'><value>push.example.org</value></field>"
                "<field var='node' type='text-single'><value>n</value></field></x></command>");
}

}  // namespace

TESTS(appserver, cmocka_unit_test(old_builds_of_monal_are_understood), cmocka_unit_test(yaxim_is_understood),
      cmocka_unit_test(unregistering_needs_no_token), cmocka_unit_test(a_type_without_a_section_is_refused),
      cmocka_unit_test(people_get_a_form_with_the_services),
      cmocka_unit_test(the_answer_to_an_unregistration_has_no_secret));

}  // namespace tocsin::test
