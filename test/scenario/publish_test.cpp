// What a publish is answered, and when: the rows of the table, one story each.
#include "test/scenario/world.h"

namespace tocsin::test {
namespace {

void a_silent_provider_is_answered_once_as_queued(void**) {
  World& w = world();
  w.start();
  const NodeText node = w.register_device("ann@example.org/phone", token_a);
  w.provider().act(FakeProvider::Act::stall);
  w.server().publish(node, "p1");
  w.run_for(milliseconds(4900));
  w.expect_no_answer("p1");
  w.run_for(milliseconds(200));
  w.expect_result("p1");
  assert_true(contains(w.log().last("event=push"), "verdict=queued"));
  w.run_for(hours(25));
  w.expect_result("p1");  // nothing more for this id
  w.expect_at_rest();
}

void a_silent_provider_that_wakes_up_gets_what_was_queued(void**) {
  World& w = world();
  w.start();
  const NodeText node = w.register_device("ann@example.org/phone", token_a);
  w.provider().act(FakeProvider::Act::stall);
  w.publish_and_wait(node, "p1");
  w.expect_result("p1");
  w.run_for(hours(1));
  w.provider().accept_all();
  const uint64_t before = w.provider().requests();
  w.run_for(hours(2));
  assert_true(w.provider().requests() > before);
  w.expect_at_rest();
}

void a_provider_in_trouble_is_answered_wait(void**) {
  World& w = world();
  w.start();
  const NodeText node = w.register_device("ann@example.org/phone", token_a);
  w.provider().answer_all(500, "InternalServerError");
  w.publish_and_wait(node, "p1");
  w.expect_wait("p1", "service-unavailable");
  w.run_for(seconds(10));
  w.provider().answer_all(503, "ServiceUnavailable");
  w.publish_and_wait(node, "p2");
  w.expect_wait("p2", "service-unavailable");
  w.provider().accept_all();
  w.run_for(hours(1));  // both were one wake-up: the newer spoke for the older
  w.expect_requests(3);
  w.expect_at_rest();
}

void a_refused_connection_is_answered_wait_and_the_push_goes_out_later(void**) {
  World& w = world();
  w.start();
  const NodeText node = w.register_device("ann@example.org/phone", token_a);
  w.simulation().network().path(World::provider_address(0)).reach = sim::Reach::refuse;
  w.publish_and_wait(node, "p1");
  w.expect_wait("p1", "service-unavailable");
  w.publish_and_wait(node, "p2");  // nobody tries again for a while: known at once
  w.expect_wait("p2", "service-unavailable");
  w.run_for(minutes(10));
  w.expect_requests(0);
  w.simulation().network().path(World::provider_address(0)).reach = sim::Reach::accept;
  w.run_for(minutes(2));
  w.expect_requests(1);
  w.expect_at_rest();
}

void a_name_that_does_not_exist_is_answered_wait(void**) {
  World& w = world();
  w.start();
  const NodeText node = w.register_device("ann@example.org/phone", token_a);
  w.simulation().names().fails("api.push.example.org", Error::not_found);
  w.publish_and_wait(node, "p1");
  w.expect_wait("p1", "service-unavailable");
  w.simulation().names().set("api.push.example.org", World::provider_address(0));
  w.run_for(minutes(2));
  w.expect_requests(1);
  w.expect_at_rest();
}

void a_connection_that_is_never_made_is_answered_as_queued(void**) {
  World& w = world();
  w.start();
  const NodeText node = w.register_device("ann@example.org/phone", token_a);
  w.simulation().network().path(World::provider_address(0)).reach = sim::Reach::black_hole;
  const Instant before = w.now();
  w.publish_and_wait(node, "p1");
  assert_true(w.now() - before <= milliseconds(5100));
  w.simulation().network().path(World::provider_address(0)).reach = sim::Reach::accept;
  w.run_for(minutes(3));
  w.expect_requests(1);
  w.expect_at_rest();
}

void the_devices_limit_at_the_provider_is_answered_result_and_the_push_waits(void**) {
  World& w = world();
  w.start();
  const NodeText node = w.register_device("ann@example.org/phone", token_a);
  w.provider().answer_all(429, "TooManyRequests");
  w.publish_and_wait(node, "p1");
  w.expect_result("p1");
  assert_true(contains(w.log().last("event=push"), "verdict=limited"));
  w.provider().accept_all();
  w.run_for(seconds(29));
  w.expect_requests(1);
  w.run_for(seconds(5));
  w.expect_requests(2);
  w.expect_at_rest();
}

constexpr Configured small_pool = {.extra = "[limits]\nmax_pending = 2\n"};

void a_full_pending_pool_is_answered_wait(void**) {
  World& w = world();
  w.start();
  const NodeText a = w.register_device("ann@example.org/phone", token_a);
  const NodeText b = w.register_device("bob@example.org/phone", token_b);
  const NodeText c = w.register_device("cid@example.org/phone", token_c);
  w.provider().act(FakeProvider::Act::stall);
  w.server().publish(a, "p1");
  w.server().publish(b, "p2");
  w.server().publish(c, "p3");
  w.run_for(seconds(6));
  w.expect_result("p1");
  w.expect_result("p2");
  w.expect_wait("p3", "internal-server-error");
  assert_int_equal(w.gateway().gateway().publish().pending(), 2);
  w.provider().accept_all();
  w.provider().drop_connections();
  w.run_for(hours(2));
  w.expect_at_rest();
}

constexpr Configured no_pool = {.extra = "[limits]\nmax_pending = 0\n"};

void without_a_pending_pool_no_promise_is_made(void**) {
  World& w = world();
  w.start();
  const NodeText node = w.register_device("ann@example.org/phone", token_a);
  w.provider().answer_all(429, "TooManyRequests");
  w.publish_and_wait(node, "p1");
  w.expect_wait("p1", "internal-server-error");
  w.expect_at_rest();
}

void a_dead_device_is_gone_only_when_that_is_durable(void**) {
  World& w = world();
  w.start();
  const NodeText node = w.register_device("ann@example.org/phone", token_a);
  w.disk().faults().sync_latency = milliseconds(500);
  w.provider().answer_all(410, "Unregistered", 1'900'000'000'000);
  w.server().publish(node, "p1");
  w.run_for(milliseconds(400));
  w.expect_requests(1);
  w.expect_no_answer("p1");
  w.server().publish(node, "p2");  // its end is under way: nothing is sent to it any more
  w.run_for(milliseconds(50));
  w.expect_wait("p2");
  w.run_for(seconds(1));
  w.expect_gone("p1");
  w.expect_requests(1);
  w.publish_and_wait(node, "p3");
  w.expect_gone("p3");
  w.expect_requests(1);
  assert_int_equal(w.gateway().registry().count(), 0);
  w.expect_at_rest();
}

void a_death_that_can_not_be_stored_is_answered_wait_and_found_again(void**) {
  World& w = world();
  w.start();
  const NodeText node = w.register_device("ann@example.org/phone", token_a);
  w.disk().faults().sync_failures = 1;
  w.provider().answer_all(410, "Unregistered", 1'900'000'000'000);
  w.publish_and_wait(node, "p1");
  w.expect_wait("p1", "internal-server-error");
  assert_int_equal(w.gateway().registry().count(), 1);
  w.run_for(seconds(10));
  w.publish_and_wait(node, "p2");
  w.expect_gone("p2");
  w.expect_at_rest();
}

void a_death_that_takes_longer_than_five_seconds_to_store_is_answered_in_time(void**) {
  World& w = world();
  w.start();
  const NodeText node = w.register_device("ann@example.org/phone", token_a);
  w.disk().faults().sync_latency = seconds(8);
  w.provider().answer_all(410, "Unregistered", 1'900'000'000'000);
  w.publish_and_wait(node, "p1");
  w.expect_wait("p1", "internal-server-error");
  w.run_for(seconds(10));
  w.publish_and_wait(node, "p2");
  w.expect_gone("p2");
  w.expect_at_rest();
}

void a_registry_that_can_not_be_read_is_answered_wait(void**) {
  World& w = world();
  w.start();
  const NodeText node = w.register_device("ann@example.org/phone", token_a);
  w.disk().faults().read_failures = 1;
  w.publish_and_wait(node, "p1");
  w.expect_wait("p1", "internal-server-error");
  w.publish_and_wait(node, "p2");
  w.expect_result("p2");
  w.expect_at_rest();
}

void a_section_that_is_off_is_answered_wait(void**) {
  World& w = world();
  w.turn_off(0);
  w.start();
  const NodeText node = w.register_device("ann@example.org/phone", token_a);
  w.publish_and_wait(node, "p1");
  w.expect_wait("p1", "service-unavailable");
  w.expect_requests(0);
  w.turn_off(0, false);
  w.restart();
  w.publish_and_wait(node, "p2");
  w.expect_result("p2");
  w.expect_at_rest();
}

constexpr Configured two_sections = {.two = true};

void a_section_that_is_missing_is_answered_wait(void**) {
  World& w = world();
  w.start();
  const NodeText node = w.register_device("ann@example.org/phone", token_a, "other:apns:1");
  w.crash();
  w.one_section();
  w.start();
  w.publish_and_wait(node, "p1");
  w.expect_wait("p1", "service-unavailable");
  assert_int_equal(w.gateway().registry().count(), 1);
  w.expect_at_rest();
}

void a_stream_that_breaks_loses_answers_but_no_push(void**) {
  World& w = world();
  w.start();
  const NodeText node = w.register_device("ann@example.org/phone", token_a);
  w.provider().act(FakeProvider::Act::stall);
  w.server().publish(node, "p1");
  w.run_for(seconds(1));
  w.server().reset();
  w.run_for(seconds(2));
  w.provider().accept_all();
  w.provider().release_stalled();
  w.run_for(seconds(10));
  w.expect_requests(1);
  assert_true(w.server().up());
  w.expect_at_rest();
}

TESTS(publish, SCENARIO(a_silent_provider_is_answered_once_as_queued),
      SCENARIO(a_silent_provider_that_wakes_up_gets_what_was_queued), SCENARIO(a_provider_in_trouble_is_answered_wait),
      SCENARIO(a_refused_connection_is_answered_wait_and_the_push_goes_out_later),
      SCENARIO(a_name_that_does_not_exist_is_answered_wait),
      SCENARIO(a_connection_that_is_never_made_is_answered_as_queued),
      SCENARIO(the_devices_limit_at_the_provider_is_answered_result_and_the_push_waits),
      SCENARIO_WITH(a_full_pending_pool_is_answered_wait, small_pool),
      SCENARIO_WITH(without_a_pending_pool_no_promise_is_made, no_pool),
      SCENARIO(a_dead_device_is_gone_only_when_that_is_durable),
      SCENARIO(a_death_that_can_not_be_stored_is_answered_wait_and_found_again),
      SCENARIO(a_death_that_takes_longer_than_five_seconds_to_store_is_answered_in_time),
      SCENARIO(a_registry_that_can_not_be_read_is_answered_wait), SCENARIO(a_section_that_is_off_is_answered_wait),
      SCENARIO_WITH(a_section_that_is_missing_is_answered_wait, two_sections),
      SCENARIO(a_stream_that_breaks_loses_answers_but_no_push));

}  // namespace
}  // namespace tocsin::test
