// When a push is tried again: one table (spec: providers, "retry schedule").
#pragma once

#include <cstdint>

#include "base/time.h"
#include "model/verdict.h"

namespace tocsin {

struct RetryPlan {
  bool again = false;
  Duration after{};
};
// tries: how often this push was tried in this class already (1 after the first failure);
// random: 64 unpredictable bits for jitter; told: Retry-After of the reply, which is kept in every class but those that
// go at once; passed: since the first failure in this class.
RetryPlan plan_retry(RetryClass retry_class, uint32_t tries, uint64_t random, Duration told = {}, Duration passed = {});

// Retry-After (RFC 9110 §10.2.3): seconds or an HTTP-date, clamped to 1 s … 6 h; 0 when unreadable.
Duration parse_retry_after(string_view value, UnixTime now);
// IMF-fixdate of RFC 9110 §5.6.7; 0 when unreadable.
UnixTime parse_http_date(string_view value);

}  // namespace tocsin
