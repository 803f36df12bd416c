// Three times that never mix: Duration, Instant (monotonic) and UnixTime (wall
// clock, may jump). Arithmetic saturates nowhere: the ranges are centuries.
#pragma once

#include <compare>
#include <cstdint>

namespace tocsin {

struct Duration {
  int64_t us = 0;
  constexpr int64_t ms() const { return us / 1000; }
  constexpr int64_t whole_seconds() const { return us / 1'000'000; }
  constexpr auto operator<=>(const Duration&) const = default;
};

constexpr Duration microseconds(int64_t n) { return {n}; }
constexpr Duration milliseconds(int64_t n) { return {n * 1000}; }
constexpr Duration seconds(int64_t n) { return {n * 1'000'000}; }
constexpr Duration minutes(int64_t n) { return seconds(n * 60); }
constexpr Duration hours(int64_t n) { return seconds(n * 3600); }
constexpr Duration days(int64_t n) { return hours(n * 24); }
constexpr Duration operator+(Duration a, Duration b) { return {a.us + b.us}; }
constexpr Duration operator-(Duration a, Duration b) { return {a.us - b.us}; }
constexpr Duration operator*(Duration a, int64_t n) { return {a.us * n}; }
constexpr Duration operator/(Duration a, int64_t n) { return {a.us / n}; }

// Monotonic; zero is some moment before start. never() compares later than everything.
struct Instant {
  int64_t us = 0;
  static constexpr Instant never() { return {INT64_MAX}; }
  constexpr auto operator<=>(const Instant&) const = default;
};
constexpr Instant operator+(Instant a, Duration b) { return {a.us + b.us}; }
constexpr Instant operator-(Instant a, Duration b) { return {a.us - b.us}; }
constexpr Duration operator-(Instant a, Instant b) { return {a.us - b.us}; }
constexpr Instant earlier(Instant a, Instant b) { return a < b ? a : b; }
constexpr Instant later(Instant a, Instant b) { return a < b ? b : a; }

// Seconds since 1970-01-01 UTC, as the system believes it.
struct UnixTime {
  int64_t s = 0;
  constexpr auto operator<=>(const UnixTime&) const = default;
};
constexpr UnixTime operator+(UnixTime a, Duration b) { return {a.s + b.whole_seconds()}; }
constexpr UnixTime operator-(UnixTime a, Duration b) { return {a.s - b.whole_seconds()}; }
constexpr Duration operator-(UnixTime a, UnixTime b) { return seconds(a.s - b.s); }

// Before this date (2024-01-01) a clock was never set: routers boot in 1970.
inline constexpr UnixTime plausible_from{1'704'067'200};
constexpr bool plausible(UnixTime t) { return t >= plausible_from; }

}  // namespace tocsin
