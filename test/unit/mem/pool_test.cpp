#include "mem/pool.h"

#include "mem/plan.h"
#include "test/support/tests.h"

namespace tocsin {
namespace {

struct Thing {
  uint32_t number = 5;
  uint8_t more[20] = {};
};

alignas(region_alignment) uint8_t room[4096];

void a_pool_hands_out_every_slot_once(void**) {
  Region region(room);
  Pool<Thing> pool(region, 10);
  Thing* things[10];
  for (uint32_t i = 0; i < 10; ++i) {
    things[i] = pool.take();
    assert_non_null(things[i]);
    assert_int_equal(things[i]->number, 5);
    for (uint32_t j = 0; j < i; ++j) assert_ptr_not_equal(things[i], things[j]);
    things[i]->number = i;
  }
  assert_null(pool.take());
  assert_int_equal(pool.free_count(), 0);
  for (uint32_t i = 0; i < 10; ++i) assert_int_equal(things[i]->number, i);
  for (Thing* thing : things) pool.give(*thing);
  assert_int_equal(pool.free_count(), 10);
  assert_int_equal(pool.low_water(), 0);
  assert_int_equal(pool.count(), 10);
}

void the_last_given_is_the_next_taken_and_fresh(void**) {
  Region region(room);
  Pool<Thing> pool(region, 4);
  Thing* a = pool.take();
  Thing* b = pool.take();
  assert_int_equal(pool.low_water(), 2);
  a->number = 77;
  pool.give(*b);
  pool.give(*a);
  assert_ptr_equal(pool.take(), a);
  assert_int_equal(a->number, 5);
  assert_ptr_equal(pool.take(), b);
  assert_int_equal(pool.low_water(), 2);
}

void slots_never_used_stay_untouched(void**) {
  std::memset(room, 0xA5, sizeof(room));
  Region region(room);
  Pool<Thing> pool(region, 100);
  Thing* thing = pool.take();
  pool.give(*thing);
  for (size_t i = Pool<Thing>::slot_bytes; i < sizeof(room); ++i) assert_int_equal(room[i], 0xA5);
}

void a_slot_is_known_by_its_place(void**) {
  SlotPool pool(room, 16, 4);
  void* first = pool.take();
  void* second = pool.take();
  assert_int_equal(pool.index_of(first), 0);
  assert_int_equal(pool.index_of(second), 1);
  assert_ptr_equal(pool.slot_at(1), second);
  assert_false(pool.holds(static_cast<uint8_t*>(first) + 8));
  assert_false(pool.holds(room + 64));
  assert_false(pool.holds(&pool));
  assert_true(pool.holds(room + 48));
}

void an_empty_pool_is_legal(void**) {
  Region region;
  Pool<Thing> pool(region, 0);
  assert_null(pool.take());
  assert_int_equal(Pool<Thing>::bytes_for(0), 0);
}

void a_region_is_carved_in_rounded_parts(void**) {
  Region region(Bytes(room, 256));
  const Bytes a = region.carve(1);
  const Bytes b = region.carve(65);
  const Bytes c = region.carve(64);
  assert_ptr_equal(a.data(), room);
  assert_int_equal(a.size(), 1);
  assert_ptr_equal(b.data(), room + 64);
  assert_int_equal(b.size(), 65);
  assert_ptr_equal(c.data(), room + 192);
  assert_int_equal(region.used(), region.size());
}

void a_plan_sums_what_the_regions_will_take(void**) {
  Plan plan;
  plan.add("jobs", 3, 100, "one for each publish in flight");
  plan.add("tls", 2, 65536, "one for each connection");
  assert_int_equal(plan.count(), 2);
  assert_int_equal(plan.row(0).bytes(), 320);
  assert_int_equal(plan.total(), 320 + 131072);
}

TESTS(pool, cmocka_unit_test(a_pool_hands_out_every_slot_once),
      cmocka_unit_test(the_last_given_is_the_next_taken_and_fresh), cmocka_unit_test(slots_never_used_stay_untouched),
      cmocka_unit_test(a_slot_is_known_by_its_place), cmocka_unit_test(an_empty_pool_is_legal),
      cmocka_unit_test(a_region_is_carved_in_rounded_parts), cmocka_unit_test(a_plan_sums_what_the_regions_will_take));

}  // namespace
}  // namespace tocsin
