// When a push is tried again, and that nothing is lost or doubled on the way.
#include "test/scenario/world.h"

namespace tocsin::test {
namespace {

constexpr Configured clear_text = {
    .extra =
        "[apns other]\nprovider = other:apns:1\nkey = /etc/key.p8\nkey_id = ABC123DEFG\n"
        "team_id = DEF123GHIJ\ntopic = org.example.other\nendpoint = https://localhost:444\n"
        "ca_file = /etc/ca.pem\nclear_text = yes\n"};

void assert_between(Duration low, Duration value, Duration high) { assert_true(low <= value && value <= high); }

NodeText register_number(World& w, uint32_t i, string_view provider = "tigase:messenger:apns:1") {
  uint8_t room[64];
  Writer from(room);
  from.text("user").unsigned_number(i).text("@example.org/phone");
  return w.register_device(from.view(), token_number(i), provider);
}

void trouble_at_the_provider_is_retried_after_fifteen_minutes_and_then_less_often(void**) {
  World& w = world();
  w.start();
  const NodeText node = w.register_device("ann@example.org/phone", token_a);
  w.provider().answer_all(503, "ServiceUnavailable");
  w.publish_and_wait(node, "p1");
  w.expect_wait("p1");
  w.run_for(hours(23));
  const uint64_t requests = w.provider().requests();
  assert_in_range(requests, 20, 32);
  Instant times[40];
  for (uint64_t i = 0; i < requests; ++i) times[i] = w.provider().request(i).at;
  assert_between(minutes(12), times[1] - times[0], minutes(18) + seconds(1));
  assert_between(minutes(24), times[2] - times[1], minutes(36) + seconds(1));
  for (uint64_t i = 3; i < requests; ++i)
    assert_between(minutes(48), times[i] - times[i - 1], minutes(72) + seconds(1));
  for (uint64_t i = 1; i < requests; ++i) {
    assert_string_equal(w.provider().request(0).collapse_id.c_str(), w.provider().request(i).collapse_id.c_str());
  }
  w.run_for(hours(3));
  const uint64_t last = w.provider().requests();
  w.run_for(hours(24));
  assert_int_equal(w.provider().requests(), last);  // it expired
  w.expect_wait("p1");
  w.expect_at_rest();
}

void pushes_that_failed_together_do_not_come_back_together(void**) {
  World& w = world();
  w.start();
  NodeText nodes[20];
  for (uint32_t i = 0; i < 20; ++i) nodes[i] = register_number(w, i);
  w.provider().answer_all(500, "InternalServerError");
  for (uint32_t i = 0; i < 20; ++i) w.server().publish_numbered(nodes[i], i);
  w.run_for(minutes(1));
  assert_int_equal(w.server().numbered_waits(), 20);
  w.provider().accept_all();
  w.run_for(minutes(20));
  w.expect_requests(40);
  Instant first = Instant::never();
  Instant last{};
  for (uint64_t i = 20; i < 40; ++i) {
    first = earlier(first, w.provider().request(i).at);
    last = later(last, w.provider().request(i).at);
  }
  assert_true(last - first > minutes(2));
  w.expect_at_rest();
}

void a_server_that_shuts_down_is_left_for_another(void**) {
  World& w = world();
  w.start();
  const NodeText node = w.register_device("ann@example.org/phone", token_a);
  w.provider().answer_next(1, 503, "Shutdown");
  w.publish_and_wait(node, "p1");
  w.expect_wait("p1");
  w.run_for(seconds(8));
  w.expect_requests(2);
  assert_int_equal(w.provider().connections(), 2);
  w.run_for(minutes(1));
  w.expect_at_rest();
}

void a_retry_after_is_respected(void**) {
  World& w = world();
  w.start();
  const NodeText node = w.register_device("ann@example.org/phone", token_a);
  w.provider().retry_after("600");
  w.provider().answer_next(1, 429, "TooManyRequests");
  w.publish_and_wait(node, "p1");
  w.expect_result("p1");
  w.run_for(seconds(599));
  w.expect_requests(1);
  w.run_for(seconds(62));
  w.expect_requests(2);
  w.expect_at_rest();
}

void a_device_that_is_limited_again_and_again_is_asked_less_and_less(void**) {
  World& w = world();
  w.start();
  const NodeText node = w.register_device("ann@example.org/phone", token_a);
  w.provider().answer_all(429, "TooManyRequests");
  w.publish_and_wait(node, "p1");
  w.run_for(hours(2));
  const uint64_t requests = w.provider().requests();
  assert_in_range(requests, 10, 14);
  for (uint64_t i = 7; i < requests; ++i) {
    assert_between(minutes(15), w.provider().request(i).at - w.provider().request(i - 1).at, seconds(992));
  }
  w.provider().accept_all();
  w.run_for(minutes(20));
  w.expect_at_rest();
}

void a_refused_stream_is_sent_again_at_once_and_its_publisher_waits(void**) {
  World& w = world();
  w.start();
  const NodeText node = w.register_device("ann@example.org/phone", token_a);
  w.provider().act(FakeProvider::Act::refuse_stream);
  w.server().publish(node, "p1");
  assert_true(w.run_until([&] { return w.provider().requests() == 2; }, seconds(4)));
  w.provider().accept_all();
  w.wait_for_answer("p1");
  w.expect_result("p1");
  assert_true(contains(w.log().last("event=push"), "verdict=delivered"));
  w.expect_at_rest();
}

void streams_that_are_always_refused_are_not_tried_for_ever_at_once(void**) {
  World& w = world();
  w.start();
  const NodeText node = w.register_device("ann@example.org/phone", token_a);
  w.provider().act(FakeProvider::Act::refuse_stream);
  w.publish_and_wait(node, "p1");
  w.expect_wait("p1");
  w.run_for(minutes(10));
  assert_in_range(w.provider().requests(), 2, 8);
  w.provider().accept_all();
  const uint64_t before = w.provider().requests();
  w.run_for(minutes(20));
  w.expect_requests(before + 1);
  w.expect_at_rest();
}

void a_goaway_moves_what_was_not_processed_and_repeats_nothing(void**) {
  World& w = world();
  w.start();
  NodeText nodes[30];
  for (uint32_t i = 0; i < 30; ++i) nodes[i] = register_number(w, i);
  w.publish_and_wait(nodes[0], "first");
  w.provider().act(FakeProvider::Act::stall);
  for (uint32_t i = 1; i < 30; ++i) w.server().publish_numbered(nodes[i], i);
  w.run_for(milliseconds(500));
  w.expect_requests(30);
  // Streams 3 to 21 are answered, the other 19 were never looked at.
  w.provider().accept_all();
  w.provider().go_away_now(21, "{\"reason\":\"Shutdown\"}");
  w.provider().release_stalled();
  w.run_for(seconds(4));
  assert_int_equal(w.server().numbered_answered(), 29);
  assert_int_equal(w.server().numbered_waits(), 0);
  w.expect_requests(30 + 19);
  assert_int_equal(w.provider().connections(), 2);
  assert_true(contains(w.log().last("event=provider_goaway"), "Shutdown"));
  w.run_for(minutes(1));
  w.expect_at_rest();
}

void a_lost_connection_repeats_under_the_same_names(void**) {
  World& w = world();
  w.start();
  const NodeText node = w.register_device("ann@example.org/phone", token_a, "other:apns:1");
  w.publish_and_wait(node, "p1", "one");
  w.run_for(seconds(30));
  w.provider(1).act(FakeProvider::Act::stall);
  w.server().publish(node, "p2", "two");
  w.run_for(milliseconds(300));
  w.provider(1).accept_all();
  w.provider(1).drop_connections();
  w.wait_for_answer("p2");
  w.run_for(seconds(5));
  assert_int_equal(w.provider(1).requests(), 3);
  const SeenRequest& sent = w.provider(1).request(1);
  const SeenRequest& again = w.provider(1).request(2);
  assert_string_equal(sent.collapse_id.c_str(), again.collapse_id.c_str());
  assert_string_equal(sent.id.c_str(), again.id.c_str());
  assert_string_equal(sent.body.c_str(), again.body.c_str());
  assert_false(w.provider(1).request(0).collapse_id.view() == sent.collapse_id.view());
  w.expect_at_rest();
}

void one_silent_request_costs_its_own_stream_only(void**) {
  World& w = world();
  w.start();
  NodeText nodes[40];
  for (uint32_t i = 0; i < 40; ++i) nodes[i] = register_number(w, i);
  w.publish_and_wait(nodes[39], "first");
  w.provider().act_device(token_number(7), FakeProvider::Act::stall);
  for (uint32_t i = 0; i < 39; ++i) w.server().publish_numbered(nodes[i], i);
  w.run_for(seconds(60));
  assert_int_equal(w.server().numbered_answered(), 39);
  assert_int_equal(w.server().numbered_waits(), 0);
  for (uint32_t i = 0; i < 39; ++i) {
    if (i != 7) assert_int_equal(w.provider().requests_for(token_number(i)), 1);
  }
  assert_true(w.provider().requests_for(token_number(7)) >= 2);
  w.provider().forget_rules();
  w.run_for(hours(2));
  w.expect_at_rest();
}

void an_outage_that_outlives_every_push_ends_in_silence(void**) {
  World& w = world();
  w.start();
  const NodeText node = w.register_device("ann@example.org/phone", token_a);
  w.simulation().network().path(World::provider_address(0)).reach = sim::Reach::refuse;
  w.publish_and_wait(node, "p1");
  w.expect_wait("p1");
  w.run_for(hours(23));
  const uint64_t during = w.simulation().network().connects();
  w.run_for(minutes(30));
  assert_true(w.simulation().network().connects() > during);
  w.run_for(hours(2));
  const uint64_t after = w.simulation().network().connects();
  w.expect_at_rest();
  w.run_for(hours(5));
  assert_int_equal(w.simulation().network().connects(), after);
}

void what_was_queued_dies_with_the_process_and_registrations_do_not(void**) {
  World& w = world();
  w.start();
  const NodeText node = w.register_device("ann@example.org/phone", token_a);
  w.provider().answer_all(503, "ServiceUnavailable");
  w.publish_and_wait(node, "p1");
  w.restart();
  w.provider().accept_all();
  w.run_for(hours(25));
  w.expect_requests(1);
  w.publish_and_wait(node, "p2");  // the next message rings
  w.expect_result("p2");
  w.expect_at_rest();
}

void a_message_in_trouble_keeps_its_words_for_the_retry(void**) {
  World& w = world();
  w.start();
  const NodeText node = w.register_device("ann@example.org/phone", token_a, "other:apns:1");
  w.provider(1).answer_all(500, "InternalServerError");
  w.publish_and_wait(node, "p1", "first words");
  w.publish_and_wait(node, "p2", "second words");
  w.provider(1).accept_all();
  w.run_for(minutes(20));
  assert_int_equal(w.provider(1).requests(), 4);
  bool first = false;
  bool second = false;
  for (uint64_t i = 2; i < 4; ++i) {
    first = first || contains(w.provider(1).request(i).body.view(), "first words");
    second = second || contains(w.provider(1).request(i).body.view(), "second words");
  }
  assert_true(first && second);
  w.expect_at_rest();
}

TESTS(retry, SCENARIO(trouble_at_the_provider_is_retried_after_fifteen_minutes_and_then_less_often),
      SCENARIO(pushes_that_failed_together_do_not_come_back_together),
      SCENARIO(a_server_that_shuts_down_is_left_for_another), SCENARIO(a_retry_after_is_respected),
      SCENARIO(a_device_that_is_limited_again_and_again_is_asked_less_and_less),
      SCENARIO(a_refused_stream_is_sent_again_at_once_and_its_publisher_waits),
      SCENARIO(streams_that_are_always_refused_are_not_tried_for_ever_at_once),
      SCENARIO(a_goaway_moves_what_was_not_processed_and_repeats_nothing),
      SCENARIO_WITH(a_lost_connection_repeats_under_the_same_names, clear_text),
      SCENARIO(one_silent_request_costs_its_own_stream_only),
      SCENARIO(an_outage_that_outlives_every_push_ends_in_silence),
      SCENARIO(what_was_queued_dies_with_the_process_and_registrations_do_not),
      SCENARIO_WITH(a_message_in_trouble_keeps_its_words_for_the_retry, clear_text));

}  // namespace
}  // namespace tocsin::test
