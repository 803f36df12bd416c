#include "base/due_queue.h"

#include "test/support/tests.h"

namespace tocsin {

namespace {

struct Item {
  Instant due{};
  uint32_t due_place = 0;
};

constexpr uint32_t count = 64;

void an_empty_queue_has_no_first(void**) {
  Item* slots[1];
  DueQueue<Item> queue(slots, 1);
  assert_true(queue.empty());
  assert_null(queue.first());
  Item item{.due = Instant{5}};
  queue.insert(item);
  assert_ptr_equal(queue.first(), &item);
  assert_int_equal(queue.size(), 1);
  queue.remove(item);
  assert_true(queue.empty());
  assert_null(queue.first());
  assert_int_equal(item.due_place, 0);
}

void items_come_out_by_deadline(void**) {
  for (uint64_t stride = 1; stride < count; stride += 2) {  // coprime to count: every deadline once
    Item items[count];
    Item* slots[count];
    DueQueue<Item> queue(slots, count);
    for (uint32_t i = 0; i < count; ++i) {
      items[i].due = Instant{static_cast<int64_t>(i * stride % count)};
      queue.insert(items[i]);
    }
    for (int64_t due = 0; due < count; ++due) {
      assert_true(queue.first()->due == Instant{due});
      queue.remove(*queue.first());
    }
    assert_true(queue.empty());
  }
}

// Against the plainest model: a set of items that is searched from end to end.
void any_order_of_inserting_and_removing_keeps_the_earliest_first(void**) {
  uint64_t state = 7;
  const auto roll = [&state](uint32_t sides) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return static_cast<uint32_t>((state >> 33) % sides);
  };
  Item items[count];
  Item* slots[count];
  DueQueue<Item> queue(slots, count);
  uint32_t queued = 0;
  uint32_t full = 0;
  for (int step = 0; step < 50'000; ++step) {
    // Long phases of growing and of shrinking; few different deadlines, so that many are equal.
    const bool growing = step / 1000 % 2 == 0;
    Item& item = items[roll(count)];
    if (item.due_place == 0 && (growing || roll(100) == 0)) {
      item.due = Instant{roll(step % 2 == 0 ? 10 : 1'000'000)};
      queue.insert(item);
      ++queued;
    } else if (item.due_place != 0 && (!growing || roll(100) == 0)) {
      Item& leaving = roll(3) == 0 ? *queue.first() : item;
      queue.remove(leaving);
      assert_int_equal(leaving.due_place, 0);
      --queued;
    }
    assert_int_equal(queue.size(), queued);
    if (queued == count) ++full;
    const Item* earliest = nullptr;
    for (const Item& other : items) {
      if (other.due_place == 0) continue;
      assert_true(other.due_place <= queued && slots[other.due_place - 1] == &other);
      if (earliest == nullptr || other.due < earliest->due) earliest = &other;
    }
    assert_true((earliest == nullptr) == (queue.first() == nullptr));
    if (earliest != nullptr) assert_true(queue.first()->due == earliest->due);
  }
  assert_true(full > 0);
}

}  // namespace

TESTS(due_queue, cmocka_unit_test(an_empty_queue_has_no_first), cmocka_unit_test(items_come_out_by_deadline),
      cmocka_unit_test(any_order_of_inserting_and_removing_keeps_the_earliest_first));

}  // namespace tocsin
