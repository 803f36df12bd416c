#include "push/origin_token.h"

#include "base/encode.h"
#include "test/unit/push/curve_desk.h"

namespace tocsin::test {
namespace {

constexpr UnixTime now{1'751'364'000};
constexpr Instant start{3'600'000'000};
constexpr string_view one = "https://push.example.net";
constexpr string_view two = "https://push.example.org:8443";

VapidToken table[4];
alignas(Vapid) uint8_t vapid_room[sizeof(Vapid)];
alignas(OriginToken) uint8_t tokens_room[2][sizeof(OriginToken)];
FixedText<origin_bytes_max> origins[2];
FixedText<1024> kept;

// Two lanes of a section.
struct Lanes {
  Vapid& vapid;
  OriginToken& first;
  OriginToken& second;
};
Lanes two_lanes() {
  for (VapidToken& token : table) token = VapidToken{};
  assert_true(origins[0].assign(one) && origins[1].assign(two));
  Vapid& vapid = *new (vapid_room) Vapid(table, curve_desk().curve, "mailto:push@chat.example.com");
  P256Pair pair = {};
  pair.secret[31] = 3;
  assert_true(curve_desk().curve.public_point(pair.secret, pair.point, curve_desk().random).ok());
  vapid.set_key(pair);
  return {vapid, *new (tokens_room[0]) OriginToken(vapid, origins[0]),
          *new (tokens_room[1]) OriginToken(vapid, origins[1])};
}

bool fresh(OriginToken& token, UnixTime wall = now) { return token.keep_fresh(start, wall, curve_desk().random).ok(); }

// What the service compares with its own name.
bool is_for(const OriginToken& token, string_view origin) {
  string_view text = token.authorization();
  take_until(text, '.');
  uint8_t claims[300];
  const Result<size_t> size = decode_base64url(take_until(text, '.'), claims);
  assert_true(size.ok());
  uint8_t room[300];
  Writer wanted(room);
  wanted.text(R"({"aud":")").text(origin).text(R"(",)");
  return starts_with(text_of(ByteView(claims).first(size.value())), wanted.view());
}

void before_it_is_asked_for_there_is_none(void**) {
  const Lanes lanes = two_lanes();
  assert_text(lanes.first.authorization(), "");
  assert_false(lanes.first.waiting(start));
}

void each_lane_has_that_of_its_own_origin(void**) {
  const Lanes lanes = two_lanes();
  assert_true(fresh(lanes.first) && fresh(lanes.second));
  assert_true(is_for(lanes.first, one));
  assert_true(is_for(lanes.second, two));
  assert_true(fresh(lanes.first));
  assert_int_equal(lanes.vapid.signatures(), 2);
}

// The lane was given to another origin, which must not see what was signed for the one before.
void it_follows_the_lane(void**) {
  const Lanes lanes = two_lanes();
  assert_true(fresh(lanes.first));
  assert_true(kept.assign(lanes.first.authorization()));
  assert_true(origins[0].assign(two));
  assert_true(fresh(lanes.first));
  assert_true(is_for(lanes.first, two));
  assert_true(origins[0].assign(one));
  assert_true(fresh(lanes.first));
  assert_text(lanes.first.authorization(), kept.view());  // it was not forgotten
  assert_int_equal(lanes.vapid.signatures(), 2);
}

void without_a_clock_nothing_is_shown(void**) {
  const Lanes lanes = two_lanes();
  assert_true(fresh(lanes.first));
  assert_int_equal(lanes.first.keep_fresh(start, UnixTime{86'400}, curve_desk().random).error(), Error::again);
  assert_text(lanes.first.authorization(), "");
  assert_true(fresh(lanes.first));
  assert_true(is_for(lanes.first, one));
}

void a_refusal_is_of_its_origin_alone(void**) {
  const Lanes lanes = two_lanes();
  assert_true(fresh(lanes.first) && fresh(lanes.second));
  assert_true(kept.assign(lanes.second.authorization()));
  assert_true(lanes.first.renew(start + minutes(2), now + minutes(2), curve_desk().random));
  assert_true(fresh(lanes.first, now + minutes(2)) && fresh(lanes.second, now + minutes(2)));
  assert_int_equal(lanes.vapid.signatures(), 3);
  assert_text(lanes.second.authorization(), kept.view());
  assert_false(lanes.first.renew(start + minutes(2), now + minutes(2), curve_desk().random));
}

void another_time_is_of_its_origin_alone(void**) {
  const Lanes lanes = two_lanes();
  assert_true(fresh(lanes.first) && fresh(lanes.second));
  assert_true(kept.assign(lanes.second.authorization()));
  assert_true(lanes.first.correct_clock(hours(30), start) == Credential::Clock::learnt);
  assert_true(lanes.first.correct_clock(hours(30), start + seconds(1)) == Credential::Clock::known);
  assert_true(fresh(lanes.first) && fresh(lanes.second));
  assert_int_equal(lanes.vapid.signatures(), 3);
  assert_text(lanes.second.authorization(), kept.view());
  assert_int_equal(lanes.first.clock_off().us, 0);  // what is mapped keeps our time
}

TESTS(origin_token, cmocka_unit_test(before_it_is_asked_for_there_is_none),
      cmocka_unit_test(each_lane_has_that_of_its_own_origin), cmocka_unit_test(it_follows_the_lane),
      cmocka_unit_test(without_a_clock_nothing_is_shown), cmocka_unit_test(a_refusal_is_of_its_origin_alone),
      cmocka_unit_test(another_time_is_of_its_origin_alone));

}  // namespace
}  // namespace tocsin::test
