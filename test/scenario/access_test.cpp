// Who may register and who may publish.
#include "test/scenario/world.h"

namespace tocsin::test {
namespace {

constexpr string_view tigase = "tigase:messenger:apns:1";
constexpr string_view empty_notification = "<notification xmlns='urn:xmpp:push:0'/>";

void only_users_of_our_accounts_register(void**) {
  World& w = world();
  w.start();
  w.send_register("eve@example.net/phone", "r1", tigase, token_a);
  w.send_register("eve@sub.example.org/phone", "r2", tigase, token_a);
  w.send_register("example.org", "r3", tigase, token_a);  // nobody's account
  w.wait_for_answer("r3");
  for (const char* id : {"r1", "r2", "r3"}) w.expect_answer(id, "<error type='auth'><forbidden ");
  assert_int_equal(w.gateway().registry().count(), 0);
  w.send_register("ann@EXAMPLE.org/phone", "r4", tigase, token_a);
  w.wait_for_answer("r4");
  w.expect_answer("r4", "status='completed'");
  w.expect_at_rest();
}

void all_may_register_where_the_conf_says_so(void**) {
  World& w = world();
  w.set("xmpp.accounts=*");
  w.start();
  const NodeText node = w.register_device("eve@example.net/phone", token_a);
  w.server().publish_raw(node, "p1", empty_notification, "example.net");
  w.wait_for_answer("p1");
  w.expect_result("p1");
  w.server().publish_raw(node, "p2", empty_notification, "example.org");
  w.wait_for_answer("p2");
  w.expect_gone("p2");
  w.expect_requests(1);
  w.expect_at_rest();
}

void the_registrants_domain_and_its_group_chats_publish_and_nobody_else(void**) {
  World& w = world();
  w.set("xmpp.publishers=rooms.example.net");
  w.start();
  const NodeText node = w.register_device("ann@example.org/phone", token_a);
  const char* welcome[] = {"example.org", "ann@example.org", "muc.example.org", "room@deep.muc.Example.ORG/nick",
                           "x@rooms.example.net"};
  const char* strangers[] = {"example.net", "badexample.org", "example.org.evil.net", "org", "deep.rooms.example.net"};
  uint8_t room[16];
  uint32_t number = 0;
  for (const char* from : welcome) {
    Writer id(room);
    id.text("w").unsigned_number(number++);
    w.server().publish_raw(node, id.view(), empty_notification, from);
    w.wait_for_answer(id.view());
    w.expect_result(id.view());
  }
  const uint64_t requests = w.provider().requests();
  for (const char* from : strangers) {
    Writer id(room);
    id.text("s").unsigned_number(number++);
    w.server().publish_raw(node, id.view(), empty_notification, from);
    w.wait_for_answer(id.view());
    w.expect_gone(id.view());
  }
  w.run_for(seconds(10));
  assert_true(w.provider().requests() <= requests + 1);  // what was limited before
  w.expect_at_rest();
}

void domains_are_compared_after_idna(void**) {
  World& w = world();
  w.set(
      "xmpp.accounts=b\xc3\xbc"
      "cher.example");
  w.start();
  const NodeText node = w.register_device("ann@xn--bcher-kva.example/phone", token_a);
  w.server().publish_raw(node, "p1", empty_notification,
                         "B\xc3\x9c"
                         "CHER.example");
  w.wait_for_answer("p1");
  w.expect_result("p1");
  w.expect_at_rest();
}

void a_strangers_answer_is_that_of_an_unknown_node(void**) {
  World& w = world();
  w.start();
  const NodeText node = w.register_device("ann@example.org/phone", token_a);
  w.server().publish_raw(node, "p1", empty_notification, "example.net");
  w.server().publish_raw("AAAAAAAAAAAAAAAAAAAAAA", "p2", empty_notification, "example.net");
  w.wait_for_answer("p2");
  assert_int_equal(w.server().answer("p1").size(), w.server().answer("p2").size());
  w.expect_gone("p1");
  w.expect_gone("p2");
}

void a_section_that_is_off_stays_in_disco_and_takes_registrations(void**) {
  World& w = world();
  w.turn_off(0);
  w.start();
  w.server().send(
      "<iq to='push.example.org' id='d1' from='ann@example.org/phone' type='get'><query "
      "xmlns='http://jabber.org/protocol/disco#info'/></iq>");
  w.wait_for_answer("d1");
  w.expect_answer("d1", "<feature var='tigase:messenger:apns:1'/>");
  const NodeText node = w.register_device("ann@example.org/phone", token_a);
  w.publish_and_wait(node, "p1");
  w.expect_wait("p1", "service-unavailable");
  w.expect_at_rest();
}

TESTS(access, SCENARIO(only_users_of_our_accounts_register), SCENARIO(all_may_register_where_the_conf_says_so),
      SCENARIO(the_registrants_domain_and_its_group_chats_publish_and_nobody_else),
      SCENARIO(domains_are_compared_after_idna), SCENARIO(a_strangers_answer_is_that_of_an_unknown_node),
      SCENARIO(a_section_that_is_off_stays_in_disco_and_takes_registrations));

}  // namespace
}  // namespace tocsin::test
