#include "mem/heap.h"

#include <malloc.h>
#include <pthread.h>

#include <cstdlib>
#include <new>

#include "mem/heap_default.h"
#include "test/support/tests.h"
#include "test/unit/mem/heaps.h"

namespace tocsin {
namespace {

using namespace test;

void a_heap_knows_its_name_and_size(void**) {
  assert_string_equal(heap_at(0).name(), "one");
  assert_int_equal(heap_at(0).size(), heap_bytes);
  assert_int_equal(heap_at(0).live(), 0);
  assert_int_equal(heap_at(0).blocks(), 0);
  assert_int_equal(heap_at(0).refused(), 0);
}

void every_call_of_the_family_draws_on_the_heap(void**) {
  if (!Heap::enforced()) skip();
  Heap& heap = heap_at(0);
  void* taken[9] = {};
  int posix_result = 0;
  {
    const HeapScope scope(heap);
    taken[0] = seen(malloc(100));
    taken[1] = seen(calloc(10, 10));
    taken[2] = seen(realloc(nullptr, 100));
    taken[3] = seen(reallocarray(nullptr, 10, 10));
    taken[4] = seen(aligned_alloc(64, 128));
    posix_result = posix_memalign(&taken[5], 256, 100);
    taken[6] = seen(memalign(32, 100));
    taken[7] = seen(valloc(100));
    taken[8] = seen(pvalloc(100));
  }
  assert_int_equal(posix_result, 0);
  size_t live = 0;
  for (void* payload : taken) {
    assert_true(payload >= rooms[0] && payload < rooms[0] + heap_bytes);
    assert_true(malloc_usable_size(payload) >= 100);
    live += malloc_usable_size(payload) + 8;
  }
  assert_true(malloc_usable_size(taken[8]) >= 4096);
  assert_int_equal(reinterpret_cast<uintptr_t>(taken[4]) % 64, 0);
  assert_int_equal(reinterpret_cast<uintptr_t>(taken[5]) % 256, 0);
  assert_int_equal(reinterpret_cast<uintptr_t>(taken[6]) % 32, 0);
  assert_int_equal(reinterpret_cast<uintptr_t>(taken[7]) % 4096, 0);
  assert_int_equal(reinterpret_cast<uintptr_t>(taken[8]) % 4096, 0);
  assert_int_equal(heap.blocks(), 9);
  assert_int_equal(heap.live(), live);
  assert_int_equal(heap.peak(), live);
  for (void* payload : taken) free(payload);
  assert_int_equal(heap.blocks(), 0);
  assert_int_equal(heap.live(), 0);
  assert_int_equal(heap.peak(), live);
}

void calloc_clears_what_was_used_before(void**) {
  if (!Heap::enforced()) skip();
  void* first = take_in(heap_at(0), 100);
  std::memset(first, 0xFF, 100);
  free(first);
  const uint8_t* second = nullptr;
  {
    const HeapScope scope(heap_at(0));
    second = static_cast<uint8_t*>(seen(calloc(25, 4)));
  }
  assert_ptr_equal(second, first);
  for (size_t i = 0; i < 100; ++i) assert_int_equal(second[i], 0);
  free(const_cast<uint8_t*>(second));
}

void outside_of_scopes_the_default_heap_serves(void**) {
  if (!Heap::enforced()) skip();
  const HeapFigures before = default_heap_figures();
  void* payload = seen(malloc(1000));
  const HeapFigures during = default_heap_figures();
  free(payload);
  const HeapFigures after = default_heap_figures();
  assert_int_equal(during.live - before.live, 1008);
  assert_int_equal(during.blocks - before.blocks, 1);
  assert_int_equal(after.live, before.live);
  assert_int_equal(after.blocks, before.blocks);
  assert_true(after.peak >= during.live);
  assert_int_equal(after.size, heap_gate_default_bytes);
  assert_int_equal(heap_at(0).peak(), 0);
}

void blocks_may_be_freed_anywhere(void**) {
  if (!Heap::enforced()) skip();
  void* first = take_in(heap_at(0), 100);
  void* second = take_in(heap_at(0), 100);
  void* ours = seen(malloc(100));
  free(first);
  {
    const HeapScope scope(heap_at(1));
    free(second);
    free(ours);
    free(nullptr);
  }
  assert_int_equal(heap_at(0).blocks(), 0);
  assert_int_equal(heap_at(0).live(), 0);
  assert_int_equal(heap_at(1).peak(), 0);
}

void a_block_grows_in_the_heap_it_came_from(void**) {
  if (!Heap::enforced()) skip();
  uint8_t* text = static_cast<uint8_t*>(take_in(heap_at(0), 50));
  void* wall = take_in(heap_at(0), 50);
  std::memset(text, 7, 50);
  {
    const HeapScope scope(heap_at(1));
    text = static_cast<uint8_t*>(seen(realloc(text, 5000)));
  }
  text = static_cast<uint8_t*>(seen(realloc(text, 9000)));
  assert_true(text >= rooms[0] && text < rooms[0] + heap_bytes);
  for (size_t i = 0; i < 50; ++i) assert_int_equal(text[i], 7);
  assert_int_equal(heap_at(0).blocks(), 2);
  assert_int_equal(heap_at(0).live(), malloc_usable_size(text) + malloc_usable_size(wall) + 16);
  text = static_cast<uint8_t*>(seen(realloc(text, 10)));
  assert_int_equal(heap_at(0).live(), malloc_usable_size(text) + malloc_usable_size(wall) + 16);
  assert_null(realloc(text, 0));
  free(wall);
  assert_int_equal(heap_at(0).live(), 0);
}

void a_default_block_grows_and_keeps_its_bytes(void**) {
  uint8_t* text = static_cast<uint8_t*>(seen(malloc(10)));
  for (size_t size = 10; size < 200000; size = size * 3 / 2) {
    std::memset(text, 9, size);
    text = static_cast<uint8_t*>(seen(realloc(text, size * 2)));
    assert_non_null(text);
    for (size_t i = 0; i < size; ++i) assert_int_equal(text[i], 9);
  }
  free(text);
}

void scopes_nest(void**) {
  if (!Heap::enforced()) skip();
  void* taken[4] = {};
  {
    const HeapScope outer(heap_at(0));
    taken[0] = seen(malloc(10));
    {
      const HeapScope inner(heap_at(1));
      taken[1] = seen(malloc(10));
      const HeapScope again(heap_at(0));
      taken[2] = seen(malloc(10));
    }
    taken[3] = seen(malloc(10));
  }
  assert_int_equal(heap_at(0).blocks(), 3);
  assert_int_equal(heap_at(1).blocks(), 1);
  for (void* payload : taken) free(payload);
  assert_int_equal(heap_at(0).blocks() + heap_at(1).blocks(), 0);
}

void reset_throws_everything_away(void**) {
  if (!Heap::enforced()) skip();
  Heap& heap = heap_at(0);
  while (take_in(heap, 1000) != nullptr) {
  }
  const size_t peak = heap.peak();
  assert_true(peak > heap_bytes / 2);
  heap.reset();
  assert_int_equal(heap.live(), 0);
  assert_int_equal(heap.blocks(), 0);
  assert_int_equal(heap.peak(), peak);
  void* whole = take_in(heap, 60000);
  assert_non_null(whole);
  free(whole);
}

void an_unused_heap_is_not_written_to(void**) {
  std::memset(rooms[0], 0xA5, heap_bytes);
  free(take_in(heap_at(1), 10));
  for (const uint8_t byte : rooms[0]) assert_int_equal(byte, 0xA5);
}

// Heaps come and go in any order; each block is still found by its address.
void owners_are_found_among_many_heaps(void**) {
  if (!Heap::enforced()) skip();
  constexpr size_t count = 200;
  constexpr size_t size = 4096;
  alignas(64) static uint8_t many_rooms[count][size];
  alignas(Heap) static uint8_t many_places[count][sizeof(Heap)];
  static void* blocks[count];
  Heap* heaps[count];
  for (size_t i = 0; i < count; ++i) {
    const size_t at = i * 73 % count;  // 73 and 200 share no factor: every place once
    heaps[at] = new (many_places[at]) Heap(many_rooms[at], "many");
    blocks[at] = take_in(*heaps[at], 100);
  }
  for (size_t i = 0; i < count; i += 2) {
    free(blocks[i]);
    assert_int_equal(heaps[i]->blocks(), 0);
    heaps[i]->~Heap();
  }
  for (size_t i = 1; i < count; i += 2) {
    assert_int_equal(heaps[i]->blocks(), 1);
    free(seen(realloc(blocks[i], 1000)));
    assert_int_equal(heaps[i]->blocks(), 0);
    assert_true(heaps[i]->peak() >= 1000);
    heaps[i]->~Heap();
  }
}

// Allocates, fills, checks and frees in a changing pattern; the number of wrong bytes.
size_t churn(uint8_t value, int turns) {
  uint8_t* taken[32] = {};
  size_t sizes[32] = {};
  size_t wrong = 0;
  uint32_t state = value;
  for (int turn = 0; turn < turns; ++turn) {
    state = state * 1664525 + 1013904223;
    const size_t i = (state >> 8) % 32;
    for (size_t k = 0; k < sizes[i]; ++k) wrong += taken[i][k] != value ? 1 : 0;
    free(taken[i]);
    sizes[i] = (state >> 16) % 700;
    taken[i] = static_cast<uint8_t*>(seen(malloc(sizes[i])));
    if (taken[i] == nullptr) sizes[i] = 0;
    if (sizes[i] > 0) std::memset(taken[i], value, sizes[i]);
  }
  for (uint8_t* payload : taken) free(payload);
  return wrong;
}

struct Beside {
  size_t wrong = 1;
  bool done = false;
};

void* churn_beside(void* place) {
  Beside* beside = static_cast<Beside*>(place);
  beside->wrong = churn(1, 300000);
  __atomic_store_n(&beside->done, true, __ATOMIC_RELEASE);
  return nullptr;
}

void a_second_thread_uses_the_default_heap_meanwhile(void**) {
  static Beside beside;
  beside = {};
  pthread_t thread;
  assert_int_equal(pthread_create(&thread, nullptr, churn_beside, &beside), 0);
  size_t wrong = 0;
  while (!__atomic_load_n(&beside.done, __ATOMIC_ACQUIRE)) {
    wrong += churn(2, 500);
    const HeapScope scope(heap_at(0));
    wrong += churn(3, 100);
  }
  assert_int_equal(pthread_join(thread, nullptr), 0);
  assert_int_equal(wrong, 0);
  assert_int_equal(beside.wrong, 0);
  assert_int_equal(heap_at(0).live(), 0);
  assert_int_equal(heap_at(0).refused(), 0);
}

void enforcement_agrees_with_what_is_linked(void**) {
  void* payload = take_in(heap_at(0), 100);
  assert_non_null(payload);
  assert_int_equal(payload >= rooms[0] && payload < rooms[0] + heap_bytes, Heap::enforced());
  assert_int_equal(heap_at(0).blocks(), Heap::enforced() ? 1 : 0);
  free(payload);
  assert_int_equal(default_heap_figures().size != 0, Heap::enforced());
}

TESTS(heap, WITH_HEAPS(a_heap_knows_its_name_and_size), WITH_HEAPS(every_call_of_the_family_draws_on_the_heap),
      WITH_HEAPS(calloc_clears_what_was_used_before), WITH_HEAPS(outside_of_scopes_the_default_heap_serves),
      WITH_HEAPS(blocks_may_be_freed_anywhere), WITH_HEAPS(a_block_grows_in_the_heap_it_came_from),
      WITH_HEAPS(a_default_block_grows_and_keeps_its_bytes), WITH_HEAPS(scopes_nest),
      WITH_HEAPS(reset_throws_everything_away), WITH_HEAPS(an_unused_heap_is_not_written_to),
      WITH_HEAPS(owners_are_found_among_many_heaps), WITH_HEAPS(a_second_thread_uses_the_default_heap_meanwhile),
      WITH_HEAPS(enforcement_agrees_with_what_is_linked));

}  // namespace
}  // namespace tocsin
