// Registering and unregistering: what is acknowledged is durable, a device has
// one node, and nobody learns of others' devices.
#include "test/scenario/world.h"

namespace tocsin::test {
namespace {

constexpr string_view ann = "ann@example.org/phone";
constexpr string_view tigase = "tigase:messenger:apns:1";

void the_same_device_keeps_its_node_over_restarts(void**) {
  World& w = world();
  w.start();
  const NodeText node = w.register_device(ann, token_a);
  assert_string_equal(node.text.c_str(), w.register_device(ann, token_a).text.c_str());
  assert_string_equal(node.text.c_str(), w.register_device("ann@example.org/other", token_a).text.c_str());
  w.restart();
  assert_string_equal(node.text.c_str(), w.register_device(ann, token_a).text.c_str());
  w.publish_and_wait(node, "p1");
  w.expect_result("p1");
  assert_int_equal(w.gateway().registry().count(), 1);
  w.expect_at_rest();
}

void what_was_acknowledged_survives_a_power_cut_right_behind_the_answer(void**) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    World& w = world();
    w.end();
    w.begin(seed);
    w.start();
    w.disk().faults().sync_latency = milliseconds(20);
    const NodeText a = w.register_device(ann, token_a);
    const NodeText b = w.register_device("bob@example.org/phone", token_b);
    w.send_register("cid@example.org/phone", "late", tigase, token_c);  // staged, perhaps written, not acknowledged
    w.run_for(milliseconds(5));
    w.lose_power();
    w.start();
    assert_string_equal(a.text.c_str(), w.register_device(ann, token_a).text.c_str());
    assert_string_equal(b.text.c_str(), w.register_device("bob@example.org/phone", token_b).text.c_str());
    w.publish_and_wait(a, "p1");
    w.expect_result("p1");
    w.expect_at_rest();
  }
}

void what_was_acknowledged_survives_being_killed(void**) {
  World& w = world();
  w.start();
  const NodeText node = w.register_device(ann, token_a);
  w.restart();
  assert_string_equal(node.text.c_str(), w.register_device(ann, token_a).text.c_str());
  w.expect_at_rest();
}

void an_end_that_was_acknowledged_survives_a_power_cut(void**) {
  World& w = world();
  w.start();
  const NodeText node = w.register_device(ann, token_a);
  w.send_unregister(ann, "u1", tigase, token_a);
  w.wait_for_answer("u1");
  w.lose_power();
  w.start();
  w.publish_and_wait(node, "p1");
  w.expect_gone("p1");
  assert_string_not_equal(node.text.c_str(), w.register_device(ann, token_a).text.c_str());
  w.expect_at_rest();
}

void a_changed_second_token_keeps_the_node(void**) {
  World& w = world();
  w.start();
  const NodeText node = w.register_device(ann, token_a);
  w.send_register(ann, "r1", tigase, token_a, token_b);
  w.wait_for_answer("r1");
  assert_true(contains(w.server().answer("r1"), node));
  w.send_register(ann, "r2", tigase, token_a, token_c);
  w.wait_for_answer("r2");
  assert_true(contains(w.server().answer("r2"), node));
  assert_int_equal(w.gateway().registry().count(), 1);
  w.expect_at_rest();
}

void another_account_with_the_same_token_is_another_device(void**) {
  World& w = world();
  w.start();
  const NodeText a = w.register_device(ann, token_a);
  const NodeText b = w.register_device("bob@example.org/phone", token_a);
  assert_string_not_equal(a.text.c_str(), b.text.c_str());
  w.send_unregister("bob@example.org/phone", "u1", tigase, token_a);
  w.wait_for_answer("u1");
  w.publish_and_wait(a, "p1");
  w.expect_result("p1");
  w.publish_and_wait(b, "p2");
  w.expect_gone("p2");
  w.expect_at_rest();
}

void tokens_are_the_same_in_either_case(void**) {
  World& w = world();
  w.start();
  const NodeText node = w.register_device(ann, token_a);
  uint8_t room[64];
  Writer upper(room);
  for (const char c : token_a) upper.character(c >= 'a' && c <= 'f' ? static_cast<char>(c - 32) : c);
  assert_string_equal(node.text.c_str(), w.register_device(ann, upper.view()).text.c_str());
  assert_int_equal(w.gateway().registry().count(), 1);
}

void unregistering_somebody_elses_device_learns_nothing(void**) {
  World& w = world();
  w.start();
  const NodeText node = w.register_device(ann, token_a);
  w.send_unregister("bob@example.org/phone", "u1", tigase, token_a);
  w.send_unregister("bob@example.org/phone", "u2", tigase, token_b);  // of nobody
  w.wait_for_answer("u2");
  w.expect_gone("u1");
  w.expect_gone("u2");
  assert_int_equal(w.server().answer("u1").size(), w.server().answer("u2").size());
  w.publish_and_wait(node, "p1");
  w.expect_result("p1");
  w.expect_at_rest();
}

void a_device_is_unregistered_under_another_provider_string(void**) {
  World& w = world();
  w.start();
  const NodeText a = w.register_device(ann, token_a, "snikket:apns:1");
  w.send_unregister(ann, "u1", tigase, token_a);
  w.wait_for_answer("u1");
  w.expect_answer("u1", "status='completed'");
  const NodeText b = w.register_device(ann, token_b);
  w.send_unregister(ann, "u2", "some:app:7", token_b);
  w.wait_for_answer("u2");
  w.expect_answer("u2", "status='completed'");
  for (const NodeText& node : {a, b}) {
    w.publish_and_wait(node, node.text.view());
    w.expect_gone(node.text.view());
  }
  w.expect_at_rest();
}

void answers_wait_for_the_sync_and_publishes_do_not(void**) {
  World& w = world();
  w.start();
  const NodeText node = w.register_device(ann, token_a);
  w.publish_and_wait(node, "p0");
  w.run_for(seconds(10));
  w.disk().faults().sync_latency = milliseconds(500);
  w.send_register("bob@example.org/phone", "r1", tigase, token_b);
  w.send_register("cid@example.org/phone", "r2", tigase, token_c);
  const Instant before = w.now();
  w.publish_and_wait(node, "p1");
  assert_true(w.now() - before < milliseconds(100));
  w.expect_no_answer("r1");
  w.run_for(milliseconds(400));
  w.expect_no_answer("r1");
  w.wait_for_answer("r1");
  assert_true(w.now() - before >= milliseconds(500));
  w.wait_for_answer("r2");
  w.expect_answer("r1", "status='completed'");
  w.expect_answer("r2", "status='completed'");
  w.expect_at_rest();
}

void registering_and_leaving_within_one_sync_are_answered_in_order(void**) {
  World& w = world();
  w.start();
  w.disk().faults().sync_latency = milliseconds(500);
  w.send_register(ann, "r1", tigase, token_a);
  w.send_register(ann, "r2", tigase, token_a);
  w.send_unregister(ann, "u1", tigase, token_a);
  w.send_register(ann, "r3", tigase, token_a);
  w.run_for(milliseconds(400));
  for (const char* id : {"r1", "r2", "u1", "r3"}) w.expect_no_answer(id);
  w.wait_for_answer("r3");
  for (const char* id : {"r1", "r2", "u1", "r3"}) w.expect_answer(id, "status='completed'");
  assert_int_equal(w.gateway().registry().count(), 1);
  w.run_for(seconds(2));
  w.expect_at_rest();
}

void a_failed_sync_is_answered_wait_and_mends_itself(void**) {
  World& w = world();
  w.start();
  w.disk().faults().sync_failures = 1;
  w.send_register(ann, "r1", tigase, token_a);
  w.wait_for_answer("r1");
  w.expect_wait("r1", "internal-server-error");
  assert_int_equal(w.gateway().registry().count(), 0);
  const NodeText node = w.register_device(ann, token_a);
  w.lose_power();
  w.start();
  w.publish_and_wait(node, "p1");
  w.expect_result("p1");
  w.expect_at_rest();
}

void a_full_disk_is_answered_wait_and_mends_itself(void**) {
  World& w = world();
  w.start();
  const NodeText node = w.register_device(ann, token_a);
  w.disk().faults().capacity = 300;
  w.send_register("bob@example.org/phone", "r1", tigase, token_b);
  w.wait_for_answer("r1");
  w.expect_wait("r1", "internal-server-error");
  w.publish_and_wait(node, "p1");  // the registered are served meanwhile
  w.expect_result("p1");
  w.send_unregister(ann, "u1", tigase, token_a);
  w.wait_for_answer("u1");
  w.expect_wait("u1", "internal-server-error");
  w.disk().faults().capacity = UINT64_MAX;
  w.register_device("bob@example.org/phone", token_b);
  w.restart();
  assert_int_equal(w.gateway().registry().count(), 2);
  w.expect_at_rest();
}

void a_thousand_registrations_at_once_are_all_answered(void**) {
  World& w = world();
  w.start();
  w.disk().faults().sync_latency = milliseconds(500);
  for (uint32_t i = 0; i < 900; ++i) {
    uint8_t from_room[64];
    uint8_t id_room[16];
    Writer from(from_room);
    Writer id(id_room);
    w.send_register(from.text("user").unsigned_number(i).text("@example.org/phone").view(),
                    id.character('n').unsigned_number(i).view(), tigase, token_number(i));
  }
  w.run_for(seconds(10));
  assert_int_equal(w.server().numbered_answered(), 900);
  assert_int_equal(w.server().numbered_twice(), 0);
  assert_true(w.server().numbered_waits() < 900);
  assert_int_equal(w.gateway().registry().count(), 900 - w.server().numbered_waits());
  w.expect_at_rest();
}

void wrong_fields_are_named(void**) {
  World& w = world();
  w.start();
  w.send_register(ann, "r1", "some:app:7", token_a);
  w.send_register(ann, "r2", tigase, "this is no token");
  w.send_register(ann, "r3", tigase, token_a, "zz");
  w.send_register(ann, "r4", tigase, "");
  w.send_register(ann, "r5", "", token_a);
  w.wait_for_answer("r5");
  w.expect_answer("r1", "provider");
  w.expect_answer("r1", "some:app:7");
  w.expect_answer("r2", "device-token");
  w.expect_answer("r3", "device-second-token");
  w.expect_answer("r4", "device-token");
  w.expect_answer("r5", "provider");
  for (const char* id : {"r1", "r2", "r3", "r4", "r5"}) w.expect_answer(id, "<error type='modify'><bad-request ");
  assert_int_equal(w.gateway().registry().count(), 0);
  w.expect_at_rest();
}

void a_registration_tells_what_fits(void**) {
  World& w = world();
  w.start();
  w.send_register(ann, "r1", tigase, token_a);
  w.wait_for_answer("r1");
  w.expect_answer("r1", "<field var='features' type='text-multi'><value>tigase:push:encrypt:0</value></field>");
  w.expect_answer("r1", "<field var='max-payload-size' type='text-single'><value>29");
}

void an_unreadable_registry_refuses_to_guess(void**) {
  World& w = world();
  w.start();
  const NodeText node = w.register_device(ann, token_a);
  w.disk().faults().read_failures = 1;
  w.send_register(ann, "r1", tigase, token_a);
  w.wait_for_answer("r1");
  w.expect_wait("r1", "internal-server-error");
  assert_string_equal(node.text.c_str(), w.register_device(ann, token_a).text.c_str());
  assert_int_equal(w.gateway().registry().count(), 1);
  w.expect_at_rest();
}

TESTS(enroll, SCENARIO(the_same_device_keeps_its_node_over_restarts),
      SCENARIO(what_was_acknowledged_survives_a_power_cut_right_behind_the_answer),
      SCENARIO(what_was_acknowledged_survives_being_killed),
      SCENARIO(an_end_that_was_acknowledged_survives_a_power_cut), SCENARIO(a_changed_second_token_keeps_the_node),
      SCENARIO(another_account_with_the_same_token_is_another_device), SCENARIO(tokens_are_the_same_in_either_case),
      SCENARIO(unregistering_somebody_elses_device_learns_nothing),
      SCENARIO(a_device_is_unregistered_under_another_provider_string),
      SCENARIO(answers_wait_for_the_sync_and_publishes_do_not),
      SCENARIO(registering_and_leaving_within_one_sync_are_answered_in_order),
      SCENARIO(a_failed_sync_is_answered_wait_and_mends_itself),
      SCENARIO(a_full_disk_is_answered_wait_and_mends_itself),

      SCENARIO(a_thousand_registrations_at_once_are_all_answered),

      SCENARIO(wrong_fields_are_named), SCENARIO(a_registration_tells_what_fits),
      SCENARIO(an_unreadable_registry_refuses_to_guess));

}  // namespace
}  // namespace tocsin::test
