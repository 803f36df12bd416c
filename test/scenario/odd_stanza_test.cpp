// Stanzas that are odd: too deep, too long, without a node, for nobody. One
// stranger's stanza never costs others their registrations.
#include "test/scenario/world.h"

namespace tocsin::test {
namespace {

constexpr string_view empty_notification = "<notification xmlns='urn:xmpp:push:0'/>";

// count copies of text, then the same of closing.
string_view repeated(Bytes room, string_view text, string_view closing, uint32_t count) {
  Writer out(room);
  for (uint32_t i = 0; i < count; ++i) out.text(text);
  for (uint32_t i = 0; i < count; ++i) out.text(closing);
  assert_false(out.overflowed());
  return out.view();
}

uint8_t long_room[200 * 1024];

void a_notification_that_is_too_deep_becomes_a_wake_up(void**) {
  World& w = world();
  w.start();
  const NodeText node = w.register_device("ann@example.org/phone", token_a);
  w.server().publish_raw(node, "p1", repeated(long_room, "<a>", "</a>", 8000));
  w.wait_for_answer("p1");
  w.expect_result("p1");
  w.expect_requests(1);
  w.publish_and_wait(node, "p2");  // the stream lives
  w.expect_result("p2");
  assert_int_equal(w.server().connects(), 1);
}

void a_notification_that_is_too_long_becomes_a_wake_up(void**) {
  World& w = world();
  w.start();
  const NodeText node = w.register_device("ann@example.org/phone", token_a);
  w.server().publish_raw(node, "p1", repeated(long_room, "0123456789", "", 15'000));
  w.wait_for_answer("p1");
  w.expect_result("p1");
  w.expect_requests(1);
  assert_int_equal(w.server().connects(), 1);
}

void a_notification_with_too_many_attributes_becomes_a_wake_up(void**) {
  World& w = world();
  w.start();
  const NodeText node = w.register_device("ann@example.org/phone", token_a);
  static uint8_t room[64 * 1024];
  Writer out(room);
  out.text("<notification xmlns='urn:xmpp:push:0'");
  for (uint32_t i = 0; i < 3000; ++i) out.text(" a").unsigned_number(i).text("='1'");
  out.text("/>");
  w.server().publish_raw(node, "p1", out.view());
  w.wait_for_answer("p1");
  w.expect_result("p1");
  w.expect_requests(1);
  assert_int_equal(w.server().connects(), 1);
}

void an_odd_publish_whose_node_was_not_read_is_answered_wait(void**) {
  World& w = world();
  w.start();
  static uint8_t room[128 * 1024];
  Writer out(room);
  out.text(
      "<iq to='push.example.org' id='p1' from='example.org' type='set'><pubsub "
      "xmlns='http://jabber.org/protocol/pubsub'>");
  out.text("<other>").text(repeated(long_room, "0123456789", "", 10'000));
  out.text("</other><publish node='AAAAAAAAAAAAAAAAAAAAAA'/></pubsub></iq>");
  w.server().send(out.view());
  w.wait_for_answer("p1");
  w.expect_wait("p1", "service-unavailable");
  w.expect_requests(0);
  assert_int_equal(w.server().connects(), 1);
}

void a_publish_without_a_node_is_gone(void**) {
  World& w = world();
  w.start();
  w.server().send(
      "<iq to='push.example.org' id='p1' from='example.org' type='set'><pubsub "
      "xmlns='http://jabber.org/protocol/pubsub'>"
      "<publish><item/></publish></pubsub></iq>");
  w.wait_for_answer("p1");
  w.expect_gone("p1");
}

void other_requests_are_refused_and_results_and_errors_are_not_answered(void**) {
  World& w = world();
  w.start();
  w.server().send(
      "<iq to='push.example.org' id='g1' from='example.org' type='get'><query xmlns='jabber:iq:last'/></iq>");
  w.server().send(
      "<iq to='push.example.org' id='s1' from='example.org' type='set'><query xmlns='jabber:iq:private'/></iq>");
  w.wait_for_answer("s1");
  w.expect_answer("g1", "<error type='cancel'><service-unavailable ");
  w.expect_answer("s1", "<error type='cancel'><service-unavailable ");
  const uint64_t before = w.server().stanzas();
  w.server().send("<iq to='push.example.org' id='r1' from='example.org' type='result'/>");
  w.server().send(
      "<iq to='push.example.org' id='e1' from='example.org' type='error'><error type='cancel'><item-not-found "
      "xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>");
  w.server().send("<message to='push.example.org' id='m1' from='ann@example.org'><body>hello</body></message>");
  w.server().send("<presence to='push.example.org' id='q1' from='ann@example.org' type='subscribe'/>");
  w.run_for(seconds(10));
  assert_int_equal(w.server().stanzas(), before);
  w.expect_at_rest();
}

void absurd_ids_and_addresses_are_answered_wait_at_once(void**) {
  World& w = world();
  w.start();
  const NodeText node = w.register_device("ann@example.org/phone", token_a);
  w.server().publish_raw(node, repeated(long_room, "i", "", 1024), empty_notification);
  w.wait_for_answer(repeated(long_room, "i", "", 64));  // the server remembers the first 64 bytes of an id
  w.expect_wait(repeated(long_room, "i", "", 64), "internal-server-error");
  static uint8_t room[8192];
  Writer from(room);
  from.text("ann@example.org/").text(repeated(long_room, "r", "", 3100));
  w.server().publish_raw(node, "p2", empty_notification, from.view());
  w.wait_for_answer("p2");
  w.expect_wait("p2", "internal-server-error");
  w.expect_requests(0);
  w.server().publish_raw(node, repeated(long_room, "k", "", 1023), empty_notification);
  w.wait_for_answer(repeated(long_room, "k", "", 64));
  w.expect_result(repeated(long_room, "k", "", 64));
  w.expect_at_rest();
}

void an_answer_carries_id_and_addresses_byte_for_byte(void**) {
  World& w = world();
  w.start();
  const NodeText node = w.register_device("ann@example.org/phone", token_a);
  w.server().publish_raw(node, "a&amp;b&lt;&#x27;", empty_notification, "room&amp;co@muc.example.org/n&gt;&#xfc;");
  w.run_for(seconds(1));
  assert_true(contains(w.server().last(), " id='a&amp;b&lt;&apos;'") ||
              contains(w.server().last(), " id='a&amp;b&lt;&#39;'"));
  assert_true(contains(w.server().last(), " to='room&amp;co@muc.example.org/n&gt;\xc3\xbc'"));
  assert_true(contains(w.server().last(), " from='push.example.org'"));
  w.expect_at_rest();
}

TESTS(odd_stanza, SCENARIO(a_notification_that_is_too_deep_becomes_a_wake_up),
      SCENARIO(a_notification_that_is_too_long_becomes_a_wake_up),
      SCENARIO(a_notification_with_too_many_attributes_becomes_a_wake_up),
      SCENARIO(an_odd_publish_whose_node_was_not_read_is_answered_wait), SCENARIO(a_publish_without_a_node_is_gone),
      SCENARIO(other_requests_are_refused_and_results_and_errors_are_not_answered),
      SCENARIO(absurd_ids_and_addresses_are_answered_wait_at_once),
      SCENARIO(an_answer_carries_id_and_addresses_byte_for_byte));

}  // namespace
}  // namespace tocsin::test
