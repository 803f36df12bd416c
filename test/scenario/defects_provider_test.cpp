// What other gateways got wrong towards providers, one test each, by the numbers of the list that was made of
// them: defect_NN. The comment says what the other one did.
#include "test/scenario/clients.h"
#include "test/scenario/many_requests.h"

namespace tocsin::test {
namespace {

uint64_t expiration(World& w) {
  const Result<uint64_t> value = parse_number(w.provider().last().expiration.view());
  assert_true(value.ok());
  return value.value();
}
uint64_t wall(World& w) { return static_cast<uint64_t>(w.simulation().wall().s); }

string_view id_number(Bytes room, char letter, uint32_t i) {
  Writer out(room);
  return out.character(letter).unsigned_number(i).view();
}

// apns-expiration was 29 January 1970: a monotonic clock was taken for the calendar.
void defect_01_an_expiry_lies_in_the_future(void**) {
  World& w = world();
  w.start();
  const NodeText node = w.register_device("ann@example.org/phone", token_a);
  w.publish_and_wait(node, "p1");
  assert_true(expiration(w) >= wall(w) + 86'400 - 5);
  assert_true(expiration(w) <= wall(w) + 86'400 + 5);
}

// The expiry was computed once, when the module was loaded.
void defect_02_an_expiry_moves_with_time(void**) {
  World& w = world();
  w.start();
  const NodeText node = w.register_device("ann@example.org/phone", token_a);
  w.publish_and_wait(node, "p1");
  const uint64_t first = expiration(w);
  w.run_for(days(60));
  w.publish_and_wait(node, "p2");
  assert_int_equal(expiration(w) - first, 60 * 86'400);
}

// A tidying every minute unblocked what was blocked and kept what had run out.
void defect_03_what_is_silenced_stays_silent_for_its_time_and_no_longer(void**) {
  World& w = world();
  w.start();
  const NodeText node = w.register_device("ann@example.org/phone", token_a);
  const NodeText other = w.register_device("bob@example.org/phone", token_b);
  w.provider().answer_device(token_a, 410, "Unregistered", 1'799'999'000'000);  // from before the registration
  w.publish_and_wait(node, "p0");
  w.provider().forget_rules();
  uint8_t room[8];
  for (uint32_t i = 1; i < 59; ++i) {
    w.run_for(minutes(1));
    w.publish_and_wait(other, id_number(room, 'q', i));
    w.publish_and_wait(node, id_number(room, 'p', i));
    w.expect_wait(id_number(room, 'p', i));
  }
  assert_int_equal(w.provider().requests_for(token_a), 1);
  w.run_for(minutes(3));
  w.publish_and_wait(node, "p99");
  w.expect_result("p99");
}

constexpr Configured stateless = {.extra = "[apns siskin]\nmodules = monalProdiOS\n"};

void defect_03_a_stateless_device_that_died_stays_blocked_for_its_time(void**) {
  World& w = world();
  w.start();
  w.provider().answer_device(token_a, 410, "Unregistered");
  const FormField options[] = {{"pushModule", "monalProdiOS"}};
  uint8_t room[8];
  for (uint32_t i = 0; i < 23; ++i) {
    publish({.id = id_number(room, 'q', i), .node = token_number(i), .options = options});
    w.expect_result(id_number(room, 'q', i));
    publish({.id = id_number(room, 'p', i), .node = token_a, .options = options});
    w.expect_gone(id_number(room, 'p', i));
    w.run_for(hours(1));
  }
  assert_int_equal(w.provider().requests_for(token_a), 1);
  w.provider().forget_rules();
  w.run_for(hours(2));
  publish({.id = "p99", .node = token_a, .options = options});
  w.expect_result("p99");
}

// A tidying every five minutes forgot the fresh entries of the limiter and kept the old ones.
void defect_04_a_limit_is_kept_for_its_time_and_then_forgotten(void**) {
  World& w = world();
  w.start();
  const NodeText node = w.register_device("ann@example.org/phone", token_a);
  w.provider().retry_after("1800");
  w.provider().answer_next(1, 429, "TooManyRequests");
  w.publish_and_wait(node, "p0");
  uint8_t room[8];
  for (uint32_t i = 1; i < 29; ++i) {
    w.run_for(minutes(1));
    w.publish_and_wait(node, id_number(room, 'p', i));
    w.expect_result(id_number(room, 'p', i));
  }
  w.expect_requests(1);
  w.run_for(minutes(6));
  w.expect_requests(2);  // all of them as one
  w.publish_and_wait(node, "p99");
  w.expect_requests(3);
}

// A device that Apple said was gone (410) stayed, and was pushed to for ever.
void defect_10_the_dead_are_dropped_and_then_cost_no_request(void**) {
  World& w = world();
  w.start();
  const NodeText node = w.register_device("ann@example.org/phone", token_a);
  w.provider().answer_all(410, "Unregistered", 1'800'100'000'000);
  uint8_t room[8];
  for (uint32_t i = 0; i < 20; ++i) {
    w.publish_and_wait(node, id_number(room, 'p', i));
    w.expect_gone(id_number(room, 'p', i));
  }
  w.expect_requests(1);
  w.restart();
  w.publish_and_wait(node, "p20");
  w.expect_gone("p20");
  w.expect_requests(1);
}

// A wrong topic in the conf told the servers that all tokens were dead.
void defect_14_a_wrong_topic_ends_nobody(void**) {
  World& w = world();
  w.start();
  NodeText nodes[20];
  uint8_t room[64];
  for (uint32_t i = 0; i < 20; ++i) {
    Writer from(room);
    nodes[i] = w.register_device(from.text("u").unsigned_number(i).text("@example.org/p").view(), token_number(i));
  }
  for (const string_view word : {"DeviceTokenNotForTopic", "TopicDisallowed", "BadDeviceToken", "BadTopic"}) {
    w.provider().answer_all(400, word);
    for (uint32_t i = 0; i < 20; ++i) w.publish_and_wait(nodes[i], id_number(room, word[0], i));
    w.run_for(hours(1));
  }
  assert_int_equal(w.gateway().registry().count(), 20);
}

// … also of those who had been rung under the right one; and the right one brings them back.
void defect_14_a_topic_that_was_spoilt_ends_nobody_who_was_served(void**) {
  World& w = world();
  w.start();
  NodeText nodes[20];
  uint8_t room[64];
  for (uint32_t i = 0; i < 20; ++i) {
    Writer from(room);
    nodes[i] = w.register_device(from.text("u").unsigned_number(i).text("@example.org/p").view(), token_number(i));
    w.publish_and_wait(nodes[i], id_number(room, 'a', i));
    w.expect_result(id_number(room, 'a', i));
  }
  w.run_for(days(2));
  w.set("apns/siskin.topic=org.example.mistake");
  w.restart();
  for (const string_view word : {"DeviceTokenNotForTopic", "BadDeviceToken"}) {
    w.provider().answer_all(400, word);
    for (uint32_t i = 0; i < 20; ++i) {
      w.publish_and_wait(nodes[i], id_number(room, word[0], i));
      w.expect_wait(id_number(room, word[0], i));
    }
    w.run_for(days(1));
  }
  w.set("apns/siskin.topic=org.example.siskin");
  w.provider().accept_all();
  w.restart();
  w.publish_and_wait(nodes[0], "z");
  w.run_for(minutes(1));
  for (uint32_t i = 0; i < 20; ++i) {
    w.publish_and_wait(nodes[i], id_number(room, 'c', i));
    w.expect_result(id_number(room, 'c', i));
  }
  assert_int_equal(w.gateway().registry().count(), 20);
}

// Tokens of the other environment were disabled without a word.
void defect_15_a_token_of_the_other_environment_is_kept_and_the_log_says_so(void**) {
  World& w = world();
  w.set("apns/siskin.environment=sandbox");
  w.start();
  const NodeText node = w.register_device("ann@example.org/phone", token_a);
  w.provider().answer_all(400, "BadDeviceToken");
  w.publish_and_wait(node, "p1");
  w.expect_wait("p1");
  assert_true(contains(w.log().last("event=device_held"), "check environment and topic"));
  assert_int_equal(w.gateway().registry().count(), 1);
}

constexpr Configured both_environments = {
    .extra =
        "[apns xcode]\nprovider = tigase:messenger:apns:1\nkey = /etc/key.p8\nkey_id = ABC123DEFG\n"
        "team_id = DEF123GHIJ\ntopic = org.example.siskin\nenvironment = sandbox\n"
        "endpoint = https://localhost:444\nca_file = /etc/ca.pem\n"};

void defect_15_the_other_environment_is_tried_before_a_token_is_called_bad(void**) {
  World& w = world();
  w.start();
  const NodeText node = w.register_device("ann@example.org/phone", token_a);
  w.provider(0).answer_all(400, "BadDeviceToken");
  w.publish_and_wait(node, "p1");
  w.expect_result("p1");
  assert_int_equal(w.provider(0).requests(), 1);
  assert_int_equal(w.provider(1).requests(), 1);
}

// After time-outs, more streams than granted were opened, and everything under way was lost with the connection.
void defect_18_a_stream_counts_until_its_reset_is_written(void**) {
  World& w = world();
  w.provider().grant(1, 50);
  w.start();
  const NodeText node = stall(w, 40);
  flood(w, node, 40, 3040);
  w.run_for(minutes(3));
  expect_all_answered_once(w, 3040);
  assert_true(w.provider().most_streams() <= 50);
  assert_false(w.provider().broken());
  w.provider().accept_all();
  w.run_for(hours(25));
  w.expect_at_rest();
}

// 429 was answered `result` and the push was lost; so was the third push within 20 s.
void defect_20_what_is_answered_result_is_sent_or_spoken_for(void**) {
  World& w = world();
  w.start();
  const NodeText node = w.register_device("ann@example.org/phone", token_a);
  w.provider().answer_next(1, 429, "TooManyRequests");
  w.publish_and_wait(node, "p1");
  w.expect_result("p1");
  w.run_for(minutes(1));
  w.expect_requests(2);  // it came after all
  for (const char* id : {"p2", "p3", "p4", "p5"}) {
    w.publish_and_wait(node, id);
    w.expect_result(id);
    w.run_for(seconds(1));
  }
  const Instant last = w.now();
  w.run_for(seconds(10));
  assert_true(w.provider().last().at >= last - seconds(1));  // one that left behind p5 speaks for it
  w.expect_at_rest();
}

// Nearly every push made a TLS connection of its own.
void defect_23_one_connection_serves_all_requests(void**) {
  World& w = world();
  w.start();
  const NodeText node = w.register_device("ann@example.org/phone", token_a);
  for (uint32_t i = 0; i < 5000; ++i) {
    w.server().publish_numbered(node, i);
    if (i % 100 == 99) w.run_for(seconds(1));
  }
  expect_all_answered_once(w, 5000);
  w.expect_requests(5000);
  assert_int_equal(w.provider().connections(), 1);
}

// One worker per core waited for its answer: a provider 50 ms away capped everything at 39 pushes a second.
void defect_24_a_distant_provider_costs_streams_and_not_rate(void**) {
  World& w = world();
  w.provider().grant(1, 200);
  w.provider().think(milliseconds(50));
  w.start();
  const NodeText node = w.register_device("ann@example.org/phone", token_a);
  w.publish_and_wait(node, "warm");
  w.run_for(seconds(20));
  const Instant began = w.now();
  flood(w, node, 0, 2000);
  assert_true(w.run_until([&] { return w.server().numbered_answered() == 2000; }));
  assert_true(w.now() - began >= milliseconds(500));  // ten rounds of 200 streams
  assert_true(w.now() - began <= milliseconds(600));
  assert_int_equal(w.provider().most_streams(), 200);
}

// Requests had no :authority; a strict server reset each, and each was tried again every second, never answered.
void defect_26_requests_are_whole_and_refusals_are_not_tried_for_ever(void**) {
  World& w = world();
  w.start();
  const NodeText node = w.register_device("ann@example.org/phone", token_a);
  w.provider().act(FakeProvider::Act::reset_stream);
  w.publish_and_wait(node, "p1");
  assert_true(starts_with(w.provider().last().authority.view(), "api.push.example.org"));
  w.run_for(hours(1));
  assert_true(w.provider().requests() <= 10);
  w.provider().accept_all();
  w.run_for(hours(24));
  w.expect_at_rest();
}

// One slow stream tore down the connection: others failed, and some were sent twice.
void defect_27_a_slow_stream_is_reset_alone(void**) {
  World& w = world();
  w.start();
  const NodeText slow = w.register_device("ann@example.org/phone", token_a);
  const NodeText node = w.register_device("bob@example.org/phone", token_b);
  w.provider().act_device(token_a, FakeProvider::Act::stall);
  w.server().publish(slow, "p1");
  for (uint32_t i = 0; i < 300; ++i) {
    w.server().publish_numbered(node, i);
    w.run_for(milliseconds(100));
  }
  expect_all_answered_once(w, 300);
  assert_int_equal(w.server().numbered_waits(), 0);
  assert_int_equal(w.provider().connections(), 1);
  assert_int_equal(w.provider().resets(), 1);
  assert_int_equal(w.provider().requests_for(token_b), 300);
  w.expect_result("p1");
}

TESTS(defects_provider, SCENARIO(defect_01_an_expiry_lies_in_the_future), SCENARIO(defect_02_an_expiry_moves_with_time),
      SCENARIO(defect_03_what_is_silenced_stays_silent_for_its_time_and_no_longer),
      SCENARIO_WITH(defect_03_a_stateless_device_that_died_stays_blocked_for_its_time, stateless),
      SCENARIO_WITH(defect_15_the_other_environment_is_tried_before_a_token_is_called_bad, both_environments),
      SCENARIO(defect_04_a_limit_is_kept_for_its_time_and_then_forgotten),
      SCENARIO(defect_10_the_dead_are_dropped_and_then_cost_no_request), SCENARIO(defect_14_a_wrong_topic_ends_nobody),
      SCENARIO(defect_14_a_topic_that_was_spoilt_ends_nobody_who_was_served),
      SCENARIO(defect_15_a_token_of_the_other_environment_is_kept_and_the_log_says_so),
      SCENARIO_WITH(defect_18_a_stream_counts_until_its_reset_is_written, many_requests),
      SCENARIO(defect_20_what_is_answered_result_is_sent_or_spoken_for),
      SCENARIO_WITH(defect_23_one_connection_serves_all_requests, many_requests),
      SCENARIO_WITH(defect_24_a_distant_provider_costs_streams_and_not_rate, many_requests),
      SCENARIO(defect_26_requests_are_whole_and_refusals_are_not_tried_for_ever),
      SCENARIO_WITH(defect_27_a_slow_stream_is_reset_alone, many_requests));

}  // namespace
}  // namespace tocsin::test
