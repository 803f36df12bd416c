#include "test/unit/dialect/ask.h"

namespace tocsin::test {

namespace {

void info_shows_a_push_service_and_every_provider_once(void**) {
  expect_answer(ask_get("<query xmlns='http://jabber.org/protocol/disco#info'/>"), "result",
                "<query xmlns='http://jabber.org/protocol/disco#info'>"
                "<identity category='pubsub' type='push' name='Push gateway'/>"
                "<feature var='http://jabber.org/protocol/disco#info'/>"
                "<feature var='http://jabber.org/protocol/disco#items'/>"
                "<feature var='http://jabber.org/protocol/commands'/>"
                "<feature var='urn:xmpp:push:0'/>"
                "<feature var='urn:xmpp:ping'/>"
                "<feature var='jabber:iq:version'/>"
                "<feature var='tigase:messenger:apns:1'/>"
                "<feature var='snikket:apns:1'/>"
                "<feature var='fcm-xmpp-api'/>"
                "</query>");
}

// Martin takes the first item of which an identity is pubsub/push and whose features contain what it needs.
void siskin_and_snikket_choose_us(void**) {
  for (const string_view provider : {"tigase:messenger:apns:1", "snikket:apns:1"}) {
    const Element& iq = *stanza_of(ask_get("<query xmlns='http://jabber.org/protocol/disco#info'/>").answer).root;
    const Element* query = iq.child("query", "http://jabber.org/protocol/disco#info");
    assert_non_null(query);
    bool identity = false;
    bool push = false;
    bool named = false;
    for (const Element* e = query->first_child; e != nullptr; e = e->next) {
      identity |= e->name == "identity" && e->value("category") == "pubsub" && e->value("type") == "push";
      push |= e->name == "feature" && e->value("var") == "urn:xmpp:push:0";
      named |= e->name == "feature" && e->value("var") == provider;
    }
    assert_true(identity && push && named);
  }
}

void info_about_the_command_list_and_each_command_mirrors_the_node(void**) {
  expect_answer(
      ask_get("<query xmlns='http://jabber.org/protocol/disco#info' node='http://jabber.org/protocol/commands'/>"),
      "result",
      "<query xmlns='http://jabber.org/protocol/disco#info' node='http://jabber.org/protocol/commands'>"
      "<identity category='automation' type='command-list' name='Commands'/>"
      "<feature var='http://jabber.org/protocol/disco#info'/>"
      "<feature var='http://jabber.org/protocol/disco#items'/>"
      "<feature var='http://jabber.org/protocol/commands'/></query>");
  expect_answer(ask_get("<query xmlns='http://jabber.org/protocol/disco#info' node='register-device'/>"), "result",
                "<query xmlns='http://jabber.org/protocol/disco#info' node='register-device'>"
                "<identity category='automation' type='command-node' name='Register device'/>"
                "<feature var='http://jabber.org/protocol/disco#info'/>"
                "<feature var='http://jabber.org/protocol/commands'/>"
                "<feature var='jabber:x:data'/></query>");
  expect_answer(ask_get("<query xmlns='http://jabber.org/protocol/disco#info' node='unregister-device'/>"), "result",
                "<query xmlns='http://jabber.org/protocol/disco#info' node='unregister-device'>"
                "<identity category='automation' type='command-node' name='Unregister device'/>"
                "<feature var='http://jabber.org/protocol/disco#info'/>"
                "<feature var='http://jabber.org/protocol/commands'/>"
                "<feature var='jabber:x:data'/></query>");
}

void items_list_the_commands_and_nothing_else(void**) {
  expect_answer(ask_get("<query xmlns='http://jabber.org/protocol/disco#items'/>"), "result",
                "<query xmlns='http://jabber.org/protocol/disco#items'/>");
  expect_answer(
      ask_get("<query xmlns='http://jabber.org/protocol/disco#items' node='http://jabber.org/protocol/commands'/>"),
      "result",
      "<query xmlns='http://jabber.org/protocol/disco#items' node='http://jabber.org/protocol/commands'>"
      "<item jid='push.example.org' node='register-device' name='Register device'/>"
      "<item jid='push.example.org' node='unregister-device' name='Unregister device'/></query>");
  expect_answer(ask_get("<query xmlns='http://jabber.org/protocol/disco#items' node='register-device'/>"), "result",
                "<query xmlns='http://jabber.org/protocol/disco#items' node='register-device'/>");
}

void unknown_nodes_are_not_found(void**) {
  for (const string_view query : {
           "<query xmlns='http://jabber.org/protocol/disco#info' node='other'/>",
           "<query xmlns='http://jabber.org/protocol/disco#items' node='other'/>",
           "<query xmlns='http://jabber.org/protocol/disco#info' node='register-device '/>",
       }) {
    expect_answer(ask_get(query), "error", not_found);
  }
}

void ping_and_version_are_answered(void**) {
  expect_answer(ask_get("<ping xmlns='urn:xmpp:ping'/>"), "result", "");
  expect_answer(ask_get("<query xmlns='jabber:iq:version'/>"), "result",
                "<query xmlns='jabber:iq:version'><name>tocsin</name><version>1.2</version></query>");
}

void questions_come_as_get_only(void**) {
  for (const string_view query : {"<query xmlns='http://jabber.org/protocol/disco#info'/>",
                                  "<query xmlns='http://jabber.org/protocol/disco#items'/>",
                                  "<ping xmlns='urn:xmpp:ping'/>", "<query xmlns='jabber:iq:version'/>"}) {
    expect_answer(ask_set(query), "error", unsupported);
  }
}

}  // namespace

TESTS(disco, cmocka_unit_test(info_shows_a_push_service_and_every_provider_once),
      cmocka_unit_test(siskin_and_snikket_choose_us),
      cmocka_unit_test(info_about_the_command_list_and_each_command_mirrors_the_node),
      cmocka_unit_test(items_list_the_commands_and_nothing_else), cmocka_unit_test(unknown_nodes_are_not_found),
      cmocka_unit_test(ping_and_version_are_answered), cmocka_unit_test(questions_come_as_get_only));

}  // namespace tocsin::test
