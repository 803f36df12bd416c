#include "port/posix/clock.h"

#include <time.h>

namespace tocsin::posix {

Instant monotonic_now() {
  timespec t{};
  GW_CHECK(clock_gettime(CLOCK_MONOTONIC, &t) == 0);
  return Instant{int64_t{t.tv_sec} * 1'000'000 + t.tv_nsec / 1000};
}

UnixTime PosixClock::wall() {
  timespec t{};
  GW_CHECK(clock_gettime(CLOCK_REALTIME, &t) == 0);
  return UnixTime{t.tv_sec};
}

}  // namespace tocsin::posix
