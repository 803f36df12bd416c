#include "port/sim/timeline.h"

namespace tocsin::sim {

EventQueue::EventQueue(Region& memory, uint32_t count)
    : slots_(reinterpret_cast<Slot*>(memory.carve(sizeof(Slot) * count).data())),
      heap_(reinterpret_cast<uint32_t*>(memory.carve(sizeof(uint32_t) * count).data())),
      count_(count) {}

EventId EventQueue::add(Instant at, Timed& target, uint64_t tag) {
  uint32_t slot = free_;
  if (slot != UINT32_MAX) {
    free_ = slots_[slot].place;
  } else {
    GW_CHECK(fresh_ < count_);  // give the simulation more events
    slot = fresh_++;
    slots_[slot].generation = 0;
  }
  const uint32_t generation = slots_[slot].generation + 1;
  slots_[slot] = {at, sequence_++, &target, tag, generation, 0};
  put(size_++, slot);
  rise(size_ - 1);
  return {slot, generation};
}

void EventQueue::cancel(EventId id) {
  if (id.slot >= fresh_ || slots_[id.slot].generation != id.generation) return;
  take_out(slots_[id.slot].place);
}

Timed* EventQueue::pop(uint64_t& tag) {
  if (size_ == 0) return nullptr;
  const Slot& first = slots_[heap_[0]];
  tag = first.tag;
  Timed* target = first.target;
  take_out(0);
  return target;
}

bool EventQueue::before(uint32_t a, uint32_t b) const {
  const Slot& x = slots_[a];
  const Slot& y = slots_[b];
  return x.at != y.at ? x.at < y.at : x.sequence < y.sequence;
}

void EventQueue::put(uint32_t place, uint32_t slot) {
  heap_[place] = slot;
  slots_[slot].place = place;
}

void EventQueue::rise(uint32_t place) {
  const uint32_t slot = heap_[place];
  while (place > 0 && before(slot, heap_[(place - 1) / 2])) {
    put(place, heap_[(place - 1) / 2]);
    place = (place - 1) / 2;
  }
  put(place, slot);
}

void EventQueue::sink(uint32_t place) {
  const uint32_t slot = heap_[place];
  for (;;) {
    uint32_t child = 2 * place + 1;
    if (child >= size_) break;
    if (child + 1 < size_ && before(heap_[child + 1], heap_[child])) ++child;
    if (!before(heap_[child], slot)) break;
    put(place, heap_[child]);
    place = child;
  }
  put(place, slot);
}

void EventQueue::take_out(uint32_t place) {
  const uint32_t gone = heap_[place];
  const uint32_t last = heap_[--size_];
  if (place < size_) {
    put(place, last);
    sink(place);
    rise(slots_[last].place);
  }
  ++slots_[gone].generation;  // the id of the event is stale from here on
  slots_[gone].place = free_;
  free_ = gone;
}

}  // namespace tocsin::sim
