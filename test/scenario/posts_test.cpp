// UnifiedPush over HTTP: application servers post to endpoints, and ask what this is.
#include <cstdio>

#include "test/scenario/endpoints.h"
#include "test/scenario/web_client.h"

namespace tocsin::test {
namespace {

WebClient client;
WebClient other;

// A request with this body, as an application server of Web Push sends it; valid until the third call from now.
string_view post_request(const Endpoint& endpoint, string_view body, string_view fields = "",
                         string_view method = "POST") {
  static char rooms[3][8192];
  static int next = 0;
  next = (next + 1) % 3;
  const int size = snprintf(rooms[next], sizeof rooms[next],
                            "%.*s %.*s HTTP/1.1\r\nHost: push.example.org\r\n%.*sContent-Length: %zu\r\n\r\n",
                            static_cast<int>(method.size()), method.data(), static_cast<int>(endpoint.path().size()),
                            endpoint.path().data(), static_cast<int>(fields.size()), fields.data(), body.size());
  const auto head = static_cast<size_t>(size);
  assert_true(head + body.size() <= sizeof rooms[next]);
  copy_bytes(reinterpret_cast<uint8_t*>(rooms[next]) + head, bytes_of(body));
  return {rooms[next], head + body.size()};
}

// Posts, lets the phone answer, and waits for the status.
int post_and_answer(World& w, WebClient& from, string_view request, string_view error = "") {
  const uint64_t before = w.server().stanzas();
  from.forget_heard();
  from.say(request);
  (void)pushed(w, before);
  client_answers(w, error);
  return from.ask(w, "");
}

void a_post_is_answered_when_the_client_has_it(void**) {
  World& w = world();
  w.start();
  const Endpoint endpoint = register_endpoint(w);
  client.dial(w);
  const string_view fields =
      "TTL: 0\r\nUrgency: high\r\nTopic: upd\r\nContent-Encoding: aes128gcm\r\n"
      "Authorization: vapid t=eyJ0eXAiOiJKV1QiLCJhbGciOiJFUzI1NiJ9.e30.c2ln, k=BNx\r\n";
  assert_int_equal(post_and_answer(w, client, post_request(endpoint, "hello", fields)), 201);
  assert_true(contains(w.server().last(), ">aGVsbG8=</push>"));
  assert_true(contains(client.heard(), "\r\nTTL: 0\r\n"));
  assert_true(contains(client.heard(), "\r\nLocation: /up/"));
  assert_int_equal(post_and_answer(w, client, post_request(endpoint, "again")), 201);  // the connection stays
  client.hang_up();
  w.expect_at_rest();
}

void every_byte_arrives_as_it_was_posted(void**) {
  World& w = world();
  w.start();
  const Endpoint endpoint = register_endpoint(w);
  static char body[300];
  for (size_t i = 0; i < sizeof body; ++i) body[i] = static_cast<char>(i);
  client.dial(w);
  assert_int_equal(post_and_answer(w, client, post_request(endpoint, {body, sizeof body})), 201);
  static uint8_t room[1024];
  Writer wanted{Bytes(room)};
  wanted.text(">").base64(bytes_of({body, sizeof body})).text("</push>");
  assert_true(contains(w.server().last(), wanted.view()));
  client.hang_up();
  w.expect_at_rest();
}

void what_the_client_says_is_the_status(void**) {
  World& w = world();
  w.start();
  const Endpoint endpoint = register_endpoint(w);
  client.dial(w);
  assert_int_equal(post_and_answer(w, client, post_request(endpoint, "x"), "service-unavailable"), 503);
  assert_int_equal(post_and_answer(w, client, post_request(endpoint, "x"), "item-not-found"), 404);
  w.run_for(seconds(1));
  assert_int_equal(client.ask(w, post_request(endpoint, "x")), 404);
  (void)register_endpoint(w);
  assert_int_equal(post_and_answer(w, client, post_request(endpoint, "x")), 201);
  client.hang_up();
  w.expect_at_rest();
}

void what_is_wrong_is_said_at_once(void**) {
  World& w = world();
  w.start();
  Endpoint endpoint = register_endpoint(w);
  client.dial(w);
  assert_int_equal(client.ask(w, post_request(endpoint, "")), 400);
  static char body[4097];
  std::memset(body, 'a', sizeof body);
  assert_int_equal(client.ask(w, post_request(endpoint, {body, sizeof body})), 413);
  client.hang_up();
  client.dial(w);
  assert_int_equal(client.ask(w, post_request(endpoint, "x", "", "PUT")), 405);
  assert_true(contains(client.heard(), "Allow: GET, HEAD, POST"));
  assert_true(endpoint.url.assign("https://push.example.org/up/AAAAAAAAAAAAAAAAAAAAAA"));
  assert_int_equal(client.ask(w, post_request(endpoint, "x")), 404);
  client.hang_up();
  w.expect_at_rest();
}

void the_longest_body_passes(void**) {
  World& w = world();
  w.start();
  const Endpoint endpoint = register_endpoint(w);
  static char body[4096];
  client.dial(w);
  client.say(post_request(endpoint, {body, sizeof body}));
  w.run_for(seconds(11));
  assert_true(contains(client.heard(), "HTTP/1.1 201 "));
  client.hang_up();
  w.expect_at_rest();
}

void whoever_asks_is_told_that_this_is_a_push_server(void**) {
  World& w = world();
  w.start();
  const Endpoint endpoint = register_endpoint(w);
  client.dial(w);
  for (const string_view path : {string_view("/"), string_view("/up"), endpoint.path()}) {
    char request[200];
    const int size = snprintf(request, sizeof request, "GET %.*s HTTP/1.1\r\nHost: push.example.org\r\n\r\n",
                              static_cast<int>(path.size()), path.data());
    assert_int_equal(client.ask(w, {request, static_cast<size_t>(size)}), 200);
    assert_true(ends_with(client.heard(), R"({"unifiedpush":{"version":1}})"));
    assert_true(contains(client.heard(), "Content-Type: application/json"));
  }
  assert_int_equal(client.ask(w, "GET /elsewhere HTTP/1.1\r\nHost: push.example.org\r\n\r\n"), 404);
  client.hang_up();
  w.expect_at_rest();
}

void who_hangs_up_leaves_the_answer_to_nobody(void**) {
  World& w = world();
  w.start();
  const Endpoint endpoint = register_endpoint(w);
  client.dial(w);
  uint64_t before = w.server().stanzas();
  client.say(post_request(endpoint, "first"));
  (void)pushed(w, before);
  client.hang_up();
  w.run_for(seconds(1));
  other.dial(w);
  before = w.server().stanzas();
  other.forget_heard();
  other.say(post_request(endpoint, "second"));
  w.run_for(seconds(9) + milliseconds(500));  // the first is known now
  assert_true(other.heard().empty());
  client_answers(w);
  assert_int_equal(other.ask(w, ""), 201);
  other.hang_up();
  w.run_for(seconds(10));
  assert_int_equal(relay(w).waiting(), 0);
  w.expect_at_rest();
}

void without_the_section_there_is_no_endpoint(void**) {
  World& w = world();
  w.start();
  client.dial(w);
  assert_int_equal(client.ask(w, "GET / HTTP/1.1\r\nHost: push.example.org\r\n\r\n"), 404);
  assert_int_equal(client.ask(w,
                              "POST /up/AAAAAAAAAAAAAAAAAAAAAA HTTP/1.1\r\nHost: push.example.org\r\n"
                              "Content-Length: 1\r\n\r\nx"),
                   404);
  client.hang_up();
  w.expect_at_rest();
}

constexpr Configured only_listening = {.extra = with_listen};

}  // namespace

TESTS(posts, SCENARIO_WITH(a_post_is_answered_when_the_client_has_it, offered),
      SCENARIO_WITH(every_byte_arrives_as_it_was_posted, offered),
      SCENARIO_WITH(what_the_client_says_is_the_status, offered), SCENARIO_WITH(what_is_wrong_is_said_at_once, offered),
      SCENARIO_WITH(the_longest_body_passes, offered),
      SCENARIO_WITH(whoever_asks_is_told_that_this_is_a_push_server, offered),
      SCENARIO_WITH(who_hangs_up_leaves_the_answer_to_nobody, offered),
      SCENARIO_WITH(without_the_section_there_is_no_endpoint, only_listening));

}  // namespace tocsin::test
