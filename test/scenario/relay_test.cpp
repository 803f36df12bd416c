// Posts to endpoints whose client has moved, whose application does too much, whose server is away.
#include "test/scenario/endpoints.h"

namespace tocsin::test {
namespace {

// ---- clients that move -------------------------------------------------------

void a_client_that_came_back_under_another_name_is_found_by_its_presence(void**) {
  World& w = world();
  w.start();
  without_listener(w);
  const Endpoint endpoint = register_endpoint(w);
  send_presence(w, "ann@example.org/Conversations.y");
  uint64_t before = w.server().stanzas();
  assert_int_equal(post_now(w, endpoint), 0);
  assert_true(contains(pushed(w, before), "to='ann@example.org/Conversations.x'"));
  before = w.server().stanzas();
  client_answers(w, "service-unavailable");
  assert_true(contains(pushed(w, before), "to='ann@example.org/Conversations.y'"));
  client_answers(w);
  assert_int_equal(outcome(w), 201);
  w.run_for(seconds(1));
  w.restart();  // it was stored
  without_listener(w);
  w.run_for(milliseconds(100));
  before = w.server().stanzas();
  assert_int_equal(post_now(w, endpoint), 0);
  assert_true(contains(pushed(w, before), "to='ann@example.org/Conversations.y'"));
  client_answers(w);
  assert_int_equal(outcome(w), 201);
  w.expect_at_rest();
}

void what_another_client_says_is_no_word_about_the_endpoint(void**) {
  World& w = world();
  w.start();
  without_listener(w);
  const Endpoint endpoint = register_endpoint(w);
  send_presence(w, "ann@example.org/laptop");
  for (const string_view word : {"item-not-found", "feature-not-implemented", "service-unavailable"}) {
    uint64_t before = w.server().stanzas();
    assert_int_equal(post_now(w, endpoint), 0);
    (void)pushed(w, before);
    before = w.server().stanzas();
    client_answers(w, "service-unavailable");
    assert_true(contains(pushed(w, before), "to='ann@example.org/laptop'"));
    client_answers(w, word);
    assert_int_equal(outcome(w), 503);
  }
  // It goes, and is not asked any more; nor are those who have no endpoint heard.
  send_presence(w, "ann@example.org/laptop", false);
  send_presence(w, "bob@example.org/phone");
  assert_int_equal(post_and_answer(w, endpoint, "service-unavailable"), 503);
  assert_int_equal(post_and_answer(w, endpoint), 201);
  w.expect_at_rest();
}

// ---- trouble ----------------------------------------------------------------

void one_application_has_a_limit_and_others_do_not_feel_it(void**) {
  World& w = world();
  w.start();
  without_listener(w);
  const NodeText node = w.register_device(ann, token_a);
  const Endpoint abused = register_endpoint(w, ann, hash_a, hash_a);
  const Endpoint other = register_endpoint(w, ann, hash_b, hash_b);
  const Endpoint of_bob = register_endpoint(w, "bob@example.org/x", hash_b, hash_b);
  uint32_t refused = 0;
  uint32_t taken = 0;
  for (int i = 0; i < 1000; ++i) {
    const Relay::Outcome got = relay(w).post(abused.path(), bytes_of("flood"), 1000, w.now(), w.simulation().wall());
    refused += got.status == 429 ? 1 : 0;
    taken += got.status != 429 ? 1 : 0;
    if (got.status == 429) assert_true(got.retry_after >= 1 && got.retry_after <= 2);
  }
  assert_int_equal(taken, Relay::burst);
  assert_int_equal(refused, 1000 - Relay::burst);
  assert_int_equal(relay(w).waiting(), Relay::waiting_of_endpoint);  // the others are with the server
  w.publish_and_wait(node, "p1");
  w.expect_result("p1");
  for (const Endpoint* each : {&other, &of_bob}) {
    const uint64_t before = w.server().stanzas();
    assert_int_equal(post_now(w, *each, "hello", 2), 0);
    (void)pushed(w, before);
    client_answers(w);
    assert_int_equal(outcome(w, 2), 201);
  }
  w.run_for(seconds(30));
  for (uint32_t i = 0; i < Relay::waiting_of_endpoint; ++i) assert_int_equal(outcome(w, 1000), 201);
  assert_int_equal(post_now(w, abused), 0);  // the bucket fills again
  assert_int_equal(outcome(w), 201);
  assert_false(w.log().saw("status=429"));  // it fills no log
  w.expect_at_rest();
}

void a_server_that_is_away_or_does_not_read_is_unavailable(void**) {
  World& w = world();
  w.start();
  without_listener(w);
  const NodeText node = w.register_device(ann, token_a);
  Endpoint endpoints[8];
  constexpr string_view hashes[] = {hash_a, hash_b};
  for (uint32_t i = 0; i < 8; ++i) {
    uint8_t room[64];
    Writer name(room);
    name.text("user").unsigned_number(i / 4).text("@example.org/x");
    endpoints[i] = register_endpoint(w, name.view(), hashes[i % 2], hashes[i / 2 % 2]);
  }
  w.server().pause();
  static uint8_t body[4096];
  uint32_t refused = 0;
  for (uint32_t i = 0; i < 8 * Relay::burst; ++i) {
    const uint16_t status = relay(w).post(endpoints[i % 8].path(), body, i, w.now(), w.simulation().wall()).status;
    refused += status == 503 ? 1 : 0;
  }
  assert_true(refused > 100);
  w.server().publish(node, "p1");
  w.run_for(seconds(2));
  w.server().resume();
  w.wait_for_answer("p1");
  w.expect_result("p1");
  w.run_for(seconds(20));
  Relay::Outcome got;
  while (relay(w).next(got)) assert_int_equal(got.status, 201);
  w.server().drop();
  w.run_for(milliseconds(10));
  assert_int_equal(post_now(w, endpoints[0]), 503);
  w.expect_at_rest();
}

void what_waits_when_the_gateway_ends_is_with_the_server(void**) {
  World& w = world();
  w.start();
  without_listener(w);
  const Endpoint endpoint = register_endpoint(w);
  assert_int_equal(post_now(w, endpoint), 0);
  w.terminate();
  assert_int_equal(outcome(w), 201);
}

void without_the_section_nobody_hears_of_it(void**) {
  World& w = world();
  w.start();
  send_register(w, ann, "r1");
  w.wait_for_answer("r1");
  w.expect_answer("r1", "<error type='cancel'><service-unavailable");
  assert_int_equal(relay(w).post("/up/AAAAAAAAAAAAAAAAAAAAAA", bytes_of("x"), 1, w.now(), UnixTime{}).status, 404);
  assert_false(w.disk().has("/var/lib/tocsin/endpoints.key"));
  w.expect_at_rest();
}

}  // namespace

TESTS(relay, SCENARIO_WITH(a_client_that_came_back_under_another_name_is_found_by_its_presence, offered),
      SCENARIO_WITH(what_another_client_says_is_no_word_about_the_endpoint, offered),
      SCENARIO_WITH(one_application_has_a_limit_and_others_do_not_feel_it, offered),
      SCENARIO_WITH(a_server_that_is_away_or_does_not_read_is_unavailable, offered),
      SCENARIO_WITH(what_waits_when_the_gateway_ends_is_with_the_server, offered),
      SCENARIO(without_the_section_nobody_hears_of_it));

}  // namespace tocsin::test
