// What a device may get: newest wins, one wake-up in an interval, content in
// bursts, calls always and at once or never.
#include "test/scenario/world.h"

namespace tocsin::test {
namespace {

constexpr string_view empty_notification = "<notification xmlns='urn:xmpp:push:0'/>";
constexpr string_view read_elsewhere =
    "<notification xmlns='urn:xmpp:push:0'><x xmlns='jabber:x:data' type='form'><field "
    "var='FORM_TYPE'><value>urn:xmpp:push:summary"
    "</value></field><field var='message-count'><value>0</value></field></x></notification>";
constexpr string_view call =
    "<notification xmlns='urn:xmpp:push:0'><encrypted xmlns='tigase:push:encrypt:0' type='voip' "
    "iv='AAAAAAAAAAAAAAAAAAAAAA=='>"
    "Y2lwaGVydGV4dA==</encrypted></notification>";
constexpr Configured clear_text = {
    .extra =
        "[apns other]\nprovider = other:apns:1\nkey = /etc/key.p8\nkey_id = ABC123DEFG\n"
        "team_id = DEF123GHIJ\ntopic = org.example.other\nendpoint = https://localhost:444\n"
        "ca_file = /etc/ca.pem\nclear_text = yes\n[limits]\ndevice_burst = 2\n"};

void wake_ups_of_one_interval_become_one(void**) {
  World& w = world();
  w.start();
  const NodeText node = w.register_device("ann@example.org/phone", token_a);
  w.publish_and_wait(node, "p1");
  const Instant first = w.now();
  w.publish_and_wait(node, "p2");
  w.publish_and_wait(node, "p3");
  w.publish_and_wait(node, "p4");
  w.expect_result("p2");
  w.expect_result("p3");
  w.expect_result("p4");
  w.expect_requests(1);
  w.run_for(seconds(20));
  w.expect_requests(2);
  assert_true(w.provider().last().at - first >= milliseconds(4900));
  assert_true(w.provider().last().at - first <= milliseconds(5200));
  assert_string_equal(w.provider().request(0).collapse_id.c_str(), w.provider().request(1).collapse_id.c_str());
  w.publish_and_wait(node, "p5");  // the interval is over
  assert_true(contains(w.log().last("event=push"), "verdict=delivered"));
  w.expect_requests(3);
  w.expect_at_rest();
}

void a_stream_of_publishes_rings_once_an_interval(void**) {
  World& w = world();
  w.start();
  const NodeText node = w.register_device("ann@example.org/phone", token_a);
  for (uint32_t i = 0; i < 600; ++i) {  // one a tenth of a second, for a minute
    w.server().publish_numbered(node, i);
    w.run_for(milliseconds(100));
  }
  w.run_for(seconds(10));
  assert_int_equal(w.server().numbered_answered(), 600);
  assert_int_equal(w.server().numbered_twice(), 0);
  assert_int_equal(w.server().numbered_waits(), 0);
  assert_in_range(w.provider().requests(), 12, 14);
  w.expect_at_rest();
}

void devices_do_not_limit_each_other(void**) {
  World& w = world();
  w.start();
  const NodeText a = w.register_device("ann@example.org/phone", token_a);
  const NodeText b = w.register_device("ann@example.org/tablet", token_b);
  w.publish_and_wait(a, "p1");
  w.publish_and_wait(b, "p2");
  w.expect_requests(2);
  w.expect_at_rest();
}

void content_gets_its_burst_and_then_the_newest_wins(void**) {
  World& w = world();
  w.start();
  const NodeText node = w.register_device("ann@example.org/phone", token_a, "other:apns:1");
  for (const char* id : {"m1", "m2", "m3", "m4", "m5"}) w.publish_and_wait(node, id, id);
  for (const char* id : {"m1", "m2", "m3", "m4", "m5"}) w.expect_result(id);
  assert_int_equal(w.provider(1).requests(), 2);
  w.run_for(seconds(20));
  assert_int_equal(w.provider(1).requests(), 3);
  assert_true(contains(w.provider(1).request(0).body.view(), "\"body\":\"m1\""));
  assert_true(contains(w.provider(1).request(1).body.view(), "\"body\":\"m2\""));
  assert_true(contains(w.provider(1).request(2).body.view(), "\"body\":\"m5\""));
  for (int i = 0; i < 2; ++i) {  // each shows on its own
    assert_false(w.provider(1).request(0).collapse_id.view() ==
                 w.provider(1).request(1 + static_cast<uint64_t>(i)).collapse_id.view());
  }
  w.run_for(seconds(10));
  for (const char* id : {"m6", "m7"}) w.publish_and_wait(node, id, id);  // the burst has come back
  assert_int_equal(w.provider(1).requests(), 5);
  w.expect_at_rest();
}

constexpr Configured no_limit = {
    .extra =
        "[limits]\ndevice_interval = 0\n[apns other]\nprovider = other:apns:1\nkey = /etc/key.p8\n"
        "key_id = ABC123DEFG\nteam_id = DEF123GHIJ\ntopic = org.example.other\nendpoint = "
        "https://localhost:444\nca_file = /etc/ca.pem\nclear_text = yes\n"};

constexpr Configured no_pool = {
    .extra =
        "[apns other]\nprovider = other:apns:1\nkey = /etc/key.p8\nkey_id = ABC123DEFG\nteam_id = DEF123GHIJ\ntopic = "
        "org.example.other\nendpoint = https://localhost:444\nca_file = /etc/ca.pem\nclear_text = yes\n[limits]\n"
        "device_burst = 2\nmax_pending = 0\n"};

void pushes_that_found_no_room_do_not_count(void**) {
  World& w = world();
  w.start();
  const NodeText node = w.register_device("ann@example.org/phone", token_a, "other:apns:1");
  for (uint32_t i = 0; i < 100; ++i) w.server().publish_numbered(node, i);
  w.run_for(seconds(1));
  assert_int_equal(w.server().numbered_answered(), 100);
  assert_int_equal(w.server().numbered_waits(), 98);  // `result` would be a promise
  w.run_for(seconds(10));
  w.publish_and_wait(node, "m1");
  w.publish_and_wait(node, "m2");
  w.expect_result("m1");
  w.expect_result("m2");
  assert_int_equal(w.provider(1).requests(), 4);
  w.expect_at_rest();
}

void without_limits_every_message_leaves(void**) {
  World& w = world();
  w.start();
  const NodeText node = w.register_device("ann@example.org/phone", token_a, "other:apns:1");
  for (uint32_t i = 0; i < 50; ++i) w.server().publish_numbered(node, i);
  w.run_for(seconds(5));
  assert_int_equal(w.server().numbered_answered(), 50);
  assert_int_equal(w.provider(1).requests(), 50);
  w.expect_at_rest();
}

void reading_elsewhere_replaces_an_alert_that_waits(void**) {
  World& w = world();
  w.start();
  const NodeText node = w.register_device("ann@example.org/phone", token_a);
  w.publish_and_wait(node, "p1");
  w.publish_and_wait(node, "p2");
  w.server().publish_raw(node, "p3", read_elsewhere);
  w.run_for(seconds(20));
  w.expect_result("p3");
  w.expect_requests(2);
  assert_true(w.provider().last().push_type.view() == "background");
  assert_true(contains(w.provider().last().body.view(), "\"unread-messages\":0"));
  w.expect_at_rest();
}

void reading_elsewhere_replaces_messages_that_wait(void**) {
  World& w = world();
  w.start();
  const NodeText node = w.register_device("ann@example.org/phone", token_a, "other:apns:1");
  for (const char* id : {"m1", "m2", "m3"}) w.publish_and_wait(node, id, id);
  w.server().publish_raw(node, "p1", read_elsewhere);
  w.run_for(seconds(20));
  w.expect_result("p1");
  assert_int_equal(w.provider(1).requests(), 3);
  assert_true(contains(w.provider(1).last().body.view(), "\"unread-messages\":0"));
  w.expect_at_rest();
}

void a_weaker_push_does_not_replace_an_alert_that_waits(void**) {
  World& w = world();
  w.start();
  const NodeText node = w.register_device("ann@example.org/phone", token_a);
  w.publish_and_wait(node, "p1");
  w.publish_and_wait(node, "p2");
  w.server().publish_raw(node, "p3", empty_notification);
  w.run_for(seconds(20));
  w.expect_result("p3");
  w.expect_requests(2);
  assert_true(w.provider().last().push_type.view() == "alert");
  w.expect_at_rest();
}

void calls_are_neither_coalesced_nor_limited(void**) {
  World& w = world();
  w.start();
  const NodeText node = w.register_device("ann@example.org/phone", token_a);
  w.publish_and_wait(node, "p1");
  for (const char* id : {"c1", "c2", "c3", "c4", "c5", "c6", "c7", "c8", "c9", "ca", "cb", "cc"})
    w.server().publish_raw(node, id, call);
  w.run_for(seconds(2));
  w.expect_result("c1");
  w.expect_result("cc");
  w.expect_requests(13);
  const int64_t expires = 1'800'000'000 + 30;
  uint8_t room[24];
  Writer latest(room);
  latest.number(expires + 10);
  assert_true(w.provider().last().expiration.view() < latest.view());
  assert_true(contains(w.provider().last().body.view(), "\"encrypted\":\"Y2lwaGVydGV4dA==\""));
  w.expect_at_rest();
}

void a_call_is_never_sent_after_thirty_seconds(void**) {
  World& w = world();
  w.start();
  const NodeText node = w.register_device("ann@example.org/phone", token_a);
  w.simulation().network().path(World::provider_address(0)).reach = sim::Reach::refuse;
  w.server().publish_raw(node, "c1", call);
  w.wait_for_answer("c1");
  w.expect_wait("c1", "service-unavailable");
  w.run_for(seconds(31));
  w.simulation().network().path(World::provider_address(0)).reach = sim::Reach::accept;
  w.run_for(minutes(5));
  w.expect_requests(0);
  w.expect_at_rest();
}

void a_call_that_the_provider_limits_is_given_up(void**) {
  World& w = world();
  w.start();
  const NodeText node = w.register_device("ann@example.org/phone", token_a);
  w.provider().answer_all(429, "TooManyRequests");
  w.server().publish_raw(node, "c1", call);
  w.wait_for_answer("c1");
  w.expect_result("c1");
  w.run_for(hours(1));
  w.expect_requests(1);
  w.expect_at_rest();
}

void a_newer_publish_answers_the_one_that_waits_for_a_connection(void**) {
  World& w = world();
  w.start();
  const NodeText node = w.register_device("ann@example.org/phone", token_a);
  w.simulation().network().path(World::provider_address(0)).latency = milliseconds(300);
  w.server().publish(node, "p1");
  w.run_for(milliseconds(200));
  w.expect_no_answer("p1");
  w.server().publish(node, "p2");
  w.run_for(milliseconds(100));
  w.expect_result("p1");
  assert_true(contains(w.log().last("event=push"), "verdict=coalesced"));
  w.expect_no_answer("p2");
  w.wait_for_answer("p2");
  assert_true(contains(w.log().last("event=push"), "verdict=delivered"));
  w.expect_requests(1);
  w.expect_at_rest();
}

void a_publish_after_trouble_is_tried_at_once_and_speaks_for_the_one_before(void**) {
  World& w = world();
  w.start();
  const NodeText node = w.register_device("ann@example.org/phone", token_a);
  w.provider().answer_all(503, "ServiceUnavailable");
  w.publish_and_wait(node, "p1");
  w.run_for(seconds(10));
  w.provider().accept_all();
  w.publish_and_wait(node, "p2");
  w.expect_result("p2");
  w.expect_at_rest();  // nothing waits for its retry any more
  w.expect_requests(2);
}

void a_device_that_the_provider_limits_stays_limited_for_new_publishes(void**) {
  World& w = world();
  w.start();
  const NodeText node = w.register_device("ann@example.org/phone", token_a);
  w.provider().retry_after("100");
  w.provider().answer_all(429, "TooManyRequests");
  w.publish_and_wait(node, "p1");
  w.provider().accept_all();
  w.run_for(seconds(50));
  w.publish_and_wait(node, "p2");
  w.expect_result("p2");
  w.expect_requests(1);
  w.run_for(seconds(70));
  w.expect_requests(2);
  w.expect_at_rest();
}

void a_device_that_moves_to_another_app_takes_its_wake_up_along(void**) {
  World& w = world();
  w.start();
  const NodeText node = w.register_device("ann@example.org/phone", token_a);
  w.simulation().network().path(World::provider_address(0)).reach = sim::Reach::refuse;
  w.publish_and_wait(node, "p1");
  w.expect_wait("p1");
  const NodeText same = w.register_device("ann@example.org/phone", token_a, "other:apns:1");
  assert_string_equal(node.text.c_str(), same.text.c_str());
  w.publish_and_wait(node, "p2", "");
  w.expect_result("p2");
  w.run_for(minutes(5));
  w.expect_requests(0);
  assert_int_equal(w.provider(1).requests(), 1);
  assert_true(w.provider(1).last().topic.view() == "org.example.other");
  w.expect_at_rest();
}

void nothing_is_sent_for_a_device_whose_user_has_left(void**) {
  World& w = world();
  w.start();
  const NodeText node = w.register_device("ann@example.org/phone", token_a);
  w.publish_and_wait(node, "p1");
  w.publish_and_wait(node, "p2");  // waits for the interval
  w.send_unregister("ann@example.org/phone", "u1", "tigase:messenger:apns:1", token_a);
  w.wait_for_answer("u1");
  w.run_for(minutes(1));
  w.expect_requests(1);
  w.expect_at_rest();
}

TESTS(coalescing, SCENARIO(wake_ups_of_one_interval_become_one), SCENARIO(a_stream_of_publishes_rings_once_an_interval),
      SCENARIO(devices_do_not_limit_each_other),
      SCENARIO_WITH(content_gets_its_burst_and_then_the_newest_wins, clear_text),
      SCENARIO_WITH(pushes_that_found_no_room_do_not_count, no_pool),
      SCENARIO_WITH(without_limits_every_message_leaves, no_limit),
      SCENARIO(reading_elsewhere_replaces_an_alert_that_waits),
      SCENARIO_WITH(reading_elsewhere_replaces_messages_that_wait, clear_text),
      SCENARIO(a_weaker_push_does_not_replace_an_alert_that_waits), SCENARIO(calls_are_neither_coalesced_nor_limited),
      SCENARIO(a_call_is_never_sent_after_thirty_seconds), SCENARIO(a_call_that_the_provider_limits_is_given_up),
      SCENARIO(a_newer_publish_answers_the_one_that_waits_for_a_connection),
      SCENARIO(a_publish_after_trouble_is_tried_at_once_and_speaks_for_the_one_before),
      SCENARIO(a_device_that_the_provider_limits_stays_limited_for_new_publishes),
      SCENARIO_WITH(a_device_that_moves_to_another_app_takes_its_wake_up_along, clear_text),
      SCENARIO(nothing_is_sent_for_a_device_whose_user_has_left));

}  // namespace
}  // namespace tocsin::test
