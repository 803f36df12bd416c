// Where a lane's requests come from, and who hears what became of them: the
// publishes of a section, or the token that these need.
#pragma once

#include <cstdint>

#include "base/time.h"
#include "gateway/lane.h"

namespace tocsin {

class RequestSource {
 public:
  // From when on something wants to leave; never() when nothing does.
  virtual Instant wanted_at(const Lane& lane) const = 0;
  bool wants_to_send(const Lane& lane, Instant now) const { return wanted_at(lane) <= now; }
  // The next push of a lane that may leave now, moved to in_flight; nullptr: none.
  // The caller submits it, or gives it back with put_back().
  virtual Push* next(Lane& lane, Instant now) = 0;
  virtual void put_back(Push& push) = 0;
  // The exchange of an in-flight push is over.
  virtual void over(Push& push, Instant now, UnixTime wall) = 0;
  // No connection can be made and none is tried before `until`: what waits is answered
  // `wait` and goes out later. sentence: why.
  virtual void lane_down(Lane& lane, string_view sentence, Instant until, Instant now) = 0;
  virtual void lane_up(Lane& lane) = 0;
  // Of a pool: its host has an address that nobody may make us connect to. word: of what kind.
  virtual void lane_refused(Lane& lane, string_view why, Instant now) = 0;
  // Nothing of the section may be sent for a while: our credentials or our clock.
  virtual void section_paused(uint8_t section, string_view reason, string_view advice, Duration pause, Instant now) = 0;

 protected:
  ~RequestSource() = default;
};

}  // namespace tocsin
