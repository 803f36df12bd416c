#include "base/ring.h"

#include "test/support/tests.h"
#include "test/unit/base/expect.h"

namespace tocsin {
namespace {

void bytes_come_out_in_order_across_the_end(void**) {
  uint8_t room[7];
  ByteRing ring(room);
  uint8_t next_in = 0;
  uint8_t next_out = 0;
  // Sizes that share no factor with seven reach every place of the ring.
  for (int turn = 0; turn < 200; ++turn) {
    uint8_t in[4];
    for (uint8_t& byte : in) byte = next_in++;
    assert_true(ring.push(in));
    while (!ring.empty()) {
      const ByteView front = ring.front();
      assert_true(front.size() > 0);
      assert_int_equal(front[0], next_out++);
      ring.pop(1);
    }
    // Leave some in, so that the ring does not start over each time.
    assert_true(ring.push(ByteView(in, 2)));
    const ByteView front = ring.front();
    assert_int_equal(front[0], in[0]);
    ring.pop(2);
  }
}

void every_split_of_a_full_ring_is_two_runs_at_most(void**) {
  for (size_t start = 0; start < 8; ++start) {
    uint8_t room[8];
    ByteRing ring(room);
    const ByteView text = bytes_of("abcdefgh");
    assert_true(ring.push(text.first(start)));
    assert_true(ring.push(bytes_of("x").first(start < 8 ? 1 : 0)));
    ring.pop(start);
    assert_true(ring.push(text.first(7)));
    assert_int_equal(ring.free(), 0);
    char seen[9];
    size_t size = 0;
    int runs = 0;
    while (!ring.empty()) {
      const ByteView front = ring.front();
      std::memcpy(seen + size, front.data(), front.size());
      size += front.size();
      ring.pop(front.size());
      ++runs;
    }
    assert_true(runs <= 2);
    expect_text({seen, size}, "xabcdefg");
  }
}

void a_push_is_all_or_nothing(void**) {
  uint8_t room[4];
  ByteRing ring(room);
  assert_true(ring.push(bytes_of("abc")));
  assert_false(ring.push(bytes_of("de")));
  assert_int_equal(ring.size(), 3);
  expect_text(text_of(ring.front()), "abc");
  assert_true(ring.push(bytes_of("d")));
  assert_int_equal(ring.free(), 0);
  assert_true(ring.push({}));
  assert_false(ring.push(bytes_of("e")));
  ring.clear();
  assert_true(ring.empty());
  assert_int_equal(ring.free(), ring.capacity());
}

void a_ring_without_room_takes_nothing(void**) {
  ByteRing ring;
  assert_false(ring.push(bytes_of("a")));
  assert_true(ring.push({}));
  assert_int_equal(ring.front().size(), 0);
}

TESTS(ring, cmocka_unit_test(bytes_come_out_in_order_across_the_end),
      cmocka_unit_test(every_split_of_a_full_ring_is_two_runs_at_most), cmocka_unit_test(a_push_is_all_or_nothing),
      cmocka_unit_test(a_ring_without_room_takes_nothing));

}  // namespace
}  // namespace tocsin
