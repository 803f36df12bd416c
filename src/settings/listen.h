// [listen] and [metrics]: where others connect to us, and whom we believe about who they are.
#pragma once

#include <cstdint>

#include "base/address.h"
#include "base/address_range.h"
#include "base/text.h"

namespace tocsin {

inline constexpr uint32_t listen_addresses_max = 8;
inline constexpr uint32_t forwarders_max = 16;
inline constexpr size_t listen_path_bytes_max = 107;  // of a unix socket: sun_path on Linux, with its zero
inline constexpr size_t listen_url_bytes_max = 300;
inline constexpr uint32_t connections_max = 512;

struct ListenAddress {
  enum class Kind : uint8_t {
    any,        // *:443: one socket for both families
    ip,         // 127.0.0.1:8085, [::]:443
    unix_path,  // unix:/run/tocsin/http.sock
    systemd,    // what the service manager opened for us
  };
  Kind kind = Kind::ip;
  Address address;  // of any, its port
  FixedText<listen_path_bytes_max> path;
  bool is_near() const { return kind == Kind::unix_path || (kind == Kind::ip && is_loopback(address)); }
};
void write_listen_address(Writer& out, const ListenAddress& address);  // as the conf spells it

template <uint32_t capacity>
struct AddressRanges {
  AddressRange items[capacity];
  uint32_t count = 0;
  bool contain(const Address& address) const {
    for (uint32_t i = 0; i < count; ++i) {
      if (items[i].contains(address)) return true;
    }
    return false;
  }
};
using Forwarders = AddressRanges<forwarders_max>;
Forwarders loopback_only();

struct ListenAddresses {
  ListenAddress items[listen_addresses_max];
  uint32_t count = 0;
  const ListenAddress* begin() const { return items; }
  const ListenAddress* end() const { return items + count; }
};

struct FileMode {
  uint32_t bits = 0;
};

}  // namespace tocsin
