// A binary heap of items by deadline over slots carved at start: insert and
// remove cost log n, the earliest is at the front. An item knows its place, so
// it can leave from anywhere.
#pragma once

#include <cstdint>

#include "base/check.h"
#include "base/time.h"

namespace tocsin {

// Item has `Instant due` and `uint32_t due_place` (0 = not queued).
template <class Item>
class DueQueue {
 public:
  DueQueue(Item** slots, uint32_t capacity) : slots_(slots), capacity_(capacity) {}
  bool empty() const { return size_ == 0; }
  uint32_t size() const { return size_; }
  Item* first() const { return size_ == 0 ? nullptr : slots_[0]; }

  void insert(Item& item) {
    GW_CHECK(item.due_place == 0 && size_ < capacity_);
    place(size_++, item);
    rise(size_ - 1);
  }
  void remove(Item& item) {
    GW_CHECK(item.due_place > 0 && slots_[item.due_place - 1] == &item);
    const uint32_t hole = item.due_place - 1;
    item.due_place = 0;
    Item& moved = *slots_[--size_];
    if (&moved == &item) return;
    place(hole, moved);
    rise(hole);
    sink(moved.due_place - 1);
  }

 private:
  void place(uint32_t at, Item& item) {
    slots_[at] = &item;
    item.due_place = at + 1;
  }
  void swap(uint32_t a, uint32_t b) {
    Item& x = *slots_[a];
    place(a, *slots_[b]);
    place(b, x);
  }
  void rise(uint32_t at) {
    for (; at > 0 && slots_[at]->due < slots_[(at - 1) / 2]->due; at = (at - 1) / 2) swap(at, (at - 1) / 2);
  }
  void sink(uint32_t at) {
    for (;;) {
      uint32_t least = at;
      for (uint32_t child = 2 * at + 1; child <= 2 * at + 2 && child < size_; ++child) {
        if (slots_[child]->due < slots_[least]->due) least = child;
      }
      if (least == at) return;
      swap(at, least);
      at = least;
    }
  }
  Item** slots_;
  uint32_t capacity_;
  uint32_t size_ = 0;
};

}  // namespace tocsin
