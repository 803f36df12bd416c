#include "base/encode.h"

#include "base/text.h"
#include "base/writer.h"
#include "test/support/tests.h"
#include "test/unit/base/expect.h"

namespace tocsin {
namespace {

uint8_t room[512];

using Decode = Result<size_t> (*)(string_view, Bytes);

void expect_decoded(Decode decode, string_view text, string_view want) {
  std::memset(room, '#', sizeof(room));
  const Result<size_t> size = decode(text, Bytes(room));
  assert_true(size.ok());
  expect_text({reinterpret_cast<char*>(room), size.value()}, want);
  // The exact room is enough, one byte less is not.
  assert_true(decode(text, Bytes(room, want.size())).ok());
  if (!want.empty()) assert_true(decode(text, Bytes(room, want.size() - 1)).error() == Error::too_long);
}

void expect_malformed(Decode decode, string_view text) {
  assert_true(decode(text, Bytes(room)).error() == Error::malformed);
}

void hex_is_read_in_either_case(void**) {
  expect_decoded(decode_hex, "", "");
  expect_decoded(decode_hex, "00aBFf7e", {"\x00\xAB\xFF\x7E", 4});
  for (const char* text : {"0", "abc", "0g", "g0", "0x", "  ", "a\n"}) expect_malformed(decode_hex, text);
  expect_malformed(decode_hex, "\xC3\xA9");
}

// RFC 4648 §10.
void base64_matches_the_rfc(void**) {
  expect_decoded(decode_base64, "", "");
  expect_decoded(decode_base64, "Zg==", "f");
  expect_decoded(decode_base64, "Zm8=", "fo");
  expect_decoded(decode_base64, "Zm9v", "foo");
  expect_decoded(decode_base64, "Zm9vYg==", "foob");
  expect_decoded(decode_base64, "Zm9vYmE=", "fooba");
  expect_decoded(decode_base64, "Zm9vYmFy", "foobar");
  expect_decoded(decode_base64, "+/+/", "\xFB\xFF\xBF");
}

void base64_wants_its_padding_and_nothing_else(void**) {
  for (const char* text : {"Zg", "Zg=", "Zg===", "Z===", "====", "=", "==", "Zg==Zg==", "Zm9v====", "Zm=v", "=m9v",
                           "Zm9 ", "Zm9v\n", "-_-_", "Zm9v!aaa", "Z"}) {
    expect_malformed(decode_base64, text);
  }
  expect_malformed(decode_base64, {"Zm9\0", 4});
}

void base64_refuses_second_spellings(void**) {
  expect_malformed(decode_base64, "Zh==");  // left-over bits: RFC 4648 §3.5
  expect_malformed(decode_base64, "Zm9=");
  expect_malformed(decode_base64url, "Zh");
  expect_malformed(decode_base64url, "Zm9");
}

void base64url_takes_padding_or_leaves_it(void**) {
  expect_decoded(decode_base64url, "", "");
  expect_decoded(decode_base64url, "Zg", "f");
  expect_decoded(decode_base64url, "Zg==", "f");
  expect_decoded(decode_base64url, "Zm8", "fo");
  expect_decoded(decode_base64url, "Zm8=", "fo");
  expect_decoded(decode_base64url, "Zm9vYmFy", "foobar");
  expect_decoded(decode_base64url, "-_-_", "\xFB\xFF\xBF");
  for (const char* text : {"+/+/", "Z", "Zg=", "Zm8==", "Zm9vZ", "Zm 8", "Zm8\n", "====", "="}) {
    expect_malformed(decode_base64url, text);
  }
}

void what_is_written_is_read_back(void**) {
  uint8_t bytes[67];
  for (size_t i = 0; i < sizeof(bytes); ++i) bytes[i] = static_cast<uint8_t>(i * 151 + 7);
  for (size_t size = 0; size <= sizeof(bytes); ++size) {
    uint8_t text[160];
    const ByteView plain = ByteView(bytes, size);
    const string_view want = text_of(plain);
    Writer hex(text);
    expect_decoded(decode_hex, hex.hex(plain).view(), want);
    Writer padded(text);
    expect_decoded(decode_base64, padded.base64(plain).view(), want);
    Writer bare(text);
    expect_decoded(decode_base64url, bare.base64url(plain).view(), want);
  }
}

// RFC 3720 §B.4, and the check value every catalogue has.
void crc32c_matches_the_rfc(void**) {
  uint8_t bytes[32] = {};
  assert_int_equal(crc32c(0, bytes), 0x8A9136AA);
  std::memset(bytes, 0xFF, sizeof(bytes));
  assert_int_equal(crc32c(0, bytes), 0x62A8AB43);
  for (uint8_t i = 0; i < 32; ++i) bytes[i] = i;
  assert_int_equal(crc32c(0, bytes), 0x46DD794E);
  for (uint8_t i = 0; i < 32; ++i) bytes[i] = static_cast<uint8_t>(31 - i);
  assert_int_equal(crc32c(0, bytes), 0x113FDB5C);
  assert_int_equal(crc32c(0, bytes_of("123456789")), 0xE3069283);
  assert_int_equal(crc32c(0, {}), 0);
}

void crc32c_continues_at_every_byte(void**) {
  const ByteView whole = bytes_of("the checksum of a record does not depend on how it was cut");
  const uint32_t want = crc32c(0, whole);
  for (size_t i = 0; i <= whole.size(); ++i) {
    assert_int_equal(crc32c(crc32c(0, whole.first(i)), whole.subspan(i)), want);
  }
}

void integers_are_stored_big_endian(void**) {
  uint8_t at[8];
  put_u16(at, 0x1234);
  assert_int_equal(at[0], 0x12);
  assert_int_equal(get_u16(at), 0x1234);
  put_u32(at, 0x89ABCDEF);
  assert_int_equal(at[0], 0x89);
  assert_int_equal(get_u32(at), 0x89ABCDEF);
  put_u64(at, 0xFEDCBA9876543210);
  assert_int_equal(at[0], 0xFE);
  assert_int_equal(at[7], 0x10);
  assert_true(get_u64(at) == 0xFEDCBA9876543210);
}

TESTS(encode, cmocka_unit_test(hex_is_read_in_either_case), cmocka_unit_test(base64_matches_the_rfc),
      cmocka_unit_test(base64_wants_its_padding_and_nothing_else), cmocka_unit_test(base64_refuses_second_spellings),
      cmocka_unit_test(base64url_takes_padding_or_leaves_it), cmocka_unit_test(what_is_written_is_read_back),
      cmocka_unit_test(crc32c_matches_the_rfc), cmocka_unit_test(crc32c_continues_at_every_byte),
      cmocka_unit_test(integers_are_stored_big_endian));

}  // namespace
}  // namespace tocsin
