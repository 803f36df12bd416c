#include "push/retry.h"

#include "base/writer.h"
#include "test/unit/push/desk.h"

namespace tocsin::test {
namespace {

// The earliest and the latest that any random number gives.
void expect_between(RetryClass retry_class, uint32_t tries, Duration low, Duration high, Duration told = {}) {
  const RetryPlan first = plan_retry(retry_class, tries, 0, told);
  const RetryPlan last = plan_retry(retry_class, tries, static_cast<uint64_t>(high.us - low.us), told);
  assert_true(first.again && last.again);
  assert_int_equal(first.after.us, low.us);
  assert_int_equal(last.after.us, high.us);
  Numbers numbers{tries};
  for (int i = 0; i < 200; ++i) {
    const RetryPlan plan = plan_retry(retry_class, tries, numbers.next(), told);
    assert_true(plan.again && plan.after >= low && plan.after <= high);
  }
}
void expect_around(RetryClass retry_class, uint32_t tries, Duration middle) {
  expect_between(retry_class, tries, middle - middle / 5, middle + middle / 5);
}
void expect_no_more(RetryClass retry_class, uint32_t tries) {
  assert_false(plan_retry(retry_class, tries, 12345).again);
  assert_false(plan_retry(retry_class, UINT32_MAX, 12345).again);
}

void what_was_not_touched_goes_again_at_once_five_times(void**) {
  for (uint32_t tries = 1; tries <= 5; ++tries) expect_between(RetryClass::unprocessed, tries, {}, {});
  expect_no_more(RetryClass::unprocessed, 6);
}

void trouble_of_the_server_waits_a_quarter_of_an_hour_and_doubles(void**) {
  expect_around(RetryClass::server_trouble, 1, minutes(15));
  expect_around(RetryClass::server_trouble, 2, minutes(30));
  expect_around(RetryClass::server_trouble, 3, hours(1));
  expect_around(RetryClass::server_trouble, 4, hours(1));
  expect_around(RetryClass::server_trouble, UINT32_MAX, hours(1));
}

void a_server_that_shuts_down_is_left_once_and_then_in_trouble(void**) {
  expect_between(RetryClass::shutting_down, 1, seconds(1), seconds(5));
  expect_around(RetryClass::shutting_down, 2, minutes(15));
  expect_around(RetryClass::shutting_down, 3, minutes(30));
}

void expect_above(RetryClass retry_class, uint32_t tries, Duration least) {
  expect_between(retry_class, tries, least, least + least / 10);
}

void a_device_that_apns_limits_waits_half_a_minute_and_longer_each_time(void**) {
  expect_above(RetryClass::device_rate, 1, seconds(30));
  expect_above(RetryClass::device_rate, 2, seconds(60));
  expect_above(RetryClass::device_rate, 5, seconds(480));
  expect_above(RetryClass::device_rate, 6, minutes(15));
  expect_above(RetryClass::device_rate, UINT32_MAX, minutes(15));
}

void other_limits_wait_a_minute_and_longer_each_time(void**) {
  expect_above(RetryClass::rate, 1, seconds(60));
  expect_above(RetryClass::rate, 2, minutes(2));
  expect_above(RetryClass::rate, 6, minutes(32));
  expect_above(RetryClass::rate, 7, hours(1));
  expect_above(RetryClass::rate, UINT32_MAX, hours(1));
}

void what_the_provider_told_is_kept_and_never_undercut(void**) {
  expect_between(RetryClass::rate_told, 1, seconds(60), seconds(66), seconds(60));
  expect_between(RetryClass::rate_told, 9, seconds(60), seconds(66), seconds(60));
  expect_between(RetryClass::rate_told, 1, seconds(1), milliseconds(1100), milliseconds(3));
  expect_between(RetryClass::rate_told, 1, hours(6), hours(6) + minutes(36), days(3));
  expect_above(RetryClass::rate_told, 1, seconds(60));  // nothing was told after all
  for (const RetryClass each :
       {RetryClass::server_busy, RetryClass::origin_busy, RetryClass::server_trouble, RetryClass::authorization}) {
    expect_between(each, 3, seconds(120), seconds(132), seconds(120));
  }
}

void a_busy_server_is_asked_soon_again_and_given_up_after_about_an_hour(void**) {
  expect_between(RetryClass::server_busy, 1, {}, seconds(10));
  expect_between(RetryClass::server_busy, 2, {}, seconds(20));
  expect_between(RetryClass::server_busy, 8, {}, seconds(1280));
  expect_between(RetryClass::server_busy, 9, {}, minutes(30));
  expect_between(RetryClass::server_busy, 500, {}, minutes(30));
  const auto again = [](Duration passed, uint64_t random, Duration told = {}) {
    return plan_retry(RetryClass::server_busy, 9, random, told, passed).again;
  };
  const uint64_t most = static_cast<uint64_t>(minutes(30).us);
  assert_true(again(minutes(30), most) && again(hours(1), 0));
  assert_false(again(minutes(30) + seconds(1), most) || again(hours(1) + seconds(1), 0));
  // The server itself may ask for more patience than that, once.
  assert_true(again(minutes(59), 0, hours(2)));
  assert_false(again(minutes(61), 0, hours(2)));
  // Others are asked as long as the push lives.
  assert_true(plan_retry(RetryClass::origin_busy, 9, 0, {}, days(1)).again);
}

void a_busy_push_service_is_asked_as_long_as_the_push_lives(void**) {
  expect_between(RetryClass::origin_busy, 1, {}, seconds(30));
  expect_between(RetryClass::origin_busy, 2, {}, seconds(60));
  expect_between(RetryClass::origin_busy, 7, {}, minutes(30));
  expect_between(RetryClass::origin_busy, UINT32_MAX, {}, minutes(30));
}

void a_renewed_credential_is_tried_at_once_and_then_slowly(void**) {
  expect_between(RetryClass::authorization, 1, {}, {});
  expect_around(RetryClass::authorization, 2, seconds(60));
  expect_around(RetryClass::authorization, 3, seconds(120));
  expect_around(RetryClass::authorization, 5, seconds(480));
  expect_around(RetryClass::authorization, 6, minutes(15));
  expect_around(RetryClass::authorization, UINT32_MAX, minutes(15));
}

void connecting_doubles_up_to_a_minute(void**) {
  expect_between(RetryClass::connect, 1, {}, seconds(1));
  expect_between(RetryClass::connect, 6, {}, seconds(32));
  expect_between(RetryClass::connect, 7, {}, seconds(60));
  expect_between(RetryClass::connect, UINT32_MAX, {}, seconds(60));
}

void an_unknown_outcome_is_tried_three_times_in_all(void**) {
  expect_between(RetryClass::unknown, 1, {}, seconds(1));
  expect_between(RetryClass::unknown, 2, {}, seconds(4));
  expect_no_more(RetryClass::unknown, 3);
}

void never_means_never(void**) { expect_no_more(RetryClass::never, 1); }

constexpr UnixTime now{1'751'364'000};  // Tue, 01 Jul 2025 10:00:00 GMT

void retry_after_is_read_in_both_forms_and_clamped(void**) {
  const struct {
    string_view value;
    int64_t seconds;
  } rows[] = {
      {"120", 120},
      {" 120\t", 120},
      {"1", 1},
      {"0", 1},
      {"21600", 21600},
      {"21601", 21600},
      {"99999999999999999999999", 21600},
      {"Tue, 01 Jul 2025 10:02:00 GMT", 120},
      {"Tue, 01 Jul 2025 10:00:00 GMT", 1},
      {"Tue, 01 Jul 2025 09:00:00 GMT", 1},
      {"Wed, 02 Jul 2025 10:00:00 GMT", 21600},
      {"Fri, 31 Dec 9999 23:59:59 GMT", 21600},
      {"", 0},
      {" ", 0},
      {"-5", 0},
      {"+5", 0},
      {"1.5", 0},
      {"1 2", 0},
      {"0x10", 0},
      {"soon", 0},
      {"120s", 0},
      {"Tue, 01 Jul 2025 10:02:00 +0000", 0},
      {string_view("12\0", 3), 0},
  };
  for (const auto& row : rows) assert_int_equal(parse_retry_after(row.value, now).us, seconds(row.seconds).us);
}

void a_date_means_nothing_to_a_clock_that_was_never_set(void**) {
  assert_int_equal(parse_retry_after("Tue, 01 Jul 2025 10:02:00 GMT", UnixTime{300}).us, 0);
  assert_int_equal(parse_retry_after("120", UnixTime{300}).us, seconds(120).us);
}

void dates_that_are_none_are_refused(void**) {
  assert_int_equal(parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT").s, 784'111'777);  // RFC 9110 §5.6.7
  assert_int_equal(parse_http_date("Thu, 31 Dec 1998 23:59:60 GMT").s, 915'148'800);  // a leap second
  assert_int_equal(parse_http_date("Thu, 29 Feb 2024 00:00:00 GMT").s, 1'709'164'800);
  assert_int_equal(parse_http_date("Fri, 31 Dec 9999 23:59:59 GMT").s, 253'402'300'799);
  const string_view bad[] = {
      "",
      "Sunday, 06-Nov-94 08:49:37 GMT",  // RFC 850
      "Sun Nov  6 08:49:37 1994",        // asctime
      "Sun, 06 Nov 1994 08:49:37 UTC",
      "sun, 06 nov 1994 08:49:37 gmt",
      "Sun, 00 Nov 1994 08:49:37 GMT",
      "Sun, 31 Nov 1994 08:49:37 GMT",
      "Sun, 32 Jan 1994 08:49:37 GMT",
      "Tue, 29 Feb 2023 00:00:00 GMT",
      "Mon, 29 Feb 2100 00:00:00 GMT",
      "Sun, 06 Nov 1994 24:00:00 GMT",
      "Sun, 06 Nov 1994 08:60:00 GMT",
      "Sun, 06 Nov 1994 08:49:61 GMT",
      "Sun, 06 Nov 1969 08:49:37 GMT",
      "Sun, 06 Nov 1994 08:49:37 GMT ",
      " Sun, 06 Nov 1994 08:49:37 GMT",
      "Sun, 6 Nov 1994 08:49:37 GMT",
      "Sun, 06 Nov -994 08:49:37 GMT",
      "unN, 06 Nov 1994 08:49:37 GMT",
      "Sun, 06 anF 1994 08:49:37 GMT",
  };
  for (const string_view text : bad) assert_int_equal(parse_http_date(text).s, 0);
}

void one_wrong_character_spoils_a_date(void**) {
  const string_view good = "Sun, 06 Nov 1994 08:49:37 GMT";
  char text[29];
  for (size_t i = 0; i <= good.size(); ++i) {
    assert_int_equal(parse_http_date({good.data(), i}).s, i == good.size() ? 784'111'777 : 0);
  }
  for (size_t i = 0; i < good.size(); ++i) {
    std::memcpy(text, good.data(), sizeof text);
    text[i] = '/';  // the character before '0'
    assert_int_equal(parse_http_date({text, sizeof text}).s, 0);
    text[i] = '\0';
    assert_int_equal(parse_http_date({text, sizeof text}).s, 0);
  }
}

// A calendar that only counts, against the one that computes.
void every_day_until_2105_is_right(void**) {
  constexpr const char* names[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  constexpr const char* weekdays[] = {"Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"};
  constexpr int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  int64_t day = 0;
  for (int year = 1970; year <= 2105; ++year) {
    for (int month = 0; month < 12; ++month) {
      const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
      const int length = lengths[month] + (month == 1 && leap ? 1 : 0);
      for (int i = 1; i <= length; ++i, ++day) {
        uint8_t room[40];
        Writer out(room);
        out.text(weekdays[day % 7]).text(i < 10 ? ", 0" : ", ").number(i).character(' ').text(names[month]);
        out.character(' ').number(year).text(" 23:59:58 GMT");
        assert_int_equal(parse_http_date(out.view()).s, day * 86'400 + 86'398);
      }
    }
  }
}

TESTS(retry, cmocka_unit_test(what_was_not_touched_goes_again_at_once_five_times),
      cmocka_unit_test(trouble_of_the_server_waits_a_quarter_of_an_hour_and_doubles),
      cmocka_unit_test(a_server_that_shuts_down_is_left_once_and_then_in_trouble),
      cmocka_unit_test(a_device_that_apns_limits_waits_half_a_minute_and_longer_each_time),
      cmocka_unit_test(other_limits_wait_a_minute_and_longer_each_time),
      cmocka_unit_test(what_the_provider_told_is_kept_and_never_undercut),
      cmocka_unit_test(a_busy_server_is_asked_soon_again_and_given_up_after_about_an_hour),
      cmocka_unit_test(a_busy_push_service_is_asked_as_long_as_the_push_lives),
      cmocka_unit_test(a_renewed_credential_is_tried_at_once_and_then_slowly),
      cmocka_unit_test(connecting_doubles_up_to_a_minute),
      cmocka_unit_test(an_unknown_outcome_is_tried_three_times_in_all), cmocka_unit_test(never_means_never),
      cmocka_unit_test(retry_after_is_read_in_both_forms_and_clamped),
      cmocka_unit_test(a_date_means_nothing_to_a_clock_that_was_never_set),
      cmocka_unit_test(dates_that_are_none_are_refused), cmocka_unit_test(one_wrong_character_spoils_a_date),
      cmocka_unit_test(every_day_until_2105_is_right));

}  // namespace
}  // namespace tocsin::test
