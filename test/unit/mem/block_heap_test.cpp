#include "mem/block_heap.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <initializer_list>

#include "test/support/tests.h"

namespace tocsin {
namespace {

constexpr size_t page = 4096;
alignas(64) uint8_t room[1 << 20];

// xorshift64: the same workload every time.
struct Dice {
  uint64_t state;
  uint32_t roll(uint32_t sides) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return static_cast<uint32_t>(state >> 32) % sides;
  }
};

// What the heap should hold: for each slot its bytes, all of one value.
struct Model {
  struct Slot {
    uint8_t* payload;
    size_t size;
    uint8_t value;
  };
  Slot slots[256];
  uint8_t next_value;
};
Model model;

bool intact(const Model::Slot& slot) {
  for (size_t i = 0; i < slot.size; ++i) {
    if (slot.payload[i] != slot.value) return false;
  }
  return true;
}

size_t some_size(Dice& dice, size_t room_size) {
  switch (dice.roll(8)) {
    case 0: return dice.roll(static_cast<uint32_t>(room_size / 3));
    case 1: return 0;
    case 2: return dice.roll(4096);
    case 3: return 16717;  // a TLS record's buffer, again and again
    default: return dice.roll(300);
  }
}

// Every byte of every block carries its block's value, so that an overlap of two
// shows as a wrong byte.
void work_at_random(Bytes bytes, uint64_t seed, int turns) {
  BlockHeap* heap = BlockHeap::start(bytes);
  assert_non_null(heap);
  Dice dice{seed};
  model = {};
  for (int turn = 0; turn < turns; ++turn) {
    Model::Slot& slot = model.slots[dice.roll(256)];
    const size_t size = some_size(dice, bytes.size());
    if (slot.payload == nullptr) {
      const size_t alignment = dice.roll(4) == 0 ? size_t{1} << dice.roll(13) : BlockHeap::alignment_min;
      slot.payload = static_cast<uint8_t*>(heap->take(size, alignment));
      if (slot.payload == nullptr) continue;
      assert_int_equal(reinterpret_cast<uintptr_t>(slot.payload) % alignment, 0);
      assert_int_equal(reinterpret_cast<uintptr_t>(slot.payload) % BlockHeap::alignment_min, 0);
      assert_true(slot.payload >= bytes.data() && slot.payload + size <= bytes.data() + bytes.size());
    } else if (dice.roll(2) == 0) {
      assert_true(intact(slot));
      heap->give(slot.payload);
      slot.payload = nullptr;
      continue;
    } else {
      assert_true(intact(slot));
      const bool shrinks = size <= slot.size;
      const bool stayed = heap->resize(slot.payload, size);
      assert_true(stayed || !shrinks);
      if (!stayed) continue;
      if (shrinks) slot.size = size;
      assert_true(intact(slot));
    }
    // All that the owner may use is used.
    slot.size = BlockHeap::usable_bytes(slot.payload);
    assert_true(slot.size >= size);
    slot.value = ++model.next_value;
    std::memset(slot.payload, slot.value, slot.size);
    if (turn % 64 == 0) assert_true(heap->sound());
  }
  for (Model::Slot& slot : model.slots) {
    if (slot.payload == nullptr) continue;
    assert_true(intact(slot));
    heap->give(slot.payload);
  }
  assert_true(heap->sound());
  assert_int_equal(heap->free_blocks(), 1);
  // One block again, and all of it can be had in one piece.
  void* whole = heap->take(heap->capacity() - BlockHeap::overhead);
  assert_non_null(whole);
  heap->give(whole);
}

void random_work_keeps_blocks_apart_and_comes_back_to_one(void**) {
  for (uint64_t seed = 1; seed <= 20; ++seed) work_at_random(Bytes(room, 4096), seed, 3000);
  for (uint64_t seed = 1; seed <= 10; ++seed) work_at_random(Bytes(room, 65536), seed, 10000);
  for (uint64_t seed = 1; seed <= 3; ++seed) work_at_random(Bytes(room, sizeof(room)), seed, 10000);
}

void a_room_may_start_and_end_anywhere(void**) {
  for (size_t start = 0; start < 17; ++start) {
    for (size_t size = 4096; size < 4096 + 17; ++size) work_at_random(Bytes(room + start, size), start * 17 + size, 50);
  }
}

void a_big_room_is_used_to_its_end(void**) {
  constexpr size_t size = size_t{64} << 20;
  void* big = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  assert_true(big != MAP_FAILED);
  work_at_random(Bytes(static_cast<uint8_t*>(big), size), 7, 300);
  munmap(big, size);
}

void tiny_rooms_work_or_are_refused(void**) {
  for (size_t size = 0; size < 1500; ++size) {
    std::memset(room, 0xA5, 2048);
    BlockHeap* heap = BlockHeap::start(Bytes(room, size));
    if (heap == nullptr) {
      assert_true(size < 512);
      continue;
    }
    assert_true(heap->capacity() < size);
    void* payload = heap->take(1);
    assert_non_null(payload);
    assert_null(heap->take(size));
    while (heap->take(1) != nullptr) {
    }
    assert_true(heap->sound());
    for (size_t i = size; i < 2048; ++i) assert_int_equal(room[i], 0xA5);
  }
}

void exhaustion_is_nullptr_and_passes(void**) {
  BlockHeap* heap = BlockHeap::start(Bytes(room, 65536));
  void* taken[64];
  size_t count = 0;
  while (count < 64 && (taken[count] = heap->take(2000)) != nullptr) ++count;
  assert_int_equal(count, heap->capacity() / (2000 + BlockHeap::overhead + 8));
  assert_null(heap->take(2000));
  assert_null(heap->take(65536));
  assert_null(heap->take(SIZE_MAX));
  assert_null(heap->take(SIZE_MAX - 7));
  assert_null(heap->take(BlockHeap::room_max));
  assert_null(heap->take(1, size_t{1} << 40));
  assert_false(heap->resize(taken[0], 2100));
  assert_false(heap->resize(taken[0], SIZE_MAX));
  heap->give(taken[3]);
  assert_ptr_equal(heap->take(2000), taken[3]);
  assert_true(heap->sound());
}

// A room whose free blocks are all of the request's own class still serves it.
void a_nearly_full_room_finds_the_block_that_fits(void**) {
  BlockHeap* heap = BlockHeap::start(Bytes(room, 16384));
  void* large = heap->take(1030);
  void* wall = heap->take(16);
  void* small = heap->take(1016);
  void* other_wall = heap->take(16);
  while (heap->take(8) != nullptr) {
  }
  heap->give(large);
  heap->give(small);  // now the head of their common list
  assert_ptr_equal(heap->take(1030), large);
  assert_non_null(wall);
  assert_non_null(other_wall);
}

// A large hole is left whole while a hole of the very size is there.
void a_hole_of_the_same_size_is_filled_first(void**) {
  BlockHeap* heap = BlockHeap::start(room);
  for (size_t size : {size_t{100}, size_t{1000}, size_t{16717}}) {
    void* payload = heap->take(size);
    void* wall = heap->take(1);
    heap->give(payload);
    assert_ptr_equal(heap->take(size), payload);
    assert_non_null(wall);
  }
}

void alignment_reaches_a_page(void**) {
  BlockHeap* heap = BlockHeap::start(Bytes(room + 64, 65536));
  void* first = heap->take(1);
  for (size_t alignment = 1; alignment <= page; alignment *= 2) {
    uint8_t* payload = static_cast<uint8_t*>(heap->take(100, alignment));
    assert_non_null(payload);
    assert_int_equal(reinterpret_cast<uintptr_t>(payload) % alignment, 0);
    assert_true(heap->sound());
    heap->give(payload);
  }
  heap->give(first);
  assert_int_equal(heap->free_blocks(), 1);
}

void resizing_moves_nothing(void**) {
  BlockHeap* heap = BlockHeap::start(Bytes(room, 16384));
  void* first = heap->take(100);
  void* second = heap->take(100);
  assert_false(heap->resize(first, 200));
  assert_true(heap->resize(first, BlockHeap::usable_bytes(first)));
  assert_true(heap->resize(first, 10));
  assert_int_equal(BlockHeap::block_bytes(first), 32);
  assert_true(heap->resize(first, 100));
  heap->give(second);
  assert_true(heap->resize(first, 5000));
  assert_int_equal(BlockHeap::block_bytes(first), 5008);
  assert_true(heap->resize(first, 0));
  assert_int_equal(BlockHeap::block_bytes(first), 16);
  assert_true(heap->sound());
  assert_int_equal(heap->free_blocks(), 1);
}

void pages_that_nothing_was_taken_from_stay_untouched(void**) {
  std::memset(room, 0xA5, sizeof(room));
  BlockHeap* heap = BlockHeap::start(room);
  void* a = heap->take(1000);
  void* b = heap->take(3000);
  heap->give(a);
  heap->give(b);
  for (size_t i = 2 * page; i < sizeof(room); ++i) assert_int_equal(room[i], 0xA5);
}

void starting_again_forgets_everything(void**) {
  BlockHeap* heap = BlockHeap::start(Bytes(room, 8192));
  while (heap->take(100) != nullptr) {
  }
  heap = BlockHeap::start(Bytes(room, 8192));
  assert_int_equal(heap->free_blocks(), 1);
  assert_true(heap->sound());
}

// True when work in a child process ended in abort().
bool aborts(void (*work)(BlockHeap&)) {
  const pid_t child = fork();
  if (child == 0) {
    const int nowhere = open("/dev/null", O_WRONLY);
    dup2(nowhere, STDERR_FILENO);
    signal(SIGABRT, SIG_DFL);
    work(*BlockHeap::start(Bytes(room, 8192)));
    _exit(0);
  }
  int status = 0;
  return waitpid(child, &status, 0) == child && WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

void misuse_stops_the_process(void**) {
  assert_true(aborts([](BlockHeap& heap) {
    void* payload = heap.take(10);
    heap.give(payload);
    heap.give(payload);
  }));
  assert_true(aborts([](BlockHeap& heap) { heap.give(static_cast<uint8_t*>(heap.take(100)) + 8); }));
  assert_true(aborts([](BlockHeap& heap) {
    uint8_t* payload = static_cast<uint8_t*>(heap.take(24));
    std::memset(payload, 0x55, 32);  // eight bytes too many
    heap.give(payload);
  }));
}

TESTS(block_heap, cmocka_unit_test(random_work_keeps_blocks_apart_and_comes_back_to_one),
      cmocka_unit_test(a_room_may_start_and_end_anywhere), cmocka_unit_test(a_big_room_is_used_to_its_end),
      cmocka_unit_test(tiny_rooms_work_or_are_refused), cmocka_unit_test(exhaustion_is_nullptr_and_passes),
      cmocka_unit_test(a_nearly_full_room_finds_the_block_that_fits),
      cmocka_unit_test(a_hole_of_the_same_size_is_filled_first), cmocka_unit_test(alignment_reaches_a_page),
      cmocka_unit_test(resizing_moves_nothing), cmocka_unit_test(pages_that_nothing_was_taken_from_stay_untouched),
      cmocka_unit_test(starting_again_forgets_everything), cmocka_unit_test(misuse_stops_the_process));

}  // namespace
}  // namespace tocsin
