#include "push/retry.h"

#include "base/check.h"
#include "base/text.h"

namespace tocsin {
namespace {

enum class Jitter : uint8_t {
  none,
  around,  // ±20 %: pushes that failed together do not come back together
  above,   // +0–10 %: never earlier than the provider said
  full,    // anywhere from 0 on
};

struct Row {
  RetryClass retry_class;
  Duration first;
  int64_t factor;
  Duration cap;
  Jitter jitter;
  uint32_t tries_max;    // 0: until the push expires
  uint32_t at_once = 0;  // that many first tries do not wait at all
  Duration lasts{};      // given up when the next try would come later than so long after the first; 0: never
};

constexpr Duration told_min = seconds(1);
constexpr Duration told_max = hours(6);

// Spec: providers, "retry schedule". 15 minutes after a 5xx are Apple's own words.
constexpr Row table[] = {
    {RetryClass::never, {}, 1, {}, Jitter::none, 0},
    {RetryClass::unprocessed, {}, 1, {}, Jitter::none, 5},
    {RetryClass::shutting_down, seconds(1), 1, seconds(1), Jitter::none, 0},  // 1–5 s once, then as the next row
    {RetryClass::server_trouble, minutes(15), 2, hours(1), Jitter::around, 0},
    // Google: "exponential back-off from 10 s"; after an hour it counts as failed.
    {RetryClass::server_busy, seconds(10), 2, minutes(30), Jitter::full, 0, 0, hours(1)},
    {RetryClass::origin_busy, seconds(30), 2, minutes(30), Jitter::full, 0},
    // Not full: whoever comes too soon is limited again, and Google wants a minute at least.
    {RetryClass::device_rate, seconds(30), 2, minutes(15), Jitter::above, 0},
    {RetryClass::rate, seconds(60), 2, hours(1), Jitter::above, 0},
    {RetryClass::rate_told, {}, 1, told_max, Jitter::above, 0},
    {RetryClass::authorization, seconds(60), 2, minutes(15), Jitter::around, 0, 1},
    {RetryClass::connect, seconds(1), 2, seconds(60), Jitter::full, 0},
    // The phone may have rung already: the same collapse id hides a second alert, a third try is the last.
    {RetryClass::unknown, seconds(1), 4, seconds(16), Jitter::full, 2},
};

constexpr bool in_order_of_classes() {
  size_t i = 0;
  for (const Row& row : table) {
    if (static_cast<size_t>(row.retry_class) != i++) return false;
  }
  return i == static_cast<size_t>(RetryClass::unknown) + 1;
}
static_assert(in_order_of_classes());

// Evenly from low to high, both included; the bias of % is below 2⁻²⁸ for six hours of microseconds.
Duration between(Duration low, Duration high, uint64_t random) {
  return {low.us + static_cast<int64_t>(random % static_cast<uint64_t>(high.us - low.us + 1))};
}

Duration with_jitter(Duration delay, Jitter jitter, uint64_t random) {
  switch (jitter) {
    case Jitter::none: break;
    case Jitter::around: return between(delay - delay / 5, delay + delay / 5, random);
    case Jitter::above: return between(delay, delay + delay / 10, random);
    case Jitter::full: return between({}, delay, random);
  }
  return delay;
}

Duration clamp(Duration told) { return told < told_min ? told_min : told > told_max ? told_max : told; }

}  // namespace

RetryPlan plan_retry(RetryClass retry_class, uint32_t tries, uint64_t random, Duration told, Duration passed) {
  if (tries == 0) tries = 1;
  if (retry_class == RetryClass::never) return {};
  if (retry_class == RetryClass::shutting_down) {
    if (tries == 1) return {.again = true, .after = between(seconds(1), seconds(5), random)};
    return plan_retry(RetryClass::server_trouble, tries - 1, random, told);
  }
  if (retry_class == RetryClass::rate_told && told.us <= 0) retry_class = RetryClass::rate;

  const Row& row = table[static_cast<size_t>(retry_class)];
  GW_CHECK(row.retry_class == retry_class);
  if (row.tries_max != 0 && tries > row.tries_max) return {};
  if (tries <= row.at_once) return {.again = true, .after = {}};
  if (told.us > 0) {
    if (row.lasts.us > 0 && passed > row.lasts) return {};
    return {.again = true, .after = with_jitter(clamp(told), Jitter::above, random)};
  }
  Duration delay = row.first;
  for (uint32_t i = row.at_once + 1; i < tries && delay < row.cap && row.factor > 1; ++i) delay = delay * row.factor;
  if (delay > row.cap) delay = row.cap;
  delay = with_jitter(delay, row.jitter, random);
  if (row.lasts.us > 0 && passed + delay > row.lasts) return {};
  return {.again = true, .after = delay};
}

Duration parse_retry_after(string_view value, UnixTime now) {
  value = trim(value);
  const Result<uint64_t> number = parse_number(value, static_cast<uint64_t>(told_max.whole_seconds()));
  if (number.ok()) return clamp(seconds(static_cast<int64_t>(number.value())));
  if (number.error() == Error::too_long) return told_max;
  const UnixTime date = parse_http_date(value);
  // A clock that was never set can not tell how far a date is away.
  if (date.s == 0 || !plausible(now)) return {};
  return clamp(date - now);
}

// ---- "Sun, 06 Nov 1994 08:49:37 GMT" -----------------------------------------

namespace {

constexpr string_view date_pattern = "Www, 00 Mmm 0000 00:00:00 GMT";  // 0 stands for a digit
constexpr string_view weekdays = "SunMonTueWedThuFriSat";
constexpr string_view months = "JanFebMarAprMayJunJulAugSepOctNovDec";

// Which of the three-letter names text is; -1 for none.
int64_t place_in(string_view names, string_view text) {
  for (size_t i = 0; i < names.size(); i += 3) {
    if (slice(names, i, 3) == text) return static_cast<int64_t>(i / 3);
  }
  return -1;
}

int64_t digits(string_view text, size_t start, size_t count) {
  int64_t value = 0;
  for (const char c : slice(text, start, count)) value = value * 10 + (c - '0');
  return value;
}

bool leap(int64_t year) { return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0); }

// Leap years from 1 to year, both included.
constexpr int64_t leaps_until(int64_t year) { return year / 4 - year / 100 + year / 400; }

}  // namespace

UnixTime parse_http_date(string_view value) {
  if (value.size() != date_pattern.size()) return {};
  for (size_t i = 0; i < value.size(); ++i) {
    const char wanted = date_pattern[i];
    if (wanted == '0') {
      if (value[i] < '0' || value[i] > '9') return {};
    } else if (i >= 3 && !(i >= 8 && i < 11) && value[i] != wanted) {
      return {};
    }
  }
  const int64_t day = digits(value, 5, 2);
  const int64_t month = place_in(months, slice(value, 8, 3));
  const int64_t year = digits(value, 12, 4);
  const int64_t hour = digits(value, 17, 2);
  const int64_t minute = digits(value, 20, 2);
  const int64_t second = digits(value, 23, 2);
  if (place_in(weekdays, slice(value, 0, 3)) < 0 || month < 0 || year < 1970) return {};
  constexpr int64_t lengths[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  if (day < 1 || day > lengths[month] + (month == 1 && leap(year) ? 1 : 0)) return {};
  if (hour > 23 || minute > 59 || second > 60) return {};  // 60: RFC 9110 allows leap seconds

  int64_t passed = (year - 1970) * 365 + leaps_until(year - 1) - leaps_until(1969) + day - 1;
  for (int64_t i = 0; i < month; ++i) passed += lengths[i];
  if (month > 1 && leap(year)) ++passed;
  return UnixTime{((passed * 24 + hour) * 60 + minute) * 60 + second};
}

}  // namespace tocsin
