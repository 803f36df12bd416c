#include "push/apns_token.h"

#include "base/encode.h"
#include "test/support/certs.h"
#include "test/unit/push/desk.h"

namespace tocsin::test {
namespace {

constexpr UnixTime wall{1'751'364'000};  // Tue, 01 Jul 2025 10:00:00 GMT
constexpr Instant start{1'000'000'000};  // 1,000 s after boot

struct Desk {
  alignas(64) uint8_t room[32 << 10];
  Heap heap{Bytes(room), "key"};
  Numbers random{7};
  Es256Key key;
  uint8_t long_room[64 << 10];
  Heap long_lived{Bytes(long_room), "long"};
};
alignas(Desk) uint8_t storage[sizeof(Desk)];
Desk& desk() { return *reinterpret_cast<Desk*>(storage); }

int make(void**) {
  new (storage) Desk;
  assert_true(crypto_start(desk().long_lived).ok());
  return desk().key.load(bytes_of(push_key_1), desk().heap, desk().random).ok() ? 0 : -1;
}
int unmake(void**) {
  desk().key.~Es256Key();
  return 0;
}

ApnsToken token() { return ApnsToken(desk().key, "ABC123DEFG", "DEF123GHIJ"); }
bool keep_fresh(ApnsToken& subject, Instant now, UnixTime at) {
  return subject.keep_fresh(now, at, desk().random).ok();
}

// The parts of "bearer A.B.C".
struct Parts {
  string_view header;
  string_view claims;
  string_view signature;
};
Parts parts_of(string_view authorization) {
  assert_true(starts_with(authorization, "bearer "));
  string_view rest = slice(authorization, 7);
  Parts parts;
  parts.header = take_until(rest, '.');
  parts.claims = take_until(rest, '.');
  parts.signature = rest;
  for (const string_view part : {parts.header, parts.claims, parts.signature}) {
    assert_false(part.empty());
    assert_true(part.find_first_of("=+/. \r\n") == string_view::npos);
  }
  return parts;
}
int64_t issued_at(const ApnsToken& subject) {
  uint8_t room[128];
  const Result<size_t> size = decode_base64url(parts_of(subject.authorization()).claims, room);
  assert_true(size.ok());
  assert_true(json_desk().json.parse(text_of({room, size.value()})).ok());
  return json_desk().json.number({"iat"}, -1);
}

void the_token_names_key_team_and_time(void**) {
  ApnsToken subject = token();
  assert_text(subject.authorization(), "");
  assert_true(keep_fresh(subject, start, wall));
  const Parts parts = parts_of(subject.authorization());
  uint8_t room[128];
  Result<size_t> size = decode_base64url(parts.header, room);
  assert_true(size.ok());
  assert_text(text_of({room, size.value()}), R"({"alg":"ES256","kid":"ABC123DEFG"})");
  size = decode_base64url(parts.claims, room);
  assert_true(size.ok());
  assert_text(text_of({room, size.value()}), R"({"iss":"DEF123GHIJ","iat":1751364000})");
  size = decode_base64url(parts.signature, room);
  assert_true(size.ok());
  assert_int_equal(size.value(), 64);  // R‖S, not DER
  assert_int_equal(subject.minted(), 1);
}

// Deterministic (RFC 6979), whatever blinds it; checked once against two other implementations.
void the_token_is_the_one_that_everybody_else_would_sign(void**) {
  for (uint64_t seed = 0; seed < 3; ++seed) {
    ApnsToken subject = token();
    Numbers blinding{seed};
    assert_true(subject.keep_fresh(start, wall, blinding).ok());
    assert_text(subject.authorization(),
                "bearer eyJhbGciOiJFUzI1NiIsImtpZCI6IkFCQzEyM0RFRkcifQ."
                "eyJpc3MiOiJERUYxMjNHSElKIiwiaWF0IjoxNzUxMzY0MDAwfQ."
                "PP5oEok2fnKwIc6MXGqc1RzDxf3La0tz9NKo2_aWmPT4XtsyOUATnFwRaajOWrEMWQlFQF99-tK6rozOFiSdyA");
  }
}

void names_that_need_escapes_stay_inside_their_strings(void**) {
  ApnsToken subject(desk().key, "A\",\"B\":\"", "\\\"\n");
  assert_true(keep_fresh(subject, start, wall));
  uint8_t room[128];
  const Result<size_t> size = decode_base64url(parts_of(subject.authorization()).header, room);
  assert_true(size.ok());
  assert_true(json_desk().json.parse(text_of({room, size.value()})).ok());
  assert_text(json_desk().json.text({"kid"}), "A\",\"B\":\"");
  static char text[400];
  std::memset(text, 'K', sizeof text);
  ApnsToken too_long(desk().key, {text, sizeof text}, "DEF123GHIJ");
  assert_int_equal(too_long.keep_fresh(start, wall, desk().random).error(), Error::too_long);
  assert_text(too_long.authorization(), "");
}

void nothing_is_signed_before_the_clock_was_set(void**) {
  ApnsToken subject = token();
  assert_int_equal(subject.keep_fresh(start, UnixTime{60}, desk().random).error(), Error::again);
  assert_false(subject.renew(start, UnixTime{60}, desk().random));
  assert_text(subject.authorization(), "");
  assert_int_equal(subject.minted(), 0);
  assert_true(keep_fresh(subject, start + seconds(1), wall));
  // And not again after it was lost.
  assert_int_equal(subject.keep_fresh(start + hours(2), UnixTime{60}, desk().random).error(), Error::again);
  assert_int_equal(subject.minted(), 1);
}

void a_token_lives_for_40_minutes(void**) {
  ApnsToken subject = token();
  for (int64_t s = 0; s < 40 * 60; s += 7) {
    assert_true(keep_fresh(subject, start + seconds(s), wall + seconds(s)));
    assert_int_equal(subject.minted(), 1);
    assert_int_equal(issued_at(subject), wall.s);
  }
  assert_true(keep_fresh(subject, start + minutes(40), wall + minutes(40)));
  assert_int_equal(subject.minted(), 2);
  assert_int_equal(issued_at(subject), wall.s + 40 * 60);
}

void a_clock_that_stepped_needs_a_new_token(void**) {
  for (const int64_t step_s : {301, -301, 86'400, -86'400}) {
    ApnsToken subject = token();
    assert_true(keep_fresh(subject, start, wall));
    assert_true(keep_fresh(subject, start + minutes(1), wall + minutes(1) + seconds(step_s)));
    assert_int_equal(subject.minted(), 2);
    assert_int_equal(issued_at(subject), wall.s + 60 + step_s);
    assert_true(keep_fresh(subject, start + minutes(2), wall + minutes(2) + seconds(step_s)));
    assert_int_equal(subject.minted(), 2);
  }
  for (const int64_t step_s : {300, -300, 1, -1}) {
    ApnsToken subject = token();
    assert_true(keep_fresh(subject, start, wall));
    assert_true(keep_fresh(subject, start + minutes(1), wall + minutes(1) + seconds(step_s)));
    assert_int_equal(subject.minted(), 1);
  }
}

void a_clock_that_jumps_to_and_fro_mints_once_in_20_minutes(void**) {
  ApnsToken subject = token();
  uint32_t before = 0;
  for (int64_t minute = 0; minute < 600; ++minute) {
    const Duration away = minute % 2 == 0 ? Duration{} : hours(1);
    assert_true(keep_fresh(subject, start + minutes(minute), wall + minutes(minute) + away));
    if (minute % 20 == 19) {
      assert_true(subject.minted() - before <= 2);  // the regular one and one step
      before = subject.minted();
    }
  }
  assert_true(subject.minted() >= 600 / 40);
}

void an_expired_token_is_renewed_only_as_apple_allows(void**) {
  ApnsToken subject = token();
  assert_true(subject.renew(start, wall, desk().random));  // there was none
  assert_false(subject.renew(start, wall, desk().random));
  assert_false(subject.renew(start + minutes(20), wall + minutes(20), desk().random));
  assert_int_equal(subject.minted(), 1);
  const Duration later = minutes(20) + microseconds(1);
  assert_true(subject.renew(start + later, wall + later, desk().random));
  // Many pushes in flight fail at once: one new token serves them all.
  for (int i = 0; i < 100; ++i) assert_false(subject.renew(start + later, wall + later, desk().random));
  assert_int_equal(subject.minted(), 2);
  assert_true(subject.renew(start + later, wall + later + hours(3), desk().random));
  assert_int_equal(issued_at(subject), (wall + later + hours(3)).s);
}

void for_60_days_no_token_is_young_at_its_end_or_old_at_its_use(void**) {
  ApnsToken subject = token();
  Numbers numbers{60};
  Duration passed{};
  Duration minted_at{};
  uint32_t minted = 0;
  uint64_t quiet = 0;
  while (passed < days(60)) {
    // Slewing, as a clock under NTP does: up to 500 parts in a million.
    const Duration drift = passed / 2000;
    const Instant now = start + passed;
    const UnixTime at = wall + passed + (drift < minutes(4) ? drift : minutes(4));
    if (numbers.below(5) == 0) (void)subject.renew(now, at, desk().random);
    assert_true(keep_fresh(subject, now, at));
    if (subject.minted() != minted) {
      assert_int_equal(subject.minted(), minted + 1);
      if (minted > 0) assert_true(passed - minted_at >= minutes(20));
      minted = subject.minted();
      minted_at = passed;
      assert_int_equal(issued_at(subject), at.s);
    }
    assert_true(at.s - issued_at(subject) < 60 * 60);
    // Busy, and now and then nothing for hours.
    quiet = numbers.below(50);
    passed = passed + (quiet == 0 ? hours(5) : seconds(static_cast<int64_t>(1 + numbers.below(1200))));
  }
  assert_true(minted > 60 * 24 / 5);
  assert_true(minted <= 60 * 24 * 3);
}

void what_the_provider_says_of_our_clock_is_believed_once(void**) {
  using Clock = Credential::Clock;
  for (const int64_t off_s : {3 * 3600, -3 * 3600, 400 * 86'400}) {
    ApnsToken subject = token();
    assert_true(keep_fresh(subject, start, wall));
    const Duration off = seconds(off_s);
    assert_true(subject.correct_clock(seconds(200), start) == Clock::no);  // that is no reason
    assert_true(subject.correct_clock(off, start + seconds(1)) == Clock::learnt);
    assert_true(keep_fresh(subject, start + seconds(2), wall + seconds(2)));
    assert_int_equal(issued_at(subject), wall.s + 2 + off_s);
    assert_int_equal(subject.minted(), 2);
    // Others left with the former token; later ones are refused for another reason.
    assert_true(subject.correct_clock(off + seconds(1), start + seconds(20)) == Clock::known);
    assert_true(subject.correct_clock(off, start + seconds(40)) == Clock::no);
    // A provider whose time jumps makes us sign once in 20 minutes, no more.
    assert_true(subject.correct_clock(off + hours(5), start + minutes(10)) == Clock::no);
    assert_true(keep_fresh(subject, start + minutes(41), wall + minutes(41)));
    assert_int_equal(issued_at(subject), wall.s + 41 * 60 + off_s);
    // Our clock is set at last.
    assert_true(keep_fresh(subject, start + minutes(42), wall + minutes(42) + off));
    assert_int_equal(issued_at(subject), wall.s + 42 * 60 + off_s);
    assert_true(keep_fresh(subject, start + minutes(90), wall + minutes(90) + off));
    assert_int_equal(issued_at(subject), wall.s + 90 * 60 + off_s);
  }
}

// As TESTS does, but with a key for the group.
int run_apns_token() {
  const CMUnitTest tests[] = {cmocka_unit_test(the_token_names_key_team_and_time),
                              cmocka_unit_test(the_token_is_the_one_that_everybody_else_would_sign),
                              cmocka_unit_test(names_that_need_escapes_stay_inside_their_strings),
                              cmocka_unit_test(nothing_is_signed_before_the_clock_was_set),
                              cmocka_unit_test(a_token_lives_for_40_minutes),
                              cmocka_unit_test(a_clock_that_stepped_needs_a_new_token),
                              cmocka_unit_test(a_clock_that_jumps_to_and_fro_mints_once_in_20_minutes),
                              cmocka_unit_test(an_expired_token_is_renewed_only_as_apple_allows),
                              cmocka_unit_test(what_the_provider_says_of_our_clock_is_believed_once),
                              cmocka_unit_test(for_60_days_no_token_is_young_at_its_end_or_old_at_its_use)};
  return cmocka_run_group_tests_name("apns_token", tests, make, unmake);
}
Group group_apns_token("apns_token", run_apns_token);

}  // namespace
}  // namespace tocsin::test
