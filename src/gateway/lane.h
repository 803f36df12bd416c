// The way to one origin: what waits for it, what is on its way, and how it does. A
// section whose provider is one service has one lane, which the conf points
// somewhere. A section that speaks with many has a pool of them, each for the origin
// that needs it: what goes wrong with one origin stays in its lane.
#pragma once

#include <cstdint>

#include "base/address.h"
#include "base/text.h"
#include "base/time.h"
#include "gateway/job.h"
#include "push/credential.h"
#include "push/endpoint.h"

namespace tocsin {

struct Lane {
  static constexpr Duration slow_after = seconds(1);

  string_view name;  // the section's, for the log
  uint8_t section = 0;
  uint8_t link = 0;  // which of the loop's links serves it
  Credential* credential = nullptr;
  HostPort host;
  // ---- of a pool
  FixedText<origin_bytes_max> origin;  // whom it serves: "https://host[:port]"; empty: nobody yet
  uint32_t moves = 0;                  // how many origins it was given to: its link follows
  bool gives_way = false;              // somebody else needs it: its link gives up what it is about
  Instant used{};                      // when something was last made ready for it

  Instant down_until{};   // no connection could be made; none is tried before
  PushList ready;         // in the order in which they may leave
  PushList in_flight;     // in the order in which they left
  uint32_t jobs = 0;      // of the pool, waiting for its pushes
  FixedText<64> trouble;  // what was last said about it, to say it once

  bool idle() const { return ready.empty() && in_flight.empty(); }
  // Since when the oldest request is unanswered, or can not even leave; never() - slow_after when there is none.
  Instant waiting_since() const;
  // Unanswered for a second: it keeps fewer jobs, so that the others go on.
  bool slow(Instant now) const { return waiting_since() + slow_after <= now; }
  // From a pool, idle: to another origin, with which nothing has gone wrong yet.
  void move_to(string_view to);
};

}  // namespace tocsin
