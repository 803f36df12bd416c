// Slots carved once at start-up. take() answers nullptr when empty; the caller
// turns that into "busy", never into an abort. All logic is in SlotPool, compiled once.
#pragma once

#include <cstdint>
#include <new>
#include <type_traits>

#include "base/bytes.h"
#include "base/check.h"
#include "mem/region.h"

namespace tocsin {

class SlotPool {
 public:
  SlotPool(Bytes room, size_t slot_bytes, uint32_t count);
  void* take();
  void give(void* slot);  // must come from this pool and be taken
  uint32_t count() const { return count_; }
  uint32_t free_count() const { return free_; }
  uint32_t low_water() const { return low_water_; }
  bool holds(const void* slot) const;
  uint32_t index_of(const void* slot) const;
  void* slot_at(uint32_t index) const { return room_.data() + index * slot_bytes_; }

 private:
  Bytes room_;
  size_t slot_bytes_;
  uint32_t count_;
  uint32_t free_;
  uint32_t low_water_;
  uint32_t fresh_ = 0;    // slots from here on were never used: untouched pages stay untouched
  void* head_ = nullptr;  // freed slots, last in first out, so that few pages stay warm
};

template <class T>
class Pool : private SlotPool {
  static_assert(alignof(T) <= region_alignment);

 public:
  static constexpr size_t slot_bytes =
      ((sizeof(T) > sizeof(void*) ? sizeof(T) : sizeof(void*)) + alignof(T) - 1) / alignof(T) * alignof(T);
  static constexpr size_t bytes_for(uint32_t count) { return region_rounded(slot_bytes * count); }

  Pool(Region& region, uint32_t count) : SlotPool(region.carve(slot_bytes * count), slot_bytes, count) {}
  [[nodiscard]] T* take() {
    void* slot = SlotPool::take();
    return slot == nullptr ? nullptr : new (slot) T;
  }
  void give(T& item) {
    item.~T();
    SlotPool::give(&item);
  }
  using SlotPool::count, SlotPool::free_count, SlotPool::low_water;
};

}  // namespace tocsin
