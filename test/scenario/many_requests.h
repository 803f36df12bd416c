// What the stories about many requests share.
#pragma once

#include "test/scenario/world.h"

namespace tocsin::test {

// Pushes with content are not merged, and without an interval all of them leave.
inline constexpr Configured many_requests{
    .extra =
        "[limits]\ndevice_interval = 0\nmax_inflight = 600\nmax_pending = 4000\n[apns siskin]\nclear_text = yes\n"};

inline void expect_all_answered_once(World& w, uint32_t count) {
  assert_int_equal(w.server().numbered_answered(), count);
  assert_int_equal(w.server().numbered_twice(), 0);
}

// Publishes first … end-1, as fast as the way to the gateway takes them.
inline void flood(World& w, string_view node, uint32_t first, uint32_t end) {
  for (uint32_t i = first; i < end; ++i) {
    w.server().publish_numbered(node, i);
    while (w.server().connection()->room() < 4096) w.run_for(microseconds(100));
  }
}

// A steady connection, and count pushes that the provider has and does not answer.
inline NodeText stall(World& w, uint32_t count) {
  const NodeText node = w.register_device("ann@example.org/phone", token_a);
  w.publish_and_wait(node, "warm");
  w.run_for(seconds(20));
  w.provider().act(FakeProvider::Act::stall);
  for (uint32_t i = 0; i < count; ++i) w.server().publish_numbered(node, i);
  assert_true(w.run_until([&] { return w.provider().stalled() == count; }, seconds(3)));
  return node;
}

}  // namespace tocsin::test
