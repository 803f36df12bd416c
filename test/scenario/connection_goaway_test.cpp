// How requests end otherwise than with an answer: GOAWAY, resets, time-outs.
#include "test/scenario/many_requests.h"

namespace tocsin::test {
namespace {

using Act = FakeProvider::Act;

// Who is not answered within 5 s is given up: nothing can wait.
constexpr Configured no_pending{
    .extra = "[limits]\ndevice_interval = 0\nmax_inflight = 8\nmax_pending = 0\n[apns siskin]\nclear_text = yes\n"};

// ---- GOAWAY ----------------------------------------------------------------------

void after_goaway_the_next_push_takes_a_new_connection(void**) {
  World& w = world();
  w.start();
  const NodeText node = w.register_device("ann@example.org/phone", token_a);
  w.publish_and_wait(node, "p1");
  w.run_for(minutes(1));
  w.provider().go_away_now(-1, "{\"reason\":\"Shutdown\"}");
  w.run_for(seconds(1));
  assert_int_equal(w.provider().alive(), 0);  // nothing was open: it is closed at once
  assert_int_equal(w.provider().connections(), 1);
  assert_true(contains(w.log().last("event=provider_goaway"), "reason=Shutdown"));
  const Instant began = w.now();
  w.publish_and_wait(node, "p2");
  assert_true(w.now() - began < milliseconds(100));
  w.expect_result("p2");
  assert_int_equal(w.provider().connections(), 2);
}

void goaway_lets_what_was_taken_finish_and_sends_the_rest_again_at_once(void**) {
  World& w = world();
  w.start();
  stall(w, 10);  // streams 3 to 21
  w.provider().accept_all();
  w.provider().go_away_now(11, "{\"reason\":\"Shutdown\"}");
  w.run_for(milliseconds(200));
  assert_int_equal(w.server().numbered_answered(), 5);  // the ones above 11, over the new connection
  assert_int_equal(w.provider().connections(), 2);
  w.provider().release_stalled();
  w.run_for(milliseconds(200));
  expect_all_answered_once(w, 10);
  assert_int_equal(w.server().numbered_waits(), 0);
  w.expect_requests(1 + 10 + 5);
  assert_int_equal(w.provider().alive(), 1);  // the old one was closed with its last answer
  w.expect_at_rest();
}

void goaway_that_is_said_twice_loses_nothing(void**) {
  World& w = world();
  w.start();
  stall(w, 10);
  w.provider().accept_all();
  w.provider().go_away_now(INT32_MAX, "");  // RFC 9113 §6.8: first a warning …
  w.run_for(milliseconds(50));
  assert_int_equal(w.server().numbered_answered(), 0);
  w.provider().go_away_now(7, "{\"reason\":\"Shutdown\"}");  // … then the number
  w.run_for(milliseconds(200));
  assert_int_equal(w.server().numbered_answered(), 7);
  w.provider().release_stalled();
  w.run_for(milliseconds(200));
  expect_all_answered_once(w, 10);
  assert_int_equal(w.server().numbered_waits(), 0);
  w.expect_at_rest();
}

void goaway_that_took_nothing_sends_all_again(void**) {
  World& w = world();
  w.start();
  stall(w, 30);
  w.provider().accept_all();
  w.provider().go_away_now(0, "");
  w.run_for(milliseconds(300));
  expect_all_answered_once(w, 30);
  assert_int_equal(w.server().numbered_waits(), 0);
  w.expect_at_rest();
}

void what_does_not_finish_after_goaway_is_sent_again_in_the_end(void**) {
  World& w = world();
  w.start();
  stall(w, 3);
  w.provider().accept_all();
  w.provider().go_away_now(-1, "");
  w.run_for(seconds(15));
  assert_int_equal(w.provider().alive(), 1);
  w.expect_requests(1 + 3 + 3);
  expect_all_answered_once(w, 3);
  w.expect_at_rest();
}

void a_provider_that_only_says_goaway_is_asked_seldom(void**) {
  World& w = world();
  w.provider().act(Act::go_away);
  w.start();
  const NodeText node = w.register_device("ann@example.org/phone", token_a);
  for (uint32_t i = 0; i < 20; ++i) {
    w.server().publish_numbered(node, i);
    w.run_for(minutes(1));
  }
  expect_all_answered_once(w, 20);
  assert_true(w.provider().connections() >= 15 && w.provider().connections() <= 45);
  w.provider().accept_all();
  w.run_for(minutes(3));
  const uint64_t before = w.provider().requests();
  w.publish_and_wait(node, "p1");
  w.expect_result("p1");
  assert_true(w.provider().requests() > before);
}

// The word comes over a connection that takes no requests any more: its successor is not to blame.
void a_late_refusal_over_the_old_connection_leaves_the_new_one_alone(void**) {
  World& w = world();
  w.start();
  const NodeText node = stall(w, 2);
  w.provider().go_away_now(-1, "");
  w.provider().accept_all();
  w.run_for(seconds(1));
  w.publish_and_wait(node, "p1");
  assert_int_equal(w.provider().alive(), 2);
  w.provider().answer_all(403, "ExpiredProviderToken");
  w.provider().release_stalled();
  w.provider().accept_all();
  w.run_for(milliseconds(100));
  assert_int_equal(w.provider().alive(), 1);
  w.run_for(hours(1));
  assert_int_equal(w.provider().connections(), 2);
  assert_int_equal(w.log().count("event=provider_closed"), 0);
  assert_int_equal(w.log().count("event=provider_down"), 0);
  w.publish_and_wait(node, "p2");
  w.expect_result("p2");
  w.expect_at_rest();
}

// ---- resets ------------------------------------------------------------------------

void a_refused_stream_is_sent_again_five_times(void**) {
  World& w = world();
  w.provider().act(Act::refuse_stream);
  w.start();
  const NodeText node = w.register_device("ann@example.org/phone", token_a);
  w.publish_and_wait(node, "p1");
  w.expect_wait("p1");
  w.expect_requests(6);
  assert_int_equal(w.provider().connections(), 1);
  w.run_for(minutes(1));
  w.expect_requests(6);  // the next try is a quarter of an hour away
  w.server().publish(node, "p2");
  assert_true(w.run_until([&] { return w.provider().requests() == 9; }));
  w.provider().accept_all();
  w.run_for(seconds(1));
  w.expect_result("p2");
  w.run_for(minutes(30));
  w.expect_requests(11);
  w.expect_at_rest();
}

void a_reset_stream_is_sent_again_with_the_same_collapse_id_and_not_for_ever(void**) {
  World& w = world();
  w.provider().act(Act::reset_stream);
  w.start();
  const NodeText node = w.register_device("ann@example.org/phone", token_a);
  w.server().publish(node, "p1");
  w.run_for(minutes(1));
  assert_int_equal(w.server().answers("p1"), 1);
  w.expect_requests(3);
  for (uint64_t i = 1; i < 3; ++i) {
    assert_false(w.provider().request(i).collapse_id.empty());
    assert_true(w.provider().request(i).collapse_id.view() == w.provider().request(0).collapse_id.view());
  }
  assert_int_equal(w.provider().connections(), 1);
  w.provider().accept_all();
  w.run_for(minutes(30));
  w.expect_requests(4);
  w.expect_at_rest();
}

void a_connection_that_breaks_in_the_middle_costs_one_more_request(void**) {
  World& w = world();
  w.start();
  const NodeText node = stall(w, 3);
  w.provider().accept_all();
  w.provider().drop_connections();
  w.run_for(seconds(4));
  expect_all_answered_once(w, 3);
  assert_int_equal(w.server().numbered_waits(), 0);
  w.expect_requests(1 + 3 + 3);
  for (uint64_t first = 1; first <= 3; ++first) {
    uint32_t same = 0;
    for (uint64_t again = 4; again <= 6; ++again) {
      same += w.provider().request(again).collapse_id.view() == w.provider().request(first).collapse_id.view() ? 1 : 0;
    }
    assert_int_equal(same, 1);
  }
  assert_int_equal(w.provider().connections(), 2);
  w.publish_and_wait(node, "p1");
  w.expect_result("p1");
  w.expect_at_rest();
}

// ---- time-outs -------------------------------------------------------------------------

void a_request_without_an_answer_costs_its_own_stream_only(void**) {
  World& w = world();
  w.start();
  const NodeText stuck = w.register_device("ann@example.org/phone", token_a);
  const NodeText fine = w.register_device("bob@example.org/phone", token_b);
  w.provider().act_device(token_a, Act::stall);
  w.server().publish(stuck, "p1");
  for (uint32_t i = 0; i < 100; ++i) {
    w.server().publish_numbered(fine, i);
    w.run_for(seconds(1));
  }
  w.expect_result("p1");  // after 5 s nobody knew
  expect_all_answered_once(w, 100);
  assert_int_equal(w.provider().resets(), 3);  // sent three times, each for 20 s
  assert_int_equal(w.provider().connections(), 1);
  w.provider().act_device(token_a, Act::answer);
  w.run_for(minutes(30));
  w.expect_at_rest();
}

void two_requests_in_a_row_without_an_answer_end_the_connection(void**) {
  World& w = world();
  w.start();
  stall(w, 2);
  w.run_for(seconds(19));
  assert_int_equal(w.provider().connections(), 1);
  w.provider().accept_all();
  w.run_for(seconds(8));
  assert_int_equal(w.provider().connections(), 2);
  assert_int_equal(w.provider().alive(), 1);
  assert_int_equal(w.provider().resets(), 2);
  w.expect_requests(1 + 2 + 2);
  w.expect_at_rest();
}

void a_provider_that_is_silent_for_hours_is_asked_more_and_more_seldom(void**) {
  World& w = world();
  w.start();
  const NodeText node = stall(w, 2);
  for (uint32_t i = 2; i < 202; ++i) {
    w.server().publish_numbered(node, i);
    w.run_for(seconds(15));
  }
  expect_all_answered_once(w, 202);
  assert_true(w.provider().connections() >= 30 && w.provider().connections() <= 70);
  w.provider().accept_all();
  w.run_for(hours(2));
  w.publish_and_wait(node, "p1");
  w.expect_result("p1");
  w.expect_at_rest();
}

void pushes_that_are_given_up_early_count_as_unanswered_too(void**) {
  World& w = world();
  w.start();
  const NodeText node = stall(w, 1);
  for (uint32_t i = 1; i < 121; ++i) {
    w.server().publish_numbered(node, i);
    w.run_for(seconds(1));
  }
  w.run_for(seconds(6));
  expect_all_answered_once(w, 121);
  assert_true(w.provider().connections() >= 3 && w.provider().connections() <= 7);
  w.expect_at_rest();
}

TESTS(connection_goaway, SCENARIO_WITH(after_goaway_the_next_push_takes_a_new_connection, many_requests),
      SCENARIO_WITH(goaway_lets_what_was_taken_finish_and_sends_the_rest_again_at_once, many_requests),
      SCENARIO_WITH(goaway_that_is_said_twice_loses_nothing, many_requests),
      SCENARIO_WITH(goaway_that_took_nothing_sends_all_again, many_requests),
      SCENARIO_WITH(what_does_not_finish_after_goaway_is_sent_again_in_the_end, many_requests),
      SCENARIO_WITH(a_provider_that_only_says_goaway_is_asked_seldom, many_requests),
      SCENARIO_WITH(a_late_refusal_over_the_old_connection_leaves_the_new_one_alone, many_requests),
      SCENARIO_WITH(a_refused_stream_is_sent_again_five_times, many_requests),
      SCENARIO_WITH(a_reset_stream_is_sent_again_with_the_same_collapse_id_and_not_for_ever, many_requests),
      SCENARIO_WITH(a_connection_that_breaks_in_the_middle_costs_one_more_request, many_requests),
      SCENARIO_WITH(a_request_without_an_answer_costs_its_own_stream_only, many_requests),
      SCENARIO_WITH(two_requests_in_a_row_without_an_answer_end_the_connection, many_requests),
      SCENARIO_WITH(a_provider_that_is_silent_for_hours_is_asked_more_and_more_seldom, many_requests),
      SCENARIO_WITH(pushes_that_are_given_up_early_count_as_unanswered_too, no_pending));

}  // namespace
}  // namespace tocsin::test
