// The URL of a Web Push subscription, as a device registers it: anybody's words,
// which decide where we connect to. Whether the address behind the name may be
// connected to is another question, asked at the moment of connecting.
#pragma once

#include "base/arena.h"
#include "base/bytes.h"
#include "base/result.h"

namespace tocsin {

inline constexpr size_t origin_bytes_max = 8 + 253 + 6;  // "https://", a name, ":65535"

// Views into the URL.
struct Endpoint {
  string_view origin;  // "https://push.example.net" or with ":8443": VAPID's audience, and what a connection is for
  string_view host;    // lower case; an IPv6 literal without its brackets
  uint16_t port = 443;
  string_view path;  // with the query; never empty
};

// `allow_ports`: other ports than 443 are for addresses that the conf lists, see `allow_private`.
// The result is the URL in its one spelling: scheme and host in lower case, no port where it is 443, a path.
// Error::too_long over token_bytes_max; malformed: not https, with user, fragment, blanks, or a host that
// is neither a name in ASCII (IDNA's A-labels), nor an IPv4 address in its usual spelling, nor [IPv6];
// denied: another port; exhausted: scratch has no room.
Result<ByteView> normalise_endpoint(string_view url, bool allow_ports, Arena& scratch);

// Takes a URL of normalise_endpoint() apart; Error::malformed for others.
Result<Endpoint> read_endpoint(string_view url);

}  // namespace tocsin
