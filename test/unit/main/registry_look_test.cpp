// `tocsin registry verify` and `dump`, and what all four commands refuse.
#include "test/unit/main/registry_desk.h"

namespace tocsin::test {

static void verify_counts_everything(void** state) {
  Desk& d = desk(state);
  write_sample(d);
  assert_int_equal(d.run(RegistryTask::verify), exit_code::ok);
  expect_text(d.paper.printed(),
              "format=2 generation=0 batches=4 records=6 registered=3 changed=0 refreshed=0 accepted=1 held=1 "
              "released=0 ended=1 devices=2 devices_held=1 bytes=687 dead_bytes=296 torn_bytes=0\n");
  expect_text(d.paper.complained(), "");
  assert_true(d.untouched());
  assert_false(d.disk.has("state/devices.registry.lock"));
}

static void a_torn_end_is_no_damage(void** state) {
  Desk& d = desk(state);
  write_sample(d);
  d.disk.put(path, ByteView(d.file, d.file_size - 2 * mark_bytes - 5));
  assert_int_equal(d.run(RegistryTask::verify), exit_code::ok);
  assert_true(d.paper.printed().find(" batches=2 ") != string_view::npos);
  assert_true(d.paper.printed().find(" torn_bytes=118\n") != string_view::npos);
}

static void damage_is_told_with_its_place_and_the_command(void** state) {
  Desk& d = desk(state);
  write_sample(d);
  spoil(d, 60);
  for (const RegistryTask task : {RegistryTask::verify, RegistryTask::dump, RegistryTask::compact}) {
    assert_int_equal(d.run(task), exit_code::damaged);
    expect_text(
        d.paper.complained(),
        "tocsin: state/devices.registry: the registry is damaged at byte 36 (a record fails its check); what is "
        "intact is kept by: tocsin registry repair state/devices.registry\n");
    expect_text(d.paper.printed(), "");
    assert_true(d.untouched());
  }
}

static void dump_shows_devices_and_ends_but_no_secrets(void** state) {
  Desk& d = desk(state);
  write_sample(d);
  assert_int_equal(d.run(RegistryTask::dump), exit_code::ok);
  expect_text(d.paper.printed(),
              "state=registered node=01111111... account=ann@example.org section=apns/siskin "
              "provider=tigase:messenger:apns:1 dialect=tigase registered=2025-06-15T15:06:40Z "
              "refreshed=2025-06-15T15:06:40Z accepted=2025-06-17 accepted_under=00001234\n"
              "state=held node=02111111... account=bob@example.net section=apns/siskin "
              "provider=tigase:messenger:apns:1 dialect=tigase registered=2025-06-15T15:06:40Z "
              "refreshed=2025-06-15T15:06:40Z word=BadDeviceToken since=2025-06-16T15:06:40Z\n"
              "state=ended node=03111111... account=ann@example.org section=apns/siskin "
              "registered=2025-06-15T15:06:40Z ended=2025-06-18T15:06:40Z reason=provider word=Unregistered\n");
  assert_true(d.untouched());
  assert_int_equal(d.run(RegistryTask::dump, true), exit_code::ok);
  assert_true(d.paper.printed().find("node=AREREREREREREREREREREQ account=ann@example.org") != string_view::npos);
  assert_true(d.paper.printed().find(" token_hex=deadbeef\n") != string_view::npos);
}

// The pseudonym is the one that the gateway's log has.
static void dump_knows_pseudonyms_where_their_key_is(void** state) {
  Desk& d = desk(state);
  write_sample(d);
  const uint8_t key[16] = {1, 2, 3};
  d.disk.put("state/pseudonym.key", key);
  assert_int_equal(d.run(RegistryTask::dump), exit_code::ok);
  assert_true(d.paper.printed().find("state=registered device=") != string_view::npos);
  assert_true(d.paper.printed().find("state=ended device=") != string_view::npos);
}

// After a compaction an end stands alone.
static void an_end_without_its_registration_is_still_told(void** state) {
  Desk& d = desk(state);
  File(d)
      .add({.kind = RecordKind::ended,
            .node = node_of(9),
            .time = day_one,
            .registration = {.account = "ann@example.org", .section = "apns/siskin"},
            .reason = EndReason::client})
      .mark();
  assert_int_equal(d.run(RegistryTask::dump), exit_code::ok);
  expect_text(d.paper.printed(),
              "state=ended node=09111111... account=ann@example.org section=apns/siskin ended=2025-06-15T15:06:40Z "
              "reason=client\n");
}

static void a_gateway_that_works_is_not_disturbed(void** state) {
  Desk& d = desk(state);
  write_sample(d);
  int64_t holder = 0;
  assert_true(d.gateway.port().storage.lock("state/devices.registry.lock", &holder).ok());
  assert_int_equal(d.run(RegistryTask::verify), exit_code::ok);
  assert_true(d.paper.printed().find(" torn_bytes=0 held_by=4711\n") != string_view::npos);
  assert_int_equal(d.run(RegistryTask::dump), exit_code::ok);
  expect_text(d.paper.complained(),
              "tocsin: state/devices.registry is held by process 4711; what it writes from now on is not shown\n");
  assert_int_equal(d.run(RegistryTask::compact), exit_code::unavailable);
  expect_text(d.paper.complained(),
              "tocsin: state/devices.registry is held by process 4711; stop that gateway first, or let it be: it "
              "compacts by itself\n");
  assert_int_equal(d.run(RegistryTask::repair), exit_code::unavailable);
  assert_true(d.paper.complained().find("is held by process 4711; stop that gateway first") != string_view::npos);
  assert_true(d.untouched());
}

static void other_files_are_refused(void** state) {
  Desk& d = desk(state);
  assert_int_equal(d.run(RegistryTask::verify), exit_code::missing);
  expect_text(d.paper.complained(), "tocsin: cannot read state/devices.registry: no such file\n");
  assert_int_equal(d.run(RegistryTask::verify, false, "state"), exit_code::missing);
  expect_text(d.paper.complained(), "tocsin: this is a directory: state\n");
  assert_int_equal(d.run(RegistryTask::compact, false, "state/none"), exit_code::missing);
  assert_false(d.disk.has("state/none") || d.disk.has("state/none.lock"));
  static uint8_t noise[5000];
  for (size_t i = 0; i < sizeof noise; ++i) noise[i] = static_cast<uint8_t>(i * 7 + i / 251);
  d.disk.put("state/text", bytes_of("# a conf of something else\nkey = value\n"));
  d.disk.put("state/noise", noise);
  for (const char* file : {"state/text", "state/noise"}) {
    for (const RegistryTask task :
         {RegistryTask::verify, RegistryTask::dump, RegistryTask::compact, RegistryTask::repair}) {
      assert_int_equal(d.run(task, false, file), exit_code::damaged);
      const bool searched = task == RegistryTask::repair && string_view(file) == "state/noise";
      assert_true(d.paper.complained().find(searched ? "nothing in this file is a record of a registry\n"
                                                     : "this file is not a registry of tocsin\n") != string_view::npos);
    }
  }
  assert_true(same(d.disk.content("state/noise"), noise));
  assert_false(d.disk.has("state/noise.repaired"));
}

static void an_empty_file_is_an_empty_registry(void** state) {
  Desk& d = desk(state);
  d.disk.put(path, {});
  assert_int_equal(d.run(RegistryTask::verify), exit_code::ok);
  assert_true(d.paper.printed().find("format=0 generation=0 batches=0 ") == 0);
  assert_int_equal(d.run(RegistryTask::dump), exit_code::ok);
  expect_text(d.paper.printed(), "");
  assert_int_equal(d.run(RegistryTask::compact), exit_code::ok);
  expect_text(d.paper.printed(), "state/devices.registry: empty, nothing to compact\n");
  assert_int_equal(d.run(RegistryTask::repair), exit_code::ok);
  expect_text(d.paper.printed(), "state/devices.registry: whole, nothing to repair\n");
}

static void memory_that_is_refused_is_said(void** state) {
  Desk& d = desk(state);
  write_sample(d);
  reserved_max = 0;
  assert_int_equal(d.run(RegistryTask::verify), exit_code::system);
  reserved_max = 336 * 1024;  // for reading, not for an index
  for (const RegistryTask task : {RegistryTask::verify, RegistryTask::dump, RegistryTask::compact}) {
    assert_int_equal(d.run(task), exit_code::system);
    assert_true(d.paper.complained().find("has no memory for an index of 4 devices") != string_view::npos);
  }
  assert_true(d.untouched());
}

static void output_that_can_not_be_written_is_said(void** state) {
  Desk& d = desk(state);
  write_sample(d);
  d.paper.fails = true;
  assert_int_equal(d.run(RegistryTask::verify), exit_code::io);
  expect_text(d.paper.complained(), "tocsin: the output can not be written\n");
  assert_int_equal(d.run(RegistryTask::dump), exit_code::io);
}

static void a_bar_is_shown_on_a_terminal_where_it_takes_long(void** state) {
  Desk& d = desk(state);
  File file(d);
  for (int batch = 0; batch < 20; ++batch) {
    for (uint32_t i = 0; i < 100; ++i)
      file.add({.kind = RecordKind::held, .node = node_of(1), .time = day_one, .word = "BadDeviceToken"});
    file.mark();
  }
  d.clock.step = milliseconds(400);
  assert_int_equal(d.run(RegistryTask::verify), exit_code::ok);
  expect_text(d.paper.complained(), "");  // no terminal
  d.paper.terminal = true;
  d.clock.step = milliseconds(1);
  assert_int_equal(d.run(RegistryTask::verify), exit_code::ok);
  expect_text(d.paper.complained(), "");  // quick
  d.clock.step = milliseconds(1500);
  assert_int_equal(d.run(RegistryTask::verify), exit_code::ok);
  assert_true(d.paper.complained().find("\rreading [####") == 0);
  assert_true(d.paper.complained().find(" %\r\x1b[K") != string_view::npos);  // and it goes
}

TESTS(registry_look, DESK_TEST(verify_counts_everything), DESK_TEST(a_torn_end_is_no_damage),
      DESK_TEST(damage_is_told_with_its_place_and_the_command), DESK_TEST(dump_shows_devices_and_ends_but_no_secrets),
      DESK_TEST(dump_knows_pseudonyms_where_their_key_is), DESK_TEST(an_end_without_its_registration_is_still_told),
      DESK_TEST(a_gateway_that_works_is_not_disturbed), DESK_TEST(other_files_are_refused),
      DESK_TEST(an_empty_file_is_an_empty_registry), DESK_TEST(memory_that_is_refused_is_said),
      DESK_TEST(output_that_can_not_be_written_is_said), DESK_TEST(a_bar_is_shown_on_a_terminal_where_it_takes_long));

}  // namespace tocsin::test
