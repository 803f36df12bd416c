// What a push service says again and again says something of the device in the end: it is held, never dropped.
#include "test/scenario/web_push_words.h"

namespace tocsin::test {
namespace {

bool held(World& w) { return w.gateway().registry().device_at(0)->held; }

// Publishes once in each interval as long as its answer leaves the device free; how often that was.
uint32_t publish_until_held(World& w, string_view node, Duration interval, uint32_t most) {
  static uint32_t number = 0;
  for (uint32_t i = 1; i <= most; ++i) {
    uint8_t room[12];
    Writer id(room);
    id.character('q').unsigned_number(number++);
    w.publish_and_wait(node, id.view());
    w.expect_answer(id.view(), "<error type='wait'>");
    w.run_for(interval);
    if (held(w)) return i;
  }
  return 0;
}

void an_endpoint_that_is_none_is_held_after_three_times(void**) {
  World& w = world();
  w.start();
  const NodeText node = subscribe(w, "ann@example.org/web", Subscribed(one));
  w.service(0).answer_all(405, "");
  assert_int_equal(publish_until_held(w, node, minutes(1), 5), 3);
  assert_true(contains(w.log().last("event=device_held"), "no push endpoint"));
  const uint64_t requests = w.service(0).requests();
  w.publish_and_wait(node, "p1");
  w.expect_wait("p1");
  assert_int_equal(w.service(0).requests(), requests);
  assert_int_equal(w.gateway().registry().count(), 1);
  w.service(0).answer_all(201, "");
  subscribe(w, "ann@example.org/web", Subscribed(one));
  w.run_for(seconds(10));
  w.publish_and_wait(node, "p2");
  w.expect_result("p2");
  w.expect_at_rest();
}

void three_times_are_three_in_a_row(void**) {
  World& w = world();
  w.start();
  const NodeText node = subscribe(w, "ann@example.org/web", Subscribed(one));
  for (uint32_t i = 0; i < 3; ++i) {
    w.service(0).answer_all(415, "");
    assert_int_equal(publish_until_held(w, node, minutes(1), 2), 0);
    w.service(0).answer_all(201, "");
    uint8_t room[8];
    Writer id(room);
    id.character('g').unsigned_number(i);
    w.publish_and_wait(node, id.view());
    w.expect_result(id.view());
    w.run_for(minutes(1));
  }
  w.expect_at_rest();
}

// ntfy's word for an app that does not listen; each publish is tried again for a day.
void an_app_that_never_listens_is_held_after_a_week(void**) {
  World& w = world();
  w.start();
  const NodeText node = subscribe(w, "ann@example.org/web", Subscribed(one));
  w.service(0).answer_all(507, R"({"code":50701})");
  const uint32_t days_taken = publish_until_held(w, node, days(1), 10);
  assert_in_range(days_taken, 7, 8);
  assert_int_equal(w.gateway().registry().count(), 1);
  w.run_for(days(1));
  w.expect_at_rest();
}

void an_answer_that_nobody_knows_is_heard_for_five_days(void**) {
  World& w = world();
  w.start();
  const NodeText node = subscribe(w, "ann@example.org/web", Subscribed(one));
  w.service(0).answer_all(418, "");
  assert_int_equal(publish_until_held(w, node, hours(12), 20), 11);  // at once, and five days later
  w.expect_at_rest();
}

}  // namespace

TESTS(web_push_patience, SCENARIO_WITH(an_endpoint_that_is_none_is_held_after_three_times, with_web_push),
      SCENARIO_WITH(three_times_are_three_in_a_row, with_web_push),
      SCENARIO_WITH(an_app_that_never_listens_is_held_after_a_week, with_web_push),
      SCENARIO_WITH(an_answer_that_nobody_knows_is_heard_for_five_days, with_web_push));

}  // namespace tocsin::test
