// Who connects to us: with TLS, slowly, in crowds, through proxies; and what that costs the others.
#include <cstdio>

#include "test/scenario/secure_client.h"
#include "test/scenario/web_client.h"

namespace tocsin::test {
namespace {

constexpr Configured listening = {.extra = with_listen};
constexpr Configured with_tls = {.extra = with_listen_tls};
constexpr Configured small = {.extra = "[listen]\naddress = 127.0.0.1:8085\ntls = no\nmax_connections = 16\n"};
constexpr Configured behind_proxy = {
    .extra = "[listen]\naddress = 127.0.0.1:8085\ntls = no\nproxy_protocol = yes\nforwarded_from = 198.51.100.1\n"};

constexpr string_view get_health = "GET /health HTTP/1.1\r\nHost: a\r\n\r\n";
constexpr string_view get_nothing = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

WebClient client;
WebClient crowd[40];

void nothing_but_what_is_meant_to_be_there_is_there(void**) {
  World& w = world();
  w.start();
  client.dial(w);
  assert_int_equal(client.ask(w, get_nothing), 404);
  assert_int_equal(client.ask(w, get_health), 404);
  assert_int_equal(client.ask(w, "PUT /unregister-device/push.example.org HTTP/1.1\r\nHost: a\r\n\r\n"), 404);
  assert_int_equal(client.ask(w, "GET /unregister-device/push.example.org HTTP/1.1\r\nHost: a\r\n\r\n"), 404);
  assert_int_equal(client.ask(w, "nonsense\r\n\r\n"), 400);
  assert_true(w.run_until([&] { return client.closed(); }, seconds(5)));
}

void health_follows_the_stream(void**) {
  World& w = world();
  w.start();
  client.dial(w, client_address(1), web_address(9180));
  assert_int_equal(client.ask(w, get_health), 200);
  assert_true(ends_with(client.heard(), "\r\n\r\nok\n"));
  assert_int_equal(client.ask(w, unregister_request("ann@example.org", token_a)), 413);  // it takes no bodies
  client.hang_up();
  w.simulation().network().path(World::server_address()).reach = sim::Reach::refuse;
  w.simulation().network().reset_all(World::server_address());
  w.run_for(seconds(1));
  client.dial(w, client_address(1), web_address(9180));
  assert_int_equal(client.ask(w, get_health), 503);
  assert_true(ends_with(client.heard(), "not connected to the XMPP server\n"));
  client.hang_up();
}

alignas(SecureClient) uint8_t secure_rooms[3][sizeof(SecureClient)];

void a_device_is_unregistered_by_tls_in_every_fragmentation(void**) {
  World& w = world();
  w.start();
  static const uint32_t pieces[] = {1, 7, 0};
  for (uint32_t i = 0; i < 3; ++i) {
    const NodeText node = w.register_device("ann@example.org/phone", token_a);
    SecureClient& c = *new (secure_rooms[i]) SecureClient;
    sim::Path path;
    path.to_gateway.piece_max = pieces[i];
    path.to_peer.piece_max = pieces[i];
    c.dial(w, static_cast<uint8_t>(i + 1), path);
    assert_true(w.run_until([&] { return c.tls.state() == TlsClient::State::open; }));
    assert_true(c.tls.write(bytes_of(unregister_request("ann@example.org", token_a))).ok());
    c.flush();
    assert_true(w.run_until([&] { return ends_with(text_of({c.heard, c.heard_size}), R"({"result":"success"})"); }));
    static constexpr string_view ids[] = {"p0", "p1", "p2"};
    w.publish_and_wait(node, ids[i]);
    w.expect_gone(ids[i]);
    c.end();
    c.~SecureClient();
  }
  w.run_for(seconds(40));
  w.expect_at_rest();
}

void requests_that_come_at_once_are_answered_in_their_order(void**) {
  World& w = world();
  w.start();
  client.dial(w);
  for (int i = 0; i < 3; ++i) client.say(unregister_request("ann@example.org", token_a));
  client.say(get_nothing);
  w.run_for(seconds(3));
  constexpr string_view good = "HTTP/1.1 200 OK";
  size_t at = 0;
  for (int i = 0; i < 3; ++i) {
    at = client.heard().find(good, at);
    assert_true(at != string_view::npos);
    at += good.size();
  }
  assert_true(client.heard().find("HTTP/1.1 404", at) != string_view::npos);
  client.hang_up();
}

void slow_clients_starve_nobody(void**) {
  World& w = world();
  w.start();
  const NodeText node = w.register_device("bob@example.org/phone", token_b);
  // Each says a byte a second, from an address of its own; all connections are theirs.
  for (int i = 0; i < 40; ++i) crowd[i].dial(w, client_address(static_cast<uint8_t>(100 + i)));
  constexpr string_view request = "POST /unregister-device/push.example.org HTTP/1.1\r\nHost: a\r\n";
  bool asked = false;
  for (size_t second = 0; second < 30; ++second) {
    for (WebClient& each : crowd) each.say(slice(request, second, 1));
    w.run_for(seconds(1));
    if (second != 5) continue;
    client.dial(w);
    assert_int_equal(client.ask(w, unregister_request("ann@example.org", token_a)), 200);
    w.publish_and_wait(node, "p1");
    w.expect_result("p1");
    asked = true;
  }
  assert_true(asked);
  for (WebClient& each : crowd) assert_true(each.closed());  // a head has 10 s
  client.hang_up();
}

void one_client_has_so_many_connections_and_idle_ones_end(void**) {
  World& w = world();
  w.start();
  for (WebClient& each : crowd) each.dial(w);
  w.run_for(seconds(1));
  uint32_t alive = 0;
  for (const WebClient& each : crowd) alive += each.alive() ? 1 : 0;
  assert_int_equal(alive, 4);
  client.dial(w, client_address(2));
  assert_int_equal(client.ask(w, get_nothing), 404);
  w.run_for(seconds(45));
  for (const WebClient& each : crowd) assert_true(each.closed());
  assert_true(client.closed());
}

void a_body_that_never_ends_is_told_so(void**) {
  World& w = world();
  w.start();
  client.dial(w);
  assert_int_equal(
      client.ask(w, "POST /unregister-device/push.example.org HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n{"), 408);
  assert_true(w.run_until([&] { return client.closed(); }, seconds(5)));
}

void a_proxy_says_for_whom_it_speaks_and_nobody_else_is_heard(void**) {
  World& w = world();
  w.start();
  client.dial(w, client_address(2));  // no proxy
  w.run_for(seconds(1));
  assert_true(client.closed());
  client.dial(w);
  client.say(get_nothing);  // a proxy that forgot
  w.run_for(seconds(1));
  assert_true(client.closed());
  for (int i = 0; i < 11; ++i) {
    client.dial(w);
    char request[1200];
    const string_view asks = unregister_request("ann@example.org", token_a, "p", "X-Forwarded-For: 192.0.2.99\r\n");
    const int size = snprintf(request, sizeof request, "PROXY TCP4 192.0.2.7 192.0.2.1 5 443\r\n%.*s",
                              static_cast<int>(asks.size()), asks.data());
    assert_int_equal(client.ask(w, {request, static_cast<size_t>(size)}), i < 10 ? 200 : 429);
    client.hang_up();
  }
}

void an_address_that_is_not_up_yet_is_tried_again(void**) {
  World& w = world();
  w.simulation().network().take_away(web_address());
  w.start();
  assert_true(contains(w.log().last("event=listen_failed"), "address=127.0.0.1:"));
  client.dial(w);
  w.run_for(seconds(1));
  assert_true(client.closed());
  w.simulation().network().bring_back();
  w.run_for(seconds(11));
  client.dial(w);
  assert_int_equal(client.ask(w, get_nothing), 404);
  client.hang_up();
}

void a_gateway_that_ends_answers_what_is_open(void**) {
  World& w = world();
  w.start();
  w.register_device("ann@example.org/phone", token_a);
  client.dial(w);
  client.say(unregister_request("ann@example.org", token_a));
  w.run_for(milliseconds(50));  // durable, and before the tick
  w.terminate();
  assert_true(w.run_until([&] { return w.exited(); }, seconds(5)));
  w.run_for(milliseconds(10));
  assert_true(starts_with(client.heard(), "HTTP/1.1 200 "));
  assert_true(client.closed());
}

TESTS(listener, SCENARIO_WITH(nothing_but_what_is_meant_to_be_there_is_there, listening),
      SCENARIO_WITH(health_follows_the_stream, listening),
      SCENARIO_WITH(a_device_is_unregistered_by_tls_in_every_fragmentation, with_tls),
      SCENARIO_WITH(requests_that_come_at_once_are_answered_in_their_order, listening),
      SCENARIO_WITH(slow_clients_starve_nobody, small),
      SCENARIO_WITH(one_client_has_so_many_connections_and_idle_ones_end, small),
      SCENARIO_WITH(a_body_that_never_ends_is_told_so, listening),
      SCENARIO_WITH(a_proxy_says_for_whom_it_speaks_and_nobody_else_is_heard, behind_proxy),
      SCENARIO_WITH(an_address_that_is_not_up_yet_is_tried_again, listening),
      SCENARIO_WITH(a_gateway_that_ends_answers_what_is_open, listening));

}  // namespace
}  // namespace tocsin::test
