// `tocsin registry repair` and `compact`: what they write, and what they leave alone.
#include "test/unit/main/registry_desk.h"

namespace tocsin::test {

static void repair_keeps_what_is_intact_and_names_the_rest(void** state) {
  Desk& d = desk(state);
  write_sample(d);
  spoil(d, 60);  // the first record
  assert_int_equal(d.run(RegistryTask::repair), exit_code::damaged);
  expect_text(d.paper.complained(), "");
  expect_text(d.paper.printed(),
              "byte 36: lost 116 bytes, a record that reads, rightly or not: registered account=ann@example.org "
              "section=apns/siskin time=2025-06-15T15:06:40Z\n"
              "batch 1: 1 of its 2 records lost\n"
              "kept 5 records (1 device, 1 ended) in state/devices.registry.repaired, 499 bytes\n"
              "1 of them is proven by its own checksum only\n"
              "1 of them speaks of a device whose registration is lost\n"
              "to put it in place, while no gateway runs, and keep the damaged one:\n"
              "  mv state/devices.registry state/devices.registry.damaged && mv state/devices.registry.repaired "
              "state/devices.registry\n");
  assert_true(d.untouched());
  // It is durable, and whole.
  assert_true(same(d.disk.content(repaired), d.disk.durable_content(repaired)));
  assert_int_equal(d.run(RegistryTask::verify, false, repaired), exit_code::ok);
  assert_true(d.paper.printed().find("generation=1 batches=2 records=5 ") != string_view::npos);
  assert_true(d.paper.printed().find("torn_bytes=0 strays=1\n") != string_view::npos);
  assert_int_equal(d.run(RegistryTask::repair, false, repaired), exit_code::ok);
  expect_text(d.paper.printed(), "state/devices.registry.repaired: whole, nothing to repair\n");
}

static void nothing_is_lost_by_a_damaged_mark_or_header(void** state) {
  Desk& d = desk(state);
  write_sample(d);
  const size_t first_mark = FileHeader::size + 2 * 116;
  spoil(d, first_mark + 20);
  assert_int_equal(d.run(RegistryTask::repair), exit_code::ok);
  assert_true(d.paper.printed().find("byte 268: lost 36 bytes, the commit mark of batch 1: no record is lost by it\n"
                                     "kept 6 records (2 devices, 1 ended) in ") == 0);
  d.disk.remove(repaired).ok();
  spoil(d, first_mark + 20);
  spoil(d, 20);
  assert_int_equal(d.run(RegistryTask::verify), exit_code::damaged);
  assert_int_equal(d.run(RegistryTask::repair), exit_code::ok);
  assert_true(d.paper.printed().find("byte 0: lost 36 bytes, the header: the new file gets a creation id of its own\n"
                                     "kept 6 records (2 devices, 1 ended) in ") == 0);
  FileHeader header;
  assert_true(decode(d.disk.content(repaired), header).ok());
  assert_int_equal(header.generation, 0);
  assert_true(!same(header.creation_id, File::header().creation_id));
}

// A file of one batch whose header is damaged looks like one that was never finished; a gateway would cut all of it.
static void a_lost_header_is_never_taken_for_a_torn_end(void** state) {
  Desk& d = desk(state);
  File(d).add(registered(1, "ann@example.org")).mark();
  spoil(d, 3);
  for (const RegistryTask task : {RegistryTask::verify, RegistryTask::dump, RegistryTask::compact}) {
    assert_int_equal(d.run(task), exit_code::damaged);
    assert_true(d.paper.complained().find("damaged at byte 0 (the header fails its check, and records follow)") !=
                string_view::npos);
    assert_true(d.untouched());
  }
  assert_int_equal(d.run(RegistryTask::repair), exit_code::ok);
  assert_int_equal(d.run(RegistryTask::verify, false, repaired), exit_code::ok);
  assert_true(d.paper.printed().find(" devices=1 ") != string_view::npos);
}

static void records_behind_the_last_mark_are_kept_and_said_so(void** state) {
  Desk& d = desk(state);
  write_sample(d);
  d.disk.put(path, ByteView(d.file, d.file_size - 2 * mark_bytes - 5));
  assert_int_equal(d.run(RegistryTask::repair), exit_code::ok);
  assert_true(d.paper.printed().find(": left out ") != string_view::npos);
  assert_true(d.paper.printed().find(" bytes behind the last commit mark, a torn end\n") != string_view::npos);
  assert_true(d.paper.printed().find("1 of them stands behind the last commit mark and may never have been "
                                     "acknowledged\n") != string_view::npos);
  // A torn end without a whole record is the gateway's to cut.
  d.disk.put(path, ByteView(d.file, FileHeader::size + 2 * 116 + mark_bytes + 7));
  d.disk.remove(repaired).ok();
  assert_int_equal(d.run(RegistryTask::repair), exit_code::ok);
  expect_text(d.paper.printed(),
              "state/devices.registry: whole, nothing to repair; a gateway cuts off its torn end of 7 bytes\n");
  assert_false(d.disk.has(repaired));
}

static void repair_overwrites_nothing(void** state) {
  Desk& d = desk(state);
  write_sample(d);
  spoil(d, 60);
  d.disk.put(repaired, bytes_of("mine"));
  d.disk.put("state/devices.registry.damaged", bytes_of("older"));
  assert_int_equal(d.run(RegistryTask::repair), exit_code::cannot_create);
  expect_text(d.paper.complained(),
              "tocsin: nothing is overwritten; move this file away first: state/devices.registry.repaired\n");
  assert_true(same(d.disk.content(repaired), bytes_of("mine")));
  d.disk.remove(repaired).ok();
  assert_int_equal(d.run(RegistryTask::repair), exit_code::damaged);
  assert_true(d.paper.printed().find("mv state/devices.registry state/devices.registry.damaged-2 && ") !=
              string_view::npos);
}

static void what_could_not_be_written_whole_is_removed(void** state) {
  Desk& d = desk(state);
  write_sample(d);
  spoil(d, 60);
  for (int what = 0; what < 4; ++what) {
    sim::DiskFaults& faults = d.disk.faults();
    faults = {};
    if (what == 0) faults.capacity = d.file_size + 10;
    if (what == 1) faults.capacity = d.file_size + 300;
    if (what == 2) faults.sync_failures = 1;
    if (what == 3) faults.open_failures = 1;
    assert_int_equal(d.run(RegistryTask::repair), exit_code::io);
    assert_true(d.paper.complained().size() > 0);
    assert_true(d.untouched());
    assert_false(d.disk.has(repaired));
  }
  d.disk.faults() = {};
  d.disk.faults().read_only = true;
  assert_int_equal(d.run(RegistryTask::repair), exit_code::cannot_create);
}

static void compact_leaves_out_what_is_dead(void** state) {
  Desk& d = desk(state);
  write_sample(d);
  assert_int_equal(d.run(RegistryTask::compact), exit_code::ok);
  expect_text(d.paper.printed(), "state/devices.registry: 687 bytes before, 463 now, 2 devices\n");
  assert_int_equal(d.port.storage().open_files(), 0);
  assert_true(same(d.disk.content(path), d.disk.durable_content(path)));
  assert_false(d.disk.has("state/devices.registry.new"));
  assert_int_equal(d.run(RegistryTask::verify), exit_code::ok);
  assert_true(d.paper.printed().find("generation=1 ") != string_view::npos);
  assert_true(d.paper.printed().find(" devices=2 devices_held=1 ") != string_view::npos);
  assert_int_equal(d.run(RegistryTask::dump), exit_code::ok);
  assert_true(d.paper.printed().find("state=held node=02111111...") != string_view::npos);
  assert_true(d.paper.printed().find("reason=provider word=Unregistered\n") != string_view::npos);
}

static void a_compaction_that_fails_leaves_the_file_as_it_was(void** state) {
  Desk& d = desk(state);
  write_sample(d);
  d.disk.faults().capacity = d.file_size + 200;
  assert_int_equal(d.run(RegistryTask::compact), exit_code::io);
  expect_text(d.paper.complained(),
              "tocsin: cannot compact state/devices.registry: no space left; the file is as it was\n");
  d.disk.faults() = {};
  assert_true(d.untouched());
  assert_false(d.disk.has("state/devices.registry.new"));
}

TESTS(registry_mend, DESK_TEST(repair_keeps_what_is_intact_and_names_the_rest),
      DESK_TEST(nothing_is_lost_by_a_damaged_mark_or_header), DESK_TEST(a_lost_header_is_never_taken_for_a_torn_end),
      DESK_TEST(records_behind_the_last_mark_are_kept_and_said_so), DESK_TEST(repair_overwrites_nothing),
      DESK_TEST(what_could_not_be_written_whole_is_removed), DESK_TEST(compact_leaves_out_what_is_dead),
      DESK_TEST(a_compaction_that_fails_leaves_the_file_as_it_was));

}  // namespace tocsin::test
