// What a journal that fails leaves behind: nothing.
#include "registry/registry.h"

#include "test/unit/registry/bench.h"

using namespace tocsin;
using namespace tocsin::test;

static void an_append_that_fails_drops_the_batch(void** state) {
  Bench& b = bench(state);
  b.journal.append_fails = true;
  const auto ticket = b.registry->add(b.registration(1, 1), day_one);
  assert_int_equal(b.registry->commit().error(), Error::no_space);
  assert_false(b.registry->committing());
  assert_false(b.registry->anything_staged());
  assert_int_equal(b.registry->committed_ticket(), ticket.value());
  assert_true(b.registry->ticket_failed(ticket.value()));
  assert_true(is_none(b.find(1, 1)));
  assert_int_equal(b.registry->count(), 0);
  // The next commit works, and the file begins with it.
  b.journal.append_fails = false;
  const NodeId node = b.add(1, 1);
  assert_true(b.commit().ok());
  assert_true(b.registry->ticket_failed(ticket.value()));
  assert_false(b.registry->ticket_failed(ticket.value() + 1));
  b.open();
  assert_true(b.find(1, 1) == node);
  assert_int_equal(b.registry->count(), 1);
}

static void a_sync_that_fails_drops_what_was_staged_behind_it_too(void** state) {
  Bench& b = bench(state);
  const NodeId old = b.add(1, 1);
  assert_true(b.commit().ok());
  const auto first = b.registry->add(b.registration(1, 2), day_one);
  assert_true(b.registry->end(old, EndReason::client, "", day_one).ok());
  assert_true(b.registry->commit().ok());
  const auto second = b.registry->add(b.registration(1, 3), day_one);
  assert_int_equal(second.value(), first.value() + 1);
  b.journal.decide(false);
  b.registry->committed(Error::io);
  assert_int_equal(b.registry->committed_ticket(), second.value());
  assert_true(b.registry->ticket_failed(first.value()) && b.registry->ticket_failed(second.value()));
  assert_false(b.registry->ticket_failed(first.value() - 1));
  assert_false(b.registry->anything_staged());
  assert_true(b.find(1, 1) == old);
  assert_true(is_none(b.find(1, 2)) && is_none(b.find(1, 3)));
  assert_int_equal(b.registry->count_of_account("ann1@example.org", nullptr), 1);
  // Later batches are whole, and replay knows nothing of the failed ones.
  const auto third = b.registry->add(b.registration(1, 4), day_one);
  assert_true(third.value() > second.value());
  assert_true(b.commit().ok());
  assert_false(b.registry->ticket_failed(third.value()));
  b.open();
  assert_int_equal(b.registry->count(), 2);
  assert_true(b.find(1, 1) == old);
}

static void a_ticket_succeeds_although_the_batch_behind_it_fails(void** state) {
  Bench& b = bench(state);
  const auto first = b.registry->add(b.registration(1, 1), day_one);
  assert_true(b.registry->commit().ok());
  const auto second = b.registry->add(b.registration(1, 2), day_one);
  b.journal.decide(true);
  b.registry->committed({});
  assert_int_equal(b.registry->committed_ticket(), first.value());
  assert_true(b.commit(false).ok());
  assert_int_equal(b.registry->committed_ticket(), second.value());
  assert_false(b.registry->ticket_failed(first.value()));
  assert_true(b.registry->ticket_failed(second.value()));
}

static void what_ram_learned_at_once_is_taken_back(void** state) {
  Bench& b = bench(state);
  const NodeId node = b.add(1, 1);
  assert_true(b.commit().ok());
  assert_true(b.registry->accepted(node, 5, day_one).ok());
  assert_true(b.commit().ok());
  assert_int_equal(b.registry->refresh(node, day_one + hours(2), false).value(), 0);
  const Device before = b.device(node);

  const auto expect_as_before = [&] {
    const Device& now = b.device(node);
    assert_int_equal(now.refreshed, before.refreshed);
    assert_int_equal(now.refreshed_stored, before.refreshed_stored);
    assert_int_equal(now.accepted_under, before.accepted_under);
    assert_int_equal(now.accepted_day, before.accepted_day);
    assert_int_equal(now.held, before.held);
    assert_int_equal(now.section, before.section);
    assert_int_equal(now.offset(), before.offset());
    assert_int_equal(now.key_hash, before.key_hash);
  };
  Registration other = b.registration(1, 2);
  other.node = node;
  // One batch with everything in it.
  assert_true(b.registry->refresh(node, day_one + days(2), false).value() != 0);
  assert_true(b.registry->accepted(node, 6, day_one + days(2)).value() != 0);
  assert_true(b.registry->change(other, day_one + days(3)).ok());
  assert_int_equal(b.registry->refresh(node, day_one + days(3), false).value(), 0);
  assert_true(b.registry->hold(node, "BadDeviceToken", day_one).ok());
  assert_int_equal(b.device(node).refreshed, (day_one + days(3)).s);
  assert_true(b.commit(false).ok());
  expect_as_before();
  // Two batches, the second on top of the first.
  assert_true(b.registry->change(other, day_one + days(4)).ok());
  assert_true(b.registry->commit().ok());
  assert_true(b.registry->refresh(node, day_one + days(6), false).value() != 0);
  assert_true(b.registry->accepted(node, 7, day_one + days(9)).value() != 0);
  assert_int_equal(b.device(node).refreshed, (day_one + days(6)).s);
  b.journal.decide(false);
  b.registry->committed(Error::io);
  expect_as_before();
  // The first is stored, the second is not.
  assert_true(b.registry->change(other, day_one + days(4)).ok());
  assert_true(b.registry->commit().ok());
  assert_true(b.registry->refresh(node, day_one + days(6), false).value() != 0);
  b.journal.decide(true);
  b.registry->committed({});
  assert_int_equal(b.device(node).refreshed, (day_one + days(6)).s);
  assert_true(b.commit(false).ok());
  assert_int_equal(b.device(node).refreshed, (day_one + days(4)).s);
  assert_true(b.find(1, 2) == node);
}

static void a_journal_that_is_full_says_so_at_once(void** state) {
  Bench& b = bench(state);
  b.add(1, 1);
  assert_true(b.commit().ok());
  class Full final : public Journal {
   public:
    Result<size_t> read(uint64_t, Bytes) override { return size_t{0}; }
    uint64_t size() const override { return appends == 0 ? 0 : log_bytes_max - 10; }
    Status append(ByteView) override { return ++appends, Status(); }
    bool decided(Status&) override { return false; }
    Status cut(uint64_t) override { return Error::io; }
    Status renew(uint64_t) override { return Error::io; }
    uint32_t appends = 0;
  };
  static Full full;
  Region region(b.memory);
  Registry registry(region, {}, full);
  assert_true(registry.add(b.registration(1, 1), day_one).ok());
  assert_true(registry.commit().ok());
  registry.committed({});
  const auto ticket = registry.add(b.registration(1, 2), day_one);
  assert_int_equal(registry.commit().error(), Error::no_space);  // offsets have 40 bits
  assert_true(registry.ticket_failed(ticket.value()));
  assert_int_equal(full.appends, 1);
}

TESTS(failure, BENCH_TEST(an_append_that_fails_drops_the_batch),
      BENCH_TEST(a_sync_that_fails_drops_what_was_staged_behind_it_too),
      BENCH_TEST(a_ticket_succeeds_although_the_batch_behind_it_fails),
      BENCH_TEST(what_ram_learned_at_once_is_taken_back), BENCH_TEST(a_journal_that_is_full_says_so_at_once));
