// The system's clocks: CLOCK_MONOTONIC as Instant, CLOCK_REALTIME as UnixTime.
#pragma once

#include "port/port.h"

namespace tocsin::posix {

// What PosixClock::now answers, for the files of this port.
Instant monotonic_now();

class PosixClock final : public port::Clock {
 public:
  Instant now() override { return monotonic_now(); }
  UnixTime wall() override;
};

}  // namespace tocsin::posix
