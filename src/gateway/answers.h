// What a publish is answered: the whole table, in one place.
#pragma once

#include <cstdint>

#include "base/bytes.h"
#include "model/answer.h"

namespace tocsin {

enum class Outcome : uint8_t {
  delivered,  // the provider accepted
  queued,     // not known after 5 s, or the section is slow and the pending pool has room
  coalesced,  // superseded by a newer push of the same device, or nothing is to be sent
  limited,    // the provider's limit for this device, or ours
  retry,      // provider in trouble, known within 5 s
  config,     // our credentials, topic or clock; section off, missing or paused
  refused,    // the provider found our request wrong: a bug of ours, the device stays
  busy,       // pending pool full, registry unreadable, stopping
  dead,       // declared dead and dropped
  unknown,    // no such node, wrong secret, or the publisher's domain may not publish to it
  held,       // the device is held: nothing is sent
};

Answer answer_of(Outcome outcome);
string_view verdict_word(Outcome outcome);  // the log's `verdict=`

}  // namespace tocsin
