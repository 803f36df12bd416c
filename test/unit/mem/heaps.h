// Two small heaps for a test, made before it and ended after it.
#pragma once

#include <cstdlib>
#include <new>

#include "mem/heap.h"
#include "test/support/tests.h"

namespace tocsin::test {

inline constexpr size_t heap_bytes = 64 * 1024;
alignas(64) inline uint8_t rooms[2][heap_bytes];
alignas(Heap) inline uint8_t heap_places[2][sizeof(Heap)];

inline Heap& heap_at(size_t i) { return *std::launder(reinterpret_cast<Heap*>(heap_places[i])); }

inline int make_heaps(void**) {
  new (heap_places[0]) Heap(rooms[0], "one");
  new (heap_places[1]) Heap(rooms[1], "two");
  return 0;
}

inline int end_heaps(void**) {
  heap_at(0).~Heap();
  heap_at(1).~Heap();
  return 0;
}

// Keeps the compiler from dropping an allocation that nobody looks at.
template <class T>
T* seen(T* pointer) {
  __asm__ volatile("" : "+r"(pointer) : : "memory");
  return pointer;
}

// Asserts leave by longjmp, which would leave a scope open: they stand outside of scopes.
inline void* take_in(Heap& heap, size_t size) {
  const HeapScope scope(heap);
  return seen(malloc(size));
}

}  // namespace tocsin::test

#define WITH_HEAPS(body) cmocka_unit_test_setup_teardown(body, ::tocsin::test::make_heaps, ::tocsin::test::end_heaps)
