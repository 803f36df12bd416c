// What a publish becomes: one table for every provider (rows of "what leaves").
#pragma once

#include "base/bytes.h"
#include "base/time.h"
#include "model/notice.h"

namespace tocsin {

enum class Payload : uint8_t { tigase, wake };
enum class Empty : uint8_t { high, normal, drop };  // what a publish without body becomes

// The row of the table that fits first.
enum class Situation : uint8_t { voip, encrypted, encrypted_low, read_elsewhere, call, body, low, rest };
Situation situation_of(const Notice& notice);

struct Outgoing {
  Payload payload = Payload::tigase;
  bool send = true;          // false: nothing leaves, the answer is result
  bool alert = true;         // else a background push
  bool urgent = true;        // priority 10, else 5
  bool call = false;         // expiry 30 s, never coalesced, never limited, never retried after 30 s
  bool content = false;      // carries ciphertext or clear text: coalesces only by the device's limits
  bool ciphertext = false;   // with encrypted and iv
  bool clear_text = false;   // sender and body may go, if the section says so
  bool unread_zero = false;  // unread-messages: 0
  Duration ttl = hours(24);
};
Outgoing outgoing_for(Situation situation, Payload payload, Empty empty, bool clear_text_allowed);

}  // namespace tocsin
