// A connection over hours and days: idle, forgotten by a router, closed again and
// again; and how often the gateway wakes up meanwhile.
#include "test/scenario/world.h"

namespace tocsin::test {
namespace {

using Act = FakeProvider::Act;
using Conduct = FakeProvider::Conduct;

void hold(World& w) { w.simulation().network().hold_all(World::provider_address(0)); }

void an_idle_gateway_sleeps(void**) {
  World& w = world();
  w.start();
  const NodeText node = w.register_device("ann@example.org/phone", token_a);
  w.publish_and_wait(node, "p1");
  const uint64_t before = w.port().wake_ups();
  w.run_for(hours(10));
  // A ping to the server and its answer each minute, a PING to the provider each hour.
  assert_true(w.port().wake_ups() - before <= 10 * 60 * 3);
  assert_int_equal(w.provider().connections(), 1);
}

void a_gateway_without_a_server_and_without_a_provider_sleeps_as_well(void**) {
  World& w = world();
  w.start();
  const NodeText node = w.register_device("ann@example.org/phone", token_a);
  w.simulation().network().path(World::provider_address(0)).reach = sim::Reach::refuse;
  w.publish_and_wait(node, "p1");
  w.simulation().network().path(World::server_address()).reach = sim::Reach::refuse;
  w.server().drop();
  w.run_for(hours(1));
  const uint64_t before = w.port().wake_ups();
  w.run_for(hours(1));
  assert_true(w.port().wake_ups() - before <= 1'600);  // two tries a minute on each side, of three steps
}

void a_connection_stays_for_days(void**) {
  World& w = world();
  w.start();
  const NodeText node = w.register_device("ann@example.org/phone", token_a);
  for (uint32_t day = 0; day < 7; ++day) {
    uint8_t room[8];
    Writer id(room);
    id.character('d').unsigned_number(day);
    w.publish_and_wait(node, id.view());
    w.expect_result(id.view());
    w.run_for(hours(23));
  }
  assert_int_equal(w.provider().connections(), 1);
  w.expect_requests(7);
  w.expect_at_rest();
}

void after_an_hour_of_silence_a_ping_and_not_before(void**) {
  World& w = world();
  w.start();
  const NodeText node = w.register_device("ann@example.org/phone", token_a);
  w.publish_and_wait(node, "p1");
  w.run_for(minutes(54));
  assert_int_equal(w.provider().pings(), 0);
  w.run_for(minutes(2));
  assert_int_equal(w.provider().pings(), 1);
  w.run_for(minutes(54));
  assert_int_equal(w.provider().pings(), 1);
}

void while_an_idle_ping_waits_the_gateway_does_not_spin(void**) {
  World& w = world();
  w.start();
  const NodeText node = w.register_device("ann@example.org/phone", token_a);
  w.publish_and_wait(node, "p1");
  w.run_for(minutes(54));
  hold(w);
  const uint64_t before = w.port().wake_ups();
  w.run_for(minutes(2));
  assert_true(w.port().wake_ups() - before < 20);
  assert_int_equal(w.port().net().open_sockets(), 1);  // given up, and no other is made for nothing
  assert_true(contains(w.log().last("event=provider_closed"), "no answer to a PING"));
  w.publish_and_wait(node, "p2");
  w.expect_result("p2");
  assert_int_equal(w.provider().connections(), 2);
}

void a_mapping_that_a_router_forgot_costs_three_seconds_and_no_push(void**) {
  World& w = world();
  w.start();
  const NodeText node = w.register_device("ann@example.org/phone", token_a);
  w.publish_and_wait(node, "p1");
  w.run_for(minutes(10));
  hold(w);
  const Instant began = w.now();
  w.publish_and_wait(node, "p2");
  assert_true(w.now() - began < milliseconds(3'500));
  w.expect_result("p2");
  assert_true(contains(w.log().last("event=push"), "verdict=delivered"));
  w.expect_requests(2);  // asked first, so nothing was sent twice
  assert_int_equal(w.provider().connections(), 2);
  w.expect_at_rest();
}

void after_a_minute_of_silence_requests_wait_for_the_answer_to_a_ping(void**) {
  World& w = world();
  w.start();
  const NodeText node = w.register_device("ann@example.org/phone", token_a);
  w.publish_and_wait(node, "p1");
  w.run_for(seconds(50));
  w.publish_and_wait(node, "p2");
  assert_int_equal(w.provider().pings(), 0);
  w.run_for(seconds(70));
  w.publish_and_wait(node, "p3");
  assert_int_equal(w.provider().pings(), 1);
  w.expect_result("p3");
  assert_int_equal(w.provider().connections(), 1);
}

// ---- storms ---------------------------------------------------------------------

void a_provider_that_accepts_and_closes_at_once_is_no_storm(void**) {
  World& w = world();
  w.provider().conduct(Conduct::open_shut);
  w.start();
  const NodeText node = w.register_device("ann@example.org/phone", token_a);
  for (uint32_t i = 0; i < 240; ++i) {
    w.server().publish_numbered(node, i);
    w.run_for(seconds(5));
  }
  w.run_for(seconds(6));
  assert_int_equal(w.server().numbered_answered(), 240);
  assert_int_equal(w.server().numbered_twice(), 0);
  assert_true(w.provider().connections() >= 20 && w.provider().connections() <= 50);
  assert_true(w.log().count("event=provider_down") <= 1);
  assert_true(w.log().count("event=provider_closed") <= 1);
  w.provider().conduct(Conduct::proper);
  w.run_for(seconds(70));
  w.publish_and_wait(node, "p1");
  w.expect_result("p1");
}

void a_provider_that_drops_every_request_is_no_storm(void**) {
  World& w = world();
  w.provider().act(Act::drop_connection);
  w.start();
  const NodeText node = w.register_device("ann@example.org/phone", token_a);
  for (uint32_t i = 0; i < 240; ++i) {
    w.server().publish_numbered(node, i);
    w.run_for(seconds(5));
  }
  w.run_for(seconds(6));
  assert_int_equal(w.server().numbered_answered(), 240);
  assert_true(w.provider().connections() >= 15 && w.provider().connections() <= 50);
  w.provider().accept_all();
  w.run_for(hours(2));
  w.publish_and_wait(node, "p1");
  w.expect_result("p1");
  w.expect_at_rest();
}

void a_provider_that_closes_old_connections_is_back_at_once(void**) {
  World& w = world();
  w.start();
  const NodeText node = w.register_device("ann@example.org/phone", token_a);
  w.publish_and_wait(node, "p1");
  for (uint32_t i = 0; i < 20; ++i) {
    w.run_for(seconds(30));
    w.provider().drop_connections();
    w.run_for(seconds(1));
    assert_int_equal(w.provider().connections(), i + 1);  // lazily: nothing waits
    const Instant began = w.now();
    w.server().publish_numbered(node, i);
    assert_true(w.run_until([&] { return w.server().numbered_answered() == i + 1; }));
    assert_true(w.now() - began < milliseconds(100));
  }
  assert_int_equal(w.server().numbered_waits(), 0);
}

// ---- the token ----------------------------------------------------------------------

void one_token_serves_all_connections_and_is_renewed_after_forty_minutes(void**) {
  World& w = world();
  w.start();
  const NodeText node = w.register_device("ann@example.org/phone", token_a);
  w.publish_and_wait(node, "p1");
  w.run_for(minutes(20));
  w.provider().drop_connections();
  w.publish_and_wait(node, "p2");
  w.run_for(minutes(19));
  w.provider().go_away_now(-1, "");
  w.run_for(seconds(1));
  w.publish_and_wait(node, "p3");
  w.run_for(minutes(2));
  w.publish_and_wait(node, "p4");
  w.expect_requests(4);
  assert_int_equal(w.provider().connections(), 3);
  const auto token = [&](uint64_t i) { return w.provider().request(i).authorization.view(); };
  assert_true(token(0) == token(1));
  assert_true(token(0) == token(2));
  assert_false(token(0) == token(3));
}

TESTS(connection_life, SCENARIO(an_idle_gateway_sleeps),
      SCENARIO(a_gateway_without_a_server_and_without_a_provider_sleeps_as_well), SCENARIO(a_connection_stays_for_days),
      SCENARIO(after_an_hour_of_silence_a_ping_and_not_before),
      SCENARIO(while_an_idle_ping_waits_the_gateway_does_not_spin),
      SCENARIO(a_mapping_that_a_router_forgot_costs_three_seconds_and_no_push),
      SCENARIO(after_a_minute_of_silence_requests_wait_for_the_answer_to_a_ping),
      SCENARIO(a_provider_that_accepts_and_closes_at_once_is_no_storm),
      SCENARIO(a_provider_that_drops_every_request_is_no_storm),
      SCENARIO(a_provider_that_closes_old_connections_is_back_at_once),
      SCENARIO(one_token_serves_all_connections_and_is_renewed_after_forty_minutes));

}  // namespace
}  // namespace tocsin::test
