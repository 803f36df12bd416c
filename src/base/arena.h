// Scratch memory: bump allocation over bytes that somebody else owns, rewound
// at the end of the call that used it. Nothing in it is ever destroyed, so only
// trivially destructible things live here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <new>
#include <type_traits>

#include "base/bytes.h"

namespace tocsin {

class Arena {
 public:
  Arena() = default;
  explicit Arena(Bytes room) : room_(room) {}

  // nullptr when there is no room; the arena is unchanged then.
  [[nodiscard]] void* take(size_t size, size_t alignment) {
    const uintptr_t base = reinterpret_cast<uintptr_t>(room_.data());
    const size_t start = ((base + used_ + alignment - 1) / alignment) * alignment - base;
    if (start > room_.size() || room_.size() - start < size) return nullptr;
    used_ = start + size;
    if (used_ > peak_) peak_ = used_;
    return room_.data() + start;
  }
  template <class T>
  [[nodiscard]] T* make() {
    static_assert(std::is_trivially_destructible_v<T>);
    void* slot = take(sizeof(T), alignof(T));
    return slot == nullptr ? nullptr : new (slot) T{};
  }
  // Copies text into the arena; data() is nullptr when there is no room.
  [[nodiscard]] string_view keep(string_view text) {
    char* copy = static_cast<char*>(take(text.size() + 1, 1));
    if (copy == nullptr) return {};
    if (!text.empty()) std::memcpy(copy, text.data(), text.size());
    copy[text.size()] = '\0';
    return {copy, text.size()};
  }
  // What is left, without taking it: for writers that find their size while writing.
  Bytes rest() const { return room_.subspan(used_); }

  size_t used() const { return used_; }
  size_t peak() const { return peak_; }
  void rewind(size_t to = 0) { used_ = to; }

 private:
  Bytes room_;
  size_t used_ = 0;
  size_t peak_ = 0;
};

}  // namespace tocsin
