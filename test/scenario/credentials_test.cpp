// Trouble with our own credentials: the section pauses or mends itself, and no
// registration ends.
#include "test/scenario/world.h"

namespace tocsin::test {
namespace {

void a_topic_that_is_not_allowed_pauses_the_section_and_ends_nobody(void**) {
  World& w = world();
  w.start();
  const NodeText a = w.register_device("ann@example.org/phone", token_a);
  const NodeText b = w.register_device("bob@example.org/phone", token_b);
  w.provider().answer_all(400, "TopicDisallowed");
  w.publish_and_wait(a, "p1");
  w.expect_wait("p1", "service-unavailable");
  assert_true(contains(w.log().last("event=provider_down"), "check="));
  w.run_for(minutes(10));
  w.publish_and_wait(b, "p2");
  w.expect_wait("p2", "service-unavailable");
  w.expect_requests(1);
  assert_int_equal(w.gateway().registry().count(), 2);
  w.provider().accept_all();
  w.run_for(minutes(11));
  w.expect_requests(3);  // both went out after the pause
  w.expect_at_rest();
}

void a_key_that_is_not_accepted_pauses_the_section_without_a_new_token(void**) {
  World& w = world();
  w.start();
  const NodeText node = w.register_device("ann@example.org/phone", token_a);
  w.provider().answer_all(403, "InvalidProviderToken");
  w.publish_and_wait(node, "p1");
  w.expect_wait("p1", "service-unavailable");
  w.run_for(minutes(19));
  w.expect_requests(1);
  w.provider().accept_all();
  w.run_for(minutes(2));
  w.expect_requests(2);
  assert_string_equal(w.provider().request(0).authorization.c_str(), w.provider().request(1).authorization.c_str());
  w.expect_at_rest();
}

void an_expired_token_is_renewed_on_a_new_connection_and_nobody_notices(void**) {
  World& w = world();
  w.start();
  const NodeText node = w.register_device("ann@example.org/phone", token_a);
  w.publish_and_wait(node, "p1");
  w.run_for(minutes(25));
  w.provider().answer_next(1, 403, "ExpiredProviderToken");
  w.publish_and_wait(node, "p2");
  w.expect_result("p2");
  w.expect_requests(3);
  assert_false(w.provider().request(1).authorization.view() == w.provider().request(2).authorization.view());
  assert_int_equal(w.provider().connections(), 2);
  w.run_for(minutes(1));
  w.expect_at_rest();
}

void a_token_that_stays_expired_is_said_and_not_renewed_again_and_again(void**) {
  World& w = world();
  w.start();
  const NodeText node = w.register_device("ann@example.org/phone", token_a);
  w.provider().answer_all(403, "ExpiredProviderToken");
  w.publish_and_wait(node, "p1");
  w.run_for(minutes(10));
  assert_true(contains(w.log().last("event=provider_trouble"), "clock"));
  const uint64_t requests = w.provider().requests();
  assert_in_range(requests, 3, 12);
  for (uint64_t i = 1; i < requests; ++i) {
    assert_string_equal(w.provider().request(0).authorization.c_str(), w.provider().request(i).authorization.c_str());
  }
  w.provider().accept_all();
  w.run_for(hours(1));
  w.expect_at_rest();
}

// Behind, its token is too old; ahead, it is from the future, and Apple has no word of its own for that.
void a_clock_that_is_hours_off_is_put_right_by_apples_own(void**) {
  for (const int64_t off : {-5, 5}) {
    World& w = world();
    if (!w.running()) w.start();
    const NodeText node = w.register_device("ann@example.org/phone", token_a);
    const UnixTime right = w.simulation().wall();
    w.port().set_wall(right + hours(off));
    w.provider().tell_time(true);
    w.provider().answer_next(1, 403, off < 0 ? "ExpiredProviderToken" : "InvalidProviderToken");
    const uint64_t before = w.provider().requests();
    const char* id = off < 0 ? "behind" : "ahead";
    w.publish_and_wait(node, id);
    w.expect_result(id);
    assert_int_equal(w.provider().requests(), before + 2);
    assert_false(w.provider().request(before).authorization.view() ==
                 w.provider().request(before + 1).authorization.view());
    assert_int_equal(w.log().count("event=clock_skew"), off < 0 ? 1 : 2);
    assert_true(contains(w.log().last("event=clock_skew"), off < 0 ? "seconds=18000" : "seconds=-18000"));
    // Set at last: nothing of it stays.
    w.port().set_wall(w.simulation().wall());
    w.run_for(hours(2));
    w.publish_and_wait(node, off < 0 ? "p1" : "p2");
    w.expect_result(off < 0 ? "p1" : "p2");
    w.run_for(minutes(25));
  }
  world().expect_at_rest();
}

void a_key_that_is_refused_by_a_right_clock_stays_refused(void**) {
  World& w = world();
  w.start();
  w.provider().tell_time(true);
  const NodeText node = w.register_device("ann@example.org/phone", token_a);
  w.provider().answer_all(403, "InvalidProviderToken");
  w.publish_and_wait(node, "p1");
  w.expect_wait("p1");
  w.expect_requests(1);
  w.run_for(minutes(19));
  w.expect_requests(1);
  assert_int_equal(w.log().count("event=clock_skew"), 0);
  // Wrong in both: the clock is corrected once, and the key is what remains.
  w.run_for(minutes(25));
  w.port().set_wall(w.simulation().wall() - hours(3));
  const uint64_t before = w.provider().requests();
  w.run_for(minutes(60));
  assert_in_range(w.provider().requests() - before, 2, 5);
  assert_in_range(w.log().count("event=clock_skew"), 1, 2);
}

void too_many_token_updates_keep_the_token_and_take_a_new_connection(void**) {
  World& w = world();
  w.start();
  const NodeText node = w.register_device("ann@example.org/phone", token_a);
  w.provider().answer_next(1, 429, "TooManyProviderTokenUpdates");
  w.publish_and_wait(node, "p1");
  w.expect_wait("p1", "service-unavailable");
  w.run_for(seconds(59));
  w.expect_requests(1);
  w.run_for(seconds(15));
  w.expect_requests(2);
  assert_string_equal(w.provider().request(0).authorization.c_str(), w.provider().request(1).authorization.c_str());
  assert_int_equal(w.provider().connections(), 2);
  w.expect_at_rest();
}

TESTS(credentials, SCENARIO(a_topic_that_is_not_allowed_pauses_the_section_and_ends_nobody),
      SCENARIO(a_key_that_is_not_accepted_pauses_the_section_without_a_new_token),
      SCENARIO(an_expired_token_is_renewed_on_a_new_connection_and_nobody_notices),
      SCENARIO(a_token_that_stays_expired_is_said_and_not_renewed_again_and_again),
      SCENARIO(a_clock_that_is_hours_off_is_put_right_by_apples_own),
      SCENARIO(a_key_that_is_refused_by_a_right_clock_stays_refused),
      SCENARIO(too_many_token_updates_keep_the_token_and_take_a_new_connection));

}  // namespace
}  // namespace tocsin::test
