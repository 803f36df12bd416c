// Web Push services that refuse our token: it is made anew, for that origin alone,
// and what they say of it costs no device.
#include "test/scenario/web_push_words.h"

namespace tocsin::test {
namespace {

constexpr string_view refused_token = R"({"code":401,"errno":109,"error":"Unauthorized"})";

uint32_t different_tokens(FakeProvider& service) {
  uint32_t count = 0;
  for (uint64_t i = 0; i < service.requests(); ++i)
    count += i == 0 || service.request(i).authorization.view() != service.request(i - 1).authorization.view();
  return count;
}

// Before the publisher knows: the token may have been spoilt on the way, or signed by an earlier clock.
void a_token_that_is_refused_is_made_anew_and_the_push_sent_again(void**) {
  World& w = world();
  w.start();
  const NodeText node = subscribe(w, "ann@example.org/web", Subscribed(one));
  const NodeText other = subscribe(w, "bob@example.org/web", Subscribed(two));
  w.publish_and_wait(node, "p0");
  w.publish_and_wait(other, "q0");
  struct Word {
    uint16_t status;
    string_view body;
  };
  constexpr Word words[] = {
      {401, refused_token}, {403, R"({"reason":"BadJwtToken"})"}, {403, R"({"reason":"BadAuthorizationHeader"})"}};
  uint32_t n = 1;
  for (const Word& word : words) {
    w.run_for(minutes(2));
    const uint64_t before = w.service(0).requests();
    w.service(0).answer_next(1, word.status, word.body);
    uint8_t room[8];
    Writer id(room);
    id.character('p').unsigned_number(n++);
    w.publish_and_wait(node, id.view());
    w.expect_result(id.view());
    assert_int_equal(w.service(0).requests(), before + 2);
    assert_int_equal(different_tokens(w.service(0)), n);
  }
  assert_false(w.log().saw("provider_trouble"));
  // It was this origin's alone.
  w.publish_and_wait(other, "q1");
  assert_int_equal(different_tokens(w.service(1)), 1);
  w.expect_at_rest();
}

void a_service_that_refuses_every_token_costs_no_device_and_is_said_once(void**) {
  World& w = world();
  w.start();
  const NodeText node = subscribe(w, "ann@example.org/web", Subscribed(one));
  const NodeText other = subscribe(w, "bob@example.org/web", Subscribed(two));
  w.publish_and_wait(node, "p0");
  w.run_for(minutes(10));
  w.service(0).answer_all(401, refused_token);
  for (const string_view id : {"p1", "p2", "p3", "p4", "p5", "p6"}) {
    w.publish_and_wait(node, id);
    w.expect_wait(id);
    w.run_for(minutes(1));
  }
  assert_int_equal(w.log().count("event=provider_trouble"), 1);
  const string_view line = w.log().last("event=provider_trouble");
  for (const string_view part :
       {"level=warn", "provider=webpush", "origin=https://one.wild.example.org", "reason=\"errno 109\"",
        "check=\"check the system's clock and contact: a push service refuses our token\""})
    assert_true(contains(line, part));
  w.run_for(hours(3));
  const uint32_t tokens = different_tokens(w.service(0));
  assert_in_range(tokens, 2, w.service(0).requests() - 6);  // not one for each
  w.run_for(hours(22));                                     // whatever was retried has ended
  assert_int_equal(w.gateway().registry().count(), 2);
  assert_false(w.log().saw("device_held"));
  w.publish_and_wait(other, "q1");
  w.expect_result("q1");
  w.service(0).answer_all(201, "");
  w.publish_and_wait(node, "p7");
  w.expect_result("p7");
  w.expect_at_rest();
}

// Microsoft's word for another key, which a spoilt token gets as well.
void a_bare_refusal_counts_when_a_new_token_gets_it_too(void**) {
  World& w = world();
  w.start();
  const NodeText node = subscribe(w, "ann@example.org/web", Subscribed(one));
  w.publish_and_wait(node, "p0");
  w.run_for(minutes(10));
  w.service(0).answer_next(1, 401, "");
  w.publish_and_wait(node, "p1");
  w.expect_result("p1");
  assert_int_equal(w.gateway().registry().count(), 1);
  w.run_for(minutes(10));
  w.service(0).answer_all(401, "");
  w.publish_and_wait(node, "p2");
  w.expect_gone("p2");  // it was accepted under this key before
  w.service(0).answer_all(201, "");
  const NodeText again = subscribe(w, "ann@example.org/web", Subscribed(one));
  w.service(0).answer_all(401, "");
  w.publish_and_wait(again, "p3");
  w.expect_wait("p3");  // and never since: held
  assert_int_equal(w.gateway().registry().count(), 1);
  assert_true(w.log().saw("device_held"));
}

// The page of a proxy that wants a password is no word about the subscription.
void a_page_in_front_of_a_service_costs_no_device(void**) {
  World& w = world();
  w.start();
  const NodeText node = subscribe(w, "ann@example.org/web", Subscribed(one));
  w.publish_and_wait(node, "p0");
  for (const uint16_t status : {uint16_t{401}, uint16_t{403}}) {
    w.service(0).answer_all(status, "<html>Authorization Required</html>");
    const string_view id = status == 401 ? "p401" : "p403";
    w.publish_and_wait(node, id);
    w.expect_wait(id, "internal-server-error");
    w.run_for(minutes(10));
  }
  assert_int_equal(w.gateway().registry().count(), 1);
  assert_false(w.log().saw("device_held"));
  w.service(0).answer_all(201, "");
  w.publish_and_wait(node, "p1");
  w.expect_result("p1");
}

void watch_the_time(World& w) {
  for (uint32_t i = 0; i < 2; ++i) {
    w.service(i).mind_time(true);
    w.service(i).tell_time(true);
  }
}

// A token lives 18 hours: whose clock is off by more signs what has ended, or lasts too long.
void a_clock_that_is_wrong_by_thirty_hours_is_learnt_from_the_service(void**) {
  for (const int64_t sign : {-1, 1}) {
    World& w = world();
    w.end();
    w.begin(1, with_web_push.extra);
    const Duration off = hours(30) * sign;
    watch_the_time(w);
    w.start();
    const NodeText node = subscribe(w, "ann@example.org/web", Subscribed(one));
    const NodeText other = subscribe(w, "bob@example.org/web", Subscribed(two));
    w.port().set_wall(w.simulation().wall() + off);
    w.publish_and_wait(node, "p1");
    w.expect_result("p1");
    assert_int_equal(w.service(0).requests(), 2);
    assert_int_equal(w.service(0).connections(), 1);
    assert_int_equal(w.log().count("event=clock_skew"), 1);
    const string_view line = w.log().last("event=clock_skew");
    assert_true(contains(line, "origin=https://one.wild.example.org"));
    assert_true(contains(line, sign < 0 ? "seconds=108000" : "seconds=-108000"));
    // Each origin says it for itself, and is believed until the clock is set.
    w.publish_and_wait(other, "q1");
    w.expect_result("q1");
    assert_int_equal(w.service(1).requests(), 2);
    w.run_for(hours(14));  // signed anew in between
    w.publish_and_wait(node, "p2");
    w.expect_result("p2");
    assert_int_equal(w.service(0).requests(), 3);
    w.port().set_wall(w.simulation().wall());
    w.run_for(minutes(2));
    w.publish_and_wait(node, "p3");
    w.expect_result("p3");
    w.run_for(hours(20));
    w.publish_and_wait(node, "p4");
    w.expect_result("p4");
    assert_true(w.service(0).requests() <= 6);
    assert_int_equal(w.log().count("event=clock_skew"), 2);
    assert_false(w.log().saw("provider_trouble"));
    w.expect_at_rest();
  }
}

void an_origin_that_lies_about_the_time_harms_itself_alone(void**) {
  World& w = world();
  watch_the_time(w);
  w.service(0).tell_time_off(days(40));
  w.service(0).answer_all(401, refused_token);
  w.start();
  const NodeText liar = subscribe(w, "ann@example.org/web", Subscribed(one));
  const NodeText good = subscribe(w, "bob@example.org/web", Subscribed(two));
  for (const string_view id : {"p1", "p2", "p3", "p4"}) {
    w.publish_and_wait(liar, id);
    w.expect_wait(id);
    w.run_for(minutes(3));
    w.service(0).tell_time_off(id == "p2" ? days(-40) : days(4000));
  }
  w.publish_and_wait(good, "q1");
  w.expect_result("q1");
  assert_int_equal(w.service(1).requests(), 1);
  assert_int_equal(w.gateway().registry().count(), 2);
  // It comes to its senses.
  w.run_for(hours(1));
  w.service(0).tell_time_off({});
  w.service(0).answer_all(201, "");
  w.publish_and_wait(liar, "p5");
  w.expect_result("p5");
}

}  // namespace

TESTS(web_push_token, SCENARIO_WITH(a_clock_that_is_wrong_by_thirty_hours_is_learnt_from_the_service, with_web_push),
      SCENARIO_WITH(an_origin_that_lies_about_the_time_harms_itself_alone, with_web_push),
      SCENARIO_WITH(a_token_that_is_refused_is_made_anew_and_the_push_sent_again, with_web_push),
      SCENARIO_WITH(a_service_that_refuses_every_token_costs_no_device_and_is_said_once, with_web_push),
      SCENARIO_WITH(a_bare_refusal_counts_when_a_new_token_gets_it_too, with_web_push),
      SCENARIO_WITH(a_page_in_front_of_a_service_costs_no_device, with_web_push));

}  // namespace tocsin::test
