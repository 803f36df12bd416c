// Intrusive doubly linked list: the hook lives in the item, so linking can not
// fail and allocates nothing. An item is in at most one list per hook; it must
// be unlinked before its storage goes back to a pool.
#pragma once

#include "base/check.h"

namespace tocsin {

template <class T>
struct ListHook {
  T* previous = nullptr;
  T* next = nullptr;
  bool linked = false;
};

template <class T, ListHook<T> T::*hook>
class List {
 public:
  T* first() const { return first_; }
  T* last() const { return last_; }
  T* after(const T& item) const { return (item.*hook).next; }
  bool empty() const { return first_ == nullptr; }
  unsigned size() const { return size_; }

  void push_back(T& item) { insert_after(last_, item); }
  void push_front(T& item) { insert_after(nullptr, item); }

  // Puts item behind position; nullptr means at the front.
  void insert_after(T* position, T& item) {
    ListHook<T>& h = item.*hook;
    GW_CHECK(!h.linked);
    h.previous = position;
    h.next = position == nullptr ? first_ : (position->*hook).next;
    (h.previous == nullptr ? first_ : (h.previous->*hook).next) = &item;
    (h.next == nullptr ? last_ : (h.next->*hook).previous) = &item;
    h.linked = true;
    ++size_;
  }

  void remove(T& item) {
    ListHook<T>& h = item.*hook;
    GW_CHECK(h.linked);
    (h.previous == nullptr ? first_ : (h.previous->*hook).next) = h.next;
    (h.next == nullptr ? last_ : (h.next->*hook).previous) = h.previous;
    h = ListHook<T>{};
    --size_;
  }

  T* pop_front() {
    T* item = first_;
    if (item != nullptr) remove(*item);
    return item;
  }

 private:
  T* first_ = nullptr;
  T* last_ = nullptr;
  unsigned size_ = 0;
};

}  // namespace tocsin
