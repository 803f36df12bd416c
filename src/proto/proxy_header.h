// The PROXY protocol, versions 1 and 2 (HAProxy's proxy-protocol.txt): who really connected, in front of everything
// else that a proxy passes on.
#pragma once

#include "base/address.h"

namespace tocsin {

struct ProxyHeader {
  enum class Found : uint8_t { more, header, malformed };
  // Longer ones carry what nobody here asks for, and are malformed.
  static constexpr size_t bytes_max = 536;

  Found found = Found::more;
  size_t used = 0;          // of a header
  bool has_source = false;  // false: the proxy speaks for itself (health checks), or of another kind of network
  Address source;
};

// in: from the first byte on. Pure.
ProxyHeader read_proxy_header(ByteView in);

}  // namespace tocsin
