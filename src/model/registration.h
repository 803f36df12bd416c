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
inline constexpr size_t section_bytes_max = 64;   // "apns/siskin"
inline constexpr size_t identity_bytes_max = 64;  // longer ones are kept as a hash
inline constexpr size_t secret_bytes_max = 64;
inline constexpr size_t channel_bytes_max = 2047;  // a group chat's bare JID

// The words in which a device was registered, as the registry keeps them: never renumber.
enum class DialectId : uint8_t { tigase = 0, p2 = 1, v1 = 2, openfire = 3, web_push = 4, unified_push = 5 };

// As the log and `tocsin registry dump` call them.
inline string_view name_of(DialectId dialect) {
  switch (dialect) {
    case DialectId::tigase: return "tigase";
    case DialectId::p2: return "p2";
    case DialectId::v1: return "v1";
    case DialectId::openfire: return "openfire";
    case DialectId::web_push: return "web_push";
    case DialectId::unified_push: return "unified_push";
  }
  return "unknown";
}

struct Registration {
  NodeId node{};
  string_view account{};    // bare JID, as the registrant's server wrote it
  string_view section{};    // which provider section takes it: "apns/siskin"
  string_view provider{};   // the provider id the client named
  ByteView token{};         // normalised by the provider: APNs tokens as bytes, Web Push endpoints; of an endpoint
                            // of ours the hashes of application and instance
  ByteView second_token{};  // VoIP token, Web Push keys, the resource of an endpoint's client, or empty
  UnixTime registered{};    // first registration of this node
  ByteView identity{};      // what tells the account's devices apart where it is not the token, or empty
  string_view secret{};     // that publishers must name, or empty
  string_view channel{};    // group chat whose domain may publish as well, or empty
  DialectId dialect = DialectId::tigase;

  // UnifiedPush: no device that publishes ring, but an endpoint from which an account's client is served.
  bool is_endpoint() const { return dialect == DialectId::unified_push; }

  // One account has one device with it.
  ByteView key() const { return identity.empty() ? token : identity; }
};

}  // namespace tocsin
