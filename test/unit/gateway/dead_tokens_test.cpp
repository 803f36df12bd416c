#include "gateway/dead_tokens.h"

#include "base/encode.h"
#include "test/support/tests.h"

namespace tocsin {

namespace {

using State = DeadTokens::State;

constexpr uint32_t room_for = 64;
alignas(64) uint8_t room[64 * 1024];
constexpr Instant start = Instant{} + hours(1);

// The hash of a stateless device: places in the table are even, as of a keyed hash.
NodeId device(uint64_t number) {
  NodeId node;
  put_u64(node.bytes, number * 0x9E3779B97F4A7C15u);
  put_u64(node.bytes + 8, number);
  return node;
}

DeadTokens empty_table(uint32_t tokens = room_for) {
  std::memset(room, 0, sizeof room);
  Region region{Bytes(room)};
  return DeadTokens(region, tokens);
}

void the_dead_stay_dead_for_a_day_and_longer_each_time(void**) {
  DeadTokens table = empty_table();
  Instant now = start;
  for (const Duration wait : {hours(24), hours(48), hours(96), hours(120), hours(120)}) {
    table.died(device(1), now);
    assert_true(table.state(device(1), now) == State::dead);
    assert_true(table.state(device(1), now + wait - milliseconds(1)) == State::dead);
    now = now + wait;
    assert_true(table.state(device(1), now) == State::unknown);
  }
  assert_true(table.state(device(2), now) == State::unknown);
}

void whoever_is_accepted_is_forgotten(void**) {
  DeadTokens table = empty_table();
  table.died(device(1), start);
  table.died(device(1), start + hours(24));
  table.accepted(device(1));
  assert_true(table.state(device(1), start) == State::unknown);
  table.died(device(1), start);
  assert_true(table.state(device(1), start + hours(24)) == State::unknown);
}

void the_held_are_tried_each_day(void**) {
  DeadTokens table = empty_table();
  table.hold(device(1), start);
  assert_true(table.state(device(1), start + hours(24) - milliseconds(1)) == State::held);
  assert_true(table.state(device(1), start + hours(24)) == State::unknown);
  table.hold(device(1), start + hours(24));
  assert_true(table.state(device(1), start + hours(47)) == State::held);
  table.died(device(1), start + hours(48));
  assert_true(table.state(device(1), start + hours(48)) == State::dead);
}

// A table that forgets the blocked and keeps the others lets the dead through and stops the living.
void a_full_table_forgets_whoever_would_be_forgotten_first(void**) {
  DeadTokens table = empty_table(8);
  for (uint64_t i = 1; i <= 8; ++i) table.died(device(i), start + minutes(static_cast<int64_t>(i)));
  table.died(device(2), start + hours(30));  // for the second time: later than all others
  table.died(device(9), start + hours(10));
  assert_true(table.state(device(1), start + hours(10)) == State::unknown);  // forgotten for the ninth
  for (uint64_t i = 3; i <= 9; ++i) assert_true(table.state(device(i), start + hours(10)) == State::dead);
  table.died(device(10), start + hours(31));
  assert_true(table.state(device(2), start + hours(70)) == State::dead);
  assert_true(table.state(device(10), start + hours(32)) == State::dead);
}

void a_flood_neither_blocks_the_living_nor_grows(void**) {
  DeadTokens table = empty_table();
  Instant now = start;
  uint32_t remembered = 0;
  for (uint64_t i = 0; i < 100'000; ++i) {
    now = now + milliseconds(100);
    table.died(device(i), now);
    assert_true(table.state(device(i), now) == State::dead);
    if (i >= 16 && table.state(device(i - 16), now) == State::dead) ++remembered;
    assert_true(table.state(device(1'000'000 + i), now) == State::unknown);
  }
  assert_true(remembered > 90'000);
}

void without_room_nothing_is_remembered(void**) {
  DeadTokens table = empty_table(0);
  assert_int_equal(DeadTokens::bytes_for(0), 0);
  table.died(device(1), start);
  table.hold(device(1), start);
  table.accepted(device(1));
  assert_true(table.state(device(1), start) == State::unknown);
}

}  // namespace

TESTS(dead_tokens, cmocka_unit_test(the_dead_stay_dead_for_a_day_and_longer_each_time),
      cmocka_unit_test(whoever_is_accepted_is_forgotten), cmocka_unit_test(the_held_are_tried_each_day),
      cmocka_unit_test(a_full_table_forgets_whoever_would_be_forgotten_first),
      cmocka_unit_test(a_flood_neither_blocks_the_living_nor_grows),
      cmocka_unit_test(without_room_nothing_is_remembered));

}  // namespace tocsin
