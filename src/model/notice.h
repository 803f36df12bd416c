// What a publish says (XEP-0357 summary and the Tigase extensions), after a
// dialect read it: views into the stanza, nothing interpreted yet. And how its
// addressee is called, which the gateway knows from the registration.
#pragma once

#include <cstdint>

#include "base/bytes.h"

namespace tocsin {

struct Notice {
  enum class Priority : uint8_t { unsaid, high, low };
  bool has_count = false;  // message-count was there with a number (ejabberd sends none, which is not 0)
  uint32_t count = 0;
  string_view sender;                    // last-message-sender
  string_view body;                      // last-message-body; empty: none
  Priority priority = Priority::unsaid;  // <priority xmlns='tigase:push:priority:0'>
  bool encrypted = false;                // <encrypted xmlns='tigase:push:encrypt:0'>, relayed untouched
  bool voip = false;                     // … type='voip'
  string_view ciphertext;                // base64 as received
  string_view iv;                        // base64 as received
  bool call_in_clear = false;            // <jingle action='propose'> or <meet> without <encrypted>

  // By what name the app looks for its account. All but `account` are woken and told nothing else.
  enum class Addressee : uint8_t {
    account,  // the registration's bare JID (Tigase, Web Push)
    hashed,   // the two hashes below (p2)
    nobody,   // none at all (stateless devices, mod_push_appserver)
  };
  Addressee addressee = Addressee::account;
  ByteView account_hash;  // SHA-1 of bare JID, NUL and device id; apps compare it in lower-case hex
  ByteView channel_hash;  // the same of the group chat that the device registered for; empty: for the account itself
};

}  // namespace tocsin
