// An IP address with a port, as values; and host:port as the conf writes it.
#pragma once

#include <cstdint>

#include "base/bytes.h"
#include "base/result.h"
#include "base/text.h"
#include "base/writer.h"

namespace tocsin {

struct Address {
  enum class Family : uint8_t { v4, v6 };
  Family family = Family::v4;
  uint8_t bytes[16] = {};  // network order; v4 uses the first four
  uint16_t port = 0;
  ByteView ip() const { return {bytes, family == Family::v4 ? 4u : 16u}; }
  bool operator==(const Address&) const = default;
};

// "192.0.2.1" or "2001:db8::1" (RFC 4291 §2.2), no brackets, no zone, no odd
// spellings (no hex or octal IPv4).
Result<Address> parse_ip(string_view text, uint16_t port);
bool is_loopback(const Address& address);                 // 127.0.0.0/8, ::1, ::ffff:127.0.0.0/104
void write_address(Writer& out, const Address& address);  // 192.0.2.1:443, [2001:db8::1]:443

// A host with a port: "name", "name:5347", "192.0.2.1:5347", "[::1]:5347", "::1".
struct HostPort {
  FixedText<255> host;  // without brackets
  uint16_t port = 0;
};
Result<HostPort> parse_host_port(string_view text, uint16_t default_port);

}  // namespace tocsin
