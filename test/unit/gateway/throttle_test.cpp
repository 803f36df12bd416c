#include "gateway/throttle.h"

#include "test/support/tests.h"

namespace tocsin {

namespace {

constexpr Instant start{1'000'000'000};

alignas(64) uint8_t room[64 * 1024];

struct Bench {
  explicit Bench(const Throttle::Options& options) : region(Bytes(room)), throttle(region, options) {}
  Region region;
  Throttle throttle;
};

Bench bench(const Throttle::Options& options) {
  std::memset(room, 0, sizeof room);
  return Bench(options);
}

NodeId node_number(uint32_t n) {
  NodeId node;
  put_u32(node.bytes, n);
  return node;
}

Instant kept(Bench& b, DeviceState& device, bool content, Instant now) {
  const Instant leaves = b.throttle.leaves_at(device, content, now);
  b.throttle.count(device, content, leaves);
  return leaves;
}

void wake_ups_keep_the_interval(void**) {
  Bench b = bench({.devices = 64, .burst = 3, .interval = seconds(5)});
  DeviceState& device = *b.throttle.entry(node_number(1), start);
  assert_true(kept(b, device, false, start) == start);
  assert_true(kept(b, device, false, start + seconds(1)) == start + seconds(5));
  assert_true(kept(b, device, false, start + seconds(6)) == start + seconds(10));
  assert_true(kept(b, device, false, start + seconds(60)) == start + seconds(60));
}

void content_has_a_burst_that_comes_back_one_in_an_interval(void**) {
  Bench b = bench({.devices = 64, .burst = 3, .interval = seconds(5)});
  DeviceState& device = *b.throttle.entry(node_number(1), start);
  for (int i = 0; i < 3; ++i) assert_true(kept(b, device, true, start) == start);
  assert_true(kept(b, device, true, start + seconds(1)) == start + seconds(5));
  assert_true(kept(b, device, true, start + seconds(5)) == start + seconds(10));
  const Instant later_on = start + seconds(21);
  assert_true(kept(b, device, true, later_on) == later_on);
  assert_true(kept(b, device, true, later_on) == later_on);
  assert_true(kept(b, device, true, later_on) == start + seconds(25));
  for (int i = 0; i < 3; ++i) assert_true(kept(b, device, true, start + hours(9)) == start + hours(9));
  assert_true(kept(b, device, true, start + hours(9)) > start + hours(9));
}

void what_is_not_kept_does_not_count(void**) {
  Bench b = bench({.devices = 64, .burst = 1, .interval = seconds(5)});
  DeviceState& device = *b.throttle.entry(node_number(1), start);
  kept(b, device, true, start);
  kept(b, device, false, start);
  for (int i = 0; i < 100; ++i) {
    assert_true(b.throttle.leaves_at(device, true, start + seconds(1)) == start + seconds(5));
    assert_true(b.throttle.leaves_at(device, false, start + seconds(1)) == start + seconds(5));
  }
}

void an_interval_of_zero_limits_nothing_but_the_provider_does(void**) {
  Bench b = bench({.devices = 64, .burst = 1, .interval = {}});
  DeviceState& device = *b.throttle.entry(node_number(1), start);
  for (const bool content : {false, true}) {
    for (int i = 0; i < 10; ++i) assert_true(kept(b, device, content, start) == start);
  }
  device.quiet_until = start + seconds(30);
  assert_true(kept(b, device, false, start) == start + seconds(30));
  assert_true(kept(b, device, true, start) == start + seconds(30));
}

void a_full_table_forgets_the_calmest_and_never_what_is_bound(void**) {
  Bench b = bench({.devices = 8, .burst = 1, .interval = seconds(5)});
  Push push;
  for (uint32_t n = 0; n < 8; ++n) {
    DeviceState* device = b.throttle.entry(node_number(n), start + seconds(n));
    if (n != 3) device->wake = &push;
  }
  assert_non_null(b.throttle.entry(node_number(100), start + seconds(20)));
  assert_null(b.throttle.find(node_number(3)));
  assert_non_null(b.throttle.find(node_number(0)));
  b.throttle.find(node_number(100))->quiet_until = start + seconds(40);
  assert_null(b.throttle.entry(node_number(101), start + seconds(30)));
  assert_non_null(b.throttle.entry(node_number(101), start + seconds(40)));  // nothing quiets it any more
  assert_null(b.throttle.find(node_number(100)));
}

TESTS(throttle, cmocka_unit_test(wake_ups_keep_the_interval),
      cmocka_unit_test(content_has_a_burst_that_comes_back_one_in_an_interval),
      cmocka_unit_test(what_is_not_kept_does_not_count),
      cmocka_unit_test(an_interval_of_zero_limits_nothing_but_the_provider_does),
      cmocka_unit_test(a_full_table_forgets_the_calmest_and_never_what_is_bound));

}  // namespace

}  // namespace tocsin
