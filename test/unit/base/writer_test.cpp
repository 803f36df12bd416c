#include "base/writer.h"

#include "base/text.h"
#include "test/support/tests.h"
#include "test/unit/base/expect.h"

namespace tocsin {
namespace {

uint8_t room[512];

Writer fresh(size_t size = sizeof(room)) {
  std::memset(room, '#', sizeof(room));
  return Writer(Bytes(room, sizeof(room)).first(size));
}

void expect_json(string_view text, string_view want) {
  Writer out = fresh();
  expect_text(out.json(text).view(), want);
}

void expect_xml(string_view text, string_view want) {
  Writer out = fresh();
  expect_text(out.xml(text).view(), want);
}

void expect_logfmt(string_view text, string_view want, size_t bytes_max = 64) {
  Writer out = fresh();
  expect_text(out.logfmt(text, bytes_max).view(), want);
}

void parts_follow_each_other(void**) {
  Writer out = fresh();
  out.text("a=").number(-12).character(';').bytes(bytes_of("xy")).unsigned_number(7);
  expect_text(out.view(), "a=-12;xy7");
  assert_int_equal(out.size(), 9);
  assert_int_equal(out.written().size(), 9);
  assert_int_equal(out.room_left().size(), sizeof(room) - 9);
  assert_false(out.overflowed());
}

void numbers_reach_both_ends(void**) {
  Writer out = fresh();
  out.number(INT64_MIN).character(' ').number(INT64_MAX).character(' ').unsigned_number(UINT64_MAX).character(' ');
  out.number(0);
  expect_text(out.view(), "-9223372036854775808 9223372036854775807 18446744073709551615 0");
}

void an_exact_fit_is_no_overflow(void**) {
  Writer out = fresh(4);
  out.text("four").text("");
  expect_text(out.view(), "four");
  assert_false(out.overflowed());
}

void after_an_overflow_nothing_more_is_written(void**) {
  Writer out = fresh(4);
  out.text("abc").text("de").text("f");
  assert_true(out.overflowed());
  expect_text(out.view(), "abc");
  out.hex(bytes_of("")).base64({}).json("").xml("").number(1);
  assert_true(out.overflowed());
  expect_text(out.view(), "abc");
  assert_int_equal(room[3], '#');
}

void rewinding_undoes_an_overflow(void**) {
  Writer out = fresh(4);
  out.text("ab");
  const size_t mark = out.size();
  out.text("cdefg");
  out.rewind(mark);
  assert_false(out.overflowed());
  expect_text(out.text("cd").view(), "abcd");
}

// Every format in every too small room: remembers it and touches nothing behind.
void no_format_writes_beyond_its_room(void**) {
  void (*const formats[])(Writer&) = {
      [](Writer& out) { out.number(-1234567); },
      [](Writer& out) { out.hex(bytes_of("push")); },
      [](Writer& out) { out.base64(bytes_of("pushes")); },
      [](Writer& out) { out.base64(bytes_of("push")); },
      [](Writer& out) { out.base64url(bytes_of("push")); },
      [](Writer& out) { out.base64url(bytes_of("pushe")); },
      [](Writer& out) { out.json("a\"b\x01\xFF"); },
      [](Writer& out) { out.xml("a<b>\x01\xFF"); },
      [](Writer& out) { out.logfmt("a b\n\xFF", 64); },
  };
  for (const auto format : formats) {
    Writer whole = fresh();
    format(whole);
    const size_t size = whole.size();
    for (size_t limit = 0; limit <= size; ++limit) {
      Writer out = fresh(limit);
      format(out);
      assert_int_equal(out.overflowed(), limit < size);
      assert_true(out.size() <= limit);
      for (size_t i = limit; i < sizeof(room); ++i) assert_int_equal(room[i], '#');
    }
  }
}

void a_number_is_written_whole_or_not_at_all(void**) {
  Writer out = fresh(2);
  expect_text(out.number(-12).view(), "");
  assert_true(out.overflowed());
}

void a_writer_takes_its_room_from_an_arena(void**) {
  Arena arena(Bytes(room, 8));
  Writer out(arena, 6);
  expect_text(out.text("sixsix").view(), "sixsix");
  Writer none(arena, 6);
  assert_true(none.overflowed());
  expect_text(none.text("x").view(), "");
  assert_int_equal(arena.used(), 6);
}

void hex_is_lower_case(void**) {
  const uint8_t bytes[] = {0x00, 0x09, 0xAB, 0xFF};
  Writer out = fresh();
  expect_text(out.hex(bytes).view(), "0009abff");
}

// RFC 4648 §10.
void base64_matches_the_rfc(void**) {
  const struct {
    string_view plain, padded, bare;
  } vectors[] = {{"", "", ""},
                 {"f", "Zg==", "Zg"},
                 {"fo", "Zm8=", "Zm8"},
                 {"foo", "Zm9v", "Zm9v"},
                 {"foob", "Zm9vYg==", "Zm9vYg"},
                 {"fooba", "Zm9vYmE=", "Zm9vYmE"},
                 {"foobar", "Zm9vYmFy", "Zm9vYmFy"},
                 {"\xFB\xFF\xBF", "+/+/", "-_-_"}};
  for (const auto& v : vectors) {
    Writer padded = fresh();
    expect_text(padded.base64(bytes_of(v.plain)).view(), v.padded);
    Writer bare = fresh();
    expect_text(bare.base64url(bytes_of(v.plain)).view(), v.bare);
  }
}

void json_escapes_what_must_be_escaped(void**) {
  expect_json("", "");
  expect_json("plain text / with slashes", "plain text / with slashes");
  expect_json("\"\\", "\\\"\\\\");
  expect_json("\b\f\n\r\t", "\\b\\f\\n\\r\\t");
  expect_json({"\0\x01\x1F\x7F", 4}, "\\u0000\\u0001\\u001f\x7F");
  expect_json("caf\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x94\x94!", "caf\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x94\x94!");
}

void json_replaces_ill_formed_bytes(void**) {
  expect_json("a\xFFz", "a\xEF\xBF\xBDz");
  expect_json("\xC3", "\xEF\xBF\xBD");
  expect_json("\xE2\x82", "\xEF\xBF\xBD\xEF\xBF\xBD");
  expect_json("\xC3\"", "\xEF\xBF\xBD\\\"");
  expect_json("\xED\xA0\x80", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");
  // Whatever the byte, the outcome is well-formed.
  for (unsigned first = 0; first < 256; ++first) {
    for (unsigned second = 0; second < 256; ++second) {
      const char text[] = {'"', static_cast<char>(first), static_cast<char>(second), 'x'};
      Writer json = fresh();
      assert_true(is_utf8(json.json({text, 4}).view()));
      Writer xml = fresh();
      assert_true(is_utf8(xml.xml({text, 4}).view()));
      Writer line = fresh();
      assert_true(is_utf8(line.logfmt({text, 4}, 64).view()));
    }
  }
}

void xml_escapes_markup_and_white_space(void**) {
  expect_xml("plain", "plain");
  expect_xml("<a b='c' d=\"e\">&amp;", "&lt;a b=&apos;c&apos; d=&quot;e&quot;&gt;&amp;amp;");
  expect_xml("a\tb\nc\rd e", "a&#9;b&#10;c&#13;d e");
  expect_xml("caf\xC3\xA9 \xF0\x9F\x94\x94\x7F", "caf\xC3\xA9 \xF0\x9F\x94\x94\x7F");
}

void xml_replaces_what_it_can_not_hold(void**) {
  expect_xml({"a\0b", 3},
             "a\xEF\xBF\xBD"
             "b");
  expect_xml("\x01\x08\x0B\x0C\x0E\x1F", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");
  expect_xml("\xEF\xBF\xBE\xEF\xBF\xBF", "\xEF\xBF\xBD\xEF\xBF\xBD");
  expect_xml("\xFF<", "\xEF\xBF\xBD&lt;");
  expect_xml("\xEF\xBF\xBD", "\xEF\xBF\xBD");
}

void logfmt_quotes_only_where_needed(void**) {
  expect_logfmt("plain-value/1.2:3", "plain-value/1.2:3");
  expect_logfmt("", "\"\"");
  expect_logfmt("two words", "\"two words\"");
  expect_logfmt("a=b", "\"a=b\"");
  expect_logfmt("say \"hi\"", "\"say \\\"hi\\\"\"");
  expect_logfmt("back\\slash", "\"back\\\\slash\"");
  expect_logfmt("caf\xC3\xA9", "caf\xC3\xA9");
}

void logfmt_lets_no_control_through(void**) {
  expect_logfmt("a\nlevel=error", "\"a\\nlevel=error\"");
  expect_logfmt({"\0\x1B[31m\x7F", 7}, "\"\\u0000\\u001b[31m\\u007f\"");
  expect_logfmt(
      "x\xC2\x9B"
      "31m",
      "\"x\\u009b31m\"");
  expect_logfmt("\xC2\xA0", "\xC2\xA0");
  expect_logfmt("\xFF", "\xEF\xBF\xBD");
}

void logfmt_is_cut_between_characters(void**) {
  expect_logfmt("abcdef", "abc", 3);
  expect_logfmt("ab\xC3\xA9", "ab", 3);
  expect_logfmt("ab c", "ab", 2);
}

TESTS(writer, cmocka_unit_test(parts_follow_each_other), cmocka_unit_test(numbers_reach_both_ends),
      cmocka_unit_test(an_exact_fit_is_no_overflow), cmocka_unit_test(after_an_overflow_nothing_more_is_written),
      cmocka_unit_test(rewinding_undoes_an_overflow), cmocka_unit_test(no_format_writes_beyond_its_room),
      cmocka_unit_test(a_number_is_written_whole_or_not_at_all),
      cmocka_unit_test(a_writer_takes_its_room_from_an_arena), cmocka_unit_test(hex_is_lower_case),
      cmocka_unit_test(base64_matches_the_rfc), cmocka_unit_test(json_escapes_what_must_be_escaped),
      cmocka_unit_test(json_replaces_ill_formed_bytes), cmocka_unit_test(xml_escapes_markup_and_white_space),
      cmocka_unit_test(xml_replaces_what_it_can_not_hold), cmocka_unit_test(logfmt_quotes_only_where_needed),
      cmocka_unit_test(logfmt_lets_no_control_through), cmocka_unit_test(logfmt_is_cut_between_characters));

}  // namespace
}  // namespace tocsin
