// The malloc family of the process, and the heap contract on top of it.
//
// An executable's definitions come before those of the C library for all of its
// shared libraries, so this reaches libraries without allocator hooks. The set
// must be complete: a pointer from the C library's own aligned_alloc would end
// in our free. It must also work before main(): the dynamic loader calls malloc
// before any constructor has run, so everything here starts as zeros.
#include <malloc.h>
#include <sched.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#if __has_include(<sys/single_threaded.h>)
#include <sys/single_threaded.h>
#define GATE_MAY_SKIP_LOCK __libc_single_threaded
#else
#define GATE_MAY_SKIP_LOCK false
#endif

#include "base/check.h"
#include "mem/block_heap.h"
#include "mem/heap.h"
#include "mem/heap_default.h"

// glibc declares the family as never throwing, musl does not.
#ifdef __GLIBC__
#define GATE_NOEXCEPT noexcept
#else
#define GATE_NOEXCEPT
#endif

namespace tocsin {

namespace {

// Initial-exec: a plain offset from the thread pointer; other models may call malloc.
[[gnu::tls_model("initial-exec")]] constinit thread_local Heap* current_heap = nullptr;

// Spinning is enough: the lock is held for some ten nanoseconds, and by a second
// thread only where one allocates outside of every scope.
class DefaultLock {
 public:
  DefaultLock() {
    if (GATE_MAY_SKIP_LOCK) return;
    locked_ = true;
    for (unsigned tries = 0; __atomic_exchange_n(&held, true, __ATOMIC_ACQUIRE); ++tries) {
      if (tries > 100) sched_yield();
    }
  }
  ~DefaultLock() {
    if (locked_) __atomic_store_n(&held, false, __ATOMIC_RELEASE);
  }
  DefaultLock(const DefaultLock&) = delete;
  DefaultLock& operator=(const DefaultLock&) = delete;

 private:
  static constinit bool held;
  bool locked_ = false;
};
constinit bool DefaultLock::held = false;

constinit BlockHeap* default_heap = nullptr;
constinit uintptr_t default_start = 0;
constinit uintptr_t default_end = 0;
constinit HeapFigures default_figures = {};

void start_default_heap() {
  void* room = mmap(nullptr, heap_gate_default_bytes, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (room == MAP_FAILED) return;
  default_heap = BlockHeap::start({static_cast<uint8_t*>(room), heap_gate_default_bytes});
  default_figures.size = heap_gate_default_bytes;
  default_start = reinterpret_cast<uintptr_t>(room);
  default_end = default_start + heap_gate_default_bytes;
}

// Where the rooms of the fenced heaps lie, in the order of their addresses. Only
// read for pointers that are neither of the current nor of the default heap, and
// therefore only by the one thread that uses fenced heaps.
constexpr uint32_t heaps_max = 512;
struct Entry {
  uintptr_t start;
  uintptr_t end;
  Heap* heap;
};
constinit Entry entries[heaps_max] = {};
constinit uint32_t entry_count = 0;

// The first entry that ends behind address.
uint32_t entry_for(uintptr_t address) {
  uint32_t low = 0;
  uint32_t high = entry_count;
  while (low < high) {
    const uint32_t middle = (low + high) / 2;
    if (entries[middle].end <= address) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

template <class Counters>
inline void count_taken(Counters& live, Counters& peak, uint32_t& blocks, const void* payload) {
  live += BlockHeap::block_bytes(payload);
  if (live > peak) peak = live;
  ++blocks;
}

void* refuse() {
  errno = ENOMEM;
  return nullptr;
}

}  // namespace

// Access to what a Heap counts.
struct HeapInside {
  // The object at the start of the room; index_ tells whether it was made.
  static BlockHeap* blocks_of(Heap& heap) {
    const uintptr_t start = reinterpret_cast<uintptr_t>(heap.room_.data());
    const size_t skip = (BlockHeap::alignment_min - start % BlockHeap::alignment_min) % BlockHeap::alignment_min;
    return reinterpret_cast<BlockHeap*>(heap.room_.data() + skip);
  }

  static bool holds(const Heap& heap, const void* payload) {
    return reinterpret_cast<uintptr_t>(payload) - reinterpret_cast<uintptr_t>(heap.room_.data()) < heap.room_.size();
  }

  // Counts a request; true when the test aid says no to it.
  static bool told_to_fail(Heap& heap) {
    if (heap.fail_at_ == 0) return false;
    if (heap.fail_at_ == 1) return true;
    --heap.fail_at_;
    return false;
  }

  static void* take(Heap& heap, size_t size, size_t alignment) {
    if (heap.index_ == 0 && BlockHeap::start(heap.room_) != nullptr) heap.index_ = 1;
    void* payload = heap.index_ == 0 || told_to_fail(heap) ? nullptr : blocks_of(heap)->take(size, alignment);
    if (payload == nullptr) {
      ++heap.refused_;
      return refuse();
    }
    count_taken(heap.live_, heap.peak_, heap.blocks_, payload);
    return payload;
  }

  static void give(Heap& heap, void* payload) {
    GW_CHECK(heap.index_ != 0);
    heap.live_ -= BlockHeap::block_bytes(payload);
    --heap.blocks_;
    blocks_of(heap)->give(payload);
  }

  // Growing counts as an allocation even where the block can stay: the library can not know.
  static void* resize(Heap& heap, void* payload, size_t size) {
    GW_CHECK(heap.index_ != 0);
    const size_t before = BlockHeap::block_bytes(payload);
    const bool grows = size > before - BlockHeap::overhead;
    if (grows && told_to_fail(heap)) {
      ++heap.refused_;
      return refuse();
    }
    if (blocks_of(heap)->resize(payload, size)) {
      heap.live_ = heap.live_ - before + BlockHeap::block_bytes(payload);
      if (heap.live_ > heap.peak_) heap.peak_ = heap.live_;
      return payload;
    }
    void* moved = blocks_of(heap)->take(size);
    if (moved == nullptr) {
      ++heap.refused_;
      return refuse();
    }
    count_taken(heap.live_, heap.peak_, heap.blocks_, moved);
    std::memcpy(moved, payload, before - BlockHeap::overhead);  // it grows, or it would have stayed
    give(heap, payload);
    return moved;
  }

  static void enter(Heap& heap) {
    if (heap.room_.empty()) return;  // refuses everything and owns nothing
    const uintptr_t start = reinterpret_cast<uintptr_t>(heap.room_.data());
    const uintptr_t end = start + heap.room_.size();
    const uint32_t place = entry_for(start);
    GW_CHECK(entry_count < heaps_max && (place == entry_count || end <= entries[place].start));
    std::memmove(entries + place + 1, entries + place, (entry_count - place) * sizeof(Entry));
    entries[place] = Entry{start, end, &heap};
    ++entry_count;
  }

  static void leave(Heap& heap) {
    if (heap.room_.empty()) return;
    const uint32_t place = entry_for(reinterpret_cast<uintptr_t>(heap.room_.data()));
    GW_CHECK(place < entry_count && entries[place].heap == &heap && current_heap != &heap);
    --entry_count;
    std::memmove(entries + place, entries + place + 1, (entry_count - place) * sizeof(Entry));
  }

  static void reset(Heap& heap) {
    heap.index_ = 0;
    heap.live_ = 0;
    heap.blocks_ = 0;
  }
};

Heap::Heap(Bytes room, const char* name) : room_(room), name_(name) { HeapInside::enter(*this); }
Heap::~Heap() { HeapInside::leave(*this); }
void Heap::reset() { HeapInside::reset(*this); }
bool Heap::enforced() { return true; }

HeapScope::HeapScope(Heap& heap) : outer_(current_heap) { current_heap = &heap; }
HeapScope::~HeapScope() { current_heap = outer_; }

HeapFigures default_heap_figures() {
  const DefaultLock lock;
  return default_figures;
}

namespace {

void* default_take(size_t size, size_t alignment) {
  const DefaultLock lock;
  if (default_heap == nullptr) start_default_heap();
  void* payload = default_heap == nullptr ? nullptr : default_heap->take(size, alignment);
  if (payload == nullptr) {
    ++default_figures.refused;
    return refuse();
  }
  count_taken(default_figures.live, default_figures.peak, default_figures.blocks, payload);
  return payload;
}

void default_give(void* payload) {
  const DefaultLock lock;
  default_figures.live -= BlockHeap::block_bytes(payload);
  --default_figures.blocks;
  default_heap->give(payload);
}

bool default_resize(void* payload, size_t size) {
  const DefaultLock lock;
  const size_t before = BlockHeap::block_bytes(payload);
  if (!default_heap->resize(payload, size)) return false;
  default_figures.live = default_figures.live - before + BlockHeap::block_bytes(payload);
  if (default_figures.live > default_figures.peak) default_figures.peak = default_figures.live;
  return true;
}

inline bool is_default(const void* payload) {
  return reinterpret_cast<uintptr_t>(payload) - default_start < default_end - default_start;
}

// The heap that payload belongs to; it is not of the default heap.
Heap& owner_of(const void* payload) {
  Heap* heap = current_heap;
  if (heap != nullptr && HeapInside::holds(*heap, payload)) return *heap;
  const uintptr_t address = reinterpret_cast<uintptr_t>(payload);
  const uint32_t place = entry_for(address);
  // Neither ours nor anybody's: a wild pointer, or a heap that ended before its blocks.
  GW_CHECK(place < entry_count && entries[place].start <= address);
  return *entries[place].heap;
}

inline void* gate_take(size_t size, size_t alignment) {
  Heap* heap = current_heap;
  return heap == nullptr ? default_take(size, alignment) : HeapInside::take(*heap, size, alignment);
}

void* gate_resize(void* payload, size_t size) {
  if (payload == nullptr) return gate_take(size, BlockHeap::alignment_min);
  if (!is_default(payload)) return HeapInside::resize(owner_of(payload), payload, size);
  if (default_resize(payload, size)) return payload;
  void* moved = default_take(size, BlockHeap::alignment_min);
  if (moved == nullptr) return nullptr;
  std::memcpy(moved, payload, BlockHeap::usable_bytes(payload));
  default_give(payload);
  return moved;
}

bool is_power_of_two(size_t n) { return n != 0 && (n & (n - 1)) == 0; }

size_t page_bytes() { return static_cast<size_t>(sysconf(_SC_PAGESIZE)); }

}  // namespace
}  // namespace tocsin

using tocsin::gate_resize;
using tocsin::gate_take;

extern "C" {

void* malloc(size_t size) GATE_NOEXCEPT { return gate_take(size, tocsin::BlockHeap::alignment_min); }

void free(void* payload) GATE_NOEXCEPT {
  if (payload == nullptr) return;
  if (tocsin::is_default(payload)) {
    tocsin::default_give(payload);
  } else {
    tocsin::HeapInside::give(tocsin::owner_of(payload), payload);
  }
}

void* calloc(size_t count, size_t size) GATE_NOEXCEPT {
  size_t bytes = 0;
  // An overflown product is refused by the heap itself, so that it is counted there.
  if (__builtin_mul_overflow(count, size, &bytes)) bytes = SIZE_MAX;
  void* payload = gate_take(bytes, tocsin::BlockHeap::alignment_min);
  if (payload != nullptr) std::memset(payload, 0, bytes);
  return payload;
}

void* realloc(void* payload, size_t size) GATE_NOEXCEPT {
  if (payload != nullptr && size == 0) {  // as glibc does it
    free(payload);
    return nullptr;
  }
  return gate_resize(payload, size);
}

void* reallocarray(void* payload, size_t count, size_t size) GATE_NOEXCEPT {
  size_t bytes = 0;
  if (__builtin_mul_overflow(count, size, &bytes)) bytes = SIZE_MAX;
  return realloc(payload, bytes);
}

void* memalign(size_t alignment, size_t size) GATE_NOEXCEPT {
  if (!tocsin::is_power_of_two(alignment)) {
    errno = EINVAL;
    return nullptr;
  }
  return gate_take(size, alignment);
}

void* aligned_alloc(size_t alignment, size_t size) GATE_NOEXCEPT { return memalign(alignment, size); }

int posix_memalign(void** out, size_t alignment, size_t size) GATE_NOEXCEPT {
  if (!tocsin::is_power_of_two(alignment) || alignment % sizeof(void*) != 0) return EINVAL;
  const int errno_before = errno;  // POSIX: the error is the result only
  void* payload = gate_take(size, alignment);
  errno = errno_before;
  if (payload == nullptr) return ENOMEM;
  *out = payload;
  return 0;
}

void* valloc(size_t size) GATE_NOEXCEPT { return gate_take(size, tocsin::page_bytes()); }

void* pvalloc(size_t size) GATE_NOEXCEPT {
  const size_t page = tocsin::page_bytes();
  const size_t pages = size / page + (size % page != 0 ? 1 : 0);
  size_t bytes = 0;
  if (__builtin_mul_overflow(pages, page, &bytes)) bytes = SIZE_MAX;
  return gate_take(bytes, page);
}

size_t malloc_usable_size(void* payload) GATE_NOEXCEPT {
  return payload == nullptr ? 0 : tocsin::BlockHeap::usable_bytes(payload);
}

}  // extern "C"
