#include "command_line.h"

#include <initializer_list>

#include "settings/exit_codes.h"
#include "test/unit/settings/parsed.h"

namespace tocsin {

struct Typed {
  Typed(std::initializer_list<const char*> args, Environment environment = {}) {
    code = parse_command_line({args.begin(), args.size()}, environment, line, out);
  }
  uint8_t room[512];
  Writer out{Bytes(room, sizeof(room))};
  CommandLine line;
  int code = 0;
};

static void nothing_typed_runs_the_default_conf(void**) {
  const Typed t({});
  assert_int_equal(t.code, exit_code::ok);
  assert_true(t.line.task == Task::run);
  assert_int_equal(t.line.conf_files.count, 1);
  assert_text(t.line.conf_files[0], "/etc/tocsin/tocsin.conf");
  const Typed from_environment({}, {.conf = "/srv/t.conf", .state_directory = {}, .credentials_directory = {}});
  assert_text(from_environment.line.conf_files[0], "/srv/t.conf");
  const Typed given({"-c", "x.conf"}, {.conf = "/srv/t.conf", .state_directory = {}, .credentials_directory = {}});
  assert_int_equal(given.line.conf_files.count, 1);
  assert_text(given.line.conf_files[0], "x.conf");
}

static void options_repeat_and_stand_on_either_side_of_the_command(void**) {
  const Typed t({"-c", "a", "-ob.c=d", "check", "-cb", "--as", "tocsin", "-o", "log.level=debug"});
  assert_int_equal(t.code, exit_code::ok);
  assert_true(t.line.task == Task::check);
  assert_int_equal(t.line.conf_files.count, 2);
  assert_text(t.line.conf_files[1], "b");
  assert_int_equal(t.line.overrides.count, 2);
  assert_text(t.line.overrides[0], "b.c=d");
  assert_text(t.line.overrides[1], "log.level=debug");
  assert_text(t.line.as_user, "tocsin");
}

static void vapid_key_is_a_command(void**) {
  const Typed typed({"vapid-key", "-c", "x.conf"});
  assert_true(typed.code == 0 && typed.line.task == Task::vapid_key);
}

static void setup_takes_a_kind_and_a_domain(void**) {
  const Typed printed({"setup", "fcm", "example.org"}),
      written({"--write", "-c", "x", "setup", "apns", "push.example.org"});
  assert_true(printed.code == 0 && printed.line.task == Task::setup && printed.line.setup_kind == SetupKind::fcm);
  assert_text(printed.line.setup_domain, "example.org");
  assert_false(printed.line.write);
  assert_true(written.code == 0 && written.line.write && written.line.setup_kind == SetupKind::apns);
  assert_text(written.line.setup_domain, "push.example.org");
  assert_true(Typed({"setup", "apns", ""}).code == 0);  // its own sentence comes later
  assert_true(Typed({"setup", "--help"}).line.about == Task::setup);
}

static void plan_takes_json_before_and_behind(void**) {
  const Typed behind({"plan", "--json"}), before({"--json", "plan"});
  assert_true(behind.code == 0 && behind.line.json && behind.line.task == Task::plan);
  assert_true(before.code == 0 && before.line.json && before.line.task == Task::plan);
}

static void help_and_version_win_over_commands(void**) {
  assert_true(Typed({"--help"}).line.task == Task::help);
  assert_true(Typed({"check", "-h"}).line.task == Task::help);
  assert_true(Typed({"--version", "run"}).line.task == Task::version);
  assert_true(Typed({"-V"}).line.task == Task::version);
}

static void registry_takes_a_command_and_a_file(void**) {
  const Typed dump({"registry", "--secrets", "dump", "a.registry"});
  assert_true(dump.code == 0 && dump.line.task == Task::registry && dump.line.secrets);
  assert_true(dump.line.registry_task == RegistryTask::dump && dump.line.file == "a.registry");
  const Typed odd({"registry", "repair", "--", "-a"});
  assert_true(odd.code == 0 && odd.line.registry_task == RegistryTask::repair && odd.line.file == "-a");
  assert_true(Typed({"registry", "verify", "a"}).line.registry_task == RegistryTask::verify);
  assert_true(Typed({"registry", "compact", "a"}).line.registry_task == RegistryTask::compact);
  const Typed help({"registry", "--help"});
  assert_true(help.code == 0 && help.line.task == Task::help && help.line.about == Task::registry);
  for (const char* word : {"verify FILE", "dump [--secrets] FILE", "compact FILE", "repair FILE", "FILE.repaired"})
    assert_true(help_text(Task::registry).find(word) != string_view::npos);
}

static void mistakes_are_usage_errors_with_a_sentence(void**) {
  const struct {
    std::initializer_list<const char*> args;
    const char* message;
  } rows[] = {
      {{"chek"}, "unknown command \"chek\"; did you mean check?"},
      {{"frobnicate"}, "unknown command \"frobnicate\"; see tocsin --help"},
      {{"statsu"}, "unknown command \"statsu\"; did you mean status?"},
      {{"setup"}, "setup needs unifiedpush, webpush, apns or fcm; see tocsin setup --help"},
      {{"setup", "apns"}, "setup needs the DOMAIN of your XMPP accounts, such as example.org"},
      {{"setup", "unifiedpsuh", "x"}, "unknown kind of setup \"unifiedpsuh\"; did you mean setup unifiedpush?"},
      {{"setup", "xmpp", "x"},
       "unknown kind of setup \"xmpp\": unifiedpush, webpush, apns or fcm; see tocsin setup --help"},
      {{"setup", "apns", "example.org", "x"}, "unexpected argument \"x\"; see tocsin --help"},
      {{"setup", "apns", "example.org", "-ca", "-cb"}, "setup makes one conf; give -c once"},
      {{"setup", "apns", "example.org", "-o", "log.level=debug"},
       "-o does not go with tocsin setup; put it into the conf that it makes"},
      {{"check", "--write"}, "--write goes with tocsin setup"},
      {{"doctor"}, "doctor is not available in this version"},
      {{"vapid-key", "x"}, "unexpected argument \"x\"; see tocsin --help"},
      {{"vapid-kye"}, "unknown command \"vapid-kye\"; did you mean vapid-key?"},
      {{"vapid-key", "--json"}, "--json goes with tocsin plan"},
      {{"status", "--quiet"}, "status is not available in this version"},
      {{"list"}, "list is not available in this version"},
      {{"remove"}, "remove is not available in this version"},
      {{"test-push"}, "test-push is not available in this version"},
      {{"preview"}, "preview is not available in this version"},
      {{"doctor"}, "doctor is not available in this version"},
      {{"reload"}, "reload is not available in this version"},
      {{"reexec"}, "reexec is not available in this version"},
      {{"registry"}, "registry needs verify, dump, compact or repair; see tocsin registry --help"},
      {{"registry", "verify"}, "registry needs a FILE, such as /var/lib/tocsin/devices.registry"},
      {{"registry", "verify", ""}, "unexpected argument \"\"; see tocsin --help"},
      {{"registry", "repiar", "x"}, "unknown command registry \"repiar\"; did you mean registry repair?"},
      {{"registry", "frobnicate"}, "unknown command registry \"frobnicate\"; see tocsin registry --help"},
      {{"registry", "dump", "x", "y"}, "unexpected argument \"y\"; see tocsin --help"},
      {{"registry", "verify", "--secrets", "x"}, "--secrets goes with tocsin registry dump"},
      {{"--secrets", "check"}, "--secrets goes with tocsin registry dump"},
      {{"run", "check"}, "unexpected argument \"check\"; see tocsin --help"},
      {{"-c"}, "-c needs a value; see tocsin --help"},
      {{"-c", ""}, "-c needs a file's name"},
      {{"--vresion"}, "unknown option \"--vresion\"; did you mean --version?"},
      {{"-x"}, "unknown option \"-x\"; see tocsin --help"},
      {{"--as", "tocsin"}, "--as goes with tocsin check"},
      {{"check", "--json"}, "--json goes with tocsin plan"},
      {{"check", "--as", ""}, "--as needs a user's name"},
      {{"check", "--as", "a", "--json"}, "these options do not go together"},
      {{"--", "-c"}, "unknown command \"-c\"; see tocsin --help"},
      {{"\x1b[2J"}, "unknown command \"\\x1b[2J\"; see tocsin --help"},
      {{"-c1", "-c2", "-c3", "-c4", "-c5", "-c6", "-c7", "-c8", "-c9"}, "too many -c; put the files together"},
  };
  for (const auto& row : rows) {
    const Typed t(row.args);
    assert_int_equal(t.code, exit_code::usage);
    assert_text(t.out.view(), row.message);
  }
}

static void help_names_every_command_and_option(void**) {
  for (const char* word : {"check", "plan", "run", "vapid-key", "-c FILE", "-o SECTION.KEY=VALUE", "--as USER",
                           "--json", "--help", "--version", "/etc/tocsin/tocsin.conf"})
    assert_true(help_text().find(word) != string_view::npos);
  assert_true(ends_with(help_text(), "\n"));
}

static void check_has_a_help_of_its_own(void**) {
  const Typed t({"check", "--help"});
  assert_int_equal(t.code, exit_code::ok);
  assert_true(starts_with(help_text(t.line.about), "tocsin check: "));
  for (const char* word : {"--as USER", "--online", "component_up", "exit codes"})
    assert_true(help_text(t.line.about).find(word) != string_view::npos);
}

TESTS(command_line, cmocka_unit_test(nothing_typed_runs_the_default_conf),
      cmocka_unit_test(options_repeat_and_stand_on_either_side_of_the_command),
      cmocka_unit_test(vapid_key_is_a_command), cmocka_unit_test(setup_takes_a_kind_and_a_domain),
      cmocka_unit_test(plan_takes_json_before_and_behind), cmocka_unit_test(help_and_version_win_over_commands),
      cmocka_unit_test(registry_takes_a_command_and_a_file),
      cmocka_unit_test(mistakes_are_usage_errors_with_a_sentence),
      cmocka_unit_test(help_names_every_command_and_option), cmocka_unit_test(check_has_a_help_of_its_own));

}  // namespace tocsin
