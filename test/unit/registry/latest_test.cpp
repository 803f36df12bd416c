// What a device's content is now, before the disk has it.
#include "registry/registry.h"

#include "test/unit/registry/bench.h"

using namespace tocsin;
using namespace tocsin::test;

static void expect_token(Bench& b, const NodeId& node, unsigned token) {
  uint8_t room[Registry::record_bytes_max];
  Registration latest;
  assert_true(b.registry->read_latest(b.device(node), room, latest).ok());
  const Registration wanted = b.registration(1, token);
  assert_true(latest.node == node && latest.account == wanted.account && same(latest.token, wanted.token));
  assert_true(latest.section == "apns/siskin");
}

static void change_token(Bench& b, const NodeId& node, unsigned token) {
  Registration wanted = b.registration(1, token);
  wanted.node = node;
  assert_true(b.registry->change(wanted, day_one).ok());
}

static void the_latest_content_counts_whether_or_not_it_is_durable(void** state) {
  Bench& b = bench(state);
  const NodeId node = b.add(1, 7);
  assert_true(b.commit().ok());
  expect_token(b, node, 7);
  change_token(b, node, 8);
  expect_token(b, node, 8);
  assert_true(b.registry->commit().ok());  // under way …
  change_token(b, node, 9);                // … and one more behind it
  expect_token(b, node, 9);
  b.journal.decide(true);
  b.registry->committed({});
  expect_token(b, node, 9);
  // Neither what is no content nor an end that is not durable changes it.
  assert_true(b.registry->hold(node, "BadDeviceToken", day_one).ok());
  expect_token(b, node, 9);
  assert_true(b.registry->end(node, EndReason::client, "", day_one).ok());
  expect_token(b, node, 9);
}

static void what_could_not_be_stored_is_taken_back(void** state) {
  Bench& b = bench(state);
  const NodeId node = b.add(1, 7);
  assert_true(b.commit().ok());
  change_token(b, node, 8);
  assert_true(b.registry->commit().ok());
  b.journal.decide(false);
  b.registry->committed(Error::io);
  expect_token(b, node, 7);
}

static void what_can_not_be_read_is_an_error(void** state) {
  Bench& b = bench(state);
  const NodeId node = b.add(1, 7);
  assert_true(b.commit().ok());
  uint8_t room[Registry::record_bytes_max];
  Registration latest;
  b.journal.read_fails = true;
  assert_int_equal(b.registry->read_latest(b.device(node), room, latest).error(), Error::io);
  change_token(b, node, 8);  // what is staged needs no disk
  expect_token(b, node, 8);
}

TESTS(latest, BENCH_TEST(the_latest_content_counts_whether_or_not_it_is_durable),
      BENCH_TEST(what_could_not_be_stored_is_taken_back), BENCH_TEST(what_can_not_be_read_is_an_error));
