// One device of one account, as the registry keeps it and translators read it.
// Views live as long as the room the record was read into.
#pragma once

#include <cstdint>

#include "base/bytes.h"
#include "base/time.h"
#include "model/node_id.h"

namespace tocsin {

// Bounds of what a registration may carry; more is refused at registration.
inline constexpr size_t account_bytes_max = 2047;  // bare JID: RFC 7622 allows 1023 + '@' + 1023
inline constexpr size_t token_bytes_max = 1000;    // FCM tokens are ~160, endpoints ≤ 1000 (UnifiedPush)
inline constexpr size_t provider_bytes_max = 255;
inline constexpr size_t section_bytes_max = 64;  // "apns/siskin"

struct Registration {
  NodeId node;
  string_view account;    // bare JID, as the registrant's server wrote it
  string_view section;    // which provider section takes it: "apns/siskin"
  string_view provider;   // the provider id the client named
  ByteView token;         // normalised by the provider: APNs tokens as bytes
  ByteView second_token;  // VoIP token, or empty
  UnixTime registered;    // first registration of this node
};

}  // namespace tocsin
