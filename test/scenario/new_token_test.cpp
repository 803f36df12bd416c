// A device that registers with another token keeps its node, and what is said of the token before is no word about it.
#include "test/scenario/clients.h"

namespace tocsin::test {
namespace {

constexpr Configured fcm{.extra = with_fcm};
constexpr string_view ann = "ann@example.org/Conversations.x";

Given register_push(string_view id, string_view token, string_view command = "register-push-fcm") {
  const FormField fields[] = {{"token", token}, {"android-id", "92afd7a91cdba9a0"}};
  ask_command(ann, id, command, " action='execute'", fields);
  return given(id);
}

void send_to(const Given& device, string_view id) {
  const FormField options[] = {{"FORM_TYPE", "http://jabber.org/protocol/pubsub#publish-options"},
                               {"secret", device.secret.view()}};
  send_publish({.id = id, .node = device.node.view(), .notification = prosody_message, .options = options});
}

void publish_to(const Given& device, string_view id) {
  send_to(device, id);
  world().wait_for_answer(id);
}

Given start_with_a_push_under_way(World& w) {
  w.start();
  const Given device = register_push("r1", fcm_token_a);
  w.fcm().act(FakeProvider::Act::stall);
  send_to(device, "p1");
  w.run_for(seconds(1));
  return device;
}

void expect_rung(World& w, const Given& device, string_view token) {
  w.run_for(seconds(10));
  assert_int_equal(w.gateway().registry().count(), 1);
  publish_to(device, "rung");
  w.expect_result("rung");
  assert_true(contains(w.fcm().last().body.view(), token));
  w.run_for(seconds(10));
  w.expect_at_rest();
}

// Google changes tokens as it likes, and then calls the ones before unregistered.
void what_waited_for_a_retry_does_not_end_the_device(void**) {
  World& w = world();
  w.start();
  const Given device = register_push("r1", fcm_token_a);
  w.fcm().answer_next(1, 503, "UNAVAILABLE");
  publish_to(device, "p1");
  w.expect_wait("p1");
  assert_string_equal(device.node.c_str(), register_push("r2", fcm_token_b).node.c_str());
  w.fcm().answer_device(fcm_token_a, 404, "UNREGISTERED");
  w.run_for(minutes(5));
  assert_int_equal(w.fcm().requests(), 3);  // once in vain, and at once to the one that it has
  assert_true(contains(w.fcm().last().body.view(), fcm_token_b));
  expect_rung(w, device, fcm_token_b);
}

void what_is_under_way_does_not_end_the_device(void**) {
  World& w = world();
  const Given device = start_with_a_push_under_way(w);
  register_push("r2", fcm_token_b);
  w.fcm().accept_all();
  w.fcm().answer_device(fcm_token_a, 404, "UNREGISTERED");
  w.fcm().release_stalled();
  w.run_for(seconds(2));
  w.expect_result("p1");  // it went on to the present token
  assert_true(contains(w.fcm().last().body.view(), fcm_token_b));
  expect_rung(w, device, fcm_token_b);
}

// The registration is on its way to the disk when the word comes.
void what_is_not_durable_yet_counts_as_well(void**) {
  World& w = world();
  const Given device = start_with_a_push_under_way(w);
  w.fcm().accept_all();
  w.fcm().answer_device(fcm_token_a, 404, "UNREGISTERED");
  const FormField fields[] = {{"token", fcm_token_b}, {"android-id", "92afd7a91cdba9a0"}};
  send_command(ann, "r2", "register-push-fcm", " action='execute'", fields);
  assert_true(w.run_until(
      [&] { return w.gateway().registry().anything_staged() || w.gateway().registry().committing(); }, seconds(1)));
  w.fcm().release_stalled();
  w.wait_for_answer("r2");
  w.run_for(seconds(2));
  w.expect_result("p1");  // it went on to the present token
  assert_true(contains(w.fcm().last().body.view(), fcm_token_b));
  expect_rung(w, device, fcm_token_b);
}

// Words that hold a device do not either.
void a_bad_token_of_before_does_not_hold_the_device(void**) {
  World& w = world();
  w.start();
  const Given device = register_push("r1", token_a, "register-push-apns");
  w.provider().act(FakeProvider::Act::stall);
  send_to(device, "p1");
  w.run_for(seconds(1));
  register_push("r2", token_b, "register-push-apns");
  w.provider().accept_all();
  w.provider().answer_device(token_a, 400, "BadDeviceToken");
  w.provider().release_stalled();
  w.wait_for_answer("p1");
  w.expect_result("p1");
  assert_true(w.provider().last_for(token_b).body.view() == wake_up_body);
  assert_string_equal(w.provider().last_for(token_b).priority.c_str(), "10");
  assert_int_equal(w.log().count("event=device_held"), 0);
  w.run_for(seconds(10));
  publish_to(device, "p2");
  w.expect_result("p2");
  w.run_for(seconds(10));
  w.expect_at_rest();
}

// The end of the one before is passed over, that of the present one is believed.
void the_present_token_may_be_dead_as_well(void**) {
  World& w = world();
  start_with_a_push_under_way(w);
  register_push("r2", fcm_token_b);
  w.fcm().answer_all(404, "UNREGISTERED");
  w.fcm().release_stalled();
  w.wait_for_answer("p1");
  w.expect_gone("p1");
  assert_int_equal(w.fcm().requests(), 2);
  assert_int_equal(w.gateway().registry().count(), 0);
}

// That the token before was accepted proves nothing of the new one.
void an_acceptance_of_the_token_before_proves_nothing(void**) {
  World& w = world();
  const Given device = start_with_a_push_under_way(w);
  register_push("r2", fcm_token_b);
  w.fcm().accept_all();
  w.fcm().release_stalled();
  w.run_for(seconds(2));
  w.expect_result("p1");
  w.fcm().answer_device(fcm_token_b, 403, "SENDER_ID_MISMATCH");
  w.run_for(seconds(10));
  publish_to(device, "p2");
  w.expect_wait("p2");
  assert_int_equal(w.gateway().registry().count(), 1);
  w.expect_at_rest();
}

// A call was on its way to the second token before.
void a_new_second_token_outlives_the_one_before(void**) {
  constexpr string_view call =
      "<notification xmlns='urn:xmpp:push:0'><encrypted xmlns='tigase:push:encrypt:0' type='voip' "
      "iv='AAAAAAAAAAAAAAAAAAAAAA=='>Y2lwaGVydGV4dA==</encrypted></notification>";
  World& w = world();
  w.start();
  w.send_register("bob@example.org/phone", "r1", "tigase:messenger:apns:1", token_a, token_b);
  w.wait_for_answer("r1");
  const string_view answer = w.server().answer("r1");
  const string_view mark = "<field var='node' type='text-single'><value>";
  NodeText node;
  assert_true(node.text.assign(slice(answer, answer.find(mark) + mark.size(), NodeId::text_size)));
  w.provider().act(FakeProvider::Act::stall);
  w.server().publish_raw(node, "c1", call);
  w.run_for(seconds(1));
  w.send_register("bob@example.org/phone", "r2", "tigase:messenger:apns:1", token_a, token_c);
  w.wait_for_answer("r2");
  w.provider().accept_all();
  w.provider().answer_device(token_b, 410, "Unregistered");
  w.provider().release_stalled();
  w.wait_for_answer("c1");
  w.expect_result("c1");
  assert_int_equal(w.provider().requests_for(token_a), 1);  // this call went out as an alert
  w.run_for(seconds(10));
  w.server().publish_raw(node, "c2", call);
  w.wait_for_answer("c2");
  w.expect_result("c2");
  assert_int_equal(w.provider().requests_for(token_c), 1);
  assert_int_equal(w.log().count("event=second_token_gone"), 0);
  w.run_for(seconds(40));
  w.expect_at_rest();
}

}  // namespace

TESTS(new_token, SCENARIO_WITH(what_waited_for_a_retry_does_not_end_the_device, fcm),
      SCENARIO_WITH(what_is_under_way_does_not_end_the_device, fcm),
      SCENARIO_WITH(what_is_not_durable_yet_counts_as_well, fcm),
      SCENARIO(a_bad_token_of_before_does_not_hold_the_device),
      SCENARIO_WITH(the_present_token_may_be_dead_as_well, fcm),
      SCENARIO_WITH(an_acceptance_of_the_token_before_proves_nothing, fcm),
      SCENARIO(a_new_second_token_outlives_the_one_before));

}  // namespace tocsin::test
