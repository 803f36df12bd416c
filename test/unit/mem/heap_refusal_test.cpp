// What a heap does when it can not give: fences, overflows, the test aid.
#include <malloc.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>

#include "mem/heap.h"
#include "mem/heap_default.h"
#include "test/support/tests.h"
#include "test/unit/mem/heaps.h"

namespace tocsin {
namespace {

using namespace test;

void a_full_heap_refuses_and_counts(void**) {
  if (!Heap::enforced()) skip();
  Heap& heap = heap_at(0);
  errno = 0;
  assert_null(take_in(heap, heap_bytes));
  assert_int_equal(errno, ENOMEM);
  assert_int_equal(heap.refused(), 1);
  assert_int_equal(heap.blocks(), 0);
  void* most = take_in(heap, 60000);
  assert_non_null(most);
  void* out = most;
  int posix_result = 0;
  int errno_after = 0;
  void* grown = nullptr;
  {
    const HeapScope scope(heap);
    errno = 0;
    posix_result = posix_memalign(&out, 64, 10000);
    errno_after = errno;
    grown = seen(realloc(seen(most), 70000));
  }
  assert_int_equal(posix_result, ENOMEM);
  assert_int_equal(errno_after, 0);
  assert_ptr_equal(out, most);
  assert_null(grown);
  assert_int_equal(heap.refused(), 3);
  assert_int_equal(heap.live(), malloc_usable_size(most) + 8);
  heap.forget_refusals();
  assert_int_equal(heap.refused(), 0);
  free(most);
  most = take_in(heap, 60000);
  assert_non_null(most);
  free(most);
  assert_int_equal(heap.refused(), 0);
}

void sizes_that_overflow_are_refused(void**) {
  if (!Heap::enforced()) skip();
  Heap& heap = heap_at(0);
  void* volatile many = nullptr;
  void* volatile array = nullptr;
  void* volatile pages = nullptr;
  volatile size_t huge = SIZE_MAX;
  {
    const HeapScope scope(heap);
    many = calloc(huge / 2 + 1, 2);  // both wrap around to 0
    array = reallocarray(nullptr, huge / 4 + 1, 4);
    pages = pvalloc(huge);
  }
  assert_null(many);
  assert_null(array);
  assert_null(pages);
  assert_int_equal(heap.refused(), 3);
  assert_null(seen(malloc(huge)));
  assert_null(seen(malloc(heap_gate_default_bytes)));
}

void bad_alignments_are_invalid(void**) {
  if (!Heap::enforced()) skip();
  void* out = nullptr;
  volatile size_t odd = 24;
  assert_int_equal(posix_memalign(&out, odd, 10), EINVAL);
  assert_int_equal(posix_memalign(&out, odd / 6, 10), EINVAL);  // 4: less than a pointer
  assert_null(out);
  errno = 0;
  assert_null(seen(memalign(odd, 10)));
  assert_int_equal(errno, EINVAL);
}

// The C library at work: a stream that grows, a copy, a formatted text. True when all went well.
bool let_the_library_work() {
  char* text = nullptr;
  size_t size = 0;
  FILE* stream = open_memstream(&text, &size);
  bool good = stream != nullptr;
  for (int i = 0; i < 300 && good; ++i) good = fprintf(stream, "line %d of a text that grows\n", i) > 0;
  if (stream != nullptr) good = fclose(stream) == 0 && good;
  char* copy = good ? strdup(text) : nullptr;
  good = good && copy != nullptr && strcmp(copy, text) == 0;
  free(copy);
  free(text);
  char* line = nullptr;
  if (good && asprintf(&line, "%200d", 7) == 200) {
    free(line);
  } else {
    good = false;
  }
  return good;
}

void the_library_works_within_its_fence(void**) {
  bool good = false;
  {
    const HeapScope scope(heap_at(0));
    good = let_the_library_work();
  }
  assert_true(good);
  assert_int_equal(heap_at(0).blocks(), 0);
  assert_int_equal(heap_at(0).live(), 0);
  if (Heap::enforced()) assert_true(heap_at(0).peak() > 8000);
}

void every_refusal_is_survived_and_leaks_nothing(void**) {
  if (!Heap::enforced()) skip();
  Heap& heap = heap_at(0);
  uint32_t n = 1;
  for (; n < 100; ++n) {
    heap.forget_refusals();
    heap.fail_at(n);
    bool good = false;
    {
      const HeapScope scope(heap);
      good = let_the_library_work();
    }
    heap.fail_at(0);
    assert_int_equal(heap.live(), 0);
    if (heap.refused() == 0) {
      assert_true(good);
      break;
    }
    assert_false(good);
  }
  assert_in_range(n, 6, 99);
}

void fail_at_refuses_the_nth_and_all_after_it(void**) {
  if (!Heap::enforced()) skip();
  for (uint32_t n = 1; n < 6; ++n) {
    Heap& heap = heap_at(0);
    heap.forget_refusals();
    heap.fail_at(n);
    void* taken[6];
    for (void*& payload : taken) payload = take_in(heap, 10);
    for (uint32_t i = 0; i < 6; ++i) assert_int_equal(taken[i] != nullptr, i + 1 < n);
    assert_int_equal(heap.refused(), 7 - n);
    heap.fail_at(0);
    void* after = take_in(heap, 10);
    assert_non_null(after);
    free(after);
    for (void* payload : taken) free(payload);
    assert_int_equal(heap.blocks(), 0);
  }
}

void a_room_too_small_refuses(void**) {
  if (!Heap::enforced()) skip();
  alignas(64) static uint8_t little[64];
  alignas(Heap) static uint8_t place[sizeof(Heap)];
  for (size_t size = 0; size <= sizeof(little); size += sizeof(little)) {
    Heap* heap = new (place) Heap(Bytes(little, size), "little");
    void* payload = take_in(*heap, 1);
    const uint32_t refused = heap->refused();
    heap->~Heap();
    assert_null(payload);
    assert_int_equal(refused, 1);
  }
}

TESTS(heap_refusal, WITH_HEAPS(a_full_heap_refuses_and_counts), WITH_HEAPS(sizes_that_overflow_are_refused),
      WITH_HEAPS(bad_alignments_are_invalid), WITH_HEAPS(the_library_works_within_its_fence),
      WITH_HEAPS(every_refusal_is_survived_and_leaks_nothing), WITH_HEAPS(fail_at_refuses_the_nth_and_all_after_it),
      WITH_HEAPS(a_room_too_small_refuses));

}  // namespace
}  // namespace tocsin
