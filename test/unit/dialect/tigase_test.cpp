#include "dialect/tigase.h"

#include "base/writer.h"
#include "test/unit/dialect/ask.h"

namespace tocsin::test {

namespace {

using Kind = Command::Kind;

constexpr string_view form =
    "<x xmlns='jabber:x:data' type='submit'>"
    "<field var='provider' type='text-single'><value>tigase:messenger:apns:1</value></field>"
    "<field var='device-token' type='text-single'><value>0A1BFF</value></field>"
    "<field var='device-second-token' type='text-single'><value>c0ffee</value></field></x>";

// attributes: those of <command/> behind its namespace.
Asked ask_command(string_view attributes, string_view content) {
  static uint8_t room[32 * 1024];
  Writer out{Bytes(room)};
  out.text("<command xmlns='http://jabber.org/protocol/commands' ").text(attributes).text(">");
  out.text(content).text("</command>");
  assert_false(out.overflowed());
  return ask_set(out.view());
}

void expect_registration(const Asked& asked, string_view session) {
  assert_int_equal(asked.command.kind, Kind::register_device);
  expect_text(asked.command.provider, "tigase:messenger:apns:1");
  expect_text(asked.command.token, "0A1BFF");
  expect_text(asked.command.second_token, "c0ffee");
  expect_text(asked.command.session, session);
  expect_text(asked.command.iq.id, "q1");
  expect_text(asked.command.iq.from, "ann@example.org/phone");
  expect_text(asked.command.iq.to, "push.example.org");
}

void expect_bad_request(const Asked& asked, string_view text, string_view extra = "") {
  uint8_t room[1024];
  Writer want{Bytes(room)};
  want.text(
      "<error type='modify'><bad-request xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>"
      "<text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas' xml:lang='en'>");
  want.text(text).text("</text>").text(extra).text("</error>");
  expect_answer(asked, "error", want.view());
}

void a_form_is_taken_at_once_whatever_the_action(void**) {
  expect_registration(ask_command("node='register-device'", form), fresh_session);
  expect_registration(ask_command("node='register-device' action=''", form), fresh_session);
  expect_registration(ask_command("node='register-device' action='execute'", form), fresh_session);
  expect_registration(ask_command("node='register-device' action='next'", form), fresh_session);
  expect_registration(ask_command("node='register-device' action='complete'", form), fresh_session);
}

void an_unknown_session_is_echoed(void**) {
  expect_registration(ask_command("node='register-device' action='complete' sessionid='s1'", form), "s1");
  expect_registration(ask_command("node='register-device' sessionid='a&apos;&#10;b'", form), "a'\nb");
}

void an_endless_session_is_replaced(void**) {
  static uint8_t room[512];
  for (const size_t size : {size_t{255}, size_t{256}}) {
    Writer out{Bytes(room)};
    out.text("node='register-device' sessionid='");
    const size_t start = out.size();
    for (size_t i = 0; i < size; ++i) out.character('s');
    const string_view session{out.view().data() + start, size};
    out.text("'");
    expect_registration(ask_command(out.view(), form), size == 255 ? session : fresh_session);
  }
}

void field_types_and_form_type_are_advisory(void**) {
  for (const string_view content : {
           // Stork types the provider as a list.
           "<x xmlns='jabber:x:data' type='submit'><field var='provider' type='list-single'>"
           "<value>tigase:messenger:apns:1</value></field><field var='device-token'><value>0A1BFF</value></field>"
           "<field var='device-second-token'><value>c0ffee</value></field></x>",
           // No type, a FORM_TYPE, another order, elements of others around it.
           "<note xmlns='urn:other'/><x xmlns='jabber:x:data'><field var='FORM_TYPE' type='hidden'>"
           "<value>urn:other</value></field><field var='device-second-token'><value>c0ffee</value></field>"
           "<field var='device-token'><value>0A1BFF</value></field><field var='provider'>"
           "<value>tigase:messenger:apns:1</value></field></x>",
           // `cancel` is to be taken for `submit`; of several fields and values the first counts.
           "<x xmlns='jabber:x:data' type='cancel'><field var='provider'><value>tigase:messenger:apns:1</value>"
           "<value>fcm-xmpp-api</value></field><field var='device-token'><value>0A1BFF</value></field>"
           "<field var='device-token'><value>00</value></field>"
           "<field var='device-second-token'><value>c0ffee</value></field></x>",
           // Written for people.
           "<x xmlns='jabber:x:data' type='submit'><field var='provider'><value>\n tigase:messenger:apns:1\n </value>"
           "</field><field var='device-token'><value> 0A1BFF </value></field>"
           "<field var='device-second-token'><value>c0ffee\t</value></field></x>",
       }) {
    expect_registration(ask_command("node='register-device'", content), fresh_session);
  }
}

void the_second_token_may_be_missing(void**) {
  const Asked asked =
      ask_command("node='register-device'",
                  "<x xmlns='jabber:x:data' type='submit'><field var='provider'><value>p</value></field>"
                  "<field var='device-token'><value>t</value></field>"
                  "<field var='device-second-token'/></x>");
  assert_int_equal(asked.command.kind, Kind::register_device);
  expect_text(asked.command.second_token, "");
}

void unregistering_takes_provider_and_token(void**) {
  const Asked asked = ask_command("node='unregister-device'", form);
  assert_int_equal(asked.command.kind, Kind::unregister_device);
  expect_text(asked.command.provider, "tigase:messenger:apns:1");
  expect_text(asked.command.token, "0A1BFF");
  expect_text(asked.command.second_token, "");
}

void without_a_form_the_first_step_lists_the_providers(void**) {
  for (const string_view attributes : {"node='register-device'", "node='register-device' action='execute'"}) {
    expect_answer(ask_command(attributes, ""), "result",
                  "<command xmlns='http://jabber.org/protocol/commands' node='register-device' sessionid='fresh-1' "
                  "status='executing'><actions execute='complete'><complete/></actions>"
                  "<x xmlns='jabber:x:data' type='form'><title>Register device</title>"
                  "<field var='provider' type='list-single' label='Provider'><required/>"
                  "<option label='Siskin'><value>tigase:messenger:apns:1</value></option>"
                  "<option label='Ann&apos;s &lt;phone&gt;'><value>snikket:apns:1</value></option>"
                  "<option label='Stork'><value>fcm-xmpp-api</value></option></field>"
                  "<field var='device-token' type='text-single' label='Device token'><required/></field>"
                  "<field var='device-second-token' type='text-single' label='Second device token (calls)'/>"
                  "</x></command>");
  }
}

void the_form_to_unregister_asks_for_what_unregistering_needs(void**) {
  expect_answer(ask_command("node='unregister-device' sessionid='s1'", "<x xmlns='urn:other'/>"), "result",
                "<command xmlns='http://jabber.org/protocol/commands' node='unregister-device' sessionid='s1' "
                "status='executing'><actions execute='complete'><complete/></actions>"
                "<x xmlns='jabber:x:data' type='form'><title>Unregister device</title>"
                "<field var='provider' type='list-single' label='Provider'><required/>"
                "<option label='Siskin'><value>tigase:messenger:apns:1</value></option>"
                "<option label='Ann&apos;s &lt;phone&gt;'><value>snikket:apns:1</value></option>"
                "<option label='Stork'><value>fcm-xmpp-api</value></option></field>"
                "<field var='device-token' type='text-single' label='Device token'><required/></field>"
                "</x></command>");
}

void the_second_step_submits_the_form_of_the_first(void**) {
  const Asked first = ask_command("node='register-device' action='execute'", "");
  const Element& command = *stanza_of(first.answer).root->first_child;
  expect_text(command.value("status"), "executing");
  expect_text(command.first_child->value("execute"), "complete");
  const Asked second = ask_command("node='register-device' action='complete' sessionid='fresh-1'", form);
  expect_registration(second, "fresh-1");
}

void cancelling_is_always_allowed(void**) {
  expect_answer(ask_command("node='register-device' action='cancel' sessionid='s1'", ""), "result",
                "<command xmlns='http://jabber.org/protocol/commands' node='register-device' sessionid='s1' "
                "status='canceled'/>");
  expect_answer(ask_command("node='unregister-device' action='cancel'", form), "result",
                "<command xmlns='http://jabber.org/protocol/commands' node='unregister-device' sessionid='fresh-1' "
                "status='canceled'/>");
}

void other_actions_are_bad_requests(void**) {
  expect_bad_request(ask_command("node='register-device' action='prev' sessionid='s1'", form),
                     "There is no earlier step.", "<bad-action xmlns='http://jabber.org/protocol/commands'/>");
  expect_bad_request(ask_command("node='register-device' action='Execute'", form), "This action is not known.",
                     "<malformed-action xmlns='http://jabber.org/protocol/commands'/>");
}

void unknown_commands_are_not_found_whatever_the_action(void**) {
  for (const string_view attributes : {"node='register-push-wns'", "node=''", "", "node='other' action='cancel'",
                                       "node='other' action='prev'", "node='Register-Device'"}) {
    expect_answer(ask_command(attributes, form), "error", not_found);
  }
}

void the_first_missing_field_is_named(void**) {
  const string_view provider = "Field provider is missing or empty.";
  const string_view token = "Field device-token is missing or empty.";
  for (const string_view node : {"node='register-device'", "node='unregister-device'"}) {
    expect_bad_request(ask_command(node, "<x xmlns='jabber:x:data' type='submit'/>"), provider);
    expect_bad_request(ask_command(node,
                                   "<x xmlns='jabber:x:data' type='submit'><field var='provider'><value>p</value>"
                                   "</field></x>"),
                       token);
    expect_bad_request(ask_command(node,
                                   "<x xmlns='jabber:x:data' type='submit'><field var='provider'><value/></field>"
                                   "<field var='device-token'><value>t</value></field></x>"),
                       provider);
    expect_bad_request(ask_command(node,
                                   "<x xmlns='jabber:x:data' type='submit'><field var='provider'><value>p</value>"
                                   "</field><field var='device-token'><value> \n</value></field></x>"),
                       token);
    expect_bad_request(ask_command(node,
                                   "<x xmlns='jabber:x:data' type='submit'><field var='provider'><value>p</value>"
                                   "</field><field var='device-token'/></x>"),
                       token);
  }
  expect_bad_request(ask_command("node='register-device' action='complete' sessionid='s1'", ""), provider);
  expect_bad_request(ask_command("node='unregister-device' action='next'", ""), provider);
}

void values_that_no_provider_could_mean_are_refused(void**) {
  static uint8_t room[16 * 1024];
  for (const string_view var : {"provider", "device-token", "device-second-token"}) {
    for (const size_t size : {size_t{4096}, size_t{4097}}) {
      Writer out{Bytes(room)};
      out.text("<x xmlns='jabber:x:data' type='submit'><field var='").text(var).text("'><value>");
      for (size_t i = 0; i < size; ++i) out.character('a');
      out.text(
          "</value></field><field var='provider'><value>p</value></field>"
          "<field var='device-token'><value>t</value></field></x>");
      const Asked asked = ask_command("node='register-device'", out.view());
      if (size == 4096) {
        assert_int_equal(asked.command.kind, Kind::register_device);
        continue;
      }
      uint8_t text_room[64];
      Writer text{Bytes(text_room)};
      expect_bad_request(asked, text.text("Field ").text(var).text(" is too long.").view());
    }
  }
}

void a_command_comes_in_a_set_and_in_its_namespace(void**) {
  expect_answer(ask_get("<command xmlns='http://jabber.org/protocol/commands' node='register-device'/>"), "error",
                unsupported);
  expect_answer(ask_set("<command xmlns='urn:other' node='register-device'/>"), "error", unsupported);
}

void fields_of_other_namespaces_are_no_fields(void**) {
  expect_bad_request(ask_command("node='register-device'",
                                 "<x xmlns='jabber:x:data'><field xmlns='urn:other' var='provider'>"
                                 "<value xmlns='jabber:x:data'>p</value></field><field var='provider'>"
                                 "<value xmlns='urn:other'>p</value></field></x>"),
                     "Field provider is missing or empty.");
}

}  // namespace

TESTS(tigase, cmocka_unit_test(a_form_is_taken_at_once_whatever_the_action),
      cmocka_unit_test(an_unknown_session_is_echoed), cmocka_unit_test(an_endless_session_is_replaced),
      cmocka_unit_test(field_types_and_form_type_are_advisory), cmocka_unit_test(the_second_token_may_be_missing),
      cmocka_unit_test(unregistering_takes_provider_and_token),
      cmocka_unit_test(without_a_form_the_first_step_lists_the_providers),
      cmocka_unit_test(the_form_to_unregister_asks_for_what_unregistering_needs),
      cmocka_unit_test(the_second_step_submits_the_form_of_the_first), cmocka_unit_test(cancelling_is_always_allowed),
      cmocka_unit_test(other_actions_are_bad_requests),
      cmocka_unit_test(unknown_commands_are_not_found_whatever_the_action),
      cmocka_unit_test(the_first_missing_field_is_named),
      cmocka_unit_test(values_that_no_provider_could_mean_are_refused),
      cmocka_unit_test(a_command_comes_in_a_set_and_in_its_namespace),
      cmocka_unit_test(fields_of_other_namespaces_are_no_fields));

}  // namespace tocsin::test
