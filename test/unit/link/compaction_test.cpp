// Compaction on a simulated disk: a registry in its journal file, devices that
// change while slices run, and everything that can go wrong on the way.
#include "test/unit/link/compaction_house.h"

using namespace tocsin;
using namespace tocsin::sim;
using namespace tocsin::test;

namespace {

void what_is_dead_is_left_behind(void** state) {
  House& h = house(state);
  h.fill(1000);
  for (uint32_t i = 0; i < 900; ++i) {
    assert_true(h.registry->end(h.device(i, 0).node, EndReason::client, "", h.wall).ok());
    if (i % 50 == 0) h.commit();
  }
  h.commit();
  const uint64_t before = h.journal.size();
  const uint64_t digest = h.digest();
  h.wall = h.wall + days(31);  // nobody asks why they are gone any more
  assert_int_equal(h.compact(), Maintenance::compacted);
  assert_true(h.journal.size() * 8 < before);
  assert_true(h.digest() == digest);
  assert_false(h.disk.has(new_path) || h.disk.has(old_path));
  assert_int_equal(h.disk.content(path).size(), h.journal.size());
  h.start();
  assert_true(h.digest() == digest);
  assert_int_equal(h.registry->count(), 100);
  h.add(2000);
  h.commit();
  h.start();
  assert_int_equal(h.registry->count(), 101);
}

void it_starts_by_itself_when_half_is_dead(void** state) {
  House& h = house(state);
  h.fill(600);
  for (int i = 0; i < 200; ++i) assert_int_equal(h.turn(), Maintenance::quiet);
  assert_false(h.registry->compaction().running());
  uint32_t compactions = 0;
  uint64_t most = 0;
  for (uint32_t round = 1; round <= 40; ++round) {
    h.wall = h.wall + days(1);
    for (uint32_t i = 0; i < 600; ++i) {
      if (i % 100 == 0) h.commit();
      assert_true(h.registry->refresh(h.device(i, 0).node, h.wall, true).ok());
    }
    h.commit();
    for (int i = 0; i < 300; ++i) compactions += h.turn() == Maintenance::compacted;
    most = most < h.journal.size() ? h.journal.size() : most;
  }
  assert_true(compactions >= 6 && compactions <= 15);
  assert_true(most < 4 * 600 * 120);
}

// Changes of every kind in every stage; then the same once more after a restart.
void devices_may_change_while_it_runs(void** state) {
  House& h = house(state);
  h.fill(1500);
  for (uint32_t i = 0; i < 1500; i += 7)
    assert_true(h.registry->hold(h.device(i, 0).node, "BadDeviceToken", h.wall).ok());
  h.commit();
  for (uint32_t round = 0; round < 6; ++round) {
    h.registry->request_compaction();
    Random random(round);
    Maintenance outcome = Maintenance::quiet;
    uint32_t turns = 0;
    for (; outcome == Maintenance::quiet; ++turns) {
      assert_true(turns < 10'000);
      h.wall = h.wall + seconds(100);
      const auto number = static_cast<uint32_t>(random.below(1500));
      const auto token = static_cast<uint32_t>(random.below(4));
      const Registration device = h.device(number, token);
      const bool there = h.registry->find(device.node) != nullptr;
      switch (random.below(6)) {
        case 0: (void)h.registry->change(device, h.wall).ok(); break;
        case 1: (void)h.registry->end(device.node, EndReason::provider, "Unregistered", h.wall).ok(); break;
        case 2: (void)h.registry->add(device, h.wall).ok(); break;
        case 3: (void)h.registry->hold(device.node, "BadDeviceToken", h.wall).ok(); break;
        case 4: (void)h.registry->refresh(device.node, h.wall, true).ok(); break;
        default:
          if (there) (void)h.registry->accepted(device.node, 7 + token, h.wall).ok();
      }
      outcome = h.turn();
      if (turns % 16 == 0) (void)h.digest();
    }
    assert_int_equal(outcome, Maintenance::compacted);
    assert_true(turns > 10);
    h.commit();
    const uint64_t digest = h.digest();
    h.start();
    assert_true(h.digest() == digest);
  }
}

void commits_go_on_between_the_slices(void** state) {
  House& h = house(state);
  h.fill(2000);
  h.disk.faults().sync_latency = milliseconds(5);
  h.registry->request_compaction();
  uint32_t batches = 0;
  uint32_t longest = 0;
  uint32_t waiting = 0;
  Ticket last = h.registry->committed_ticket();
  Maintenance outcome = Maintenance::quiet;
  for (uint32_t i = 0; outcome == Maintenance::quiet; ++i) {
    (void)h.registry->refresh(h.device(i % 2000, 0).node, h.wall = h.wall + seconds(1), true).ok();
    outcome = h.turn();
    ++waiting;
    if (h.registry->committed_ticket() == last) continue;
    last = h.registry->committed_ticket();
    longest = waiting > longest ? waiting : longest;
    waiting = 0;
    ++batches;
  }
  assert_true(batches > 3);
  assert_true(longest <= 4 * 7);  // one of its own, the last of the second file, the directory's
}

void a_file_of_format_1_stays_as_old_until_the_next_compaction(void** state) {
  House& h = house(state);
  static uint8_t log[4096];
  size_t size = FileHeader::size;
  FileHeader header{.version = 1, .creation_id = {0xc1}};
  encode(header, log);
  const Registration one = h.device(1, 1);
  BatchSum sum(header);
  const size_t record = encode({.kind = RecordKind::registered, .node = one.node, .time = day_one, .registration = one},
                               Bytes(log).subspan(size));
  sum.add(ByteView(log).subspan(size, record));
  Record mark;
  mark.kind = RecordKind::mark;
  mark.mark = {.number = 1, .start = size, .length = static_cast<uint32_t>(record), .records = 1, .crc = sum.crc()};
  size += record;
  size += encode(mark, Bytes(log).subspan(size));
  h.journal.shut();
  h.disk.put(path, ByteView(log).first(size));
  h.start();
  assert_int_equal(h.registry->count(), 1);
  assert_int_equal(h.compact(), Maintenance::compacted);
  assert_true(same(h.disk.content(old_path), ByteView(log).first(size)));
  FileHeader now;
  assert_true(decode(h.disk.content(path), now).ok());
  assert_int_equal(now.version, FileHeader::newest);
  assert_int_equal(now.generation, 1);
  h.start();
  assert_int_equal(h.registry->count(), 1);
  assert_int_equal(h.compact(), Maintenance::compacted);
  assert_false(h.disk.has(old_path));
  h.start();
  assert_int_equal(h.registry->count(), 1);
}

// Every n-th write, sync or name operation of a compaction fails once.
void a_failure_anywhere_costs_nothing(void** state) {
  House& h = house(state);
  h.fill(800);
  const uint64_t digest = h.digest();
  uint32_t failures = 0;
  for (int kind = 0; kind < 3; ++kind) {
    for (uint32_t n = 0;; ++n) {
      h.registry->request_compaction();
      Maintenance outcome = Maintenance::quiet;
      DiskFaults& faults = h.disk.faults();
      bool hit = false;
      for (uint32_t turn = 0; turn < 3'000 && outcome == Maintenance::quiet; ++turn) {
        if (turn == n) {
          (kind == 0 ? faults.write_failures : kind == 1 ? faults.sync_failures : faults.open_failures) = 1;
          faults.write_error = Error::no_space;
        }
        outcome = h.turn();
        hit = hit || (turn >= n && faults.write_failures + faults.sync_failures + faults.open_failures == 0);
      }
      faults = {.sync_latency = milliseconds(3)};
      assert_true(h.digest() == digest);
      failures += outcome == Maintenance::failed;
      if (outcome == Maintenance::failed) assert_false(h.disk.has(new_path));
      if (!hit) break;
      h.add(2000);
      h.commit();
      assert_true(h.registry->end(h.device(2000, 0).node, EndReason::client, "", h.wall).ok());
      h.commit();
      h.wall = h.wall + minutes(11);
    }
    h.start();
    assert_true(h.digest() == digest);
  }
  assert_true(failures > 10);
}

void a_record_that_went_bad_is_not_copied(void** state) {
  House& h = house(state);
  h.fill(300);
  static uint8_t content[1 << 20];
  const ByteView now = h.disk.content(path);
  const size_t size = now.size();
  copy_bytes(content, now);
  h.journal.shut();
  content[size / 2] ^= 1;
  h.disk.put(path, ByteView(content).first(size));
  assert_true(h.journal.open(path, "state").ok());  // the registry in RAM is the one of before
  assert_int_equal(h.compact(), Maintenance::damaged);
  assert_true(h.registry->compaction().problem_offset() <= size / 2);
  assert_true(h.registry->compaction().problem_offset() > size / 2 - 200);
  assert_false(h.disk.has(new_path));
  assert_true(same(h.disk.content(path), ByteView(content).first(size)));
  for (int i = 0; i < 1000; ++i) assert_int_equal(h.turn(), Maintenance::quiet);
}

void ends_are_kept_for_thirty_days_and_in_a_bounded_number(void** state) {
  House& h = house(state);
  for (uint32_t i = 0; i < 2'500; ++i) {
    h.add(i);
    if (i % 100 == 99) h.commit();
    if (i == 1'200) h.wall = h.wall + days(40);
    if (i < 2'400) assert_true(h.registry->end(h.device(i, 0).node, EndReason::provider, "Unregistered", h.wall).ok());
  }
  h.commit();
  assert_int_equal(h.compact(), Maintenance::compacted);
  const uint64_t size = h.journal.size();
  assert_true(size > 1000 * 70 && size < 1000 * 110 + 100 * 150);
  h.start();
  assert_int_equal(h.registry->count(), 100);
  h.wall = h.wall + days(31);
  assert_int_equal(h.compact(), Maintenance::compacted);
  assert_true(h.journal.size() < 100 * 150);
}

void an_empty_registry_has_nothing_to_compact(void** state) {
  House& h = house(state);
  h.registry->request_compaction();
  for (int i = 0; i < 100; ++i) assert_int_equal(h.turn(), Maintenance::quiet);
  h.add(1);
  h.commit();
  assert_true(h.registry->end(h.device(1, 0).node, EndReason::client, "", h.wall).ok());
  h.commit();
  h.wall = h.wall + days(31);
  assert_int_equal(h.compact(), Maintenance::compacted);
  h.start();
  assert_int_equal(h.registry->count(), 0);
}

TESTS(compaction, HOUSE_TEST(what_is_dead_is_left_behind), HOUSE_TEST(it_starts_by_itself_when_half_is_dead),
      HOUSE_TEST(devices_may_change_while_it_runs), HOUSE_TEST(commits_go_on_between_the_slices),
      HOUSE_TEST(a_file_of_format_1_stays_as_old_until_the_next_compaction),
      HOUSE_TEST(a_failure_anywhere_costs_nothing), HOUSE_TEST(a_record_that_went_bad_is_not_copied),
      HOUSE_TEST(ends_are_kept_for_thirty_days_and_in_a_bounded_number),
      HOUSE_TEST(an_empty_registry_has_nothing_to_compact));

}  // namespace
