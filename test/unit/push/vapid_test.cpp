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
