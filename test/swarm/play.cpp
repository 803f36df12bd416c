#include "test/swarm/play.h"

#include <new>

namespace tocsin::swarm {

Stage::Stage() : memory_(sim::map_memory(depth_max * (Life::bytes_for() + region_rounded(sizeof(Life))))) {}

void Findings::add(const Findings& other) {
  points += other.points;
  cut_tails += other.cut_tails;
  in_doubt += other.in_doubt;
  acknowledged += other.acknowledged;
  refused += other.refused;
  compactions += other.compactions;
  failed_compactions += other.failed_compactions;
  restarts += other.restarts;
  second_lives += other.second_lives;
}

Findings Stage::play(uint64_t seed, Mutation mutation) {
  Findings findings;
  Region region(memory_);
  Life* life = nullptr;
  for (uint32_t depth = depth_max; depth-- > 0;) {
    const Bytes place = region.carve(sizeof(Life));
    life = new (place.data()) Life(region, seed * depth_max + depth, depth, mutation, findings, life);
  }
  life->begin();
  life->live(30);
  return findings;
}

}  // namespace tocsin::swarm
