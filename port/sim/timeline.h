// Virtual time: the clock, the queue of what is to happen, and the trace, a
// hash over everything that did happen. Two runs with the same seed must end
// with the same trace; if not, something outside the seed has leaked in.
#pragma once

#include <cstdint>

#include "base/bytes.h"
#include "base/time.h"
#include "mem/region.h"
#include "port/sim/random.h"

namespace tocsin::sim {

// Somebody to whom things happen. tag is what it gave when it asked.
class Timed {
 public:
  virtual void on_event(uint64_t tag) = 0;

 protected:
  ~Timed() = default;
};

struct EventId {
  uint32_t slot = UINT32_MAX;
  uint32_t generation = 0;
};

// Ordered by time, then by the order of asking. A full queue is a mistake of the
// test (GW_CHECK): the count is one of its sizes.
class EventQueue {
 public:
  EventQueue(Region& memory, uint32_t count);
  static size_t bytes_for(uint32_t count) {
    return region_rounded(sizeof(Slot) * count) + region_rounded(sizeof(uint32_t) * count);
  }
  EventId add(Instant at, Timed& target, uint64_t tag);
  void cancel(EventId id);  // nothing happens if it has fired or was cancelled
  Instant next_at() const { return size_ == 0 ? Instant::never() : slots_[heap_[0]].at; }
  // Takes the first event out of the queue; the caller lets it happen.
  Timed* pop(uint64_t& tag);
  uint32_t size() const { return size_; }

 private:
  struct Slot {
    Instant at;
    uint64_t sequence;
    Timed* target;
    uint64_t tag;
    uint32_t generation;
    uint32_t place;  // in heap_, or the next free slot
  };
  bool before(uint32_t a, uint32_t b) const;
  void put(uint32_t place, uint32_t slot);
  void rise(uint32_t place);
  void sink(uint32_t place);
  void take_out(uint32_t place);

  Slot* slots_;
  uint32_t* heap_;
  uint32_t count_;
  uint32_t size_ = 0;
  uint32_t fresh_ = 0;  // slots from here on were never used
  uint32_t free_ = UINT32_MAX;
  uint64_t sequence_ = 0;
};

class Trace {
 public:
  void add(uint64_t word) {
    value_ = (value_ ^ word) * 0x9e3779b97f4a7c15;
    value_ ^= value_ >> 29;
  }
  void add(ByteView bytes) {
    add(bytes.size());
    for (const uint8_t byte : bytes) add(uint64_t{byte});
  }
  uint64_t value() const { return value_; }

 private:
  uint64_t value_ = 0xcbf29ce484222325;
};

// What the parts of a simulation share.
class Timeline {
 public:
  Timeline(Region& memory, uint32_t events, uint64_t seed) : queue_(memory, events), random_(seed), seed_(seed) {}

  Instant now() const { return now_; }
  void advance(Instant to) {
    GW_CHECK(to >= now_);
    now_ = to;
  }
  EventId at(Instant when, Timed& target, uint64_t tag) { return queue_.add(later(when, now_), target, tag); }
  EventId after(Duration delay, Timed& target, uint64_t tag) { return at(now_ + delay, target, tag); }
  void cancel(EventId id) { queue_.cancel(id); }
  EventQueue& queue() { return queue_; }
  const EventQueue& queue() const { return queue_; }
  Random& random() { return random_; }
  Trace& trace() { return trace_; }
  uint64_t seed() const { return seed_; }

 private:
  Instant now_{1'000'000};
  EventQueue queue_;
  Random random_;
  Trace trace_;
  uint64_t seed_;
};

}  // namespace tocsin::sim
