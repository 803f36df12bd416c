// The second provider: a section of FCM beside one of APNs.
#include "test/scenario/world.h"

namespace tocsin::test {
namespace {

constexpr Configured fcm{.extra = with_fcm};

void a_message_becomes_a_request_to_fcm_with_a_fetched_token(void**) {
  World& w = world();
  w.start();
  const NodeText node = w.register_android("ann@example.org/phone", fcm_token_a);
  w.publish_and_wait(node, "p1");
  w.expect_result("p1");
  assert_int_equal(w.google().requests(), 1);
  assert_string_equal(w.google().last().path.c_str(), "/token");
  assert_string_equal(w.google().last().authorization.c_str(), "");
  assert_true(starts_with(w.google().last().body.view(),
                          "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=eyJ"));
  assert_int_equal(w.fcm().requests(), 1);
  const SeenRequest& seen = w.fcm().last();
  assert_string_equal(seen.path.c_str(), "/v1/projects/chat-example/messages:send");
  assert_string_equal(seen.authorization.c_str(), "Bearer ya29.1");
  assert_string_equal(seen.authority.c_str(), "fcm.wild.example.org");
  assert_true(contains(seen.body.view(), "\"token\":\"dKx0aaaaaaaaaaaaaaaa:APA91bAAA\""));
  assert_true(contains(seen.body.view(), "\"priority\":\"HIGH\",\"ttl\":\"86400s\""));
  assert_true(contains(seen.body.view(), "\"data\":{\"account\":\"ann@example.org\",\"unread-messages\":\"1\"}"));
  const string_view line = w.log().last("event=push");
  assert_true(contains(line, "provider=fcm/play"));
  assert_true(contains(line, "verdict=delivered"));
  assert_true(contains(line, "ref=projects/chat-example/messages/0:1"));
  w.expect_requests(0);  // of APNs
  w.run_for(minutes(1));
  w.expect_at_rest();
}

void both_providers_ring_for_one_account(void**) {
  World& w = world();
  w.start();
  const NodeText phone = w.register_device("ann@example.org/phone", token_a);
  const NodeText tablet = w.register_android("ann@example.org/tablet", fcm_token_a);
  w.publish_and_wait(phone, "p1");
  w.publish_and_wait(tablet, "p2");
  w.expect_result("p1");
  w.expect_result("p2");
  w.expect_requests(1);
  assert_int_equal(w.fcm().requests(), 1);
  w.run_for(minutes(1));
  w.expect_at_rest();
}

void the_providers_id_is_offered_and_a_bad_token_is_refused(void**) {
  World& w = world();
  w.start();
  w.send_register("ann@example.org/phone", "r1", "fcm-xmpp-api", "no token");
  w.wait_for_answer("r1");
  w.expect_answer("r1", "device-token");
  w.server().send(
      "<iq type='get' from='ann@example.org/phone' to='push.example.org' id='d1'>"
      "<query xmlns='http://jabber.org/protocol/disco#info'/></iq>");
  w.wait_for_answer("d1");
  w.expect_answer("d1", "<feature var='fcm-xmpp-api'/>");
}

void unregistered_ends_the_device(void**) {
  World& w = world();
  w.start();
  const NodeText node = w.register_android("ann@example.org/phone", fcm_token_a);
  w.fcm().answer_device(fcm_token_a, 404, "UNREGISTERED");
  w.publish_and_wait(node, "p1");
  w.expect_gone("p1");
  assert_int_equal(w.gateway().registry().count(), 0);
  w.publish_and_wait(node, "p2");
  w.expect_gone("p2");
  assert_int_equal(w.fcm().requests(), 1);
}

void a_sender_mismatch_holds_the_device_unless_it_was_accepted_before(void**) {
  World& w = world();
  w.start();
  const NodeText fresh = w.register_android("ann@example.org/phone", fcm_token_a);
  const NodeText known = w.register_android("bob@example.org/phone", fcm_token_b);
  w.publish_and_wait(known, "p1");
  w.run_for(seconds(10));
  w.fcm().answer_all(403, "SENDER_ID_MISMATCH");
  w.publish_and_wait(fresh, "p2");
  w.expect_wait("p2");
  assert_true(contains(w.log().last("event=device_held"), "service_account"));
  w.publish_and_wait(known, "p3");
  w.expect_gone("p3");
  assert_int_equal(w.gateway().registry().count(), 1);
}

void a_page_in_html_is_tried_again_within_minutes(void**) {
  World& w = world();
  w.start();
  const NodeText node = w.register_android("ann@example.org/phone", fcm_token_a);
  w.fcm().answer_next(2, 404, "<html>Error 404 (Not Found)!!1</html>");
  w.publish_and_wait(node, "p1");
  w.run_for(minutes(2));
  assert_int_equal(w.fcm().requests(), 3);
  assert_int_equal(w.gateway().registry().count(), 1);
  w.expect_at_rest();
}

void a_quota_that_is_used_up_rests_the_section_as_long_as_it_is_told(void**) {
  World& w = world();
  w.start();
  const NodeText a = w.register_android("ann@example.org/phone", fcm_token_a);
  const NodeText b = w.register_android("bob@example.org/phone", fcm_token_b);
  w.fcm().retry_after("300");
  w.fcm().answer_next(1, 429, "{\"error\":{\"status\":\"RESOURCE_EXHAUSTED\",\"message\":\"Quota\"}}");
  w.publish_and_wait(a, "p1");
  w.publish_and_wait(b, "p2");
  w.expect_wait("p1");
  w.expect_wait("p2");
  w.run_for(minutes(4));
  assert_int_equal(w.fcm().requests(), 1);
  w.run_for(minutes(2));
  assert_int_equal(w.fcm().requests(), 3);
}

void a_device_that_is_limited_is_answered_and_waits(void**) {
  World& w = world();
  w.start();
  const NodeText node = w.register_android("ann@example.org/phone", fcm_token_a);
  w.fcm().answer_next(1, 429, "{\"error\":{\"message\":\"Device message rate exceeded\"}}");
  w.publish_and_wait(node, "p1");
  w.expect_result("p1");
  w.run_for(seconds(55));
  assert_int_equal(w.fcm().requests(), 1);
  w.run_for(seconds(20));
  assert_int_equal(w.fcm().requests(), 2);
  w.expect_at_rest();
}

void a_device_that_google_limits_again_and_again_is_asked_less_and_less(void**) {
  World& w = world();
  w.start();
  const NodeText node = w.register_android("ann@example.org/phone", fcm_token_a);
  w.fcm().answer_all(429, "{\"error\":{\"message\":\"Device message rate exceeded\"}}");
  w.publish_and_wait(node, "p1");
  w.run_for(hours(4));
  const uint64_t requests = w.fcm().requests();
  assert_in_range(requests, 8, 10);  // 1, 2, 4 … 32 minutes, then an hour
  for (uint64_t i = 1; i < requests; ++i) {
    const Duration waited = w.fcm().request(i).at - w.fcm().request(i - 1).at;
    assert_true(waited >= (i > 6 ? hours(1) : minutes(int64_t{1} << (i - 1))));
  }
  w.fcm().accept_all();
  w.run_for(minutes(80));
  w.expect_at_rest();
}

// 10 s and more, in full chance, and no longer than an hour.
void a_google_in_trouble_is_given_up_after_an_hour(void**) {
  World& w = world();
  w.start();
  w.fcm().answer_all(503, "UNAVAILABLE");
  const Instant start = w.now();
  NodeText nodes[8];
  for (uint32_t i = 0; i < 8; ++i) {
    uint8_t name[40];
    Writer from(name);
    uint8_t room[40];
    Writer token(room);
    nodes[i] = w.register_android(from.text("user").unsigned_number(i).text("@example.org/phone").view(),
                                  token.text("dKx0aaaaaaaaaaaaaaaa:APA91bA").unsigned_number(i).view());
    uint8_t id[8];
    w.publish_and_wait(nodes[i], Writer(id).text("p").unsigned_number(i).view());
  }
  w.run_for(minutes(40));
  const uint64_t in_time = w.fcm().requests();
  assert_true(in_time > 8 * 5);
  w.run_for(minutes(30));
  const uint64_t last = w.fcm().requests();
  assert_true(last > in_time);  // by tries, bad luck would have given up before
  assert_true(w.fcm().last().at - start <= minutes(62));
  w.run_for(hours(3));
  assert_int_equal(w.fcm().requests(), last);
  w.expect_at_rest();
}

void an_account_that_can_not_sign_turns_its_section_off_and_no_other(void**) {
  World& w = world();
  w.spoil_key(1);
  w.start();
  const NodeText phone = w.register_device("ann@example.org/phone", token_a);
  const NodeText tablet = w.register_android("ann@example.org/tablet", fcm_token_a);
  w.publish_and_wait(phone, "p1");
  w.publish_and_wait(tablet, "p2");
  w.expect_result("p1");
  w.expect_wait("p2");
  assert_int_equal(w.google().connections(), 0);
}

TESTS(fcm, SCENARIO_WITH(a_message_becomes_a_request_to_fcm_with_a_fetched_token, fcm),
      SCENARIO_WITH(both_providers_ring_for_one_account, fcm),
      SCENARIO_WITH(the_providers_id_is_offered_and_a_bad_token_is_refused, fcm),
      SCENARIO_WITH(unregistered_ends_the_device, fcm),
      SCENARIO_WITH(a_sender_mismatch_holds_the_device_unless_it_was_accepted_before, fcm),
      SCENARIO_WITH(a_page_in_html_is_tried_again_within_minutes, fcm),
      SCENARIO_WITH(a_quota_that_is_used_up_rests_the_section_as_long_as_it_is_told, fcm),
      SCENARIO_WITH(a_device_that_is_limited_is_answered_and_waits, fcm),
      SCENARIO_WITH(a_device_that_google_limits_again_and_again_is_asked_less_and_less, fcm),
      SCENARIO_WITH(a_google_in_trouble_is_given_up_after_an_hour, fcm),
      SCENARIO_WITH(an_account_that_can_not_sign_turns_its_section_off_and_no_other, fcm));

}  // namespace
}  // namespace tocsin::test
