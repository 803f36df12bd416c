// What the power takes with it: bytes, sizes and names that were not synced.
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

// Bytes that a failed sync lost are not tried again; a size is.
static void a_truncation_outlives_a_failed_sync(void** state) {
  Random random(1);
  bool waited = false;
  for (uint64_t seed = 0; seed < 16; ++seed) {
    Bench& b = make_bench(seed);
    b.disk.put("state/log", bytes_of("words"));
    const auto file = storage_of(b).open("state/log", OpenMode::read_write);
    assert_true(storage_of(b).truncate(file.value(), 2).ok());
    b.disk.faults().sync_failures = 1;
    assert_int_equal(storage_of(b).sync_now(file.value()).error(), Error::io);
    waited |= b.disk.durable_content("state/log").size() == 5;
    assert_true(storage_of(b).sync_now(file.value()).ok());
    assert_true(after_crash(b, "state/log", {.keep = Crash::Keep::none}, random) == "wo");
    tear_down(nullptr);
  }
  assert_true(waited);
  set_up(state);
}

static void a_crash_tears_at_every_byte_and_at_pages(void** state) {
  Bench& b = bench(state);
  b.disk.put("state/log", {});
  const auto file = storage_of(b).open("state/log", OpenMode::read_write);
  static uint8_t block[16384];
  std::memset(block, 'x', sizeof block);
  assert_true(storage_of(b).write_at(file.value(), 0, block).ok());
  Random random(7);
  uint32_t pages_seen = 0;
  bool odd = false;
  for (int i = 0; i < 500; ++i) {
    const size_t pages =
        after_crash(b, "state/log", {.keep = Crash::Keep::prefix, .tear = 4096, .garbage = false}, random).size();
    assert_int_equal(pages % 4096, 0);
    pages_seen |= 1u << (pages / 4096);
    const size_t bytes =
        after_crash(b, "state/log", {.keep = Crash::Keep::prefix, .tear = 1, .garbage = false}, random).size();
    odd |= bytes % 512 != 0;
  }
  assert_int_equal(pages_seen, 0x1f);
  assert_true(odd);
  // What a random crash does: all of these.
  uint32_t kinds = 0;
  uint32_t tears = 0;
  for (int i = 0; i < 500; ++i) {
    const Crash how = random_crash(random);
    kinds |= 1u << static_cast<uint32_t>(how.keep);
    tears |= how.tear == 512 ? 1 : how.tear == 4096 ? 2 : how.tear == 1 ? 4 : 8;
  }
  assert_int_equal(kinds, 0xf);
  assert_int_equal(tears, 0xf);
}

// Two files that were written and named in some order: any of the four may be there without the others.
static void names_and_bytes_of_different_files_are_lost_in_any_order(void** state) {
  Bench& b = bench(state);
  b.disk.put("state/first", bytes_of("old"));
  b.disk.put("state/second", bytes_of("old"));
  const auto first = storage_of(b).open("state/first", OpenMode::read_write);
  const auto second = storage_of(b).open("state/second", OpenMode::read_write);
  write(b, first.value(), 0, "new");
  write(b, second.value(), 0, "new");
  assert_true(storage_of(b).replace("state/first", "state/renamed").ok());
  uint32_t seen = 0;
  Random random(3);
  for (int i = 0; i < 3000; ++i) {
    b.copy.copy_from(b.disk);
    b.copy.crash(random_crash(random), random);
    const bool renamed = b.copy.has("state/renamed");
    assert_true(renamed != b.copy.has("state/first"));
    const bool a = text_of(b.copy.content(renamed ? "state/renamed" : "state/first")) == "new";
    const bool c = text_of(b.copy.content("state/second")) == "new";
    seen |= 1u << ((renamed ? 1 : 0) | (a ? 2 : 0) | (c ? 4 : 0));
  }
  assert_int_equal(seen, 0xff);
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

TESTS(disk_crash, SIM_TEST(synced_bytes_survive_every_crash), SIM_TEST(unsynced_bytes_vanish_tear_or_stay),
      SIM_TEST(a_prefix_crash_tears_at_sectors), SIM_TEST(names_are_durable_by_a_sync_of_their_directory_only),
      SIM_TEST(a_replacement_happens_whole_or_not), SIM_TEST(replacing_before_the_sync_may_leave_nothing),
      SIM_TEST(a_truncation_outlives_a_failed_sync), SIM_TEST(a_crash_tears_at_every_byte_and_at_pages),
      SIM_TEST(names_and_bytes_of_different_files_are_lost_in_any_order),
      SIM_TEST(after_a_failed_sync_the_next_one_lies), SIM_TEST(a_watcher_may_crash_copies_at_every_operation));
