// Ranges of IP addresses, and which addresses are public: what strangers may
// make us connect to (push endpoints are URLs that anybody registers).
#pragma once

#include "base/address.h"

namespace tocsin {

struct AddressRange {
  Address base;      // its port says nothing
  uint8_t bits = 0;  // of the prefix: 0 to 32, or to 128

  // An IPv4 range also contains the IPv6 spellings of its addresses: mapped (RFC 4291 §2.5.5.2) and NAT64's
  // well-known prefix (RFC 6052 §2.1).
  bool contains(const Address& address) const;
};

// "192.168.1.0/24", "fd00::/8"; without "/", one address. Error::malformed, also when bits behind the prefix are set:
// 192.168.1.7/24 may mean two things.
Result<AddressRange> parse_range(string_view text);

// Why the address is none of the public internet's, as a word for people ("private", "loopback", …); nullptr: it is
// public. IPv6 addresses that carry an IPv4 address are judged by that one (IANA's special-purpose registries).
const char* not_public(const Address& address);

// Which addresses we connect to where strangers name them.
struct AddressRules {
  std::span<const AddressRange> allowed{};  // of the conf: at any port, public or not
  // Why not, as words for people; nullptr: it may be.
  const char* refusal(const Address& address) const;
};

}  // namespace tocsin
