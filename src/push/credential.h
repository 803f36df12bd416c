// What a section's requests are signed with, in one place for all of them: a
// token that is minted here, or one that is fetched from somewhere else.
#pragma once

#include "base/random.h"
#include "base/result.h"
#include "base/text.h"
#include "base/time.h"

namespace tocsin {

class Credential {
 public:
  // Asked before requests leave: is authorization() good now? Error::again: the clock was never set.
  // Error::busy: not yet, somebody is fetching it. Else the key's error.
  virtual Status keep_fresh(Instant now, UnixTime wall, RandomSource& random) = 0;
  // It is being fetched: whoever wants to send is woken by that, not by time.
  virtual bool waiting(Instant now) const = 0;
  // After the provider refused it: true when there is, or will be, another.
  virtual bool renew(Instant now, UnixTime wall, RandomSource& random) = 0;
  // After a refusal that a wrong clock produces too: the provider's is so far ahead of ours. From `learnt` on
  // everything is signed in its time; `known`: this is so already, and what was refused was signed before; `no`: it is
  // not that.
  enum class Clock : uint8_t { no, known, learnt };
  virtual Clock correct_clock(Duration, Instant) { return Clock::no; }
  virtual Duration clock_off() const { return {}; }
  // Value of the header of that name, valid until the next call; "": no such header.
  virtual string_view authorization() const = 0;

 protected:
  ~Credential() = default;
};

}  // namespace tocsin
