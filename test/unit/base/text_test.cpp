#include "base/text.h"

#include "test/support/tests.h"
#include "test/unit/base/expect.h"

namespace tocsin {
namespace {

void slice_clamps_start_and_count(void**) {
  expect_text(slice("abcdef", 2, 3), "cde");
  expect_text(slice("abcdef", 2), "cdef");
  expect_text(slice("abcdef", 0, 0), "");
  expect_text(slice("abcdef", 5, SIZE_MAX), "f");
  expect_text(slice("abcdef", 6), "");
  expect_text(slice("abcdef", SIZE_MAX, SIZE_MAX), "");
  expect_text(slice({}, 0, 1), "");
}

void prefixes_and_suffixes_are_compared_whole(void**) {
  assert_true(starts_with("alpha", "al"));
  assert_true(starts_with("alpha", ""));
  assert_false(starts_with("al", "alpha"));
  assert_true(ends_with("alpha", "pha"));
  assert_true(ends_with("alpha", ""));
  assert_false(ends_with("pha", "alpha"));
  assert_false(ends_with("alpha", "alp"));
}

void case_is_ignored_for_ascii_letters_only(void**) {
  assert_int_equal(to_lower('Q'), 'q');
  assert_int_equal(to_lower('['), '[');
  assert_int_equal(to_lower('@'), '@');
  assert_true(same_ignoring_case("Content-LENGTH", "content-length"));
  assert_false(same_ignoring_case("a", "ab"));
  assert_false(same_ignoring_case("[", "{"));
  assert_false(same_ignoring_case("\xC3\x84", "\xC3\xA4"));
}

void trim_takes_blanks_from_both_ends(void**) {
  expect_text(trim(" \t\r\n a b \r\n"), "a b");
  expect_text(trim(" \t "), "");
  expect_text(trim(""), "");
  expect_text(trim("a"), "a");
}

void take_until_walks_through_separated_parts(void**) {
  string_view text = "a,,bc,";
  expect_text(take_until(text, ','), "a");
  expect_text(take_until(text, ','), "");
  expect_text(take_until(text, ','), "bc");
  expect_text(text, "");
  text = "whole";
  expect_text(take_until(text, ','), "whole");
  expect_text(text, "");
}

void numbers_are_digits_up_to_a_limit(void**) {
  assert_int_equal(parse_number("0").value(), 0);
  assert_int_equal(parse_number("00012").value(), 12);
  assert_true(parse_number("18446744073709551615").value() == UINT64_MAX);
  assert_int_equal(parse_number("255", 255).value(), 255);
  for (const char* text : {"", "-1", "+1", " 1", "1 ", "1.0", "0x10", "99999999999999999999x"}) {
    assert_true(parse_number(text).error() == Error::malformed);
  }
  for (const char* text : {"18446744073709551616", "99999999999999999999", "184467440737095516150"}) {
    assert_true(parse_number(text).error() == Error::too_long);
  }
  assert_true(parse_number("256", 255).error() == Error::too_long);
}

// The edges of RFC 3629's table, each right and wrong by one.
void utf8_is_judged_at_the_edges_of_the_ranges(void**) {
  const string_view good[] = {"",
                              "\x7F",
                              "\xC2\x80",
                              "\xDF\xBF",
                              "\xE0\xA0\x80",
                              "\xED\x9F\xBF",
                              "\xEE\x80\x80",
                              "\xEF\xBF\xBF",
                              "\xF0\x90\x80\x80",
                              "\xF4\x8F\xBF\xBF",
                              "eight by eight, then \xC3\xA9 and on and on"};
  for (const string_view text : good) assert_true(is_utf8(text));
  assert_true(is_utf8({"a\0b", 3}));
  const string_view bad[] = {"\x80",
                             "\xBF",
                             "\xC0\x80",
                             "\xC1\xBF",
                             "\xC2",
                             "\xC2\x7F",
                             "\xC2\xC0",
                             "\xE0\x9F\xBF",
                             "\xE0\xA0",
                             "\xE1\x80\x7F",
                             "\xED\xA0\x80",
                             "\xED\xBF\xBF",
                             "\xF0\x8F\xBF\xBF",
                             "\xF0\x90\x80",
                             "\xF4\x90\x80\x80",
                             "\xF5\x80\x80\x80",
                             "\xFE",
                             "\xFF",
                             "long enough for words \xC3",
                             "long enough for words \xC3 and more of them"};
  for (const string_view text : bad) assert_false(is_utf8(text));
}

void a_cut_never_splits_a_sequence(void**) {
  const string_view text = "a\xC3\xA9\xE2\x82\xAC\xF0\x9F\x94\x94z";  // one, two, three, four bytes, one
  const size_t kept[] = {0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 11};
  for (size_t max = 0; max < sizeof(kept) / sizeof(kept[0]); ++max) {
    expect_text(cut_utf8(text, max), slice(text, 0, kept[max]));
    assert_true(is_utf8(cut_utf8(text, max)));
  }
  expect_text(cut_utf8(text, SIZE_MAX), text);
  expect_text(cut_utf8("\x80\x80\x80\x80\x80", 3), "\x80\x80\x80");
}

void edit_distance_counts_edits_and_swaps(void**) {
  assert_int_equal(edit_distance("", ""), 0);
  assert_int_equal(edit_distance("", "abc"), 3);
  assert_int_equal(edit_distance("abc", ""), 3);
  assert_int_equal(edit_distance("Topic", "topic"), 0);
  assert_int_equal(edit_distance("kitten", "sitting"), 3);
  assert_int_equal(edit_distance("listen", "lisetn"), 1);
  assert_int_equal(edit_distance("ab", "ba"), 1);
  assert_int_equal(edit_distance("colour", "color"), 1);
  char long_text[65];
  std::memset(long_text, 'x', sizeof(long_text));
  assert_int_equal(edit_distance({long_text, 64}, "y"), 64);
  assert_int_equal(edit_distance({long_text, 64}, {long_text, 64}), 0);
  assert_int_equal(edit_distance({long_text, 65}, {long_text, 65}), 255);
}

void fixed_text_refuses_rather_than_cuts(void**) {
  FixedText<4> text;
  assert_true(text.empty());
  assert_true(text.assign("four"));
  expect_text(text.view(), "four");
  assert_string_equal(text.c_str(), "four");
  assert_false(text.assign("fives"));
  expect_text(text.view(), "four");
  assert_true(text.assign({}));
  assert_true(text.empty());
  assert_string_equal(text.c_str(), "");
}

TESTS(text, cmocka_unit_test(slice_clamps_start_and_count), cmocka_unit_test(prefixes_and_suffixes_are_compared_whole),
      cmocka_unit_test(case_is_ignored_for_ascii_letters_only), cmocka_unit_test(trim_takes_blanks_from_both_ends),
      cmocka_unit_test(take_until_walks_through_separated_parts), cmocka_unit_test(numbers_are_digits_up_to_a_limit),
      cmocka_unit_test(utf8_is_judged_at_the_edges_of_the_ranges), cmocka_unit_test(a_cut_never_splits_a_sequence),
      cmocka_unit_test(edit_distance_counts_edits_and_swaps), cmocka_unit_test(fixed_text_refuses_rather_than_cuts));

}  // namespace
}  // namespace tocsin
