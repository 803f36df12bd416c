#include "settings/conf_parser.h"

#include "test/unit/settings/parsed.h"

namespace tocsin {

using test::good_conf;
using test::Joined;
using test::Parsed;

static void four_keys_start_a_gateway_and_the_rest_is_default(void**) {
  const Parsed p(good_conf);
  assert_faultless(p);
  const Settings& s = p.settings;
  assert_text(s.xmpp.server.host.view(), "127.0.0.1");
  assert_int_equal(s.xmpp.server.port, 5347);
  assert_text(s.xmpp.domain.view(), "push.example.org");
  assert_text(s.xmpp.secret.view(), "s3cr3t");
  assert_int_equal(s.xmpp.accounts.count, 1);
  assert_text(s.xmpp.accounts[0].view(), "example.org");
  assert_false(s.xmpp.all_accounts());
  assert_int_equal(s.xmpp.publishers.count, 0);
  assert_int_equal(s.xmpp.max_stanza_bytes, 65536);
  assert_text(s.state.directory.view(), "/var/lib/tocsin");
  assert_text(s.registry.path.view(), "/var/lib/tocsin/devices.registry");
  assert_int_equal(s.registry.max_devices, 1000);
  assert_int_equal(s.limits.max_inflight, 64);
  assert_int_equal(s.limits.max_pending, 256);
  assert_int_equal(s.limits.devices_per_account, 20);
  assert_int_equal(s.limits.brake_devices, 5);
  assert_int_equal(s.limits.brake_percent, 10);
  assert_int_equal(s.limits.device_burst, 10);
  assert_int_equal(s.limits.device_interval.ms(), 5000);
  assert_true(s.log.level == Level::info);
  assert_true(s.log.to.kind == LogTarget::Kind::standard_error);
  assert_true(s.log.timestamps == Timestamps::automatic);
  assert_true(s.process.secret_modes == SecretModes::strict);
  assert_int_equal(s.apns.count, 1);
  const ApnsSettings& a = s.apns[0];
  assert_text(a.name.view(), "siskin");
  assert_int_equal(a.provider.count, 1);
  assert_text(a.provider[0].view(), "tigase:messenger:apns:1");
  assert_text(a.key_id.view(), "ABC123DEFG");
  assert_text(a.team_id.view(), "DEF123GHIJ");
  assert_text(a.topic.view(), "org.example.siskin");
  assert_true(a.environment == ApnsEnvironment::production);
  assert_true(a.payload == ApnsPayload::tigase);
  assert_true(a.empty == EmptyPush::normal);
  assert_false(a.clear_text);
  assert_true(a.alert_title.empty());
  assert_text(a.alert_body.view(), "New message!");
  assert_text(a.sound.view(), "default");
  assert_true(a.endpoint.host.empty());
  assert_true(a.ca_file.empty());
}

static void hash_starts_a_comment_only_at_line_start_or_after_a_blank(void**) {
  const Parsed p(
      "# one\n   # two\n[xmpp] # three\nsecret = ab#cd # four\ndomain=push.example.org\t#five\n"
      "[apns a]\nlabel =#no comment\nalert_body = # all comment\ncategory = \"a # b\" # c\n");
  assert_text(p.settings.xmpp.secret.view(), "ab#cd");
  assert_text(p.settings.xmpp.domain.view(), "push.example.org");
  assert_text(p.settings.apns[0].label.view(), "#no comment");
  assert_text(p.settings.apns[0].alert_body.view(), "");
  assert_text(p.settings.apns[0].category.view(), "a # b");
}

static void quotes_keep_blanks_and_know_two_escapes(void**) {
  const Parsed p("[apns a]\nlabel = \"  a \\\"b\\\" \\\\ c  \"\nalert_body = say \"hi\"\nalert_title = \"\"\n");
  assert_text(p.settings.apns[0].label.view(), "  a \"b\" \\ c  ");
  assert_text(p.settings.apns[0].alert_body.view(), "say \"hi\"");
  assert_text(p.settings.apns[0].alert_title.view(), "");
}

static void crlf_byte_order_mark_and_missing_last_newline_are_fine(void**) {
  const Parsed p(
      "\xef\xbb\xbf[xmpp]\r\ndomain = push.example.org\r\n\r\nsecret = s\r\n[apns a]\r\nprovider = x\r\n"
      "key = AuthKey_ABC123DEFG.p8\r\nteam_id = DEF123GHIJ\r\ntopic = org.example.a");
  assert_faultless(p);
  assert_text(p.settings.xmpp.secret.view(), "s");
  assert_text(p.settings.apns[0].topic.view(), "org.example.a");
}

static void a_section_may_be_continued_but_a_key_stands_once(void**) {
  Parsed p;
  p.parser.parse(good_conf, "a.conf");
  p.parser.parse("[limits]\nmax_pending = 7\n[xmpp]\naccounts = *\n[apns siskin]\nlabel = X\n", "b.conf");
  p.parser.parse("[xmpp]\n\ndomain = other.example.org\n[limits]\nmax_pending = 8\n", "c.conf");
  p.finish();
  assert_int_equal(p.settings.apns.count, 1);
  assert_true(p.settings.xmpp.all_accounts());
  assert_text(p.settings.apns[0].label.view(), "X");
  assert_int_equal(p.settings.limits.max_pending, 7);
  assert_text(p.settings.xmpp.domain.view(), "push.example.org");
  assert_int_equal(p.faults.count(), 2);
  assert_text(p.fault(0), "c.conf:3: domain is set a second time; keep this one or that of a.conf:2");
  assert_text(p.fault(1), "c.conf:5: max_pending is set a second time; keep this one or that of b.conf:2");
}

static void sizes_are_binary_in_either_case(void**) {
  for (const char* value : {"8192", "8k", "8K"}) {
    const Joined conf("[xmpp]\nmax_stanza_bytes = ", value, "\n");
    const Parsed p(conf.view());
    assert_int_equal(p.settings.xmpp.max_stanza_bytes, 8192);
  }
  const Parsed p("[xmpp]\nmax_stanza_bytes = 16m\n");
  assert_int_equal(p.settings.xmpp.max_stanza_bytes, 16 * 1024 * 1024);
}

static void durations_have_five_units_and_a_bare_zero(void**) {
  const struct {
    const char* value;
    int64_t ms;
  } rows[] = {{"250ms", 250},     {"7s", 7000}, {"2m", 120'000}, {"3h", 10'800'000},
              {"1d", 86'400'000}, {"0", 0},     {"0s", 0}};
  for (const auto& row : rows) {
    const Joined conf("[limits]\ndevice_interval = ", row.value, "\n");
    const Parsed p(conf.view());
    assert_int_equal(p.settings.limits.device_interval.ms(), row.ms);
  }
}

static void booleans_have_six_words(void**) {
  const struct {
    const char* value;
    bool yes;
  } rows[] = {{"yes", true}, {"true", true}, {"on", true}, {"no", false}, {"false", false}, {"off", false}};
  for (const auto& row : rows) {
    const Joined conf("[apns a]\nclear_text = ", row.value, "\n");
    Parsed p;
    p.parser.parse(conf.view(), "t.conf");
    assert_faultless(p);
    assert_int_equal(p.settings.apns[0].clear_text, row.yes);
  }
}

static void lists_are_split_by_commas_and_trimmed(void**) {
  const Parsed p(
      "[xmpp]\naccounts = Example.ORG ,example.net\npublishers = muc.example.net\n"
      "[apns a]\nprovider = one:1,  two:2 , three:3\n");
  assert_int_equal(p.settings.xmpp.accounts.count, 2);
  assert_text(p.settings.xmpp.accounts[0].view(), "example.org");
  assert_text(p.settings.xmpp.accounts[1].view(), "example.net");
  assert_int_equal(p.settings.apns[0].provider.count, 3);
  assert_text(p.settings.apns[0].provider[2].view(), "three:3");
}

static void relative_paths_start_at_the_conf_file(void**) {
  Parsed p;
  p.parser.parse("[xmpp]\nsecret_file = secret\n[log]\nto = logs/t.log\n[apns a]\nkey = /abs.p8\n",
                 "/etc/tocsin/t.conf");
  p.parser.parse("[apns a]\nca_file = ca.pem\n", "here.conf");
  assert_text(p.settings.xmpp.secret_file.view(), "/etc/tocsin/secret");
  assert_true(p.settings.log.to.kind == LogTarget::Kind::file);
  assert_text(p.settings.log.to.path.view(), "/etc/tocsin/logs/t.log");
  assert_text(p.settings.apns[0].key.view(), "/abs.p8");
  assert_text(p.settings.apns[0].ca_file.view(), "ca.pem");
}

static void credentials_are_found_in_their_directory(void**) {
  Parsed p;
  p.environment.credentials_directory = "/run/credentials/tocsin.service";
  p.parser.parse("[xmpp]\nsecret_file = credential:secret\n[apns a]\nkey = credential:../x\nca_file = credential:\n",
                 "/etc/t.conf");
  assert_text(p.settings.xmpp.secret_file.view(), "/run/credentials/tocsin.service/secret");
  assert_text(p.fault(0),
              "/etc/t.conf:4: key: \"credential:../x\" names no credential; give credential:NAME, without slashes");
  assert_text(p.fault(1),
              "/etc/t.conf:5: ca_file: \"credential:\" names no credential; give credential:NAME, without slashes");
  const Parsed without("[xmpp]\nsecret_file = credential:secret\n");
  assert_text(
      without.fault(0),
      "t.conf:2: secret_file: \"credential:secret\" needs $CREDENTIALS_DIRECTORY, which systemd sets for a unit "
      "with LoadCredential=");
}

static void servers_are_read_in_every_spelling(void**) {
  const struct {
    const char* value;
    const char* host;
    uint16_t port;
  } rows[] = {{"localhost", "localhost", 5347},
              {"127.0.0.1:5275", "127.0.0.1", 5275},
              {"[::1]:5347", "::1", 5347},
              {"::1", "::1", 5347},
              {"xmpp_server:1", "xmpp_server", 1}};
  for (const auto& row : rows) {
    const Joined conf("[xmpp]\nserver = ", row.value, "\n");
    const Parsed p(conf.view());
    assert_text(p.settings.xmpp.server.host.view(), row.host);
    assert_int_equal(p.settings.xmpp.server.port, row.port);
  }
}

static void overrides_win_over_the_conf_and_the_last_over_the_others(void**) {
  Parsed p;
  p.parser.parse(good_conf, "dir/t.conf");
  p.parser.override("limits.max_pending=9");
  p.parser.override("limits.max_pending=10");
  p.parser.override("apns/siskin.topic=org.example.other");
  p.parser.override("apns/siskin.alert_body=a = \"b\" # c");
  p.parser.override("state.directory=state");
  p.parser.override("apns/siskin.alert_title=");
  p.finish();
  assert_faultless(p);
  assert_int_equal(p.settings.limits.max_pending, 10);
  assert_text(p.settings.apns[0].topic.view(), "org.example.other");
  assert_text(p.settings.apns[0].alert_body.view(), "a = \"b\" # c");
  assert_text(p.settings.registry.path.view(), "state/devices.registry");
}

static void bad_overrides_name_themselves_and_secrets_are_refused(void**) {
  Parsed p;
  p.parser.parse(good_conf, "t.conf");
  p.parser.override("xmpp.secret=hidden");
  p.parser.override("limits.max_pendin=1");
  p.parser.override("limit.max_pending=1");
  p.parser.override("limits.max_pending=x");
  p.parser.override("nonsense");
  p.parser.override("a=b");
  p.parser.override("control.socket=none");
  p.finish();
  assert_text(p.fault(0),
              "-o xmpp.secret: a secret on the command line is visible to every user of this machine; use secret_file");
  assert_text(p.fault(1), "-o limits.max_pendin: unknown key \"max_pendin\" in [limits]; did you mean max_pending?");
  assert_text(p.fault(2), "-o limit.max_pending: unknown section \"limit\"; did you mean [limits]?");
  assert_text(p.fault(3), "-o limits.max_pending: max_pending: \"x\" is not a number");
  assert_text(p.fault(4), "-o: \"nonsense\" is not of the form section.key=value, such as log.level=debug");
  assert_text(p.fault(5), "-o: \"a\" is not of the form section.key=value, such as log.level=debug");
  assert_text(p.fault(6), "-o control.socket: [control] is not supported by this version");
  assert_int_equal(p.faults.count(), 7);
  assert_text(p.settings.xmpp.secret.view(), "s3cr3t");
}

static void all_faults_are_collected_and_their_number_is_bounded(void**) {
  char text[1024];
  size_t used = 0;
  for (const char c : {'[', 'l', 'o', 'g', ']', '\n'}) text[used++] = c;
  for (int i = 0; i < 300; ++i) {
    text[used++] = 'x';
    text[used++] = '=';
    text[used++] = '\n';
  }
  const Parsed p({text, used});
  assert_int_equal(p.faults.count(), Faults::faults_max);
  assert_int_equal(p.faults.unlisted(), 300 + 2 - Faults::faults_max);  // and no [xmpp], no provider
  assert_int_equal(p.faults.run_exit_code(), exit_code::conf);
  assert_text(p.fault(63), "t.conf:65: unknown key \"x\" in [log]; it knows level, to, timestamps");
}

static void a_refused_section_costs_one_fault_not_one_per_key(void**) {
  const Parsed p(
      Joined(good_conf, "[control]\nsocket = none\nkey = x\n[apns]\ntopic = x\n[oddity]\na = b\nc\n").view());
  assert_text(p.fault(0), "t.conf:9: [control] is not supported by this version");
  assert_text(p.fault(1), "t.conf:12: [apns] needs a name of yours, such as [apns siskin]");
  assert_text(p.fault(2),
              "t.conf:14: unknown section \"oddity\"; there are [xmpp] [state] [registry] [limits] [log] [process] "
              "[listen] [metrics] [unifiedpush] [webpush] [apns NAME] [fcm NAME]");
  assert_int_equal(p.faults.count(), 3);
}

static void thirty_two_sections_fit_and_one_more_is_refused(void**) {
  char text[4096];
  size_t used = 0;
  for (int i = 0; i < 33; ++i) {
    const int written = snprintf(text + used, sizeof(text) - used, "[apns s%d]\nlabel = %d\n", i, i);
    used += static_cast<size_t>(written);
  }
  Parsed p;
  p.parser.parse({text, used}, "t.conf");
  assert_int_equal(p.settings.apns.count, 32);
  assert_text(p.settings.apns[31].label.view(), "31");
  assert_int_equal(p.faults.count(), 1);
  assert_text(p.fault(0), "t.conf:65: more than 32 provider sections");
  p.parser.parse("[webpush]\n", "u.conf");
  assert_int_equal(p.settings.section_count(), 32);
  assert_text(p.fault(1), "u.conf:1: more than 32 provider sections");
}

static void over_long_lines_are_refused_and_the_next_line_is_read(void**) {
  char text[line_bytes_max + 64];
  size_t used = 0;
  for (const char c : string_view("[apns a]\n")) text[used++] = c;
  text[used++] = '#';
  while (used < 9 + line_bytes_max) text[used++] = 'x';
  const size_t just_right = used;
  text[used++] = '\n';
  for (const char c : string_view("label = y\n")) text[used++] = c;
  Parsed fits;
  fits.parser.parse({text, used}, "t.conf");
  assert_int_equal(fits.faults.count(), 0);
  std::memmove(text + just_right + 1, text + just_right, used - just_right);
  text[just_right] = 'x';
  Parsed over;
  over.parser.parse({text, used + 1}, "t.conf");
  assert_text(over.fault(0), "t.conf:2: the line is over 4096 bytes; make it shorter");
  assert_text(over.settings.apns[0].label.view(), "y");
}

static void values_up_to_their_bound_fit_and_no_longer_ones(void**) {
  char text[1024];
  const int fits = snprintf(text, sizeof(text), "[xmpp]\nsecret = %0256d\n", 1);
  Parsed p;
  p.parser.parse({text, static_cast<size_t>(fits)}, "t.conf");
  assert_int_equal(p.faults.count(), 0);
  assert_int_equal(p.settings.xmpp.secret.view().size(), 256);
  const int over = snprintf(text, sizeof(text), "[xmpp]\nsecret = %0257d\n", 1);
  Parsed q;
  q.parser.parse({text, static_cast<size_t>(over)}, "t.conf");
  assert_text(q.fault(0), "t.conf:2: secret: the value is over 256 bytes");
}

TESTS(conf_parser, cmocka_unit_test(four_keys_start_a_gateway_and_the_rest_is_default),
      cmocka_unit_test(hash_starts_a_comment_only_at_line_start_or_after_a_blank),
      cmocka_unit_test(quotes_keep_blanks_and_know_two_escapes),
      cmocka_unit_test(crlf_byte_order_mark_and_missing_last_newline_are_fine),
      cmocka_unit_test(a_section_may_be_continued_but_a_key_stands_once),
      cmocka_unit_test(sizes_are_binary_in_either_case), cmocka_unit_test(durations_have_five_units_and_a_bare_zero),
      cmocka_unit_test(booleans_have_six_words), cmocka_unit_test(lists_are_split_by_commas_and_trimmed),
      cmocka_unit_test(relative_paths_start_at_the_conf_file),
      cmocka_unit_test(credentials_are_found_in_their_directory), cmocka_unit_test(servers_are_read_in_every_spelling),
      cmocka_unit_test(overrides_win_over_the_conf_and_the_last_over_the_others),
      cmocka_unit_test(bad_overrides_name_themselves_and_secrets_are_refused),
      cmocka_unit_test(all_faults_are_collected_and_their_number_is_bounded),
      cmocka_unit_test(a_refused_section_costs_one_fault_not_one_per_key),
      cmocka_unit_test(thirty_two_sections_fit_and_one_more_is_refused),
      cmocka_unit_test(over_long_lines_are_refused_and_the_next_line_is_read),
      cmocka_unit_test(values_up_to_their_bound_fit_and_no_longer_ones));

}  // namespace tocsin
