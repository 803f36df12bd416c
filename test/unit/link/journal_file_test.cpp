// What a start makes of a file that an unlucky process left behind: what it reads is durable.
#include "link/journal_file.h"

#include "port/sim/sim_port.h"
#include "test/support/tests.h"

using namespace tocsin;
using namespace tocsin::sim;

namespace {

constexpr Disk::Sizes disk_sizes{.file_bytes = 64 * 1024, .pending_bytes = 64 * 1024};

struct Bench {
  explicit Bench(Region& region)
      : world(region, {.events = 64, .network = {}}, 1), disk(region, disk_sizes, 1), port(region, world, disk, 1) {
    disk.put_directory("state");
  }
  Simulation world;
  Disk disk;
  SimPort port;
  Random random{1};
};

Bench& make_bench() {
  static const Bytes memory =
      map_memory(Simulation::bytes_for({.events = 64, .network = {}}) + Disk::bytes_for(disk_sizes) +
                 SimPort::bytes_for() + region_rounded(sizeof(Bench)));
  Region region(memory);
  const Bytes place = region.carve(sizeof(Bench));
  return *new (place.data()) Bench(region);
}

constexpr Crash lose_all{.keep = Crash::Keep::none};

void power_cut(Bench& b) {
  b.port.kill(Death::power);
  b.disk.crash(lose_all, b.random);
}

string_view content(Bench& b) { return text_of(b.disk.content("state/registry")); }

}  // namespace

// An earlier process wrote the file and died before it synced it.
static void leave_unsynced(Bench& b, string_view bytes) {
  const Result<port::Handle> file = b.port.storage().open("state/registry", port::OpenMode::create);
  assert_true(file.ok());
  assert_true(b.port.storage().sync_directory("state").ok());
  assert_true(b.port.storage().write_at(file.value(), 0, bytes_of(bytes)).ok());
  b.port.kill(Death::process);
}

static void what_a_killed_process_left_in_the_page_cache_is_made_durable(void**) {
  for (const bool renewing : {false, true}) {
    Bench& b = make_bench();
    leave_unsynced(b, "a batch");
    JournalFile journal(b.port.storage());
    assert_true(journal.open("state/registry", "state").ok());
    assert_int_equal(journal.size(), 7);
    if (renewing) assert_true(journal.renew(0).ok());
    power_cut(b);
    assert_true(content(b) == (renewing ? "a batch" : ""));
  }
}

static void what_a_failed_sync_left_in_the_page_cache_is_written_anew(void**) {
  Bench& b = make_bench();
  const Result<port::Handle> file = b.port.storage().open("state/registry", port::OpenMode::create);
  assert_true(b.port.storage().sync_directory("state").ok());
  // Chance decides what of it is durable: twenty writes are never all of it.
  for (uint64_t i = 0; i < 20; ++i) assert_true(b.port.storage().write_at(file.value(), i, bytes_of("x")).ok());
  b.disk.faults().sync_failures = 1;
  assert_int_equal(b.port.storage().sync_now(file.value()).error(), Error::io);
  b.port.kill(Death::process);
  assert_true(content(b) == "xxxxxxxxxxxxxxxxxxxx");
  assert_false(text_of(b.disk.durable_content("state/registry")) == "xxxxxxxxxxxxxxxxxxxx");
  JournalFile journal(b.port.storage());
  assert_true(journal.open("state/registry", "state").ok());
  assert_true(journal.renew(0).ok());
  power_cut(b);
  assert_true(content(b) == "xxxxxxxxxxxxxxxxxxxx");
}

static void only_what_is_asked_for_is_written_anew(void**) {
  Bench& b = make_bench();
  leave_unsynced(b, "durable and doubtful");
  JournalFile journal(b.port.storage());
  assert_true(journal.open("state/registry", "state").ok());
  b.disk.faults().write_failures = 1;
  b.disk.faults().write_budget = 8;
  assert_true(journal.renew(12).ok());
  b.disk.faults().write_failures = 1;
  assert_int_equal(journal.renew(11).error(), Error::io);
}

static void a_start_needs_no_room(void**) {
  Bench& b = make_bench();
  leave_unsynced(b, "a batch");
  JournalFile journal(b.port.storage());
  assert_true(journal.open("state/registry", "state").ok());
  b.disk.faults().write_failures = 1;
  b.disk.faults().write_error = Error::no_space;
  assert_true(journal.renew(0).ok());
  b.disk.faults() = {};
  power_cut(b);
  assert_true(content(b) == "a batch");
}

static void the_name_of_a_file_that_was_there_is_durable(void**) {
  Bench& b = make_bench();
  assert_true(b.port.storage().open("state/registry", port::OpenMode::create).ok());
  b.port.kill(Death::process);
  JournalFile journal(b.port.storage());
  assert_true(journal.open("state/registry", "state").ok());
  power_cut(b);
  assert_true(b.disk.has("state/registry"));
  // And a directory that can not be synced is no place for a registry.
  b.disk.faults().sync_failures = 1;
  JournalFile other(b.port.storage());
  assert_int_equal(other.open("state/registry", "state").error(), Error::io);
  assert_int_equal(b.port.storage().open_files(), 0);
}

// The cut failed as well; a compaction wrote a good file, but its name is not durable: the former one may come back.
static void a_refused_batch_is_in_doubt_until_the_new_name_is_durable(void**) {
  for (const bool named : {false, true}) {
    Bench& b = make_bench();
    JournalFile journal(b.port.storage());
    assert_true(journal.open("state/registry", "state").ok());
    b.disk.faults().sync_failures = 2;
    assert_true(journal.append(bytes_of("a batch")).ok());
    Status outcome;
    while (!journal.decided(outcome)) b.world.run_for(milliseconds(1));
    assert_int_equal(outcome.error(), Error::io);
    assert_true(journal.tail_in_doubt());
    assert_true(journal.begin().ok() && journal.write(bytes_of("good")).ok() && journal.sync().ok());
    while (!journal.decided_rewrite(outcome)) b.world.run_for(milliseconds(1));
    b.disk.faults().sync_failures = named ? 0 : 1;
    assert_true(outcome.ok() && journal.place(false).ok());
    while (!journal.decided_rewrite(outcome)) b.world.run_for(milliseconds(1));
    journal.switch_over();
    assert_true(journal.tail_in_doubt() == !named);
    journal.end();
    journal.shut();
  }
}

static void what_a_log_begins_with_is_durable_at_once(void**) {
  Bench& b = make_bench();
  JournalFile journal(b.port.storage());
  assert_true(journal.open("state/registry", "state").ok());
  assert_true(journal.begin_log(bytes_of("header")).ok());
  assert_int_equal(journal.size(), 6);
  power_cut(b);
  assert_true(content(b) == "header");
}

static void on_a_full_disk_a_log_begins_later(void**) {
  Bench& b = make_bench();
  JournalFile journal(b.port.storage());
  assert_true(journal.open("state/registry", "state").ok());
  b.disk.faults().write_failures = 1;
  b.disk.faults().write_error = Error::no_space;
  assert_true(journal.begin_log(bytes_of("header")).ok());
  assert_int_equal(journal.size(), 0);
  b.disk.faults() = {};
  b.disk.faults().sync_failures = 1;
  assert_int_equal(journal.begin_log(bytes_of("header")).error(), Error::io);
  assert_int_equal(journal.size(), 0);
  journal.shut();
}

TESTS(journal_file, cmocka_unit_test(what_a_log_begins_with_is_durable_at_once),
      cmocka_unit_test(on_a_full_disk_a_log_begins_later),
      cmocka_unit_test(what_a_killed_process_left_in_the_page_cache_is_made_durable),
      cmocka_unit_test(what_a_failed_sync_left_in_the_page_cache_is_written_anew),
      cmocka_unit_test(only_what_is_asked_for_is_written_anew), cmocka_unit_test(a_start_needs_no_room),
      cmocka_unit_test(a_refused_batch_is_in_doubt_until_the_new_name_is_durable),
      cmocka_unit_test(the_name_of_a_file_that_was_there_is_durable));
