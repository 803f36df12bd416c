// The access token of an FCM section: fetched when it is wanted, one for all, and trouble of its section alone.
#include "test/scenario/world.h"

namespace tocsin::test {
namespace {

constexpr Configured fcm{.extra = with_fcm};

void everybody_waits_for_one_token(void**) {
  World& w = world();
  w.start();
  w.google().think(seconds(2));
  NodeText nodes[20];
  for (uint32_t i = 0; i < 20; ++i) {
    nodes[i] = w.register_android("ann@example.org/phone", token_number(i));
  }
  for (uint32_t i = 0; i < 20; ++i) {
    uint8_t room[8];
    Writer id(room);
    w.server().publish(nodes[i], id.text("p").unsigned_number(i).view());
  }
  assert_true(w.run_until([&] { return w.fcm().requests() == 20; }));
  assert_int_equal(w.google().requests(), 1);
  w.run_for(minutes(1));
  for (uint32_t i = 0; i < 20; ++i) {
    uint8_t room[8];
    Writer id(room);
    w.expect_result(id.text("p").unsigned_number(i).view());
  }
  assert_int_equal(w.google().requests(), 1);
  w.expect_at_rest();
}

void the_connection_for_tokens_is_closed_when_it_has_nothing_to_do(void**) {
  World& w = world();
  w.start();
  const NodeText node = w.register_android("ann@example.org/phone", fcm_token_a);
  w.publish_and_wait(node, "p1");
  assert_int_equal(w.google().alive(), 1);
  w.run_for(seconds(15));
  assert_int_equal(w.google().alive(), 0);
  assert_int_equal(w.fcm().alive(), 1);
  w.run_for(hours(30));  // nobody wants anything: no token is fetched for nothing
  assert_int_equal(w.google().requests(), 1);
  w.expect_at_rest();
}

void a_token_is_renewed_before_it_ends_and_nobody_waits(void**) {
  World& w = world();
  w.start();
  const NodeText node = w.register_android("ann@example.org/phone", fcm_token_a);
  w.publish_and_wait(node, "p1");
  w.run_for(minutes(56));
  w.google().think(seconds(10));
  w.publish_and_wait(node, "p2");
  w.expect_result("p2");
  assert_string_equal(w.fcm().last().authorization.c_str(), "Bearer ya29.1");
  w.run_for(minutes(1));
  assert_int_equal(w.google().requests(), 2);
  w.publish_and_wait(node, "p3");
  assert_string_equal(w.fcm().last().authorization.c_str(), "Bearer ya29.2");
  w.run_for(minutes(1));
  w.expect_at_rest();
}

void after_a_night_the_next_push_waits_for_a_new_token(void**) {
  World& w = world();
  w.start();
  const NodeText node = w.register_android("ann@example.org/phone", fcm_token_a);
  w.publish_and_wait(node, "p1");
  w.run_for(hours(9));
  w.publish_and_wait(node, "p2");
  w.expect_result("p2");
  assert_string_equal(w.fcm().last().authorization.c_str(), "Bearer ya29.2");
  assert_int_equal(w.google().requests(), 2);
}

void the_old_token_goes_on_while_no_new_one_comes(void**) {
  World& w = world();
  w.start();
  const NodeText node = w.register_android("ann@example.org/phone", fcm_token_a);
  w.publish_and_wait(node, "p1");
  w.run_for(minutes(56));
  w.google().answer_all(503, "<html>");
  for (int i = 0; i < 3; ++i) {
    uint8_t room[8];
    Writer id(room);
    w.publish_and_wait(node, id.text("q").number(i).view());
    w.expect_result(id.view());
    w.run_for(seconds(20));
  }
  assert_true(contains(w.log().last("event=provider_trouble"), "no access token"));
  assert_int_equal(w.log().count("event=provider_trouble"), 1);
  assert_int_equal(w.log().count("event=provider_down"), 0);
  w.run_for(minutes(5));  // now it has ended
  w.publish_and_wait(node, "p2");
  w.expect_wait("p2");
  assert_true(contains(w.log().last("event=provider_down"), "no access token"));
}

void a_401_fetches_another_token_and_nobody_notices(void**) {
  World& w = world();
  w.start();
  const NodeText node = w.register_android("ann@example.org/phone", fcm_token_a);
  w.publish_and_wait(node, "p1");
  w.run_for(minutes(10));
  w.fcm().answer_next(1, 401, "{\"error\":{\"status\":\"UNAUTHENTICATED\"}}");
  w.publish_and_wait(node, "p2");
  w.expect_result("p2");
  assert_int_equal(w.fcm().requests(), 3);
  assert_string_equal(w.fcm().request(1).authorization.c_str(), "Bearer ya29.1");
  assert_string_equal(w.fcm().request(2).authorization.c_str(), "Bearer ya29.2");
  assert_int_equal(w.log().count("event=provider_up"), 3);  // FCM, and twice where tokens are fetched
  assert_int_equal(w.log().count("event=provider_"), 3);
  w.run_for(minutes(1));
  w.expect_at_rest();
}

void tokens_that_are_always_refused_are_not_fetched_again_and_again(void**) {
  World& w = world();
  w.start();
  const NodeText a = w.register_android("ann@example.org/phone", fcm_token_a);
  const NodeText b = w.register_android("bob@example.org/phone", fcm_token_b);
  w.fcm().answer_all(401, "{\"error\":{\"status\":\"UNAUTHENTICATED\"}}");
  w.publish_and_wait(a, "p1");
  w.publish_and_wait(b, "p2");
  w.expect_wait("p1");
  w.run_for(minutes(10));
  assert_in_range(w.google().requests(), 2, 10);
  assert_in_range(w.fcm().requests(), 4, 20);
  assert_true(contains(w.log().last("event=provider_trouble"), "service_account"));
  assert_int_equal(w.gateway().registry().count(), 2);
  w.fcm().accept_all();
  w.run_for(hours(1));
  w.expect_at_rest();
}

void without_a_token_publishers_wait_and_other_sections_go_on(void**) {
  World& w = world();
  w.start();
  const NodeText phone = w.register_device("ann@example.org/phone", token_a);
  const NodeText tablet = w.register_android("ann@example.org/tablet", fcm_token_a);
  w.google().answer_all(400, "invalid_grant");
  w.publish_and_wait(tablet, "p1");
  w.expect_wait("p1");
  assert_true(contains(w.log().last("event=provider_down"), "provider=fcm/play"));
  assert_true(contains(w.log().last("event=provider_down"), "invalid_grant"));
  assert_true(contains(w.log().last("event=provider_down"), "check service_account"));
  w.publish_and_wait(phone, "p2");
  w.expect_result("p2");
  w.publish_and_wait(tablet, "p3");
  w.expect_wait("p3");
  w.run_for(minutes(14));
  assert_int_equal(w.google().requests(), 1);
  assert_int_equal(w.fcm().requests(), 0);
  assert_int_equal(w.gateway().registry().count(), 2);
  w.google().accept_all();
  w.run_for(minutes(2));
  assert_int_equal(w.fcm().requests(), 1);  // the two were one wake-up
  w.run_for(minutes(1));
  w.expect_at_rest();
}

void an_endpoint_of_tokens_that_is_away_is_trouble_of_its_section_alone(void**) {
  World& w = world();
  w.start();
  const NodeText phone = w.register_device("ann@example.org/phone", token_a);
  const NodeText tablet = w.register_android("ann@example.org/tablet", fcm_token_a);
  w.google().conduct(FakeProvider::Conduct::hang_up);
  w.publish_and_wait(tablet, "p1");
  w.expect_wait("p1");
  assert_true(contains(w.log().last("event=provider_down"), "no access token: closed by the provider"));
  w.run_for(minutes(30));
  assert_in_range(w.google().connections(), 20, 120);  // every minute, with jitter
  assert_int_equal(w.log().count("event=provider_down"), 1);
  w.publish_and_wait(phone, "p2");
  w.expect_result("p2");
  w.google().conduct(FakeProvider::Conduct::proper);
  w.run_for(minutes(3));
  assert_int_equal(w.fcm().requests(), 1);
  w.publish_and_wait(tablet, "p3");
  w.expect_result("p3");
  w.run_for(minutes(1));
  w.expect_at_rest();
}

void a_request_for_a_token_that_is_lost_is_made_again_at_once(void**) {
  World& w = world();
  w.start();
  const NodeText node = w.register_android("ann@example.org/phone", fcm_token_a);
  w.google().act(FakeProvider::Act::drop_connection);
  w.server().publish(node, "p1");
  assert_true(w.run_until([&] { return w.google().requests() == 1; }));
  w.google().act(FakeProvider::Act::answer);
  w.wait_for_answer("p1");
  w.expect_result("p1");
  assert_int_equal(w.log().count("event=provider_down"), 0);
}

// iat of the assertion in the last request for a token.
int64_t issued_at(const SeenRequest& seen) {
  string_view rest = seen.body.view();
  (void)take_until(rest, '.');
  const string_view claims = take_until(rest, '.');
  uint8_t room[1024];
  const Result<size_t> size = decode_base64url(claims, room);
  assert_true(size.ok());
  string_view text = text_of(ByteView(room).first(size.value()));
  const size_t at = text.find("\"iat\":");
  assert_true(at != string_view::npos);
  text = slice(text, at + 6);
  return static_cast<int64_t>(parse_number(take_until(text, ',')).value());
}

void a_clock_that_is_wrong_is_put_right_by_the_endpoints_own(void**) {
  World& w = world();
  w.start();
  const NodeText node = w.register_android("ann@example.org/phone", fcm_token_a);
  w.port().set_wall(w.simulation().wall() - hours(3));
  w.google().tell_time(true);
  w.google().answer_next(1, 400, "invalid_grant");
  w.publish_and_wait(node, "p1");
  w.run_for(minutes(2));
  assert_int_equal(w.google().requests(), 2);
  assert_true(contains(w.log().last("event=clock_skew"), "seconds=10800"));
  assert_in_range(issued_at(w.google().request(1)) - issued_at(w.google().request(0)), 10'795, 10'900);
  assert_int_equal(w.fcm().requests(), 1);
}

void a_clock_that_was_never_set_signs_nothing(void**) {
  World& w = world();
  w.port().set_wall(UnixTime{1000});
  w.start();
  const NodeText node = w.register_android("ann@example.org/phone", fcm_token_a);
  w.publish_and_wait(node, "p1");
  w.expect_wait("p1");
  assert_true(contains(w.log().last("event=provider_down"), "clock was never set"));
  w.run_for(minutes(5));
  assert_int_equal(w.google().connections(), 0);
  w.port().set_wall(w.simulation().wall());
  w.run_for(minutes(1));
  assert_int_equal(w.fcm().requests(), 1);
}

void a_stop_with_the_token_under_way_ends_in_time(void**) {
  World& w = world();
  w.start();
  const NodeText node = w.register_android("ann@example.org/phone", fcm_token_a);
  w.google().act(FakeProvider::Act::stall);
  w.server().publish(node, "p1");
  assert_true(w.run_until([&] { return w.google().stalled() == 1; }));
  w.terminate();
  w.run_for(seconds(5));
  assert_true(w.exited());
  w.expect_wait("p1", "internal-server-error");
}

TESTS(fcm_token, SCENARIO_WITH(everybody_waits_for_one_token, fcm),
      SCENARIO_WITH(the_connection_for_tokens_is_closed_when_it_has_nothing_to_do, fcm),
      SCENARIO_WITH(a_token_is_renewed_before_it_ends_and_nobody_waits, fcm),
      SCENARIO_WITH(after_a_night_the_next_push_waits_for_a_new_token, fcm),
      SCENARIO_WITH(the_old_token_goes_on_while_no_new_one_comes, fcm),
      SCENARIO_WITH(a_401_fetches_another_token_and_nobody_notices, fcm),
      SCENARIO_WITH(tokens_that_are_always_refused_are_not_fetched_again_and_again, fcm),
      SCENARIO_WITH(without_a_token_publishers_wait_and_other_sections_go_on, fcm),
      SCENARIO_WITH(an_endpoint_of_tokens_that_is_away_is_trouble_of_its_section_alone, fcm),
      SCENARIO_WITH(a_request_for_a_token_that_is_lost_is_made_again_at_once, fcm),
      SCENARIO_WITH(a_clock_that_is_wrong_is_put_right_by_the_endpoints_own, fcm),
      SCENARIO_WITH(a_clock_that_was_never_set_signs_nothing, fcm),
      SCENARIO_WITH(a_stop_with_the_token_under_way_ends_in_time, fcm));

}  // namespace
}  // namespace tocsin::test
