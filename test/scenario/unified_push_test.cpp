// UnifiedPush between the listener and the XMPP server: endpoints are registered as Conversations does, and what is
// posted to them becomes an IQ whose answer is an HTTP status.
#include "test/scenario/endpoints.h"

namespace tocsin::test {
namespace {

// ---- registering ------------------------------------------------------------

void an_endpoint_is_the_same_string_whenever_it_is_asked_for(void**) {
  World& w = world();
  w.start();
  without_listener(w);
  const Endpoint endpoint = register_endpoint(w);
  assert_string_equal(endpoint.expiration.c_str(), "2027-02-14T08:00:00Z");  // 30 days
  assert_int_equal(endpoint.path().size(), 4 + 22);
  assert_string_equal(register_endpoint(w, "ann@example.org/other").url.c_str(), endpoint.url.c_str());
  w.restart();
  without_listener(w);
  assert_string_equal(register_endpoint(w).url.c_str(), endpoint.url.c_str());
  w.lose_power();
  w.start();
  without_listener(w);
  assert_string_equal(register_endpoint(w).url.c_str(), endpoint.url.c_str());
  assert_int_equal(w.gateway().registry().count(), 1);
  for (const Endpoint& other :
       {register_endpoint(w, ann, hash_b, hash_b), register_endpoint(w, ann, hash_a, hash_a),
        register_endpoint(w, ann, hash_b, hash_a), register_endpoint(w, "bob@example.org/Conversations.x")}) {
    assert_string_not_equal(other.url.c_str(), endpoint.url.c_str());
  }
  assert_int_equal(w.gateway().registry().count(), 5);
  assert_true(w.log().saw("event=endpoint_registered"));
  w.expect_at_rest();
}

void renewing_it_writes_at_most_daily(void**) {
  World& w = world();
  w.start();
  without_listener(w);
  (void)register_endpoint(w);
  const uint64_t size = w.gateway().registry().log_bytes();
  w.run_for(hours(20));
  const Endpoint renewed = register_endpoint(w);
  assert_string_equal(renewed.expiration.c_str(), "2027-02-15T04:00:00Z");
  assert_int_equal(w.gateway().registry().log_bytes(), size);
  w.run_for(hours(5));
  (void)register_endpoint(w);
  assert_true(w.gateway().registry().log_bytes() > size);
  assert_true(w.gateway().registry().log_bytes() < size + 100);
  w.expect_at_rest();
}

void it_is_only_for_accounts_that_may_and_for_whole_clients(void**) {
  World& w = world();
  w.set("unifiedpush.accounts=up.example.org");
  w.set("xmpp.accounts=example.org,up.example.org");
  w.start();
  without_listener(w);
  send_register(w, ann, "r1");
  w.wait_for_answer("r1");
  w.expect_answer("r1", "<error type='auth'><forbidden");
  send_register(w, "ann@up.example.org/x", "r2");
  w.wait_for_answer("r2");
  w.expect_answer("r2", "type='result'");
  send_register(w, "ann@up.example.org", "r3");
  w.wait_for_answer("r3");
  w.expect_answer("r3", "<error type='modify'><bad-request");
  (void)w.register_device(ann, token_a);  // devices are another matter
  send_register(w, "ann@up.example.org/x", "r4", "short");
  w.wait_for_answer("r4");
  w.expect_answer("r4", "<error type='modify'><bad-request");
  w.expect_at_rest();
}

void an_account_has_a_bounded_number_and_those_that_are_gone_make_way(void**) {
  World& w = world();
  w.set("unifiedpush.endpoints_per_account=2");
  w.start();
  without_listener(w);
  const Endpoint a = register_endpoint(w, ann, hash_a, hash_a);
  (void)register_endpoint(w, ann, hash_b, hash_b);
  (void)w.register_device(ann, token_a);  // is not counted among them
  send_register(w, ann, "full", hash_c, hash_c);
  w.wait_for_answer("full");
  w.expect_wait("full", "resource-constraint");
  assert_int_equal(post_and_answer(w, a, "item-not-found"), 404);
  w.run_for(seconds(1));
  (void)register_endpoint(w, ann, hash_c, hash_c);
  assert_int_equal(w.gateway().registry().count(), 3);
  assert_int_equal(post_now(w, a), 404);
  w.expect_at_rest();
}

void its_node_is_no_address_for_publishes_and_no_device(void**) {
  World& w = world();
  w.start();
  without_listener(w);
  const Endpoint endpoint = register_endpoint(w);
  w.publish_and_wait(slice(endpoint.path(), 4), "p1");
  w.expect_gone("p1");
  assert_int_equal(w.gateway().registry().count(), 1);
  // Nor may a device's token take its place.
  uint8_t room[64];
  Writer token(room);
  NodeId node;
  assert_true(node.parse(slice(endpoint.path(), 4)));
  token.text("00696475").hex(node.view());
  w.send_unregister(ann, "u1", "tigase:messenger:apns:1", token.view());
  w.wait_for_answer("u1");
  w.expect_gone("u1");
  w.send_register(ann, "r1", "tigase:messenger:apns:1", token.view());
  w.wait_for_answer("r1");
  w.expect_answer("r1", "bad-request");
  assert_int_equal(post_and_answer(w, endpoint), 201);
  w.expect_at_rest();
}

// ---- posting ----------------------------------------------------------------

void what_is_posted_arrives_and_the_answer_is_the_status(void**) {
  World& w = world();
  w.start();
  without_listener(w);
  const Endpoint endpoint = register_endpoint(w);
  const uint64_t before = w.server().stanzas();
  assert_int_equal(post_now(w, endpoint), 0);
  const string_view push = pushed(w, before);
  assert_true(contains(push, "from='push.example.org' to='ann@example.org/Conversations.x'"));
  assert_true(contains(push,
                       "application='AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=' "
                       "instance='//////////////////////////////////////////8='>aGVsbG8=</push>"));
  client_answers(w);
  assert_int_equal(outcome(w), 201);
  assert_true(w.log().saw("event=relay"));
  assert_false(w.log().saw("aGVsbG8=") || w.log().saw("hello") || w.log().saw("ann@example.org"));
  assert_int_equal(relay(w).waiting(), 0);
  Relay::Outcome none;
  assert_false(relay(w).next(none));
  w.expect_at_rest();
}

void every_word_of_the_client_has_its_status(void**) {
  World& w = world();
  w.start();
  without_listener(w);
  const Endpoint endpoint = register_endpoint(w);
  assert_int_equal(post_and_answer(w, endpoint, "service-unavailable"), 503);
  assert_int_equal(post_and_answer(w, endpoint, "recipient-unavailable"), 503);
  assert_int_equal(post_and_answer(w, endpoint, "feature-not-implemented"), 404);
  assert_int_equal(post_and_answer(w, endpoint, "remote-server-timeout"), 429);  // of type wait
  assert_int_equal(post_and_answer(w, endpoint, "not-acceptable"), 500);
  assert_int_equal(post_and_answer(w, endpoint), 201);  // none of them was its end
  assert_int_equal(post_and_answer(w, endpoint, "item-not-found"), 404);
  w.run_for(seconds(1));
  const uint64_t before = w.server().stanzas();
  assert_int_equal(post_now(w, endpoint), 404);
  w.run_for(seconds(1));
  assert_int_equal(w.server().stanzas(), before);  // nobody is asked again
  w.restart();
  without_listener(w);
  assert_int_equal(post_now(w, endpoint), 404);
  assert_string_equal(register_endpoint(w).url.c_str(), endpoint.url.c_str());
  assert_int_equal(post_and_answer(w, endpoint), 201);
  w.expect_at_rest();
}

void what_is_no_endpoint_is_not_found_and_bodies_have_bounds(void**) {
  World& w = world();
  w.start();
  without_listener(w);
  const Endpoint endpoint = register_endpoint(w);
  Relay& r = relay(w);
  const UnixTime wall = w.simulation().wall();
  for (const string_view path :
       {"", "/", "/up/", "/up/AAAAAAAAAAAAAAAAAAAAAA", "/up/short", "/down/AAAAAAAAAAAAAAAAAAAAAA"})
    assert_int_equal(r.post(path, bytes_of("x"), 1, w.now(), wall).status, 404);
  static uint8_t body[4097];
  std::memset(body, 0xA5, sizeof body);
  assert_int_equal(r.post(endpoint.path(), {}, 1, w.now(), wall).status, 400);
  assert_int_equal(r.post(endpoint.path(), body, 1, w.now(), wall).status, 413);
  const uint64_t before = w.server().stanzas();
  assert_int_equal(r.post(endpoint.path(), ByteView(body).first(4096), 7, w.now(), wall).status, 0);
  w.port().wake();
  assert_true(w.run_until([&] { return w.server().stanzas() > before; }));
  assert_int_equal(w.run_until([&] { return r.waiting() == 0; }), true);
  assert_int_equal(outcome(w, 7), 201);
  w.expect_at_rest();
}

void a_client_that_says_nothing_for_ten_seconds_got_it(void**) {
  World& w = world();
  w.start();
  without_listener(w);
  const Endpoint endpoint = register_endpoint(w);
  const Instant posted = w.now();
  assert_int_equal(post_now(w, endpoint), 0);
  assert_int_equal(outcome(w), 201);
  assert_true(w.now() - posted >= seconds(10) && w.now() - posted < seconds(11));
  client_answers(w, "item-not-found");  // too late to count
  w.run_for(seconds(1));
  assert_int_equal(post_now(w, endpoint), 0);
  assert_int_equal(outcome(w), 201);
  w.expect_at_rest();
}

void nobody_answers_for_another_client(void**) {
  World& w = world();
  w.start();
  without_listener(w);
  const Endpoint endpoint = register_endpoint(w);
  const uint64_t before = w.server().stanzas();
  assert_int_equal(post_now(w, endpoint), 0);
  const string_view push = pushed(w, before);
  uint8_t room[1024];
  Writer out(room);
  for (const string_view from : {"bob@example.org/Conversations.x", "ann@example.org", "example.org"}) {
    out.rewind(0);
    out.text("<iq type='error' id='").text(attribute_of(push, "id")).text("' from='").text(from);
    out.text(
        "' to='push.example.org'><error type='cancel'><item-not-found "
        "xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>");
    w.server().send(out.view());
  }
  w.run_for(seconds(1));
  assert_int_equal(relay(w).waiting(), 1);
  client_answers(w);
  assert_int_equal(outcome(w), 201);
  w.expect_at_rest();
}

void an_endpoint_ends_when_it_is_not_renewed(void**) {
  World& w = world();
  w.set("unifiedpush.expiry=7d");
  w.start();
  without_listener(w);
  const Endpoint endpoint = register_endpoint(w);
  w.run_for(days(7) - minutes(1));
  assert_int_equal(post_and_answer(w, endpoint), 201);
  w.run_for(minutes(2));
  assert_int_equal(post_now(w, endpoint), 404);
  assert_int_equal(w.gateway().registry().count(), 1);
  w.run_for(days(2));
  assert_int_equal(w.gateway().registry().count(), 1);  // the clock may have run ahead: nobody else was seen
  (void)register_endpoint(w, "bob@example.org/x");
  w.run_for(hours(25));
  assert_int_equal(w.gateway().registry().count(), 1);
  assert_string_equal(register_endpoint(w).url.c_str(), endpoint.url.c_str());
  assert_int_equal(post_and_answer(w, endpoint), 201);
  w.expect_at_rest();
}

}  // namespace

TESTS(unified_push, SCENARIO_WITH(an_endpoint_is_the_same_string_whenever_it_is_asked_for, offered),
      SCENARIO_WITH(renewing_it_writes_at_most_daily, offered),
      SCENARIO_WITH(it_is_only_for_accounts_that_may_and_for_whole_clients, offered),
      SCENARIO_WITH(an_account_has_a_bounded_number_and_those_that_are_gone_make_way, offered),
      SCENARIO_WITH(its_node_is_no_address_for_publishes_and_no_device, offered),
      SCENARIO_WITH(what_is_posted_arrives_and_the_answer_is_the_status, offered),
      SCENARIO_WITH(every_word_of_the_client_has_its_status, offered),
      SCENARIO_WITH(what_is_no_endpoint_is_not_found_and_bodies_have_bounds, offered),
      SCENARIO_WITH(a_client_that_says_nothing_for_ten_seconds_got_it, offered),
      SCENARIO_WITH(nobody_answers_for_another_client, offered),
      SCENARIO_WITH(an_endpoint_ends_when_it_is_not_renewed, offered));

}  // namespace tocsin::test
