#include "base/arena.h"

#include "test/support/tests.h"
#include "test/unit/base/expect.h"

namespace tocsin {
namespace {

struct Pair {
  uint64_t a = 7;
  uint8_t b = 8;
};

void what_is_taken_is_aligned(void**) {
  alignas(16) uint8_t room[64];
  Arena arena(Bytes(room, sizeof(room)).subspan(1));
  assert_ptr_equal(arena.take(1, 1), room + 1);
  assert_ptr_equal(arena.take(2, 16), room + 16);
  Pair* pair = arena.make<Pair>();
  assert_ptr_equal(pair, room + 24);
  assert_int_equal(pair->a, 7);
  assert_int_equal(pair->b, 8);
}

// Not a local: GCC 12 follows the refused calls into writes that never happen, and warns.
Arena arena_of_sixteen;

void a_full_arena_refuses_and_stays_as_it_was(void**) {
  alignas(16) static uint8_t room[16];
  arena_of_sixteen = Arena(room);
  Arena& arena = arena_of_sixteen;
  assert_non_null(arena.take(9, 1));
  const size_t used = arena.used();
  assert_null(arena.take(1, 16));
  assert_null(arena.take(8, 1));
  assert_null(arena.take(SIZE_MAX, 1));
  assert_null(arena.make<Pair>());
  assert_null(arena.keep("too long").data());
  assert_int_equal(arena.used(), used);
  assert_int_equal(arena.rest().size(), 7);
  assert_non_null(arena.take(7, 1));
  assert_int_equal(arena.rest().size(), 0);
}

void kept_text_is_a_copy_with_an_end(void**) {
  uint8_t room[16];
  Arena arena(room);
  char text[] = "abc";
  const string_view kept = arena.keep({text, 3});
  text[0] = 'x';
  expect_text(kept, "abc");
  assert_int_equal(kept.data()[3], '\0');
  const string_view empty = arena.keep({});
  assert_non_null(empty.data());
  assert_int_equal(arena.used(), 5);
}

void rewinding_gives_room_back_and_keeps_the_peak(void**) {
  uint8_t room[16];
  Arena arena(room);
  assert_non_null(arena.take(4, 1));
  const size_t mark = arena.used();
  assert_non_null(arena.take(8, 1));
  arena.rewind(mark);
  assert_int_equal(arena.used(), 4);
  assert_int_equal(arena.peak(), 12);
  assert_ptr_equal(arena.take(1, 1), room + 4);
  arena.rewind();
  assert_int_equal(arena.used(), 0);
}

TESTS(arena, cmocka_unit_test(what_is_taken_is_aligned), cmocka_unit_test(a_full_arena_refuses_and_stays_as_it_was),
      cmocka_unit_test(kept_text_is_a_copy_with_an_end),
      cmocka_unit_test(rewinding_gives_room_back_and_keeps_the_peak));

}  // namespace
}  // namespace tocsin
