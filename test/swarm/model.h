// What the clients of a registry know: who is registered, with what, and as what
// it was acknowledged. A registry agrees with a model when both have the same
// digest; why not, if not, is said in words.
#pragma once

#include <cstdint>

#include "base/writer.h"
#include "port/sim/random.h"
#include "registry/registry.h"

namespace tocsin::swarm {

// The devices of a play: small enough to meet all ends, among them a full registry.
inline constexpr uint32_t devices_max = 10;
inline constexpr uint32_t slots = 12;
inline constexpr uint32_t slots_per_account = 4;
inline constexpr size_t content_room = 2048;

// What one registration says, as the few numbers that its texts are made of.
struct Content {
  uint64_t token = 0;  // random: no two are the same
  uint16_t token_bytes = 0;
  uint16_t second_bytes = 0;
  uint8_t account = 0;
  uint8_t section = 0;
  uint8_t provider = 0;
  bool has_identity = false;  // which is the device's key then, not the token
  uint64_t identity = 0;
  // The last slot of each account is an endpoint: its node and key are the same each time, and come back after an end.
  bool endpoint = false;
};
inline bool is_endpoint(uint32_t slot) { return slot % slots_per_account == slots_per_account - 1; }
Content random_content(sim::Random& random, uint32_t slot);

struct Known {
  bool in = false;
  bool held = false;
  NodeId node;
  Content content;
  UnixTime registered{};
  uint32_t stored = 0;  // the refresh time as the disk has it
  uint32_t accepted_under = 0;
  uint64_t digest = 0;  // kept by Model::set

  // Views of the registration point into room (content_room bytes).
  Registration registration(Bytes room) const;
};

class Model {
 public:
  const Known& at(uint32_t slot) const { return known_[slot]; }
  void set(uint32_t slot, const Known& known);
  uint32_t count() const { return count_; }
  // Of all that is known, in no order.
  uint64_t digest() const { return digest_; }

 private:
  Known known_[slots];
  uint32_t count_ = 0;
  uint64_t digest_ = 0;
};

// Of all devices of the index, with their records read from the journal. A device that can not be read, or that
// its own index does not find, makes it one that no model has.
uint64_t digest_of(const Registry& registry, Bytes room);

// What of the model is missing, and what is too many, in a few words.
void describe_difference(const Model& model, const Registry& registry, Bytes room, Writer& out);

}  // namespace tocsin::swarm
