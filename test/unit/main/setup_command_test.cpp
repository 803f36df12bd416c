#include "setup_command.h"

#include "base/text.h"
#include "test/unit/main/registry_desk.h"

namespace tocsin::test {

namespace {

constexpr const char* files[] = {"state/setup-prosody.cfg.lua", "state/setup-ejabberd.yml", "state/setup-nginx.conf",
                                 "state/setup-dns.zone", "state/tocsin.conf"};

int run(Desk& d, bool write, string_view domain = "example.org", string_view conf = "state/tocsin.conf",
        SetupKind kind = SetupKind::unifiedpush) {
  CommandLine line;
  line.task = Task::setup;
  line.setup_kind = kind;
  line.setup_domain = domain;
  line.write = write;
  *line.conf_files.add() = conf;
  d.paper.clear();
  return run_setup_command(line, {.storage = d.port.storage(), .random = d.port.port().entropy, .screen = d.paper});
}

bool has(string_view text, string_view words) { return text.find(words) != string_view::npos; }

string_view secret_in(string_view text, string_view before) {
  const size_t at = text.find(before);
  assert_true(at != string_view::npos);
  return slice(text, at + before.size(), 40);
}

uint32_t there(Desk& d) {
  uint32_t count = 0;
  for (const char* file : files) count += d.disk.has(file);
  return count;
}

}  // namespace

static void it_prints_every_part_with_one_secret_and_writes_nothing(void** state) {
  Desk& d = desk(state);
  assert_int_equal(run(d, false), exit_code::ok);
  const string_view text = d.paper.printed();
  const string_view secret = secret_in(text, "\nsecret = ");
  for (const char c : secret) assert_true((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'));
  assert_true(secret == secret_in(text, "component_secret = \""));
  assert_true(secret == secret_in(text, "password: \""));
  assert_true(has(text, "server_name push.example.org;") && has(text, "IN AAAA") && has(text, "# Next: "));
  assert_int_equal(there(d), 0);
  uint8_t first[40];
  copy_bytes(first, bytes_of(secret));
  assert_int_equal(run(d, false), exit_code::ok);
  assert_true(text_of(first) != secret_in(d.paper.printed(), "\nsecret = "));
}

static void a_hostile_domain_is_a_usage_error(void** state) {
  Desk& d = desk(state);
  for (const bool write : {false, true}) {
    assert_int_equal(run(d, write, "a\"b.org"), exit_code::usage);
    expect_text(d.paper.complained(), "tocsin: \"a\\\"b.org\" is no domain: it has only a-z, 0-9, - and dots\n");
    expect_text(d.paper.printed(), "");
    assert_int_equal(there(d), 0);
  }
}

static void it_writes_all_files_for_the_group_and_shows_no_secret(void** state) {
  Desk& d = desk(state);
  assert_int_equal(run(d, true), exit_code::ok);
  assert_int_equal(there(d), 5);
  const string_view secret = secret_in(text_of(d.disk.durable_content("state/tocsin.conf")), "\nsecret = ");
  assert_true(has(text_of(d.disk.durable_content("state/setup-prosody.cfg.lua")), secret));
  assert_false(has(d.paper.printed(), secret));
  for (const char* file : files) {
    assert_int_equal(d.port.storage().facts(file).value().mode, 0640);
    assert_true(has(d.paper.printed(), file));
  }
  assert_int_equal(d.port.storage().open_files(), 0);
}

static void who_needs_no_https_gets_no_files_for_it(void** state) {
  Desk& d = desk(state);
  d.disk.put("state/setup-dns.zone", bytes_of("of an earlier run"));
  assert_int_equal(run(d, true, "example.org", "state/tocsin.conf", SetupKind::webpush), exit_code::ok);
  assert_int_equal(there(d), 4);
  assert_false(d.disk.has("state/setup-nginx.conf"));
  expect_text(text_of(d.disk.content("state/setup-dns.zone")), "of an earlier run");
  assert_false(has(d.paper.printed(), "setup-dns.zone"));
  assert_int_equal(run(d, false, "example.org", "state/tocsin.conf", SetupKind::webpush), exit_code::ok);
  assert_false(has(d.paper.printed(), "server_name") || has(d.paper.printed(), "IN AAAA"));
}

static void what_exists_is_named_and_nothing_is_written(void** state) {
  Desk& d = desk(state);
  d.disk.put("state/setup-dns.zone", bytes_of("mine"));
  d.disk.put("state/tocsin.conf", bytes_of("mine, too"));
  assert_int_equal(run(d, true), exit_code::cannot_create);
  assert_true(has(d.paper.complained(), "tocsin: state/setup-dns.zone: exists already"));
  assert_true(has(d.paper.complained(), "tocsin: state/tocsin.conf: exists already"));
  assert_int_equal(there(d), 2);
  expect_text(text_of(d.disk.content("state/tocsin.conf")), "mine, too");
  expect_text(text_of(d.disk.content("state/setup-dns.zone")), "mine");
}

static void a_file_that_can_not_be_written_takes_the_others_back(void** state) {
  Desk& d = desk(state);
  // One where each of the files is the first without room, and one where all of them have it.
  int failed = 0;
  for (uint64_t room = 0; room < 8; ++room) {
    d.disk.faults().capacity = room * 500;
    const int code = run(d, true);
    if (code == exit_code::ok) {
      assert_int_equal(there(d), 5);
      assert_true(failed > 4);
      return;
    }
    ++failed;
    assert_int_equal(code, exit_code::cannot_create);
    assert_int_equal(there(d), 0);
    assert_true(has(d.paper.complained(), "tocsin: cannot create state/"));
    expect_text(d.paper.printed(), "");
    assert_int_equal(d.port.storage().open_files(), 0);
  }
  fail_here();
}

static void a_disk_that_fails_to_sync_leaves_nothing_either(void** state) {
  Desk& d = desk(state);
  d.disk.faults().sync_failures = 1;
  assert_int_equal(run(d, true), exit_code::io);
  assert_int_equal(there(d), 0);
  assert_int_equal(run(d, true), exit_code::ok);
}

static void a_directory_that_is_missing_is_named_with_the_command_that_makes_it(void** state) {
  Desk& d = desk(state);
  assert_int_equal(run(d, true, "example.org", "none/tocsin.conf"), exit_code::cannot_create);
  assert_true(has(d.paper.complained(), "mkdir -p none\n"));
}

static void a_full_pipe_is_an_error(void** state) {
  Desk& d = desk(state);
  d.paper.fails = true;
  assert_int_equal(run(d, false), exit_code::io);
}

#define WITH_DESK(test) cmocka_unit_test_setup(test, set_up)
TESTS(setup_command, WITH_DESK(it_prints_every_part_with_one_secret_and_writes_nothing),
      WITH_DESK(a_hostile_domain_is_a_usage_error), WITH_DESK(it_writes_all_files_for_the_group_and_shows_no_secret),
      WITH_DESK(who_needs_no_https_gets_no_files_for_it), WITH_DESK(what_exists_is_named_and_nothing_is_written),
      WITH_DESK(a_file_that_can_not_be_written_takes_the_others_back),
      WITH_DESK(a_disk_that_fails_to_sync_leaves_nothing_either),
      WITH_DESK(a_directory_that_is_missing_is_named_with_the_command_that_makes_it),
      WITH_DESK(a_full_pipe_is_an_error));

}  // namespace tocsin::test
