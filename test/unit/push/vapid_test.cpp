#include "push/vapid.h"

#include "base/encode.h"
#include "base/text.h"
#include "test/unit/push/curve_desk.h"

namespace tocsin::test {
namespace {

constexpr UnixTime now{1'751'364'000};
constexpr string_view contact = "mailto:push@chat.example.com";
constexpr string_view origin = "https://push.example.net";

VapidToken table[4];
uint8_t room[Vapid::authorization_bytes_max];
FixedText<Vapid::authorization_bytes_max> kept;

// The key of RFC 6979 A.2.5.
P256Pair key() {
  P256Pair pair;
  assert_true(decode_hex("C9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721", pair.secret).ok());
  assert_true(curve_desk().curve.public_point(pair.secret, pair.point, curve_desk().random).ok());
  return pair;
}

alignas(Vapid) uint8_t stage[sizeof(Vapid)];
Vapid& fresh_vapid(string_view who = contact) {
  Vapid& vapid = *new (stage) Vapid(table, curve_desk().curve, who);
  vapid.set_key(key());
  return vapid;
}

string_view authorization(Vapid& vapid, string_view where, UnixTime wall) {
  Writer out(room);
  assert_true(vapid.authorization(where, wall, curve_desk().random, out).ok());
  return out.view();
}

void the_header_is_a_token_and_the_key_that_made_it(void**) {
  Vapid& vapid = fresh_vapid();
  const string_view header = authorization(vapid, origin, now);
  assert_text(
      header,
      "vapid t=eyJ0eXAiOiJKV1QiLCJhbGciOiJFUzI1NiJ9."
      "eyJhdWQiOiJodHRwczovL3B1c2guZXhhbXBsZS5uZXQiLCJleHAiOjE3NTE0Mjg4MDAsInN1YiI6Im1haWx0bzpwdXNoQGNoYXQuZXhhbXBs"
      "ZS5jb20ifQ.0a0zz-HETdWlzIliZAxzZ62y6o0V_ACJ0V3x-08m2U5MzXVUgC1FRSOe_H8MrBdoIu3aEbL6EH1Gco4Z4KrWWQ, k="
      "BGD-1LolWp0xyWHrdMY1bWjASbiSO2H6bOZpYi5g8p-2eQP-EAi4vJmkGunpVii8ZPLxsgwtfp9Rd6PClNRGIpk");
}

void claims_say_for_whom_until_when_and_whom_to_ask(void**) {
  Vapid& vapid = fresh_vapid();
  string_view text = authorization(vapid, "https://push.example.net:8443", now);
  take_until(text, '.');
  uint8_t claims[300];
  const Result<size_t> size = decode_base64url(take_until(text, '.'), claims);
  assert_true(size.ok());
  assert_text(text_of(ByteView(claims).first(size.value())),
              R"({"aud":"https://push.example.net:8443","exp":1751428800,"sub":"mailto:push@chat.example.com"})");
}

void a_token_is_reused_for_twelve_hours(void**) {
  Vapid& vapid = fresh_vapid();
  assert_true(kept.assign(authorization(vapid, origin, now)));
  assert_text(authorization(vapid, origin, now + hours(6)), kept.view());
  assert_text(authorization(vapid, origin, now + hours(12)), kept.view());
  assert_int_equal(vapid.signatures(), 1);
  assert_false(authorization(vapid, origin, now + hours(12) + seconds(1)) == kept.view());
  assert_int_equal(vapid.signatures(), 2);
}

void every_origin_has_its_own(void**) {
  Vapid& vapid = fresh_vapid();
  assert_true(kept.assign(authorization(vapid, origin, now)));
  assert_false(authorization(vapid, "https://push.example.org", now) == kept.view());
  assert_text(authorization(vapid, origin, now), kept.view());
  assert_int_equal(vapid.signatures(), 2);
}

void the_one_that_was_used_longest_ago_makes_room(void**) {
  Vapid& vapid = fresh_vapid();
  const char* origins[] = {"https://a.example", "https://b.example", "https://c.example", "https://d.example"};
  for (const char* each : origins) authorization(vapid, each, now);
  authorization(vapid, origins[0], now);
  assert_int_equal(vapid.signatures(), 4);
  authorization(vapid, origin, now);  // in place of b
  for (const char* each : {origins[0], origins[2], origins[3]}) authorization(vapid, each, now);
  assert_int_equal(vapid.signatures(), 5);
  authorization(vapid, origins[1], now);
  assert_int_equal(vapid.signatures(), 6);
}

void a_clock_that_was_set_makes_a_new_one(void**) {
  Vapid& vapid = fresh_vapid();
  authorization(vapid, origin, now);
  authorization(vapid, origin, now - minutes(4));
  assert_int_equal(vapid.signatures(), 1);
  authorization(vapid, origin, now - hours(1));  // it would live 19 hours
  assert_int_equal(vapid.signatures(), 2);
  authorization(vapid, origin, now + days(300));
  assert_int_equal(vapid.signatures(), 3);
}

void nothing_is_signed_before_the_clock_is_set(void**) {
  Vapid& vapid = fresh_vapid();
  Writer out(room);
  out.text("x");
  assert_int_equal(vapid.authorization(origin, UnixTime{86'400}, curve_desk().random, out).error(), Error::again);
  assert_text(out.view(), "x");
  assert_int_equal(vapid.signatures(), 0);
  assert_false(vapid.renew(origin, UnixTime{86'400}));
}

void what_was_refused_is_signed_anew_once_a_minute(void**) {
  Vapid& vapid = fresh_vapid();
  authorization(vapid, origin, now);
  assert_false(vapid.renew(origin, now + seconds(59)));
  authorization(vapid, origin, now + seconds(59));
  assert_int_equal(vapid.signatures(), 1);
  assert_true(vapid.renew(origin, now + seconds(60)));
  authorization(vapid, origin, now + seconds(60));
  assert_int_equal(vapid.signatures(), 2);
  assert_true(vapid.renew("https://unknown.example", now));
  assert_true(vapid.renew(origin, now - hours(1)));  // it was signed in what is now the future
}

void what_is_too_long_is_refused(void**) {
  Vapid& vapid = fresh_vapid();
  static char longest[8 + 253 + 7] = "https://";
  std::memset(longest + 8, 'a', sizeof longest - 8);
  Writer out(room);
  assert_int_equal(vapid.authorization({longest, sizeof longest}, now, curve_desk().random, out).error(),
                   Error::too_long);
  assert_true(vapid.authorization({longest, sizeof longest - 1}, now, curve_desk().random, out).ok());
  assert_int_equal(vapid.signatures(), 1);
  Writer tight(Bytes(room).first(200));
  assert_int_equal(vapid.authorization(origin, now, curve_desk().random, tight).error(), Error::too_long);
  assert_int_equal(tight.size(), 0);

  static char who[256] = "mailto:";
  std::memset(who + 7, 'a', sizeof who - 7);
  Vapid& talkative = fresh_vapid({who, 255});
  Writer all(room);
  assert_true(talkative.authorization({longest, sizeof longest - 1}, now, curve_desk().random, all).ok());
  Vapid& over = fresh_vapid({who, 256});
  assert_int_equal(over.authorization(origin, now, curve_desk().random, all).error(), Error::too_long);
  std::memset(who + 7, '\x01', sizeof who - 7);
  Vapid& odd = fresh_vapid({who, 255});
  Writer none(room);
  assert_int_equal(odd.authorization(origin, now, curve_desk().random, none).error(), Error::too_long);
}

void another_key_makes_other_tokens(void**) {
  Vapid& vapid = fresh_vapid();
  assert_true(kept.assign(authorization(vapid, origin, now)));
  P256Pair other;
  assert_true(curve_desk().curve.make_pair(curve_desk().random, other).ok());
  vapid.set_key(other);
  assert_false(authorization(vapid, origin, now) == kept.view());
  assert_int_equal(vapid.public_key().size(), 87);
  assert_true(vapid.try_key(curve_desk().random).ok());
}

void a_key_whose_halves_do_not_belong_together_is_found_out(void**) {
  Vapid& vapid = fresh_vapid();
  P256Pair mixed;
  assert_true(curve_desk().curve.make_pair(curve_desk().random, mixed).ok());
  copy_bytes(mixed.secret, key().secret);
  vapid.set_key(mixed);
  assert_int_equal(vapid.try_key(curve_desk().random).error(), Error::damaged);
}

void without_a_key_there_is_no_public_key(void**) {
  const Vapid vapid(table, curve_desk().curve, contact);
  assert_text(vapid.public_key(), "");
  assert_false(vapid.has_key());
}

UnixTime expiry(string_view header) {
  take_until(header, '.');
  uint8_t claims[300];
  const Result<size_t> size = decode_base64url(take_until(header, '.'), claims);
  assert_true(size.ok());
  string_view text = text_of(ByteView(claims).first(size.value()));
  text = slice(text, text.find("\"exp\":") + 6);
  return UnixTime{static_cast<int64_t>(parse_number(take_until(text, ','), UINT32_MAX).value())};
}

constexpr string_view elsewhere = "https://push.example.org";
constexpr Instant start{3'600'000'000};
using Clock = Credential::Clock;

void an_origin_is_believed_about_its_own_time(void**) {
  for (const Duration off : {hours(30), Duration{} - hours(30), days(366), Duration{} - days(366)}) {
    Vapid& vapid = fresh_vapid();
    (void)authorization(vapid, origin, now);
    assert_true(vapid.correct_clock(origin, off, start) == Clock::learnt);
    assert_int_equal(expiry(authorization(vapid, origin, now)).s, (now + off + hours(18)).s);
    assert_true(kept.assign(authorization(vapid, origin, now + hours(12))));
    assert_int_equal(expiry(kept.view()).s, (now + off + hours(18)).s);  // reused as others are
    assert_int_equal(vapid.signatures(), 2);
    assert_int_equal(expiry(authorization(vapid, elsewhere, now)).s, (now + hours(18)).s);
    assert_int_equal(expiry(authorization(vapid, origin, now + hours(13))).s, (now + off + hours(31)).s);
  }
}

void an_origin_that_nothing_was_signed_for_has_no_say(void**) {
  Vapid& vapid = fresh_vapid();
  assert_true(vapid.correct_clock(origin, hours(30), start) == Clock::no);
  assert_int_equal(expiry(authorization(vapid, origin, now)).s, (now + hours(18)).s);
}

void more_than_a_year_is_not_believed(void**) {
  Vapid& vapid = fresh_vapid();
  assert_true(kept.assign(authorization(vapid, origin, now)));
  for (const Duration off : {days(366) + seconds(1), Duration{} - days(366) - seconds(1), days(100'000)})
    assert_true(vapid.correct_clock(origin, off, start) == Clock::no);
  assert_text(authorization(vapid, origin, now), kept.view());
}

// Requests that left together come back together: the others know already.
void what_was_signed_before_is_known(void**) {
  Vapid& vapid = fresh_vapid();
  (void)authorization(vapid, origin, now);
  assert_true(vapid.correct_clock(origin, hours(30), start) == Clock::learnt);
  assert_true(vapid.correct_clock(origin, hours(30) + minutes(4), start + seconds(20)) == Clock::known);
  (void)authorization(vapid, origin, now);
  assert_true(vapid.correct_clock(origin, hours(30), start + seconds(59)) == Clock::known);
  assert_true(vapid.correct_clock(origin, hours(30), start + seconds(60)) == Clock::no);
  (void)authorization(vapid, origin, now);
  assert_int_equal(vapid.signatures(), 2);
}

void a_clock_that_runs_wild_costs_no_signature_each_time(void**) {
  Vapid& vapid = fresh_vapid();
  for (int64_t i = 0; i < 60; ++i) {
    (void)authorization(vapid, origin, now + seconds(i));
    (void)vapid.correct_clock(origin, hours(30 + i), start + seconds(i));
    if (i % 2 == 0) (void)vapid.renew(origin, now + seconds(i));  // and now and then it says that all is well
  }
  assert_in_range(vapid.signatures(), 2, 3);
  assert_true(vapid.correct_clock(origin, hours(100), start + minutes(2)) == Clock::learnt);
}

// The system's clock was set meanwhile: the origin refuses, and speaks of no other time.
void what_was_learnt_is_forgotten_when_it_is_wrong(void**) {
  Vapid& vapid = fresh_vapid();
  (void)authorization(vapid, origin, now);
  assert_true(vapid.correct_clock(origin, hours(30), start) == Clock::learnt);
  (void)authorization(vapid, origin, now + hours(30));
  assert_true(vapid.renew(origin, now + hours(30)));  // however young
  assert_int_equal(expiry(authorization(vapid, origin, now + hours(30))).s, (now + hours(48)).s);
  assert_false(vapid.renew(origin, now + hours(30)));
}

// It is refused for something else, and the clock is wrong all the same.
void what_is_said_again_is_kept(void**) {
  Vapid& vapid = fresh_vapid();
  (void)authorization(vapid, origin, now);
  assert_true(vapid.correct_clock(origin, hours(30), start) == Clock::learnt);
  (void)authorization(vapid, origin, now);
  assert_true(vapid.correct_clock(origin, hours(30), start + minutes(2)) == Clock::no);
  assert_true(vapid.renew(origin, now + minutes(2)));
  assert_int_equal(expiry(authorization(vapid, origin, now + minutes(2))).s, (now + minutes(2) + hours(48)).s);
  assert_int_equal(vapid.signatures(), 3);
}

void who_makes_room_is_believed_no_longer(void**) {
  Vapid& vapid = fresh_vapid();
  for (VapidToken& token : table) token = VapidToken{};
  (void)authorization(vapid, origin, now);
  assert_true(vapid.correct_clock(origin, hours(30), start) == Clock::learnt);
  for (const string_view other : {"https://a.example", "https://b.example", "https://c.example", "https://d.example"})
    assert_int_equal(expiry(authorization(vapid, other, now)).s, (now + hours(18)).s);
  // Who took its place did not inherit its time.
  assert_int_equal(expiry(authorization(vapid, "https://d.example", now)).s, (now + hours(18)).s);
  assert_int_equal(expiry(authorization(vapid, origin, now)).s, (now + hours(18)).s);
}

TESTS(vapid_clock, cmocka_unit_test(an_origin_is_believed_about_its_own_time),
      cmocka_unit_test(an_origin_that_nothing_was_signed_for_has_no_say),
      cmocka_unit_test(more_than_a_year_is_not_believed), cmocka_unit_test(what_was_signed_before_is_known),
      cmocka_unit_test(a_clock_that_runs_wild_costs_no_signature_each_time),
      cmocka_unit_test(what_was_learnt_is_forgotten_when_it_is_wrong), cmocka_unit_test(what_is_said_again_is_kept),
      cmocka_unit_test(who_makes_room_is_believed_no_longer));

TESTS(vapid, cmocka_unit_test(the_header_is_a_token_and_the_key_that_made_it),
      cmocka_unit_test(claims_say_for_whom_until_when_and_whom_to_ask),
      cmocka_unit_test(a_token_is_reused_for_twelve_hours), cmocka_unit_test(every_origin_has_its_own),
      cmocka_unit_test(the_one_that_was_used_longest_ago_makes_room),
      cmocka_unit_test(a_clock_that_was_set_makes_a_new_one),
      cmocka_unit_test(nothing_is_signed_before_the_clock_is_set),
      cmocka_unit_test(what_was_refused_is_signed_anew_once_a_minute), cmocka_unit_test(what_is_too_long_is_refused),
      cmocka_unit_test(another_key_makes_other_tokens),
      cmocka_unit_test(a_key_whose_halves_do_not_belong_together_is_found_out),
      cmocka_unit_test(without_a_key_there_is_no_public_key));

}  // namespace
}  // namespace tocsin::test
