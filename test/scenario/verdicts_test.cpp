// What a provider's words do to a device, a section and a publisher.
#include "test/scenario/world.h"

namespace tocsin::test {
namespace {

constexpr int64_t registered_ms = 1'800'000'000'000;  // the world's clock when a scenario begins

constexpr Configured clear_text = {
    .extra =
        "[apns other]\nprovider = other:apns:1\nkey = /etc/key.p8\nkey_id = ABC123DEFG\n"
        "team_id = DEF123GHIJ\ntopic = org.example.other\nendpoint = https://localhost:444\n"
        "ca_file = /etc/ca.pem\nclear_text = yes\n"};

void a_410_younger_than_the_registration_ends_it(void**) {
  World& w = world();
  w.start();
  const NodeText node = w.register_device("ann@example.org/phone", token_a);
  w.run_for(hours(2));
  w.provider().answer_all(410, "Unregistered", registered_ms + 3'600'000);
  w.publish_and_wait(node, "p1");
  w.expect_gone("p1");
  assert_true(contains(w.log().last("event=unregistered"), "why=provider"));
  w.provider().accept_all();
  const NodeText again = w.register_device("ann@example.org/phone", token_a);
  assert_string_not_equal(node.text.c_str(), again.text.c_str());  // after a drop it is a new node
  w.publish_and_wait(again, "p2");
  w.expect_result("p2");
  w.expect_at_rest();
}

void the_end_of_a_device_is_said_when_it_is_durable(void**) {
  World& w = world();
  w.start();
  const NodeText node = w.register_device("ann@example.org/phone", token_a);
  w.provider().answer_all(410, "ExpiredToken");
  w.disk().faults().sync_failures = 1;
  w.publish_and_wait(node, "p1");
  w.expect_wait("p1", "internal-server-error");
  w.run_for(seconds(5));
  assert_int_equal(w.log().count("event=unregistered"), 0);

  w.disk().faults().sync_latency = milliseconds(500);
  w.server().publish(node, "p2");
  w.run_for(milliseconds(400));
  assert_true(w.provider().requests() == 2);
  assert_int_equal(w.log().count("event=unregistered"), 0);
  w.wait_for_answer("p2");
  w.expect_gone("p2");
  assert_int_equal(w.log().count("event=unregistered"), 1);
  const string_view said = w.log().last("event=unregistered");
  assert_true(contains(said, "why=provider provider=apns/siskin device="));
  assert_true(contains(said, "reason=ExpiredToken"));
  w.run_for(seconds(5));
  w.expect_at_rest();
}

void a_410_without_a_time_ends_the_registration(void**) {
  World& w = world();
  w.start();
  const NodeText node = w.register_device("ann@example.org/phone", token_a);
  w.provider().answer_all(410, "ExpiredToken");
  w.publish_and_wait(node, "p1");
  w.expect_gone("p1");
  w.expect_at_rest();
}

void a_410_older_than_the_registration_only_silences_for_an_hour(void**) {
  World& w = world();
  w.start();
  const NodeText node = w.register_device("ann@example.org/phone", token_a);
  w.provider().answer_all(410, "Unregistered", registered_ms - 1000);
  w.publish_and_wait(node, "p1");
  w.expect_wait("p1", "service-unavailable");
  w.run_for(minutes(59));
  w.publish_and_wait(node, "p2");
  w.expect_wait("p2", "service-unavailable");
  w.expect_requests(1);
  w.provider().accept_all();
  w.run_for(minutes(2));
  w.publish_and_wait(node, "p3");
  w.expect_result("p3");
  w.expect_at_rest();
}

void registering_again_is_newer_than_an_old_410(void**) {
  World& w = world();
  w.start();
  const NodeText node = w.register_device("ann@example.org/phone", token_a);
  w.run_for(hours(3));
  const NodeText same = w.register_device("ann@example.org/phone", token_a);
  assert_string_equal(node.text.c_str(), same.text.c_str());
  w.provider().answer_all(410, "Unregistered", registered_ms + 3'600'000);
  w.publish_and_wait(node, "p1");
  w.expect_wait("p1", "service-unavailable");
  assert_int_equal(w.gateway().registry().count(), 1);
  w.expect_at_rest();
}

void after_a_refusal_the_time_of_registering_again_survives_a_power_cut(void**) {
  World& w = world();
  w.start();
  const NodeText node = w.register_device("ann@example.org/phone", token_a);
  w.provider().answer_all(410, "Unregistered", registered_ms - 1000);
  w.publish_and_wait(node, "p1");
  w.run_for(hours(2));
  const uint64_t syncs = w.disk().syncs();
  w.register_device("ann@example.org/phone", token_a);
  assert_true(w.disk().syncs() > syncs);
}

void a_registration_made_with_a_wrong_clock_counts_as_the_oldest(void**) {
  World& w = world();
  w.simulation().set_wall(UnixTime{1'685'577'600});  // no clock was ever right that says 2023
  w.start();
  const NodeText node = w.register_device("ann@example.org/phone", token_a);
  w.simulation().set_wall(UnixTime{1'800'000'000});
  w.run_for(seconds(10));
  w.provider().answer_all(410, "Unregistered", 1'672'531'200'000);  // older than even that
  w.publish_and_wait(node, "p1");
  w.expect_gone("p1");
  w.expect_at_rest();
}

void a_bad_token_that_was_never_accepted_is_held(void**) {
  World& w = world();
  w.start();
  const NodeText node = w.register_device("ann@example.org/phone", token_a);
  w.provider().answer_all(400, "BadDeviceToken");
  w.publish_and_wait(node, "p1");
  w.expect_wait("p1", "service-unavailable");
  assert_true(contains(w.log().last("event=device_held"), "check="));
  w.run_for(hours(20));
  w.publish_and_wait(node, "p2");
  w.expect_wait("p2", "service-unavailable");
  assert_true(contains(w.log().last("event=push"), "verdict=held"));
  w.expect_requests(1);
  assert_int_equal(w.gateway().registry().count(), 1);
  assert_int_equal(w.log().count("event=device_held"), 1);
  w.expect_at_rest();
}

void a_bad_token_that_was_accepted_before_ends_the_registration(void**) {
  World& w = world();
  w.start();
  const NodeText node = w.register_device("ann@example.org/phone", token_a);
  w.publish_and_wait(node, "p1");
  w.run_for(days(40));
  w.provider().answer_all(400, "BadDeviceToken");
  w.publish_and_wait(node, "p2");
  w.expect_gone("p2");
  w.expect_at_rest();
}

void an_earlier_acceptance_survives_a_restart(void**) {
  World& w = world();
  w.start();
  const NodeText node = w.register_device("ann@example.org/phone", token_a);
  w.publish_and_wait(node, "p1");
  w.run_for(seconds(5));
  w.restart();
  w.provider().answer_all(400, "DeviceTokenNotForTopic");
  w.publish_and_wait(node, "p2");
  w.expect_gone("p2");
  w.expect_at_rest();
}

void an_acceptance_under_another_topic_counts_for_nothing(void**) {
  World& w = world();
  w.start();
  const NodeText node = w.register_device("ann@example.org/phone", token_a);
  w.publish_and_wait(node, "p1");
  w.run_for(seconds(5));
  w.set("apns/siskin.topic=org.example.mistake");
  w.restart();
  w.provider().answer_all(400, "DeviceTokenNotForTopic");
  w.publish_and_wait(node, "p2");
  w.expect_wait("p2", "service-unavailable");
  assert_int_equal(w.gateway().registry().count(), 1);
  w.expect_at_rest();
}

void another_devices_acceptance_today_proves_a_bad_token(void**) {
  World& w = world();
  w.start();
  const NodeText a = w.register_device("ann@example.org/phone", token_a);
  const NodeText b = w.register_device("bob@example.org/phone", token_b);
  w.publish_and_wait(b, "p1");
  w.run_for(hours(23));
  w.provider().answer_all(400, "BadDeviceToken");
  w.publish_and_wait(a, "p2");
  w.expect_gone("p2");
  w.expect_at_rest();
}

void another_devices_acceptance_yesterday_proves_nothing(void**) {
  World& w = world();
  w.start();
  const NodeText a = w.register_device("ann@example.org/phone", token_a);
  const NodeText b = w.register_device("bob@example.org/phone", token_b);
  w.publish_and_wait(b, "p1");
  w.run_for(hours(25));
  w.provider().answer_all(400, "BadDeviceToken");
  w.publish_and_wait(a, "p2");
  w.expect_wait("p2", "service-unavailable");
  w.expect_at_rest();
}

void another_devices_acceptance_does_not_prove_a_wrong_topic(void**) {
  World& w = world();
  w.start();
  const NodeText a = w.register_device("ann@example.org/phone", token_a);
  const NodeText b = w.register_device("bob@example.org/phone", token_b);
  w.publish_and_wait(b, "p1");
  w.provider().answer_all(400, "DeviceTokenNotForTopic");
  w.publish_and_wait(a, "p2");
  w.expect_wait("p2", "service-unavailable");
  w.expect_at_rest();
}

NodeText register_number(World& w, uint32_t i) {
  uint8_t room[64];
  Writer from(room);
  from.text("user").unsigned_number(i).text("@example.org/phone");
  return w.register_device(from.view(), token_number(i));
}

string_view id_number(Bytes room, uint32_t i) {
  Writer out(room);
  return out.character('p').unsigned_number(i).view();
}

void a_wrong_topic_loses_none_of_fifty_devices(void**) {
  World& w = world();
  w.start();
  NodeText nodes[50];
  uint8_t room[16];
  for (uint32_t i = 0; i < 50; ++i) nodes[i] = register_number(w, i);
  for (uint32_t i = 0; i < 50; ++i) w.publish_and_wait(nodes[i], id_number(room, i));
  w.run_for(seconds(5));
  w.set("apns/siskin.topic=org.example.mistake");
  w.restart();
  w.provider().answer_all(400, "DeviceTokenNotForTopic");
  for (uint32_t i = 0; i < 50; ++i) {
    w.publish_and_wait(nodes[i], id_number(room, 100 + i));
    w.expect_wait(id_number(room, 100 + i));
  }
  w.run_for(hours(1));
  assert_int_equal(w.gateway().registry().count(), 50);
  w.expect_at_rest();
}

void more_than_five_deaths_an_hour_are_not_believed(void**) {
  World& w = world();
  w.start();
  NodeText nodes[20];
  uint8_t room[16];
  for (uint32_t i = 0; i < 20; ++i) nodes[i] = register_number(w, i);
  w.provider().answer_all(410, "Unregistered");
  for (uint32_t i = 0; i < 20; ++i) {
    w.publish_and_wait(nodes[i], id_number(room, i));
    w.run_for(milliseconds(100));
  }
  for (uint32_t i = 0; i < 5; ++i) w.expect_gone(id_number(room, i));
  for (uint32_t i = 5; i < 20; ++i) w.expect_wait(id_number(room, i));
  assert_int_equal(w.gateway().registry().count(), 15);
  w.expect_at_rest();
}

void a_payload_that_is_too_large_goes_once_more_without_content(void**) {
  World& w = world();
  w.start();
  const NodeText node = w.register_device("ann@example.org/phone", token_a, "other:apns:1");
  w.provider(1).answer_next(1, 413, "PayloadTooLarge");
  w.publish_and_wait(node, "p1", "the words of the message");
  w.expect_result("p1");
  assert_int_equal(w.provider(1).requests(), 2);
  assert_true(contains(w.provider(1).request(0).body.view(), "the words"));
  assert_false(contains(w.provider(1).request(1).body.view(), "the words"));
  assert_true(contains(w.provider(1).request(1).body.view(), "\"account\":\"ann@example.org\""));
  assert_true(w.provider(1).request(1).push_type.view() == "alert");
  w.provider(1).answer_all(413, "PayloadTooLarge");
  w.publish_and_wait(node, "p2", "the words of the message");
  w.expect_wait("p2", "internal-server-error");
  assert_int_equal(w.provider(1).requests(), 4);
  w.run_for(hours(1));
  assert_int_equal(w.provider(1).requests(), 4);
  w.expect_at_rest();
}

void words_nobody_knows_end_no_registration(void**) {
  World& w = world();
  w.start();
  const NodeText node = w.register_device("ann@example.org/phone", token_a);
  w.provider().answer_all(400, "DeviceTokenOnFire");
  w.publish_and_wait(node, "p1");
  w.expect_wait("p1", "internal-server-error");
  assert_true(contains(w.log().last("event=push_refused"), "DeviceTokenOnFire"));
  w.run_for(hours(2));
  w.expect_requests(1);
  w.provider().answer_all(404, "NoSuchThing");
  w.publish_and_wait(node, "p2");
  w.expect_wait("p2", "internal-server-error");
  w.provider().answer_all(599, "NewTrouble");
  w.run_for(seconds(10));
  w.publish_and_wait(node, "p3");
  w.expect_wait("p3", "service-unavailable");
  w.provider().accept_all();
  w.run_for(hours(1));
  w.expect_requests(4);
  assert_int_equal(w.gateway().registry().count(), 1);
  w.expect_at_rest();
}

void an_answer_that_is_no_json_is_judged_by_its_status(void**) {
  World& w = world();
  w.start();
  const NodeText node = w.register_device("ann@example.org/phone", token_a);
  w.provider().answer_all(410, "\"}}}{{");
  w.publish_and_wait(node, "p1");
  w.expect_wait("p1", "internal-server-error");  // 410 without a word of Apple's ends nobody
  assert_int_equal(w.gateway().registry().count(), 1);
  w.expect_at_rest();
}

void a_death_is_the_end_of_everything_on_its_way_to_that_device(void**) {
  World& w = world();
  w.start();
  const NodeText node = w.register_device("ann@example.org/phone", token_a, "other:apns:1");
  w.provider(1).act(FakeProvider::Act::stall);
  for (const char* id : {"m1", "m2", "m3"}) w.server().publish(node, id, id);
  w.run_for(seconds(1));
  w.disk().faults().sync_latency = milliseconds(300);
  w.provider(1).answer_all(410, "Unregistered");
  w.provider(1).release_stalled();
  w.run_for(seconds(2));
  for (const char* id : {"m1", "m2", "m3"}) w.expect_gone(id);
  assert_int_equal(w.log().count("event=unregistered"), 1);
  w.expect_at_rest();
}

TESTS(verdicts, SCENARIO(a_410_younger_than_the_registration_ends_it),
      SCENARIO(the_end_of_a_device_is_said_when_it_is_durable), SCENARIO(a_410_without_a_time_ends_the_registration),
      SCENARIO(a_410_older_than_the_registration_only_silences_for_an_hour),
      SCENARIO(registering_again_is_newer_than_an_old_410),
      SCENARIO(after_a_refusal_the_time_of_registering_again_survives_a_power_cut),
      SCENARIO(a_registration_made_with_a_wrong_clock_counts_as_the_oldest),
      SCENARIO(a_bad_token_that_was_never_accepted_is_held),
      SCENARIO(a_bad_token_that_was_accepted_before_ends_the_registration),
      SCENARIO(an_earlier_acceptance_survives_a_restart),
      SCENARIO(an_acceptance_under_another_topic_counts_for_nothing),
      SCENARIO(another_devices_acceptance_today_proves_a_bad_token),
      SCENARIO(another_devices_acceptance_yesterday_proves_nothing),
      SCENARIO(another_devices_acceptance_does_not_prove_a_wrong_topic),
      SCENARIO(a_wrong_topic_loses_none_of_fifty_devices), SCENARIO(more_than_five_deaths_an_hour_are_not_believed),
      SCENARIO_WITH(a_payload_that_is_too_large_goes_once_more_without_content, clear_text),
      SCENARIO(words_nobody_knows_end_no_registration), SCENARIO(an_answer_that_is_no_json_is_judged_by_its_status),
      SCENARIO_WITH(a_death_is_the_end_of_everything_on_its_way_to_that_device, clear_text));

}  // namespace
}  // namespace tocsin::test
