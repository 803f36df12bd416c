// Full: of an account as many devices as it may have, of the registry as many as the conf says.
#include "test/scenario/world.h"

namespace tocsin::test {
namespace {

constexpr string_view ann = "ann@example.org/phone";
constexpr string_view tigase = "tigase:messenger:apns:1";

constexpr Configured two_devices = {.extra = "[registry]\nmax_devices = 2\n"};

void a_full_registry_is_answered_wait_and_serves_the_registered(void**) {
  World& w = world();
  w.start();
  const NodeText a = w.register_device(ann, token_a);
  w.register_device("bob@example.org/phone", token_b);
  w.send_register("cid@example.org/phone", "r1", tigase, token_c);
  w.wait_for_answer("r1");
  w.expect_wait("r1", "service-unavailable");
  assert_string_equal(a.text.c_str(), w.register_device(ann, token_a).text.c_str());
  w.send_unregister("bob@example.org/phone", "u1", tigase, token_b);
  w.wait_for_answer("u1");
  w.register_device("cid@example.org/phone", token_c);
  w.expect_at_rest();
}

constexpr Configured three_each = {.extra = "[limits]\ndevices_per_account = 3\n"};
constexpr Configured three_in_all = {.extra = "[limits]\ndevices_per_account = 3\n[registry]\nmax_devices = 3\n"};

void the_oldest_unused_device_of_an_account_is_replaced(void**) {
  World& w = world();
  w.start();
  const NodeText a = w.register_device(ann, token_a);
  const NodeText b = w.register_device(ann, token_b);
  const NodeText c = w.register_device(ann, token_c);
  w.run_for(days(20));
  w.send_register(ann, "r1", tigase, token_number(1));
  w.wait_for_answer("r1");
  w.expect_wait("r1", "resource-constraint");
  w.expect_answer("r1", "<text ");
  w.register_device(ann, token_b);  // in use
  w.publish_and_wait(a, "p1");      // in use
  w.run_for(days(20));
  const NodeText d = w.register_device(ann, token_number(1));
  assert_true(contains(w.log().last("why=replaced"), "event=unregistered"));
  assert_int_equal(w.gateway().registry().count(), 3);
  w.publish_and_wait(c, "p2");
  w.expect_gone("p2");
  for (const NodeText& node : {a, b, d}) {
    w.publish_and_wait(node, node.text.view());
    w.expect_result(node.text.view());
  }
  w.expect_at_rest();
}

// An end that was staged before its successor would stay when that is refused.
void a_device_is_not_replaced_by_one_that_is_refused(void**) {
  World& w = world();
  w.start();
  const NodeText nodes[] = {w.register_device(ann, token_a), w.register_device(ann, token_b),
                            w.register_device(ann, token_c)};
  w.run_for(days(40));
  w.send_register(ann, "r1", tigase, token_number(1));
  w.wait_for_answer("r1");
  w.expect_wait("r1", "service-unavailable");  // the registry is full
  assert_true(w.log().last("why=replaced").empty());
  for (const NodeText& node : nodes) {
    w.publish_and_wait(node, node.text.view());
    w.expect_result(node.text.view());
  }
  assert_int_equal(w.gateway().registry().count(), 3);
}

void a_replacement_is_said_when_it_is_durable(void**) {
  World& w = world();
  w.start();
  const NodeText a = w.register_device(ann, token_a);
  w.register_device(ann, token_b);
  w.register_device(ann, token_c);
  w.run_for(days(40));
  w.disk().faults().sync_failures = 1;
  w.send_register(ann, "r1", tigase, token_number(1));
  w.wait_for_answer("r1");
  w.expect_wait("r1", "internal-server-error");
  w.run_for(seconds(5));
  assert_true(w.log().last("why=replaced").empty());
  w.publish_and_wait(a, "p1");
  w.expect_result("p1");

  w.disk().faults().sync_latency = milliseconds(500);
  w.send_register(ann, "r2", tigase, token_number(2));
  w.run_for(milliseconds(400));
  assert_true(w.log().last("why=replaced").empty());
  w.wait_for_answer("r2");
  assert_true(contains(w.log().last("why=replaced"), "event=unregistered"));
  assert_true(contains(w.log().last("why=replaced"), "provider=apns/siskin"));
  assert_int_equal(w.gateway().registry().count(), 3);
  w.run_for(seconds(5));
  w.expect_at_rest();
}

void a_full_registry_is_said_once_an_hour(void**) {
  World& w = world();
  w.start();
  w.register_device(ann, token_a);
  w.register_device(ann, token_b);
  const auto turn_away = [&w](string_view id) {
    w.send_register("bob@example.org/phone", id, tigase, token_c);
    w.wait_for_answer(id);
    w.expect_wait(id);
  };
  turn_away("r1");
  const string_view said = w.log().last("event=registry_full");
  assert_true(contains(said, "level=warn"));
  assert_true(contains(said, "max_devices=2"));
  assert_true(contains(said, "check="));
  turn_away("r2");
  w.run_for(minutes(59));
  turn_away("r3");
  assert_int_equal(w.log().count("event=registry_full"), 1);
  w.run_for(minutes(2));
  turn_away("r4");
  turn_away("r5");
  assert_int_equal(w.log().count("event=registry_full"), 2);
}

void a_limit_counts_what_is_not_durable_yet(void**) {
  World& w = world();
  w.start();
  w.disk().faults().sync_latency = milliseconds(500);
  for (uint32_t i = 0; i < 5; ++i) {
    uint8_t room[16];
    Writer id(room);
    w.send_register(ann, id.character('n').unsigned_number(i).view(), tigase, token_number(i));
  }
  w.run_for(seconds(5));
  assert_int_equal(w.server().numbered_answered(), 5);
  assert_int_equal(w.server().numbered_waits(), 2);
  assert_int_equal(w.gateway().registry().count(), 3);
  w.expect_at_rest();
}

TESTS(full, SCENARIO_WITH(a_full_registry_is_answered_wait_and_serves_the_registered, two_devices),
      SCENARIO_WITH(the_oldest_unused_device_of_an_account_is_replaced, three_each),
      SCENARIO_WITH(a_device_is_not_replaced_by_one_that_is_refused, three_in_all),
      SCENARIO_WITH(a_replacement_is_said_when_it_is_durable, three_each),
      SCENARIO_WITH(a_full_registry_is_said_once_an_hour, two_devices),
      SCENARIO_WITH(a_limit_counts_what_is_not_durable_yet, three_each));

}  // namespace
}  // namespace tocsin::test
