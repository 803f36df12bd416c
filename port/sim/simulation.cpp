#include "port/sim/simulation.h"

#include <sys/mman.h>

#include <cstdio>

#include "base/check.h"

namespace tocsin::sim {

// 2026-01-01 00:00:00 UTC: a plausible beginning.
static constexpr int64_t first_wall_s = 1'767'225'600;

size_t Simulation::bytes_for(const Sizes& sizes) {
  const Network::Sizes& network = sizes.network;
  return EventQueue::bytes_for(sizes.events) + region_rounded(sizeof(Connection) * network.connections) +
         region_rounded(size_t{network.connections} * (network.to_gateway_bytes + network.to_peer_bytes));
}

Simulation::Simulation(Region& memory, const Sizes& sizes, uint64_t seed)
    : time_(memory, sizes.events, seed), network_(memory, sizes.network, time_) {
  set_wall({first_wall_s});
}

void Simulation::add(Node& node) {
  GW_CHECK(node_count_ < nodes_max);
  nodes_[node_count_++] = &node;
}

void Simulation::remove(Node& node) {
  for (uint32_t i = 0; i < node_count_; ++i) {
    if (nodes_[i] != &node) continue;
    for (uint32_t j = i + 1; j < node_count_; ++j) nodes_[j - 1] = nodes_[j];
    --node_count_;
    return;
  }
}

void Simulation::count_work() {
  if (++work_here_ <= turns_per_instant_max) return;
  std::fprintf(stderr, "simulation: seed %llu: time stands still at %lld us: %llu turns, %llu events so far\n",
               static_cast<unsigned long long>(seed()), static_cast<long long>(now().us),
               static_cast<unsigned long long>(turns_), static_cast<unsigned long long>(events_));
  check_failed(__FILE__, __LINE__, "gateways and actors run out of work at every instant");
}

bool Simulation::turn_of_next() {
  for (uint32_t i = 0; i < node_count_; ++i) {
    Node& node = *nodes_[(next_node_ + i) % node_count_];
    if (!node.ready()) continue;
    next_node_ = (next_node_ + i + 1) % node_count_;
    ++turns_;
    count_work();
    node.turn();
    return true;
  }
  return false;
}

bool Simulation::step(Instant limit) {
  if (turn_of_next()) return true;
  Instant next = time_.queue().next_at();
  for (uint32_t i = 0; i < node_count_; ++i) next = earlier(next, nodes_[i]->until());
  if (next > limit) {
    if (limit > now()) {
      time_.advance(limit);
      work_here_ = 0;
    }
    return false;
  }
  if (next > now()) {
    time_.advance(next);
    work_here_ = 0;
  }
  if (time_.queue().next_at() > now()) return true;  // somebody's `until` has come
  uint64_t tag = 0;
  Timed* target = time_.queue().pop(tag);
  ++events_;
  count_work();
  target->on_event(tag);
  return true;
}

void Simulation::run_until(Instant limit) {
  while (step(limit)) {
  }
}

Bytes map_memory(size_t bytes) {
  void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  GW_CHECK(memory != MAP_FAILED);
  return {static_cast<uint8_t*>(memory), bytes};
}

void unmap_memory(Bytes memory) { munmap(memory.data(), memory.size()); }

}  // namespace tocsin::sim
