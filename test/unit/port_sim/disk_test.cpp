#include "port/sim/disk.h"

#include "test/unit/port_sim/bench.h"

using namespace tocsin;
using namespace tocsin::sim;
using namespace tocsin::sim::test;
using port::Handle;
using port::OpenMode;

static port::Storage& storage_of(Bench& b) { return b.port.port().storage; }

static Handle create(Bench& b, const char* path) {
  const auto file = storage_of(b).open(path, OpenMode::create);
  assert_true(file.ok());
  return file.value();
}

static void write(Bench& b, Handle file, uint64_t offset, string_view text) {
  assert_true(storage_of(b).write_at(file, offset, bytes_of(text)).ok());
}

static void a_full_disk_takes_a_part_and_says_so(void** state) {
  Bench& b = bench(state);
  const Handle file = create(b, "state/log");
  b.disk.faults().capacity = 8;
  assert_int_equal(storage_of(b).write_at(file, 0, bytes_of("0123456789")).error(), Error::no_space);
  assert_true(text_of(b.disk.content("state/log")) == "01234567");
  write(b, file, 0, "overwrit");
  assert_int_equal(storage_of(b).write_at(file, 8, bytes_of("x")).error(), Error::no_space);
  assert_true(storage_of(b).truncate(file, 2).ok());
  write(b, file, 2, "fits");
  assert_true(text_of(b.disk.content("state/log")) == "ovfits");
}

static void writes_fail_from_a_byte_on_for_so_many_calls(void** state) {
  Bench& b = bench(state);
  const Handle file = create(b, "state/log");
  b.disk.faults().write_budget = 6;
  b.disk.faults().write_failures = 2;
  write(b, file, 0, "1234");
  assert_int_equal(storage_of(b).write_at(file, 4, bytes_of("5678")).error(), Error::io);
  assert_int_equal(storage_of(b).write_at(file, 6, bytes_of("78")).error(), Error::io);
  assert_true(text_of(b.disk.content("state/log")) == "123456");
  write(b, file, 6, "78");
  assert_true(text_of(b.disk.content("state/log")) == "12345678");
}

static void a_write_may_say_that_there_was_no_room_and_have_found_it(void** state) {
  Bench& b = bench(state);
  const Handle file = create(b, "state/log");
  b.disk.faults().write_failures = 2;
  b.disk.faults().write_error = Error::no_space;
  assert_int_equal(storage_of(b).write_at(file, 0, bytes_of("none")).error(), Error::no_space);
  assert_true(b.disk.content("state/log").empty());
  b.disk.faults().write_lies = true;
  assert_int_equal(storage_of(b).write_at(file, 0, bytes_of("all of it")).error(), Error::no_space);
  assert_true(text_of(b.disk.content("state/log")) == "all of it");
  write(b, file, 0, "on");
}

static void a_truncation_may_fail_and_changes_nothing_then(void** state) {
  Bench& b = bench(state);
  const Handle file = create(b, "state/log");
  write(b, file, 0, "words");
  b.disk.faults().truncate_failures = 1;
  assert_int_equal(storage_of(b).truncate(file, 2).error(), Error::io);
  assert_true(text_of(b.disk.content("state/log")) == "words");
  assert_true(storage_of(b).truncate(file, 2).ok());
  assert_true(text_of(b.disk.content("state/log")) == "wo");
}

static void a_sync_may_not_start_or_find_no_room_at_its_end(void** state) {
  Bench& b = bench(state);
  b.disk.put("state/log", {});
  const auto file = storage_of(b).open("state/log", OpenMode::read_write);
  write(b, file.value(), 0, "words");
  b.disk.faults().sync_start_failures = 1;
  assert_int_equal(storage_of(b).sync_start(file.value()).error(), Error::io);
  assert_true(b.disk.durable_content("state/log").empty());
  // Delayed allocation: the write was taken, and the sync learns that there is no room.
  b.disk.faults().sync_failures = 1;
  b.disk.faults().sync_error = Error::no_space;
  assert_true(storage_of(b).sync_start(file.value()).ok());
  b.world.run_for(milliseconds(1));
  Status outcome;
  assert_true(storage_of(b).sync_done(outcome));
  assert_int_equal(outcome.error(), Error::no_space);
  write(b, file.value(), 0, "words");
  assert_true(storage_of(b).sync_now(file.value()).ok());
  assert_true(text_of(b.disk.durable_content("state/log")) == "words");
}

static void a_read_only_disk_changes_nothing(void** state) {
  Bench& b = bench(state);
  const Handle file = create(b, "state/log");
  write(b, file, 0, "words");
  b.disk.faults().read_only = true;
  assert_int_equal(storage_of(b).write_at(file, 0, bytes_of("x")).error(), Error::read_only);
  assert_int_equal(storage_of(b).truncate(file, 0).error(), Error::read_only);
  assert_int_equal(storage_of(b).open("state/b", OpenMode::create).error(), Error::read_only);
  assert_int_equal(storage_of(b).remove("state/log").error(), Error::read_only);
  assert_true(text_of(b.disk.content("state/log")) == "words");
}

static void a_slow_sync_covers_what_was_written_before_it(void** state) {
  Bench& b = bench(state);
  b.disk.put("state/log", {});
  b.disk.faults().sync_latency = milliseconds(250);
  const auto file = storage_of(b).open("state/log", OpenMode::read_write);
  write(b, file.value(), 0, "before");
  assert_true(storage_of(b).sync_start(file.value()).ok());
  write(b, file.value(), 6, "after");
  Status outcome;
  b.world.run_for(milliseconds(249));
  assert_false(storage_of(b).sync_done(outcome));
  assert_true(b.disk.durable_content("state/log").empty());
  b.world.run_for(milliseconds(1));
  assert_true(storage_of(b).sync_done(outcome));
  assert_true(outcome.ok());
  assert_true(text_of(b.disk.durable_content("state/log")) == "before");
}

static void a_lock_is_held_against_the_other_port_until_death(void** state) {
  Bench& b = bench(state);
  int64_t holder = 0;
  assert_true(storage_of(b).lock("state/lock", &holder).ok());
  assert_int_equal(b.second.port().storage.lock("state/lock", &holder).error(), Error::busy);
  assert_int_equal(holder, 1);
  b.port.kill(Death::process);
  assert_int_equal(b.port.storage().open_files(), 0);
  assert_true(b.second.port().storage.lock("state/lock", &holder).ok());
  assert_int_equal(storage_of(b).lock("state/lock", &holder).error(), Error::busy);
  assert_int_equal(holder, 2);
}

static void a_stopped_disk_changes_no_more(void** state) {
  Bench& b = bench(state);
  const Handle file = create(b, "state/log");
  write(b, file, 0, "one");
  b.disk.faults().stop_at = b.disk.operations() + 2;
  write(b, file, 3, "two");
  assert_int_equal(storage_of(b).write_at(file, 6, bytes_of("three")).error(), Error::io);
  assert_int_equal(storage_of(b).sync_now(file).error(), Error::io);
  assert_true(text_of(b.disk.content("state/log")) == "onetwo");
}

static void files_come_and_go_without_end(void** state) {
  Bench& b = bench(state);
  for (int i = 0; i < 500; ++i) {
    const Handle file = create(b, "state/new");
    write(b, file, 0, "words");
    if (i % 3 == 0) assert_true(storage_of(b).sync_now(file).ok());
    assert_true(storage_of(b).replace("state/new", "state/log").ok());
    if (i % 7 == 0) assert_true(storage_of(b).sync_directory("state").ok());
    storage_of(b).shut(file);
  }
  assert_true(text_of(b.disk.content("state/log")) == "words");
}

static void more_unsynced_bytes_than_we_remember_are_written_back(void** state) {
  Bench& b = bench(state);
  b.disk.put("state/log", {});
  const auto file = storage_of(b).open("state/log", OpenMode::read_write);
  static uint8_t block[64 * 1024];
  for (uint64_t i = 0; i < 40; ++i) {
    std::memset(block, static_cast<int>(i), sizeof block);
    assert_true(storage_of(b).write_at(file.value(), i * sizeof block, block).ok());
  }
  assert_int_equal(b.disk.content("state/log").size(), 40 * sizeof block);
  for (uint64_t i = 0; i < 40; ++i) assert_int_equal(b.disk.content("state/log")[i * sizeof block], i);
  assert_true(b.disk.durable_content("state/log").size() >= 16 * sizeof block);
}

TESTS(disk, SIM_TEST(a_full_disk_takes_a_part_and_says_so), SIM_TEST(writes_fail_from_a_byte_on_for_so_many_calls),
      SIM_TEST(a_write_may_say_that_there_was_no_room_and_have_found_it),
      SIM_TEST(a_truncation_may_fail_and_changes_nothing_then),
      SIM_TEST(a_sync_may_not_start_or_find_no_room_at_its_end), SIM_TEST(a_read_only_disk_changes_nothing),
      SIM_TEST(a_slow_sync_covers_what_was_written_before_it),
      SIM_TEST(a_lock_is_held_against_the_other_port_until_death), SIM_TEST(a_stopped_disk_changes_no_more),
      SIM_TEST(files_come_and_go_without_end), SIM_TEST(more_unsynced_bytes_than_we_remember_are_written_back));
