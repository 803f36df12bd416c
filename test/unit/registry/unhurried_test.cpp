// Dates that nobody waits for.
#include "test/unit/registry/bench.h"

namespace tocsin {

using namespace test;

static void a_refresh_that_nobody_waits_for_goes_with_the_next_batch(void** state) {
  Bench& b = bench(state);
  const NodeId node = b.add(1, 7);
  assert_true(b.commit().ok());
  assert_int_equal(b.registry->refresh_unhurried(node, day_one + hours(24)).value(), 0);
  assert_int_equal(b.device(node).refreshed, day_one.s + 86'400);
  assert_true(b.registry->anything_staged());
  assert_false(b.registry->commit_wanted());
  // Nor does the next, of the same day.
  assert_int_equal(b.registry->refresh_unhurried(node, day_one + hours(25)).value(), 0);
  assert_int_equal(b.registry->refresh(node, day_one + hours(25), false).value(), 0);
  Ticket staged = 9;
  uint8_t room[Registry::record_bytes_max];
  Registration known;
  const Registration wanted = b.registration(1, 7);
  assert_true(b.registry->find_device(wanted.account, wanted.key(), room, known, &staged).ok());
  assert_int_equal(staged, 0);
  assert_false(b.registry->commit_wanted());

  b.add(1, 8);
  assert_true(b.registry->commit_wanted());
  assert_true(b.commit().ok());
  assert_false(b.registry->commit_wanted());
  assert_int_equal(b.device(node).refreshed_stored, day_one.s + 86'400);
  assert_int_equal(b.device(node).refreshed, day_one.s + 25 * 3600);
}

static void so_many_dates_are_a_batch(void** state) {
  Bench& b = bench(state);
  static NodeId nodes[64];
  for (unsigned i = 0; i < 64; ++i) {
    nodes[i] = b.add(i, i);
    assert_true(b.commit().ok());
  }
  for (unsigned i = 0; i < 64; ++i) {
    assert_false(b.registry->commit_wanted());
    assert_int_equal(b.registry->refresh_unhurried(nodes[i], day_one + days(2)).value(), 0);
  }
  assert_true(b.registry->commit_wanted());
}

static void a_device_that_was_away_is_waited_for(void** state) {
  Bench& b = bench(state);
  const NodeId node = b.add(1, 7);
  assert_true(b.registry->refresh_unhurried(node, day_one + days(1)).value() != 0);  // it is not durable itself
  assert_true(b.commit().ok());
  assert_true(b.registry->refresh_unhurried(node, day_one + days(4)).value() != 0);
  assert_true(b.commit().ok());
  assert_true(b.registry->hold(node, "BadDeviceToken", day_one).ok());
  assert_true(b.commit().ok());
  assert_true(b.registry->refresh_unhurried(node, day_one + days(4)).value() != 0);
  assert_true(b.registry->commit_wanted());
  assert_true(b.commit().ok());
  assert_false(b.device(node).held);
  assert_int_equal(b.registry->refresh_unhurried(node_of(1), day_one).error(), Error::not_found);
}

// Whoever asked has been answered, so its registration stays as young as it is; the next one is written again.
static void a_batch_that_fails_takes_no_date_back(void** state) {
  Bench& b = bench(state);
  const NodeId node = b.add(1, 7);
  assert_true(b.commit().ok());
  assert_int_equal(b.registry->refresh_unhurried(node, day_one + days(2)).value(), 0);
  assert_true(b.commit(false).ok());
  assert_int_equal(b.device(node).refreshed, day_one.s + 2 * 86'400);
  assert_int_equal(b.device(node).refreshed_stored, day_one.s);
  assert_int_equal(b.registry->refresh_unhurried(node, day_one + days(2) + hours(1)).value(), 0);
  assert_true(b.registry->anything_staged());
}

static void an_acceptance_that_says_nothing_new_is_not_waited_for(void** state) {
  Bench& b = bench(state);
  const NodeId node = b.add(1, 7);
  assert_true(b.commit().ok());
  assert_true(b.registry->accepted(node, 5, day_one).ok());
  assert_true(b.registry->commit_wanted());
  assert_true(b.commit().ok());
  assert_true(b.registry->accepted(node, 5, day_one + days(8)).ok());
  assert_true(b.registry->anything_staged());
  assert_false(b.registry->commit_wanted());
  assert_true(b.registry->accepted(node, 6, day_one + days(8)).ok());
  assert_true(b.registry->commit_wanted());
}

TESTS(registry_unhurried, BENCH_TEST(a_refresh_that_nobody_waits_for_goes_with_the_next_batch),
      BENCH_TEST(so_many_dates_are_a_batch), BENCH_TEST(a_device_that_was_away_is_waited_for),
      BENCH_TEST(a_batch_that_fails_takes_no_date_back),
      BENCH_TEST(an_acceptance_that_says_nothing_new_is_not_waited_for));

}  // namespace tocsin
