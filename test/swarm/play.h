// One play: a random life with everything that happens to it, from one seed. The
// same seed plays the same, on every machine.
#pragma once

#include "test/swarm/life.h"

namespace tocsin::swarm {

// For a whole program; plays follow each other in it.
class Stage {
 public:
  Stage();
  Findings play(uint64_t seed, Mutation mutation = Mutation::none);

 private:
  Bytes memory_;
};

}  // namespace tocsin::swarm
