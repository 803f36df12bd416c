// Devices that get another token and keep their node: p2's are known by the client's name for them, and a second
// token is no name at all. What a provider says of the token before is no word about the device.
#include "test/scenario/clients.h"

namespace tocsin::test {
namespace {

constexpr string_view tigase = "tigase:messenger:apns:1";
constexpr Configured fcm{.extra = with_fcm};

Given register_push(string_view id, string_view service, string_view token) {
  const FormField fields[] = {{"token", token}, {"android-id", "92afd7a91cdba9a0"}};
  ask_command("ann@example.org/Conversations.x", id, service, " action='execute'", fields);
  return given(id);
}
Given register_apple(string_view id, string_view token) { return register_push(id, "register-push-apns", token); }
Given register_google(string_view id, string_view token) { return register_push(id, "register-push-fcm", token); }

void send_to(const Given& device, string_view id) {
  const FormField options[] = {{"secret", device.secret.view()}};
  send_publish({.id = id, .node = device.node.view(), .notification = prosody_message, .options = options});
}
void publish_to(const Given& device, string_view id) {
  send_to(device, id);
  world().wait_for_answer(id);
}

// One push is under way to the first token when the device registers with the second, and then this is said of the
// first.
void change_under_way(uint16_t status, string_view word) {
  World& w = world();
  w.start();
  const Given device = register_apple("r1", token_a);
  publish_to(device, "p0");
  w.run_for(seconds(10));
  w.provider().act(FakeProvider::Act::stall);
  send_to(device, "p1");
  assert_true(w.run_until([&] { return w.provider().stalled() == 1; }));
  const Given moved = register_apple("r2", token_b);
  assert_string_equal(device.node.c_str(), moved.node.c_str());
  w.provider().accept_all();
  w.provider().answer_device(token_a, status, word);
  w.provider().release_stalled();
  w.wait_for_answer("p1");
  w.expect_result("p1");
  assert_int_equal(w.provider().requests_for(token_b), 1);
  assert_true(w.provider().last().body.view() == wake_up_body);
  assert_string_equal(w.provider().last().priority.c_str(), "10");
  assert_int_equal(w.gateway().registry().count(), 1);
  w.run_for(seconds(10));
  publish_to(device, "p2");
  w.expect_result("p2");
  assert_int_equal(w.provider().requests_for(token_a), 2);
  w.run_for(seconds(10));
  w.expect_at_rest();
}

void the_end_of_a_former_token_is_not_the_end_of_its_device(void**) { change_under_way(410, "Unregistered"); }
void a_bad_former_token_neither_ends_nor_holds_its_device(void**) { change_under_way(400, "BadDeviceToken"); }

// Google ends a token when it gives another one; what waits for its retry was written for the one before.
void what_waits_for_its_retry_goes_to_the_present_token(void**) {
  World& w = world();
  w.start();
  const Given device = register_google("r1", fcm_token_a);
  w.fcm().answer_all(503, "UNAVAILABLE");
  publish_to(device, "p1");
  w.expect_wait("p1");
  w.fcm().accept_all();
  w.fcm().answer_device(fcm_token_a, 404, "UNREGISTERED");
  const Given moved = register_google("r2", fcm_token_b);
  assert_string_equal(device.node.c_str(), moved.node.c_str());
  w.run_for(hours(1));
  assert_true(contains(w.fcm().last().body.view(), fcm_token_b));
  assert_int_equal(w.gateway().registry().count(), 1);
  publish_to(device, "p2");
  w.expect_result("p2");
  w.run_for(seconds(10));
  w.expect_at_rest();
}

// The registration is on its way to the disk; nobody has been told of it yet, but it will be acknowledged.
void a_token_that_is_not_durable_yet_counts_as_well(void**) {
  World& w = world();
  w.start();
  const Given device = register_google("r1", fcm_token_a);
  w.fcm().act(FakeProvider::Act::stall);
  send_to(device, "p1");
  assert_true(w.run_until([&] { return w.fcm().stalled() == 1; }));
  w.disk().faults().sync_latency = seconds(1);
  const FormField fields[] = {{"token", fcm_token_b}, {"android-id", "92afd7a91cdba9a0"}};
  send_command("ann@example.org/Conversations.x", "r2", "register-push-fcm", "", fields);
  w.run_for(milliseconds(200));
  w.expect_no_answer("r2");
  w.fcm().accept_all();
  w.fcm().answer_device(fcm_token_a, 404, "UNREGISTERED");
  w.fcm().release_stalled();
  w.wait_for_answer("p1");
  w.wait_for_answer("r2");
  w.expect_result("p1");
  assert_string_equal(given("r2").node.c_str(), device.node.c_str());
  w.run_for(minutes(1));
  assert_int_equal(w.gateway().registry().count(), 1);
  publish_to(device, "p2");
  w.expect_result("p2");
}

// Two in a row, and the end of the present one is believed.
void the_end_of_the_present_token_is_the_end_of_the_device(void**) {
  World& w = world();
  w.start();
  const Given device = register_google("r1", fcm_token_a);
  w.fcm().act(FakeProvider::Act::stall);
  send_to(device, "p1");
  assert_true(w.run_until([&] { return w.fcm().stalled() == 1; }));
  (void)register_google("r2", fcm_token_b);
  w.fcm().answer_all(404, "UNREGISTERED");
  w.fcm().release_stalled();
  w.wait_for_answer("p1");
  w.expect_gone("p1");
  assert_int_equal(w.fcm().requests(), 2);
  assert_int_equal(w.gateway().registry().count(), 0);
}

constexpr string_view call =
    "<notification xmlns='urn:xmpp:push:0'><encrypted xmlns='tigase:push:encrypt:0' type='voip' "
    "iv='AAAAAAAAAAAAAAAAAAAAAA=='>Y2lwaGVydGV4dA==</encrypted></notification>";

// PushKit's token: the next call must find the new one.
void the_end_of_a_former_second_token_leaves_the_present_one(void**) {
  World& w = world();
  w.start();
  w.send_register("ann@example.org/phone", "r1", tigase, token_a, token_b);
  w.wait_for_answer("r1");
  const NodeText node = w.register_device("ann@example.org/phone", token_a);  // names none: there is none now
  w.send_register("ann@example.org/phone", "r2", tigase, token_a, token_b);
  w.wait_for_answer("r2");
  w.provider().act(FakeProvider::Act::stall);
  w.server().publish_raw(node, "c1", call);
  assert_true(w.run_until([&] { return w.provider().stalled() == 1; }));
  w.send_register("ann@example.org/phone", "r3", tigase, token_a, token_c);
  w.wait_for_answer("r3");
  w.provider().accept_all();
  w.provider().answer_device(token_b, 410, "Unregistered");
  w.provider().release_stalled();
  w.wait_for_answer("c1");
  w.expect_result("c1");
  assert_int_equal(w.provider().requests_for(token_a), 1);  // this call goes out as an alert
  w.run_for(minutes(1));
  w.server().publish_raw(node, "c2", call);
  w.wait_for_answer("c2");
  w.expect_result("c2");
  assert_int_equal(w.provider().requests_for(token_c), 1);
}

TESTS(former_token, SCENARIO(the_end_of_a_former_token_is_not_the_end_of_its_device),
      SCENARIO(a_bad_former_token_neither_ends_nor_holds_its_device),
      SCENARIO_WITH(what_waits_for_its_retry_goes_to_the_present_token, fcm),
      SCENARIO_WITH(a_token_that_is_not_durable_yet_counts_as_well, fcm),
      SCENARIO_WITH(the_end_of_the_present_token_is_the_end_of_the_device, fcm),
      SCENARIO(the_end_of_a_former_second_token_leaves_the_present_one));

}  // namespace
}  // namespace tocsin::test
