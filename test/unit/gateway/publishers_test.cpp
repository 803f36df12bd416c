#include "gateway/publishers.h"

#include <cstdio>

#include "test/support/tests.h"

namespace tocsin {

namespace {

constexpr Instant start{1'000'000'000};
constexpr string_view accounts[] = {"example.org"};
constexpr string_view publishers[] = {"rooms.example.net"};
constexpr AccessRules rules{.accounts = accounts, .publishers = publishers};

alignas(64) uint8_t room[64 * 1024];

struct Bench {
  explicit Bench(const Publishers::Options& options = {}, const AccessRules& access = rules)
      : region(Bytes(room)), subject(region, options, access) {}
  // How many of so many pushes leave at once.
  uint32_t at_once(string_view from, uint32_t count, Instant now = start) {
    uint32_t left = 0;
    for (uint32_t i = 0; i < count; ++i) {
      Publisher& publisher = subject.of(from, now);
      left += subject.leaves_at(publisher, now) == now;
      subject.count(publisher, now);
    }
    return left;
  }
  Region region;
  Publishers subject;
};

// Names that differ.
string_view domain_number(uint32_t n) {
  static char text[40];
  return {text, static_cast<size_t>(snprintf(text, sizeof text, "d%u.example.com", n))};
}

void a_domain_has_its_burst_and_then_its_pace(void**) {
  Bench b;
  assert_int_equal(b.at_once("evil.example.com", 300), 200);
  // 300 are 100 too many: the next waits for these.
  const Publisher& publisher = b.subject.of("evil.example.com", start);
  assert_int_equal((b.subject.leaves_at(publisher, start) - start).us, milliseconds(20 * 101).us);
  assert_true(b.subject.leaves_at(publisher, start + seconds(10)) == start + seconds(10));
  assert_int_equal(b.at_once("evil.example.com", 300, start + hours(1)), 200);
}

void whoever_writes_for_a_domain_is_that_domain(void**) {
  Bench b;
  Publisher* one = &b.subject.of("evil.example.com", start);
  one->pushes = 1;  // else its place is anybody's
  for (const char* other : {"ann@evil.example.com", "ann@evil.example.com/phone", "EVIL.example.com/a@b"})
    assert_ptr_equal(&b.subject.of(other, start), one);
  assert_ptr_not_equal(&b.subject.of("sub.evil.example.com", start), one);
}

void our_own_domains_have_no_limit(void**) {
  for (const char* own : {"example.org", "ann@example.org/x", "muc.example.org", "rooms.example.net"}) {
    Bench b;
    assert_int_equal(b.at_once(own, 3000), 3000);
    const Publisher& publisher = b.subject.of(own, start);
    assert_true(publisher.own);
    assert_int_equal(b.subject.leaves_at(publisher, start).us, start.us);
  }
  for (const char* other : {"example.net", "notexample.org", "org", "a.rooms.example.net", ""}) {
    Bench b;
    assert_false(b.subject.of(other, start).own);
  }
  constexpr string_view everybody[] = {"*"};
  Bench b({}, {.accounts = everybody, .publishers = {}});
  assert_false(b.subject.of("example.org", start).own);
}

void a_stranger_has_a_quarter_of_the_pools_and_a_call_twice_that(void**) {
  Bench b({.jobs = 64, .pushes = 320});
  Publisher& stranger = b.subject.of("evil.example.com", start);
  stranger.pushes = 1;
  Publisher& own = b.subject.of("example.org", start);
  stranger.jobs = own.jobs = 15;
  stranger.pushes = own.pushes = 79;
  assert_true(b.subject.may_wait(stranger) && b.subject.may_have_push(stranger, false));
  stranger.jobs = own.jobs = 16;
  stranger.pushes = own.pushes = 80;
  assert_false(b.subject.may_wait(stranger) || b.subject.may_have_push(stranger, false));
  assert_true(b.subject.may_have_push(stranger, true));
  stranger.pushes = 160;
  assert_false(b.subject.may_have_push(stranger, true));
  assert_true(b.subject.may_wait(own) && b.subject.may_have_push(own, false));
}

void without_an_interval_nobody_is_limited(void**) {
  Bench b({.interval = {}});
  assert_int_equal(b.at_once("evil.example.com", 10'000), 10'000);
  Publisher& stranger = b.subject.of("evil.example.com", start);
  stranger.jobs = stranger.pushes = 1000;
  assert_true(b.subject.may_wait(stranger) && b.subject.may_have_push(stranger, false));
}

void whoever_has_something_open_or_to_pay_keeps_its_place(void**) {
  Bench b;
  Publisher& waiting = b.subject.of("waiting.example.com", start);
  waiting.pushes = 1;
  (void)b.at_once("flood.example.com", 10'000);
  for (uint32_t n = 0; n < 500; ++n) (void)b.subject.of(domain_number(n), start + seconds(n / 100));
  assert_ptr_equal(&b.subject.of("waiting.example.com", start), &waiting);
  assert_int_equal(b.at_once("flood.example.com", 1, start + seconds(5)), 0);
  assert_int_equal(Publishers::bytes_for() > 0, 1);
}

void domains_that_find_no_place_share_one_and_ours_another(void**) {
  Bench b;
  for (uint32_t n = 0; n < Publishers::domains_kept - 2; ++n) b.subject.of(domain_number(n), start).pushes = 1;
  Publisher& late = b.subject.of("late.example.com", start);
  assert_ptr_equal(&b.subject.of("later.example.com", start), &late);
  assert_false(late.own);
  Publisher& own = b.subject.of("example.org", start);
  assert_true(own.own);
  assert_ptr_not_equal(&own, &late);
  b.subject.of(domain_number(3), start).pushes = 0;
  assert_ptr_not_equal(&b.subject.of("later.example.com", start), &late);
}

void it_is_said_once_an_hour(void**) {
  Bench b;
  assert_true(b.subject.say_limited(start));
  assert_false(b.subject.say_limited(start + minutes(59)));
  assert_true(b.subject.say_limited(start + minutes(60)));
}

}  // namespace

TESTS(publishers, cmocka_unit_test(a_domain_has_its_burst_and_then_its_pace),
      cmocka_unit_test(whoever_writes_for_a_domain_is_that_domain), cmocka_unit_test(our_own_domains_have_no_limit),
      cmocka_unit_test(a_stranger_has_a_quarter_of_the_pools_and_a_call_twice_that),
      cmocka_unit_test(without_an_interval_nobody_is_limited),
      cmocka_unit_test(whoever_has_something_open_or_to_pay_keeps_its_place),
      cmocka_unit_test(domains_that_find_no_place_share_one_and_ours_another),
      cmocka_unit_test(it_is_said_once_an_hour));

}  // namespace tocsin
