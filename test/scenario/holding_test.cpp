// Held devices: nothing is sent to them, their publishers wait, and they come back.
#include "test/scenario/world.h"

namespace tocsin::test {
namespace {

void hold(World& w, const NodeText& node, const char* id) {
  w.provider().answer_next(1, 400, "BadDeviceToken");
  w.publish_and_wait(node, id);
  w.expect_wait(id, "service-unavailable");
  w.run_for(seconds(1));
}

void registering_again_releases_a_held_device(void**) {
  World& w = world();
  w.start();
  const NodeText node = w.register_device("ann@example.org/phone", token_a);
  hold(w, node, "p1");
  w.publish_and_wait(node, "p2");
  w.expect_wait("p2");
  const NodeText same = w.register_device("ann@example.org/phone", token_a);
  assert_string_equal(node.text.c_str(), same.text.c_str());
  w.run_for(seconds(10));
  w.publish_and_wait(node, "p3");
  w.expect_result("p3");
  w.expect_requests(2);
  w.expect_at_rest();
}

void a_held_device_stays_held_over_a_power_cut(void**) {
  World& w = world();
  w.start();
  const NodeText a = w.register_device("ann@example.org/phone", token_a);
  const NodeText b = w.register_device("bob@example.org/phone", token_b);
  hold(w, a, "p1");
  hold(w, b, "p2");
  w.lose_power();
  w.start();
  w.provider().answer_all(400, "BadDeviceToken");
  w.publish_and_wait(a, "p3");  // the configuration may have changed: one is tried …
  w.publish_and_wait(b, "p4");  // … and no other
  w.expect_wait("p3");
  w.expect_wait("p4");
  w.expect_requests(3);
  w.expect_at_rest();
}

void one_held_device_is_tried_each_day(void**) {
  World& w = world();
  w.start();
  const NodeText a = w.register_device("ann@example.org/phone", token_a);
  const NodeText b = w.register_device("bob@example.org/phone", token_b);
  hold(w, a, "p1");
  hold(w, b, "p2");
  w.provider().answer_all(400, "BadDeviceToken");
  w.expect_requests(2);
  w.run_for(hours(25));
  w.publish_and_wait(b, "p3");
  w.expect_wait("p3");
  w.expect_requests(3);
  w.publish_and_wait(a, "p4");
  w.expect_wait("p4");
  w.expect_requests(3);
  w.run_for(hours(25));
  w.provider().accept_all();
  w.publish_and_wait(a, "p5");
  w.expect_result("p5");
  w.run_for(seconds(10));
  w.publish_and_wait(a, "p6");  // released
  w.expect_result("p6");
  w.publish_and_wait(b, "p7");  // the day's success speaks for itself only
  w.expect_wait("p7");
  w.expect_requests(5);
  w.expect_at_rest();
}

void a_probe_that_succeeds_after_a_restart_releases_all(void**) {
  World& w = world();
  w.start();
  NodeText nodes[10];
  const char* ids[] = {"q0", "q1", "q2", "q3", "q4", "q5", "q6", "q7", "q8", "q9"};
  for (uint32_t i = 0; i < 10; ++i) {
    uint8_t room[64];
    Writer from(room);
    nodes[i] =
        w.register_device(from.text("user").unsigned_number(i).text("@example.org/phone").view(), token_number(i));
    hold(w, nodes[i], ids[i]);
  }
  w.set("apns/siskin.topic=org.example.corrected");
  w.restart();
  w.publish_and_wait(nodes[3], "p3");
  w.expect_result("p3");
  w.run_for(seconds(1));
  const char* again[] = {"r0", "r1", "r2", "r3", "r4", "r5", "r6", "r7", "r8", "r9"};
  for (uint32_t i = 0; i < 10; ++i) {
    w.publish_and_wait(nodes[i], again[i]);
    w.expect_result(again[i]);
  }
  w.run_for(seconds(10));
  w.restart();  // the release is durable
  w.provider().act(FakeProvider::Act::stall);
  w.publish_and_wait(nodes[5], "p5");
  w.expect_result("p5");
  w.publish_and_wait(nodes[6], "p6");
  w.expect_result("p6");
  w.run_for(hours(25));
  w.expect_at_rest();
}

void only_one_probe_is_under_way(void**) {
  World& w = world();
  w.start();
  const NodeText a = w.register_device("ann@example.org/phone", token_a);
  const NodeText b = w.register_device("bob@example.org/phone", token_b);
  hold(w, a, "p1");
  hold(w, b, "p2");
  w.restart();
  w.provider().act(FakeProvider::Act::stall);
  w.server().publish(a, "p3");
  w.run_for(seconds(1));
  w.expect_no_answer("p3");
  w.publish_and_wait(b, "p4");
  w.expect_wait("p4");
  w.expect_requests(3);
  w.provider().accept_all();
  w.provider().release_stalled();
  w.run_for(seconds(2));
  w.expect_result("p3");
  w.publish_and_wait(b, "p5");
  w.expect_result("p5");
  w.expect_at_rest();
}

void a_probe_that_is_lost_is_followed_by_another(void**) {
  World& w = world();
  w.start();
  const NodeText a = w.register_device("ann@example.org/phone", token_a);
  const NodeText b = w.register_device("bob@example.org/phone", token_b);
  hold(w, a, "p1");
  hold(w, b, "p2");
  w.restart();
  w.provider().answer_next(1, 405, "MethodNotAllowed");  // says nothing about the device
  w.publish_and_wait(a, "p3");
  w.publish_and_wait(b, "p4");
  w.expect_result("p4");
  w.run_for(seconds(10));
  w.publish_and_wait(a, "p5");
  w.expect_result("p5");
  w.expect_at_rest();
}

void a_held_device_ends_on_the_clear_word(void**) {
  World& w = world();
  w.start();
  const NodeText node = w.register_device("ann@example.org/phone", token_a);
  hold(w, node, "p1");
  w.run_for(hours(25));
  w.provider().answer_all(410, "Unregistered");
  w.publish_and_wait(node, "p2");
  w.expect_gone("p2");
  w.expect_at_rest();
}

void holding_that_can_not_be_stored_is_tried_again(void**) {
  World& w = world();
  w.start();
  const NodeText node = w.register_device("ann@example.org/phone", token_a);
  w.provider().answer_all(400, "BadDeviceToken");
  w.disk().faults().sync_failures = 1;
  w.publish_and_wait(node, "p1");
  w.expect_wait("p1");
  w.run_for(seconds(10));
  w.publish_and_wait(node, "p2");
  w.expect_wait("p2");
  w.expect_requests(2);
  w.run_for(seconds(10));
  w.publish_and_wait(node, "p3");
  w.expect_wait("p3");
  w.expect_requests(2);
  w.expect_at_rest();
}

TESTS(holding, SCENARIO(registering_again_releases_a_held_device), SCENARIO(a_held_device_stays_held_over_a_power_cut),
      SCENARIO(one_held_device_is_tried_each_day), SCENARIO(a_probe_that_succeeds_after_a_restart_releases_all),
      SCENARIO(only_one_probe_is_under_way), SCENARIO(a_probe_that_is_lost_is_followed_by_another),
      SCENARIO(a_held_device_ends_on_the_clear_word), SCENARIO(holding_that_can_not_be_stored_is_tried_again));

}  // namespace
}  // namespace tocsin::test
