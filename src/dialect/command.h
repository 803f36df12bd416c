// What a stanza asks of the gateway, in the gateway's words. Views into the
// stanza that was read; they live as long as it does.
#pragma once

#include "base/bytes.h"
#include "model/notice.h"
#include "model/registration.h"
#include "proto/stanza.h"

namespace tocsin {

// Bounds beyond which an IQ is answered `wait` straight from the stanza and nothing is kept of it.
inline constexpr size_t iq_id_bytes_max = 1023;
inline constexpr size_t jid_bytes_max = 3071;
// UnifiedPush names an application and its instance by a SHA-256 each.
inline constexpr size_t endpoint_part_bytes = 32;

// Why a device was turned away, in so far as somebody could do something about it. The log tells of it.
enum class Refusal : uint8_t {
  none,
  accounts,   // not of a domain whose users may register
  provider,   // no section has this provider id
  missing,    // there is no section that these words are for
  undecided,  // there are several of the kind, and the conf says of none that it takes them
  field,      // a field is missing, or odd
  token,      // no token of this provider
  endpoint,   // Web Push: not at an address that pushes may go to
  many,       // the account has as many as it may have
};
inline constexpr size_t refusal_count = 9;

// What an answer needs, byte for byte as received (unescaped; writers escape again).
struct IqHead {
  string_view id;
  string_view from;  // who asked; the answer goes to exactly this
  string_view to;    // we, as addressed; the answer comes from exactly this
};

struct Command {
  enum class Kind : uint8_t {
    ignore,    // message, and mostly presence, IQ result or error; IQ without from
    answered,  // the dialect wrote the whole answer
    publish,
    register_device,
    unregister_device,
    // UnifiedPush, where the service offers it
    register_endpoint,
    reply,     // an IQ result or error: perhaps to a push of ours
    presence,  // of an account, to us
  };
  Kind kind = Kind::ignore;
  IqHead iq;
  string_view session;  // ad-hoc sessionid to echo, or ""

  // publish
  string_view node;
  string_view secret;       // publish-options field `secret`, or ""
  string_view module;       // publish-options field `pushModule` (fpush), or ""
  bool sandbox = false;     // publish-options field `sandbox` (Openfire)
  bool incomplete = false;  // over a limit: what was not read may have been anything, options as well
  Notice notice;

  // register_device, unregister_device
  DialectId dialect = DialectId::tigase;
  string_view asked;  // the command's node as the client wrote it
  string_view token;
  string_view provider;      // tigase: the provider id
  string_view second_token;  // tigase
  string_view p256dh;        // Web Push keys, base64url as sent; "" also where the token is the subscription's JSON
  string_view auth;
  string_view service;    // p2, v1: "apns" or "fcm"
  string_view device_id;  // p2, v1: what tells the account's devices apart
  string_view channel;    // p2: bare JID of a group chat that publishes for itself, or ""

  // answered: a device that wanted to register was turned away, in `dialect`
  Refusal refusal = Refusal::none;
  string_view refused_field;  // the name of the field that it is about (ours, not the client's), or ""

  // register_endpoint: hashes of 32 bytes each, decoded
  uint8_t application[endpoint_part_bytes] = {};
  uint8_t instance[endpoint_part_bytes] = {};

  // reply: the defined condition; "" for a result
  string_view condition;
  string_view error_type;
  // presence
  bool available = false;
};

}  // namespace tocsin
