// TERM: what is open is answered, nothing more leaves, and the process ends in time.
#include "test/scenario/world.h"

namespace tocsin::test {
namespace {

constexpr string_view tigase = "tigase:messenger:apns:1";
constexpr Configured two_sections = {.two = true};

void terminate_and_wait(World& w) {
  const Instant before = w.now();
  w.terminate();
  assert_true(w.run_until([&] { return w.exited(); }, seconds(5)));
  assert_true(w.now() - before <= seconds(5));
}

void without_anything_open_it_ends_at_once(void**) {
  World& w = world();
  w.start();
  const NodeText node = w.register_device("ann@example.org/phone", token_a);
  w.publish_and_wait(node, "p1");
  const Instant before = w.now();
  terminate_and_wait(w);
  assert_true(w.now() - before < seconds(1));
  w.run_for(seconds(1));
  assert_false(w.server().up());
  assert_int_equal(w.provider().alive(), 0);
  assert_true(w.log().saw("event=stopping"));
  w.crash();
  w.start();
  w.publish_and_wait(node, "p2");
  w.expect_result("p2");
}

void a_request_that_has_left_is_answered_result_and_one_that_has_not_wait(void**) {
  World& w = world();
  w.start();
  const NodeText a = w.register_device("ann@example.org/phone", token_a);
  const NodeText b = w.register_device("bob@example.org/phone", token_b, "other:apns:1");
  w.provider().act(FakeProvider::Act::stall);
  w.simulation().network().path(World::provider_address(1)).reach = sim::Reach::black_hole;
  w.server().publish(a, "left");
  w.server().publish(b, "stayed");
  w.run_for(milliseconds(500));
  w.expect_requests(1);
  terminate_and_wait(w);
  w.run_for(seconds(1));
  w.expect_result("left");
  w.expect_wait("stayed", "internal-server-error");
}

void sixty_open_publishes_are_all_answered(void**) {
  World& w = world();
  w.start();
  NodeText nodes[60];
  for (uint32_t i = 0; i < 60; ++i) {
    uint8_t room[64];
    Writer from(room);
    nodes[i] =
        w.register_device(from.text("user").unsigned_number(i).text("@example.org/phone").view(), token_number(i));
  }
  w.publish_and_wait(nodes[0], "first");
  w.provider().act(FakeProvider::Act::stall);
  for (uint32_t i = 0; i < 60; ++i) w.server().publish_numbered(nodes[i], i);
  w.run_for(milliseconds(100));
  terminate_and_wait(w);
  w.run_for(seconds(1));
  assert_int_equal(w.server().numbered_answered(), 60);
  assert_int_equal(w.server().numbered_twice(), 0);
}

void what_waits_for_a_retry_is_dropped(void**) {
  World& w = world();
  w.start();
  const NodeText node = w.register_device("ann@example.org/phone", token_a);
  w.provider().answer_all(503, "ServiceUnavailable");
  w.publish_and_wait(node, "p1");
  terminate_and_wait(w);
  w.provider().accept_all();
  w.run_for(hours(2));
  w.expect_requests(1);
}

void registrations_that_wait_for_the_disk_are_answered_wait(void**) {
  World& w = world();
  w.start();
  w.disk().faults().sync_latency = seconds(30);
  w.send_register("ann@example.org/phone", "r1", tigase, token_a);
  w.run_for(milliseconds(100));
  w.expect_no_answer("r1");
  terminate_and_wait(w);
  w.run_for(seconds(1));
  w.expect_wait("r1", "internal-server-error");
}

void a_death_that_waits_for_the_disk_is_answered_wait(void**) {
  World& w = world();
  w.start();
  const NodeText node = w.register_device("ann@example.org/phone", token_a);
  w.disk().faults().sync_latency = seconds(30);
  w.provider().answer_all(410, "Unregistered");
  w.server().publish(node, "p1");
  w.run_for(milliseconds(100));
  w.expect_requests(1);
  terminate_and_wait(w);
  w.run_for(seconds(1));
  w.expect_wait("p1", "internal-server-error");
}

void a_server_that_does_not_read_does_not_keep_it(void**) {
  World& w = world();
  w.simulation().network().path(World::server_address()).window = 8 * 1024;
  w.start();
  w.server().connection()->pause();
  for (uint32_t i = 0; i < 300; ++i) w.server().publish_numbered("AAAAAAAAAAAAAAAAAAAAAA", i);
  w.run_for(seconds(1));
  terminate_and_wait(w);
}

void without_a_server_it_ends_as_well(void**) {
  World& w = world();
  w.simulation().network().path(World::server_address()).reach = sim::Reach::black_hole;
  w.start_alone();
  w.run_for(seconds(3));
  terminate_and_wait(w);
}

void publishes_that_come_after_the_word_are_not_lost_silently(void**) {
  World& w = world();
  w.start();
  const NodeText node = w.register_device("ann@example.org/phone", token_a);
  w.publish_and_wait(node, "p1");
  w.run_for(seconds(10));
  w.terminate();
  w.server().publish(node, "p2");
  assert_true(w.run_until([&] { return w.exited(); }, seconds(5)));
  w.run_for(seconds(1));
  w.expect_requests(1);  // either unread, so that the server sees its stream end, or answered wait
  if (w.server().answers("p2") > 0) w.expect_wait("p2", "internal-server-error");
}

TESTS(stop, SCENARIO(without_anything_open_it_ends_at_once),
      SCENARIO_WITH(a_request_that_has_left_is_answered_result_and_one_that_has_not_wait, two_sections),
      SCENARIO(sixty_open_publishes_are_all_answered), SCENARIO(what_waits_for_a_retry_is_dropped),
      SCENARIO(registrations_that_wait_for_the_disk_are_answered_wait),
      SCENARIO(a_death_that_waits_for_the_disk_is_answered_wait),
      SCENARIO(a_server_that_does_not_read_does_not_keep_it), SCENARIO(without_a_server_it_ends_as_well),
      SCENARIO(publishes_that_come_after_the_word_are_not_lost_silently));

}  // namespace
}  // namespace tocsin::test
