// Stateless devices (fpush) that the provider declared dead, and those it spoke
// of in words that our own mistakes produce too: there is no registration to end
// or to hold, so they are remembered here for a while. A bounded table: a full
// neighbourhood forgets whoever would be forgotten first, which errs on the side of sending.
#pragma once

#include <cstdint>

#include "base/time.h"
#include "mem/region.h"
#include "model/node_id.h"

namespace tocsin {

class DeadTokens {
 public:
  static constexpr Duration dead_first = hours(24);  // doubles with each death up to dead_most
  static constexpr Duration dead_most = days(5);
  static constexpr Duration held_for = hours(24);
  enum class State : uint8_t { unknown, dead, held };

  static size_t bytes_for(uint32_t tokens);
  // tokens: room for so many, rounded up to a multiple of 8; 0: nothing is ever remembered.
  DeadTokens(Region& region, uint32_t tokens);

  // device: the keyed hash of token and section, so that nobody can choose its place.
  State state(const NodeId& device, Instant now) const;
  void died(const NodeId& device, Instant now);
  void hold(const NodeId& device, Instant now);
  void accepted(const NodeId& device);  // it lives: what was known of it is forgotten

 private:
  static constexpr uint32_t ways = 8;
  struct Entry {
    NodeId device;
    Instant until{};  // afterwards only its deaths are known
    uint8_t deaths = 0;
    bool used = false;
    bool held = false;
  };
  Entry* bucket_of(const NodeId& device) const;
  Entry* find(const NodeId& device) const;
  Entry* entry(const NodeId& device);
  Entry* entries_;
  uint32_t buckets_;
};

}  // namespace tocsin
