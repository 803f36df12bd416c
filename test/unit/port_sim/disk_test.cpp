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

// Crashes a copy; what it says then.
static string_view after_crash(Bench& b, const char* path, const Crash& how, Random& random) {
  b.copy.copy_from(b.disk);
  b.copy.crash(how, random);
  return text_of(b.copy.content(path));
}

static void synced_bytes_survive_every_crash(void** state) {
  Bench& b = bench(state);
  const Handle file = create(b, "state/log");
  write(b, file, 0, "durable words");
  assert_true(storage_of(b).sync_now(file).ok());
  assert_true(storage_of(b).sync_directory("state").ok());
  write(b, file, 13, " and more");
  Random random(1);
  for (int i = 0; i < 2000; ++i) {
    const string_view text = after_crash(b, "state/log", random_crash(random), random);
    assert_true(starts_with(text, "durable words"));
    assert_true(text.size() <= 22);
  }
}

static void unsynced_bytes_vanish_tear_or_stay(void** state) {
  Bench& b = bench(state);
  b.disk.put("state/log", {});
  const auto file = storage_of(b).open("state/log", OpenMode::read_write);
  write(b, file.value(), 0, "first");
  write(b, file.value(), 5, "second");
  Random random(1);
  bool vanished = false;
  bool stayed = false;
  bool torn = false;
  bool out_of_order = false;
  for (int i = 0; i < 2000; ++i) {
    const string_view text = after_crash(b, "state/log", random_crash(random), random);
    vanished |= text.empty();
    stayed |= text == "firstsecond";
    torn |= !text.empty() && text.size() < 11 && starts_with("firstsecond", text);
    out_of_order |= text == string_view("\0\0\0\0\0second", 11);
  }
  assert_true(vanished && stayed && torn && out_of_order);
  assert_true(after_crash(b, "state/log", {.keep = Crash::Keep::none}, random).empty());
  assert_true(after_crash(b, "state/log", {.keep = Crash::Keep::all}, random) == "firstsecond");
}

static void a_prefix_crash_tears_at_sectors(void** state) {
  Bench& b = bench(state);
  b.disk.put("state/log", {});
  const auto file = storage_of(b).open("state/log", OpenMode::read_write);
  static uint8_t block[3000];
  std::memset(block, 'x', sizeof block);
  assert_true(storage_of(b).write_at(file.value(), 0, block).ok());
  Random random(7);
  uint32_t sizes_seen = 0;
  for (int i = 0; i < 500; ++i) {
    const size_t size =
        after_crash(b, "state/log", {.keep = Crash::Keep::prefix, .tear = 512, .garbage = false}, random).size();
    assert_true(size == sizeof block || size % 512 == 0);
    sizes_seen |= 1u << (size / 512);
  }
  assert_int_equal(sizes_seen, 0x3f);
}

static void names_are_durable_by_a_sync_of_their_directory_only(void** state) {
  Bench& b = bench(state);
  const Handle file = create(b, "state/log");
  write(b, file, 0, "words");
  assert_true(storage_of(b).sync_now(file).ok());
  Random random(3);
  bool lost = false;
  bool kept = false;
  for (int i = 0; i < 200; ++i) {
    b.copy.copy_from(b.disk);
    b.copy.crash(random_crash(random), random);
    lost |= !b.copy.has("state/log");
    kept |= b.copy.has("state/log");
    if (b.copy.has("state/log")) assert_true(text_of(b.copy.content("state/log")) == "words");
  }
  assert_true(lost && kept);
  assert_true(storage_of(b).sync_directory("state").ok());
  for (int i = 0; i < 200; ++i) assert_true(after_crash(b, "state/log", random_crash(random), random) == "words");
}

static void a_replacement_happens_whole_or_not(void** state) {
  Bench& b = bench(state);
  b.disk.put("state/log", bytes_of("old"));
  const Handle file = create(b, "state/new");
  write(b, file, 0, "new words");
  Random random(5);
  assert_true(storage_of(b).sync_now(file).ok());
  assert_true(storage_of(b).replace("state/new", "state/log").ok());
  bool old = false;
  bool fresh = false;
  for (int i = 0; i < 300; ++i) {
    const string_view text = after_crash(b, "state/log", random_crash(random), random);
    assert_true(text == "old" || text == "new words");
    old |= text == "old";
    fresh |= text == "new words";
  }
  assert_true(old && fresh);
}

static void replacing_before_the_sync_may_leave_nothing(void** state) {
  Bench& b = bench(state);
  b.disk.put("state/log", bytes_of("old"));
  write(b, create(b, "state/new"), 0, "new words");
  assert_true(storage_of(b).replace("state/new", "state/log").ok());
  Random random(5);
  bool empty = false;
  for (int i = 0; i < 300; ++i) empty |= after_crash(b, "state/log", random_crash(random), random).empty();
  assert_true(empty);
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

static void after_a_failed_sync_the_next_one_lies(void** state) {
  Random random(1);
  bool lost = false;
  for (uint64_t seed = 0; seed < 16 && !lost; ++seed) {
    Bench& b = make_bench(seed);
    b.disk.put("state/log", {});
    const auto file = storage_of(b).open("state/log", OpenMode::read_write);
    write(b, file.value(), 0, "words");
    b.disk.faults().sync_failures = 1;
    assert_int_equal(storage_of(b).sync_now(file.value()).error(), Error::io);
    assert_true(storage_of(b).sync_now(file.value()).ok());
    assert_true(text_of(b.disk.content("state/log")) == "words");
    lost = after_crash(b, "state/log", {.keep = Crash::Keep::all}, random).empty();
    tear_down(nullptr);
  }
  assert_true(lost);
  set_up(state);
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

// A log of 8-byte records, each synced before the next; the watcher crashes a copy
// of the disk before every operation and must find all records that were synced.
struct CrashEverywhere final : DiskWatcher {
  Bench* bench;
  uint64_t synced = 0;
  uint64_t crashes = 0;
  uint64_t failures = 0;
  Random random{11};
  void operation(const Disk& disk, uint64_t) override {
    for (int i = 0; i < 20; ++i) {
      bench->copy.copy_from(disk);
      bench->copy.crash(random_crash(random), random);
      const ByteView found = bench->copy.content("state/log");
      ++crashes;
      bool good = found.size() >= synced * 8 && found.size() <= (synced + 1) * 8;
      for (uint64_t r = 0; good && r < synced; ++r) good = found[r * 8] == static_cast<uint8_t>(r);
      failures += good ? 0 : 1;
    }
  }
};

static void a_watcher_may_crash_copies_at_every_operation(void** state) {
  Bench& b = bench(state);
  b.disk.put("state/log", {});
  CrashEverywhere watcher;
  watcher.bench = &b;
  b.disk.watch(&watcher);
  const auto file = storage_of(b).open("state/log", OpenMode::read_write);
  for (uint8_t r = 0; r < 100; ++r) {
    const uint8_t record[8] = {r, 1, 2, 3, 4, 5, 6, 7};
    assert_true(storage_of(b).write_at(file.value(), uint64_t{r} * 8, record).ok());
    assert_true(storage_of(b).sync_now(file.value()).ok());
    ++watcher.synced;
  }
  assert_int_equal(watcher.crashes, 4000);
  assert_int_equal(watcher.failures, 0);
  watcher.synced = 101;  // the check can fail
  watcher.operation(b.disk, 0);
  assert_int_equal(watcher.failures, 20);
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

TESTS(disk, SIM_TEST(synced_bytes_survive_every_crash), SIM_TEST(unsynced_bytes_vanish_tear_or_stay),
      SIM_TEST(a_prefix_crash_tears_at_sectors), SIM_TEST(names_are_durable_by_a_sync_of_their_directory_only),
      SIM_TEST(a_replacement_happens_whole_or_not), SIM_TEST(replacing_before_the_sync_may_leave_nothing),
      SIM_TEST(a_full_disk_takes_a_part_and_says_so), SIM_TEST(writes_fail_from_a_byte_on_for_so_many_calls),
      SIM_TEST(a_read_only_disk_changes_nothing), SIM_TEST(after_a_failed_sync_the_next_one_lies),
      SIM_TEST(a_slow_sync_covers_what_was_written_before_it),
      SIM_TEST(a_lock_is_held_against_the_other_port_until_death), SIM_TEST(a_stopped_disk_changes_no_more),
      SIM_TEST(a_watcher_may_crash_copies_at_every_operation), SIM_TEST(files_come_and_go_without_end),
      SIM_TEST(more_unsynced_bytes_than_we_remember_are_written_back));
