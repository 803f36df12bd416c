#include "link/client_limits.h"

#include <new>

#include "base/encode.h"

namespace tocsin {

namespace {

struct Limit {
  int64_t burst;
  Duration interval;
};
// By What. An application server posts for all its users from one address; a phone unregisters its accounts once.
constexpr Limit limits[] = {
    {.burst = 40, .interval = milliseconds(250)},
    {.burst = 200, .interval = milliseconds(20)},
    {.burst = 10, .interval = seconds(6)},
};

uint64_t network_of(const Address& address) {
  if (address.family == Address::Family::v6) return get_u64(address.bytes);
  uint8_t padded[8] = {};
  copy_bytes(padded, address.ip());
  return get_u64(padded);
}

}  // namespace

ClientLimits::ClientLimits(Region& region) : clients_(reinterpret_cast<Client*>(region.carve(bytes_for()).data())) {
  for (uint32_t i = 0; i < clients; ++i) new (&clients_[i]) Client;
}

ClientLimits::Client& ClientLimits::client_of(const Address& address) {
  const bool v6 = address.family == Address::Family::v6;
  const uint64_t network = network_of(address);
  uint8_t bytes[9] = {v6};
  put_u64(bytes + 1, network);
  Client* set = clients_ + siphash(key_, bytes) % (clients / ways) * ways;
  Client* quietest = set;
  for (uint32_t i = 0; i < ways; ++i) {
    if (set[i].used != Instant{} && set[i].network == network && set[i].v6 == v6) return set[i];
    if (set[i].used < quietest->used) quietest = &set[i];
  }
  *quietest = Client{.network = network, .v6 = v6};
  return *quietest;
}

bool ClientLimits::take(const Address& address, What what, Instant now) {
  Client& client = client_of(address);
  const Limit& limit = limits[static_cast<size_t>(what)];
  Instant& full = client.full[static_cast<size_t>(what)];
  client.used = now + microseconds(1);  // never the zero of a free one
  full = later(full, now);
  if (full - now > limit.interval * (limit.burst - 1)) return false;
  full = full + limit.interval;
  return true;
}

}  // namespace tocsin
