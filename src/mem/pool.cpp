#include "mem/pool.h"

namespace tocsin {

SlotPool::SlotPool(Bytes room, size_t slot_bytes, uint32_t count)
    : room_(room), slot_bytes_(slot_bytes), count_(count), free_(count), low_water_(count) {
  GW_CHECK(slot_bytes >= sizeof(void*) && slot_bytes % alignof(void*) == 0);
  GW_CHECK(room.size() / slot_bytes >= count);
}

void* SlotPool::take() {
  if (free_ == 0) return nullptr;
  void* slot = head_;
  if (slot != nullptr) {
    std::memcpy(&head_, slot, sizeof(head_));
  } else {
    slot = slot_at(fresh_++);
  }
  --free_;
  if (free_ < low_water_) low_water_ = free_;
  return slot;
}

void SlotPool::give(void* slot) {
  GW_CHECK(holds(slot) && index_of(slot) < fresh_ && free_ < count_);
  std::memcpy(slot, &head_, sizeof(head_));
  head_ = slot;
  ++free_;
}

bool SlotPool::holds(const void* slot) const {
  const uintptr_t start = reinterpret_cast<uintptr_t>(room_.data());
  const uintptr_t at = reinterpret_cast<uintptr_t>(slot);
  return at >= start && at - start < slot_bytes_ * count_ && (at - start) % slot_bytes_ == 0;
}

uint32_t SlotPool::index_of(const void* slot) const {
  GW_CHECK(holds(slot));
  return static_cast<uint32_t>(static_cast<size_t>(static_cast<const uint8_t*>(slot) - room_.data()) / slot_bytes_);
}

}  // namespace tocsin
