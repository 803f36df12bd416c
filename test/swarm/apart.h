// A play in a process of its own: what stops it (a check of the code itself, a
// fault) stops nothing else, and counts as a failure with the seed's number.
#pragma once

#include "test/swarm/play.h"

namespace tocsin::swarm {

Findings play_apart(Stage& stage, uint64_t seed, Mutation mutation);

// Seeds 1, 2, … until one fails, at most `seeds`. The failing seed; 0: none did.
uint64_t first_failure(Stage& stage, Mutation mutation, uint64_t seeds, Findings& findings);

}  // namespace tocsin::swarm
