// A world on virtual time: several gateways in one process, a network, names,
// and peers that are actors of the test. Same seed, same trace().
//
// A scenario in ten lines:
//   Bytes memory = map_memory(Simulation::bytes_for({}) + …);     once per test program
//   Region region(memory);
//   Simulation world(region, {}, 42);                             42 is the seed
//   Disk disk(region, {}, 42);                                    outlives the gateway, as disks do
//   SimPort port(region, world, disk, 1);                         1 is its pid
//   world.names().set("xmpp.example.org", server_address);
//   world.network().listen(server_address, fake_server).latency = milliseconds(20);
//   Gateway gateway(port.port()); port.drive(&gateway);           a Turner: turn() waits once and works
//   world.run_while([&] { return !fake_server.ready; }, seconds(10));
//   port.kill(Death::power); disk.crash(random_crash(random), random); … and wire a new gateway to the port
//
// When time moves: a gateway has something to do when a socket of its last wait is
// ready, a lookup or sync ended, wake() was called or its `until` has come. Only when
// no gateway has, the next event happens; only when there is none now, time advances.
#pragma once

#include <cstdint>

#include "base/time.h"
#include "mem/region.h"
#include "port/sim/names.h"
#include "port/sim/network.h"
#include "port/sim/timeline.h"

namespace tocsin::sim {

// One turn of a gateway's loop: calls Net::wait once and works.
class Turner {
 public:
  virtual void turn() = 0;

 protected:
  ~Turner() = default;
};

// What the simulation asks of a port; implemented by SimPort.
class Node {
 public:
  virtual bool ready() = 0;           // its Net::wait would return at this moment
  virtual Instant until() const = 0;  // when it would return if nothing happened
  virtual void turn() = 0;

 protected:
  ~Node() = default;
};

class Simulation {
 public:
  struct Sizes {
    uint32_t events = 8192;
    Network::Sizes network;
  };
  static constexpr uint32_t nodes_max = 8;
  static constexpr uint64_t turns_per_instant_max = 1'000'000;
  static size_t bytes_for(const Sizes& sizes);

  Simulation(Region& memory, const Sizes& sizes, uint64_t seed);
  Simulation(const Simulation&) = delete;
  Simulation& operator=(const Simulation&) = delete;

  Instant now() const { return time_.now(); }
  UnixTime wall() const { return {(time_.now().us + wall_offset_us_) / 1'000'000}; }
  // The wall clock jumps; it may go back, and be implausible.
  void set_wall(UnixTime wall) { wall_offset_us_ = wall.s * 1'000'000 - time_.now().us; }

  Network& network() { return network_; }
  NameTable& names() { return names_; }
  Timeline& time() { return time_; }
  Random& random() { return time_.random(); }
  uint64_t seed() const { return time_.seed(); }
  uint64_t trace() { return time_.trace().value(); }

  // For actors: something of their own at a time. Passed moments count as now.
  EventId at(Instant when, Timed& actor, uint64_t tag = 0) { return time_.at(when, actor, tag); }
  EventId after(Duration delay, Timed& actor, uint64_t tag = 0) { return time_.after(delay, actor, tag); }
  void cancel(EventId id) { time_.cancel(id); }

  // Does one thing: a turn, an event, or moving to the next moment, none of them
  // beyond limit. False when all there was is done; the time is limit then.
  bool step(Instant limit);
  void run_until(Instant limit);
  void run_for(Duration duration) { run_until(now() + duration); }
  // Runs while it says so, at most for limit; true when it stopped saying so.
  template <class Predicate>
  bool run_while(Predicate&& going_on, Duration limit) {
    const Instant end = now() + limit;
    while (going_on()) {
      if (!step(end)) return !going_on();
    }
    return true;
  }

  uint64_t turns() const { return turns_; }
  uint64_t events() const { return events_; }

  void add(Node& node);
  void remove(Node& node);

 private:
  bool turn_of_next();
  void count_work();

  Timeline time_;
  Network network_;
  NameTable names_;
  int64_t wall_offset_us_;
  Node* nodes_[nodes_max] = {};
  uint32_t node_count_ = 0;
  uint32_t next_node_ = 0;
  uint64_t turns_ = 0;
  uint64_t events_ = 0;
  uint64_t work_here_ = 0;  // turns and events at the present instant
};

// Address space for a whole test program, touched only where it is used: zeroed,
// page-aligned. Stops the process when the system has none.
Bytes map_memory(size_t bytes);
void unmap_memory(Bytes memory);

}  // namespace tocsin::sim
