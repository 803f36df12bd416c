// Unregistering over HTTPS: what is answered, when it is durable, and what it tells strangers.
#include <cstdio>

#include "test/scenario/web_client.h"

namespace tocsin::test {
namespace {

constexpr Configured listening = {.extra = with_listen};
constexpr string_view success = R"({"result":"success"})";

WebClient client;

void a_device_is_gone_after_its_user_said_so_by_https(void**) {
  World& w = world();
  w.start();
  const NodeText node = w.register_device("ann@example.org/phone", token_a);
  client.dial(w);
  assert_int_equal(client.ask(w, unregister_request("ann@example.org", token_a)), 200);
  assert_true(ends_with(client.heard(), success));
  assert_true(contains(client.heard(), "Content-Type: application/json"));
  assert_true(contains(w.log().last("event=unregistered"), "why=https"));
  w.publish_and_wait(node, "p1");
  w.expect_gone("p1");
  w.expect_requests(0);
  client.hang_up();
  w.expect_at_rest();
}

void both_paths_and_both_kinds_of_body_are_known(void**) {
  World& w = world();
  w.start();
  w.register_device("ann@example.org/phone", token_a);
  client.dial(w);
  constexpr string_view body =
      "account=Ann%40example.org%2Fphone&provider=snikket%3Aapns%3A1&device-token="
      "AA00000000000000000000000000000000000000000000000000000000000A01";
  char request[512];
  const int size = snprintf(request, sizeof request,
                            "POST /rest/push/unregister-device/PUSH.example.org HTTP/1.1\r\nHost: a\r\n"
                            "Content-Type: application/x-www-form-urlencoded; charset=utf-8\r\nContent-Length: "
                            "%zu\r\n\r\n%s",
                            body.size(), body.data());
  assert_int_equal(client.ask(w, {request, static_cast<size_t>(size)}), 200);
  assert_true(ends_with(client.heard(), success));
  assert_int_equal(w.gateway().registry().count(), 0);
  client.hang_up();
}

void known_and_unknown_are_answered_alike_and_at_one_moment(void**) {
  World& w = world();
  w.start();
  w.register_device("ann@example.org/phone", token_a);
  w.disk().faults().sync_latency = milliseconds(30);
  static WebClient known, unknown;
  known.dial(w, client_address(1));
  unknown.dial(w, client_address(2));
  known.say(unregister_request("ann@example.org", token_a));
  unknown.say(unregister_request("bob@example.org", token_b));
  assert_true(w.run_until([&] { return ends_with(known.heard(), success); }));
  const Instant first = w.now();
  assert_true(w.run_until([&] { return ends_with(unknown.heard(), success); }));
  assert_true(w.now() - first <= milliseconds(2));
  assert_true(known.heard() == unknown.heard());
  known.hang_up();
  unknown.hang_up();
}

void what_is_missing_or_foreign_is_not_found_and_never_a_failure(void**) {
  World& w = world();
  w.start();
  w.register_device("ann@example.org/phone", token_a);
  const struct {
    const char* path;
    const char* body;
  } cases[] = {
      {"/unregister-device/other.example.org", R"({"account":"ann@example.org","provider":"p","device-token":"t"})"},
      {"/unregister-device/", R"({"account":"ann@example.org","provider":"p","device-token":"t"})"},
      {"/unregister-device/push.example.org/x", R"({"account":"ann@example.org","provider":"p","device-token":"t"})"},
      {"/unregister-device/push.example.org%00", R"({"account":"ann@example.org","provider":"p","device-token":"t"})"},
      {"/unregister-device/push.example.org", R"({"provider":"p","device-token":"t"})"},
      {"/unregister-device/push.example.org", R"({"account":"ann@example.org","device-token":"t"})"},
      {"/unregister-device/push.example.org", R"({"account":"ann@example.org","provider":"p","device-token":7})"},
      {"/unregister-device/push.example.org", "no json"},
      {"/unregister-device/push.example.org", "[]"},
      {"/rest/unregister-device/push.example.org", "{}"},
      {"/", "{}"},
  };
  client.dial(w);
  for (const auto& c : cases) {
    if (!client.alive()) client.dial(w);
    char request[512];
    const int size =
        snprintf(request, sizeof request, "POST %s HTTP/1.1\r\nHost: push.example.org\r\nContent-Length: %zu\r\n\r\n%s",
                 c.path, std::strlen(c.body), c.body);
    assert_int_equal(client.ask(w, {request, static_cast<size_t>(size)}), 404);
    assert_false(contains(client.heard(), "result"));
    w.run_for(seconds(6));  // so that there are never too many
  }
  client.hang_up();
  assert_int_equal(w.gateway().registry().count(), 1);
}

void what_can_not_be_stored_is_asked_for_again(void**) {
  World& w = world();
  w.start();
  const NodeText node = w.register_device("ann@example.org/phone", token_a);
  w.disk().faults().write_failures = 1;
  client.dial(w);
  assert_int_equal(client.ask(w, unregister_request("ann@example.org", token_a)), 503);
  assert_false(contains(client.heard(), "result"));
  w.publish_and_wait(node, "p1");
  w.expect_result("p1");
  assert_int_equal(client.ask(w, unregister_request("ann@example.org", token_a)), 200);
  w.publish_and_wait(node, "p2");
  w.expect_gone("p2");
  client.hang_up();
}

void an_answer_is_durable(void**) {
  World& w = world();
  w.start();
  const NodeText node = w.register_device("ann@example.org/phone", token_a);
  w.disk().faults().sync_latency = milliseconds(700);  // longer than a tick
  client.dial(w);
  static WebClient second;
  second.dial(w, client_address(2));
  client.say(unregister_request("ann@example.org", token_a));
  w.run_for(milliseconds(100));
  second.say(unregister_request("ann@example.org", token_a));  // unknown already, but not yet for ever
  assert_true(w.run_until([&] { return !second.heard().empty() || !client.heard().empty(); }));
  w.lose_power();
  w.start();
  w.publish_and_wait(node, "p1");
  w.expect_gone("p1");
}

void the_tenth_and_one_more_of_a_client_is_too_many(void**) {
  World& w = world();
  w.start();
  client.dial(w);
  for (int i = 0; i < 10; ++i) assert_int_equal(client.ask(w, unregister_request("ann@example.org", token_a)), 200);
  int last = client.ask(w, unregister_request("ann@example.org", token_a));
  while (last == 200) last = client.ask(w, unregister_request("ann@example.org", token_a));
  assert_int_equal(last, 429);
  assert_false(contains(client.heard(), "result"));
  static WebClient other;
  other.dial(w, client_address(2));
  assert_int_equal(other.ask(w, unregister_request("ann@example.org", token_a)), 200);
  client.hang_up();
  other.hang_up();
}

// Behind a proxy all come from one address; whose word counts is the proxy's, not the client's.
void behind_a_proxy_the_forwarded_client_is_limited(void**) {
  World& w = world();
  w.start();
  client.dial_unix(w);
  int last = 200;
  int asked = 0;
  for (; last == 200 && asked < 50; ++asked)
    last = client.ask(
        w, unregister_request("a@example.org", token_a, "p", "X-Forwarded-For: 192.0.2.77, 198.51.100.9\r\n"));
  assert_int_equal(last, 429);
  assert_int_equal(
      client.ask(w, unregister_request("a@example.org", token_a, "p", "X-Forwarded-For: 198.51.100.9, 192.0.2.77\r\n")),
      200);
  client.hang_up();
  // A stranger's word about itself is nothing.
  client.dial(w);
  last = 200;
  for (asked = 0; last == 200 && asked < 50; ++asked) {
    char field[64];
    snprintf(field, sizeof field, "X-Forwarded-For: 192.0.2.%d\r\n", asked);
    last = client.ask(w, unregister_request("a@example.org", token_a, "p", field));
  }
  assert_int_equal(last, 429);
  client.hang_up();
}

TESTS(unregister, SCENARIO_WITH(a_device_is_gone_after_its_user_said_so_by_https, listening),
      SCENARIO_WITH(both_paths_and_both_kinds_of_body_are_known, listening),
      SCENARIO_WITH(known_and_unknown_are_answered_alike_and_at_one_moment, listening),
      SCENARIO_WITH(what_is_missing_or_foreign_is_not_found_and_never_a_failure, listening),
      SCENARIO_WITH(what_can_not_be_stored_is_asked_for_again, listening),
      SCENARIO_WITH(an_answer_is_durable, listening),
      SCENARIO_WITH(the_tenth_and_one_more_of_a_client_is_too_many, listening),
      SCENARIO_WITH(behind_a_proxy_the_forwarded_client_is_limited, listening));

}  // namespace
}  // namespace tocsin::test
