// How long to wait before the next try: doubling with jitter, so that many
// gateways never come back in step.
#pragma once

#include <cstdint>

#include "base/time.h"

namespace tocsin {

struct Backoff {
  Duration first;
  Duration most;
  // failures: how many tries failed in a row before this wait; the wait is 50 … 100 % of first · 2^failures.
  Duration wait(uint32_t failures, uint64_t random) const {
    int64_t us = first.us;
    for (uint32_t i = 0; i < failures && us < most.us; ++i) us *= 2;
    if (us > most.us) us = most.us;
    return {us / 2 + static_cast<int64_t>(random % static_cast<uint64_t>(us / 2 + 1))};
  }
};

}  // namespace tocsin
