// How often one client may do something: connect, ask, unregister. A client is an IPv4 address or an IPv6 /64, for a
// host may use any address of its network. Bounded: of more clients than there is room for, the quietest are forgotten.
#pragma once

#include <cstdint>

#include "base/address.h"
#include "base/siphash.h"
#include "base/time.h"
#include "mem/region.h"

namespace tocsin {

class ClientLimits {
 public:
  enum class What : uint8_t { connect, request, unregister };
  static constexpr uint32_t clients = 1024;
  static size_t bytes_for() { return sizeof(Client) * clients; }

  explicit ClientLimits(Region& region);
  // Strangers must not be able to choose who is forgotten.
  void set_key(const HashKey& key) { key_ = key; }
  // False: it did that too often. Being refused costs nothing more.
  bool take(const Address& address, What what, Instant now);

 private:
  static constexpr uint32_t ways = 8;
  static constexpr uint32_t kinds = 3;
  struct Client {
    uint64_t network = 0;
    bool v6 = false;
    Instant used{};            // zero: free
    Instant full[kinds] = {};  // when the whole burst is there again
  };
  Client& client_of(const Address& address);
  Client* clients_;
  HashKey key_;
};

}  // namespace tocsin
