// What a registration needs from the provider: its token as bytes, and a mark
// of the configuration under which a success counts.
#include "push/apns.h"
#include "test/unit/push/desk.h"

namespace tocsin::test {
namespace {

ApnsOptions siskin() {
  ApnsOptions options;
  options.topic = "org.example.siskin";
  options.team_id = "DEF123GHIJ";
  options.key_id = "ABC123DEFG";
  return options;
}

void tokens_are_hex_in_either_case(void**) {
  const Apns apns(siskin());
  uint8_t room[200];
  Arena scratch{Bytes(room)};
  const Result<ByteView> lower = apns.normalise_token("deadbeef00112233", scratch);
  const Result<ByteView> upper = apns.normalise_token("DEADBEEF00112233", scratch);
  const Result<ByteView> mixed = apns.normalise_token("DeadbEEf00112233", scratch);
  assert_true(lower.ok() && upper.ok() && mixed.ok());
  constexpr uint8_t wanted[] = {0xDE, 0xAD, 0xBE, 0xEF, 0x00, 0x11, 0x22, 0x33};
  assert_true(same(lower.value(), ByteView(wanted)));
  assert_true(same(upper.value(), ByteView(wanted)));
  assert_true(same(mixed.value(), ByteView(wanted)));
}

void tokens_of_8_to_100_bytes_are_taken(void**) {
  const Apns apns(siskin());
  char text[220];
  std::memset(text, 'a', sizeof text);
  uint8_t room[200];
  for (size_t size = 0; size <= sizeof text; ++size) {
    Arena scratch{Bytes(room)};
    const Result<ByteView> read = apns.normalise_token({text, size}, scratch);
    if (size > 200) {
      assert_int_equal(read.error(), Error::too_long);
    } else if (size < 16 || size % 2 != 0) {
      assert_int_equal(read.error(), Error::malformed);
    } else {
      assert_true(read.ok());
      assert_int_equal(read.value().size(), size / 2);
    }
  }
}

void a_token_with_another_character_is_refused(void**) {
  const Apns apns(siskin());
  uint8_t room[200];
  for (const char wrong : {'g', 'G', ' ', '/', ':', '@', '`', '-', '\0', '\n', '\x80'}) {
    for (size_t i = 0; i < 64; ++i) {
      char text[64];
      std::memset(text, '0', sizeof text);
      text[i] = wrong;
      Arena scratch{Bytes(room)};
      assert_int_equal(apns.normalise_token({text, sizeof text}, scratch).error(), Error::malformed);
    }
  }
}

void a_token_without_room_is_refused(void**) {
  uint8_t room[31];
  Arena scratch{Bytes(room)};
  const string_view text = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
  assert_int_equal(Apns(siskin()).normalise_token(text, scratch).error(), Error::exhausted);
}

void the_fingerprint_covers_what_a_success_depends_on(void**) {
  const uint32_t base = Apns(siskin()).fingerprint();
  ApnsOptions other = siskin();
  other.key_id = "ABC123DEFH";
  assert_true(Apns(other).fingerprint() != base);
  other = siskin();
  other.team_id = "DEF123GHIK";
  assert_true(Apns(other).fingerprint() != base);
  other = siskin();
  other.topic = "org.example.siskin2";
  assert_true(Apns(other).fingerprint() != base);
  other = siskin();
  other.sandbox = true;
  assert_true(Apns(other).fingerprint() != base);
  other = siskin();  // the same letters, cut elsewhere
  other.key_id = "ABC123DEF";
  other.team_id = "GDEF123GHIJ";
  assert_true(Apns(other).fingerprint() != base);
  other = siskin();
  other.alert_body = "Ring";
  other.payload = Payload::wake;
  other.empty = Empty::drop;
  other.clear_text = true;
  assert_int_equal(Apns(other).fingerprint(), base);
  assert_true(base != 0);
}

TESTS(apns_registration, cmocka_unit_test(tokens_are_hex_in_either_case),
      cmocka_unit_test(tokens_of_8_to_100_bytes_are_taken), cmocka_unit_test(a_token_with_another_character_is_refused),
      cmocka_unit_test(a_token_without_room_is_refused),
      cmocka_unit_test(the_fingerprint_covers_what_a_success_depends_on));

}  // namespace
}  // namespace tocsin::test
