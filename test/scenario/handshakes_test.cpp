// Newcomers' TLS handshakes, and what pushes feel of them. Every look at the clock costs a millisecond here, so that a
// costly step of a handshake has that length: with nine times that as a rest there is a step every 10 ms, with
// 150 times one every 151 ms. A handshake has two (TLS 1.3) or three (TLS 1.2).
#include <cstdio>

#include "test/scenario/secure_client.h"

namespace tocsin::test {
namespace {

constexpr Configured with_tls = {.extra = with_listen_tls};

constexpr uint32_t crowd_size = 16;
constexpr uint32_t in_a_flood = 2000 / 151 / 2 + 1;  // handshakes that may be over after 2 s of it
alignas(SecureClient) uint8_t rooms[crowd_size][sizeof(SecureClient)];

SecureClient& newcomer(uint32_t i) { return reinterpret_cast<SecureClient*>(rooms)[i]; }

void all_dial(World& w, uint32_t count) {
  for (uint32_t i = 0; i < count; ++i) (new (rooms[i]) SecureClient)->dial(w, static_cast<uint8_t>(i + 1));
}

uint32_t let_in(uint32_t count) {
  uint32_t in = 0;
  for (uint32_t i = 0; i < count; ++i) in += newcomer(i).tls.state() == TlsClient::State::open ? 1 : 0;
  return in;
}

void all_leave(uint32_t count) {
  for (uint32_t i = 0; i < count; ++i) {
    newcomer(i).end();
    newcomer(i).~SecureClient();
  }
}

// One every 20 ms, each answered before the next.
void push_for(World& w, const NodeText& node, Duration duration) {
  static uint32_t number = 0;
  for (const Instant end = w.now() + duration; w.now() < end;) {
    char id[16];
    snprintf(id, sizeof id, "p%u", ++number);
    w.server().publish(node, id);
    w.run_for(milliseconds(20));
    w.expect_result(id);
  }
}

World& begin(NodeText& node) {
  World& w = world();
  w.start();
  node = w.register_device("ann@example.org/phone", token_a);
  w.publish_and_wait(node, "first");
  w.run_for(seconds(2));  // what the server said is long ago
  w.port().slow_down(milliseconds(1));
  return w;
}

void in_a_flood_of_handshakes_pushes_have_nearly_all_the_time(void**) {
  NodeText node;
  World& w = begin(node);
  push_for(w, node, milliseconds(20));
  all_dial(w, crowd_size);
  push_for(w, node, seconds(2));
  assert_in_range(let_in(crowd_size), 2, in_a_flood);
  w.run_for(seconds(4));  // the server is silent
  assert_int_equal(let_in(crowd_size), crowd_size);
  all_leave(crowd_size);
}

void a_flood_has_a_tenth_of_the_time_when_there_are_no_pushes(void**) {
  NodeText node;
  World& w = begin(node);
  all_dial(w, crowd_size);
  w.run_for(milliseconds(100));
  assert_in_range(let_in(crowd_size), 0, 5);  // of ten steps
  w.run_for(seconds(1));
  assert_int_equal(let_in(crowd_size), crowd_size);
  all_leave(crowd_size);
}

void a_few_newcomers_have_a_tenth_of_the_time_beside_pushes(void**) {
  constexpr uint32_t few = 8;
  NodeText node;
  World& w = begin(node);
  push_for(w, node, milliseconds(20));
  all_dial(w, few);
  push_for(w, node, milliseconds(100));
  assert_in_range(let_in(few), 0, 5);
  push_for(w, node, milliseconds(600));
  assert_int_equal(let_in(few), few);
  all_leave(few);
}

TESTS(handshakes, SCENARIO_WITH(in_a_flood_of_handshakes_pushes_have_nearly_all_the_time, with_tls),
      SCENARIO_WITH(a_flood_has_a_tenth_of_the_time_when_there_are_no_pushes, with_tls),
      SCENARIO_WITH(a_few_newcomers_have_a_tenth_of_the_time_beside_pushes, with_tls));

}  // namespace
}  // namespace tocsin::test
