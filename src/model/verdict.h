// The provider's opinion of one request, in our words. What happens to the
// device, the section and the publisher follows from it in gateway/.
#pragma once

#include <cstdint>

#include "base/bytes.h"
#include "base/time.h"

namespace tocsin {

// When and how often a push is tried again; the schedule is push/retry.cpp.
enum class RetryClass : uint8_t {
  never,
  unprocessed,     // the peer did not touch it
  shutting_down,   // 503 Shutdown: this server only
  server_trouble,  // 5xx of APNs
  server_busy,     // 5xx of Google: soon again, given up after an hour
  origin_busy,     // 5xx of a push service: as long as the push lives
  device_rate,     // 429 of APNs: one device, without Retry-After
  rate,            // 429 of others without Retry-After
  rate_told,       // 429 with Retry-After (Verdict::after)
  authorization,   // after a credential was renewed
  connect,         // no connection
  unknown,         // reset or lost after it was sent: only with the same collapse id
};

struct Verdict {
  enum class Kind : uint8_t {
    delivered,
    dead,     // the provider's clear word about this device; gone_since for the timestamp rule
    suspect,  // a word that a wrong configuration or clock produces too: dead only with proof, else held
    retry,    // by retry_class
    limited,  // the provider limits this device: answered result, the push waits
    refused,  // this notification is bad (our bug) or not wanted; the device stays
    shrink,   // too large: once more without content
    config,   // our credentials, topic or clock: the section pauses
  };
  Kind kind = Kind::refused;
  RetryClass retry_class = RetryClass::never;
  Duration after{};          // what the provider told; 0: as the class says
  Duration pause{};          // config: how long nothing is sent to the section
  bool reconnect = false;    // the connection is spent
  bool reauthorize = false;  // mint a new token if its rules allow
  bool environment = false;  // suspect: the other environment may be the right one
  // Says nothing of the device at once, but so often in a row, or with nothing else for so long, that it is held; 0:
  // never.
  uint8_t hold_after_times = 0;
  Duration hold_after{};
  Duration clock_off{};   // not 0: the refusal may be our clock's fault, which is so far behind the provider's
  UnixTime gone_since{};  // dead: 0 = the provider gave no time
  string_view reason;     // the provider's word; valid as long as the reply
  string_view advice;     // literal: what the operator should check, "" when nothing
};

}  // namespace tocsin
