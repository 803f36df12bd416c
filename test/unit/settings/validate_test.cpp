#include "settings/validate.h"

#include "test/unit/settings/parsed.h"

namespace tocsin {

using test::good_conf;
using test::Joined;
using test::Parsed;

static void accounts_default_to_the_parent_of_the_domain(void**) {
  const struct {
    const char* domain;
    const char* account;
  } rows[] = {{"push.example.org", "example.org"}, {"Push.EXAMPLE.org", "example.org"}, {"push.localhost", "localhost"},
              {"localhost", "localhost"},          {"127.0.0.1", "127.0.0.1"},          {"[::1]", "[::1]"}};
  for (const auto& row : rows) {
    const Joined conf("[xmpp]\ndomain = ", row.domain, "\n");
    const Parsed p(conf.view());
    assert_int_equal(p.settings.xmpp.accounts.count, 1);
    assert_text(p.settings.xmpp.accounts[0].view(), row.account);
  }
}

static void the_state_directory_comes_from_conf_environment_or_default(void**) {
  Parsed from_environment;
  from_environment.environment.state_directory = "/srv/a:/srv/b";
  from_environment.parser.parse(good_conf, "t.conf");
  from_environment.finish();
  assert_text(from_environment.settings.state.directory.view(), "/srv/a");
  assert_text(from_environment.settings.registry.path.view(), "/srv/a/devices.registry");
  Parsed from_conf;
  from_conf.environment.state_directory = "/srv/a";
  from_conf.parser.parse(Joined(good_conf, "[state]\ndirectory = state/\n[registry]\npath = r\n").view(),
                         "/etc/t.conf");
  from_conf.finish();
  assert_text(from_conf.settings.state.directory.view(), "/etc/state/");
  assert_text(from_conf.settings.registry.path.view(), "/etc/state/r");
}

static void an_absolute_registry_path_stays(void**) {
  const Parsed p(Joined(good_conf, "[registry]\npath = /data/r\n").view());
  assert_faultless(p);
  assert_text(p.settings.registry.path.view(), "/data/r");
}

static void a_registry_path_that_does_not_fit_is_refused(void**) {
  char text[512];
  const int size = snprintf(text, sizeof(text), "[state]\ndirectory = /%0250d\n[registry]\npath = abcdef\n", 1);
  const Parsed p(Joined(good_conf, {text, static_cast<size_t>(size)}).view());
  assert_text(p.fault(0), "t.conf:12: the registry's path in the state directory is over 255 bytes");
}

static void the_default_of_empty_depends_on_the_payload(void**) {
  const struct {
    const char* lines;
    EmptyPush empty;
    EmptyPush empty_wake;  // of devices that are only woken
  } rows[] = {{"", EmptyPush::normal, EmptyPush::high},
              {"payload = wake\n", EmptyPush::high, EmptyPush::high},
              {"payload = tigase\n", EmptyPush::normal, EmptyPush::high},
              {"empty = normal\n", EmptyPush::normal, EmptyPush::normal},
              {"payload = wake\nempty = normal\n", EmptyPush::normal, EmptyPush::normal},
              {"empty = drop\n", EmptyPush::drop, EmptyPush::drop}};
  for (const auto& row : rows) {
    const Parsed p(Joined(good_conf, row.lines).view());
    assert_faultless(p);
    assert_true(p.settings.apns[0].empty == row.empty);
    assert_true(p.settings.apns[0].empty_wake == row.empty_wake);
  }
}

static void loopback_needs_no_permission_for_clear_text(void**) {
  for (const char* server : {"localhost", "LOCALHOST:1", "127.0.0.1", "127.9.9.9:5347", "::1", "[::1]:5347"}) {
    const Joined more("[xmpp]\nserver = ", server, "\n");
    const Parsed p(Joined(good_conf, more.view()).view());
    assert_faultless(p);
  }
  const Parsed allowed(Joined(good_conf, "[xmpp]\nserver = xmpp.example.org\nallow_cleartext = yes\n").view());
  assert_faultless(allowed);
}

static void a_given_key_id_wins_over_the_file_name(void**) {
  const Parsed p(Joined(good_conf, "key_id = ZZZ123DEFG\n").view());
  assert_faultless(p);
  assert_text(p.settings.apns[0].key_id.view(), "ZZZ123DEFG");
}

static void sections_with_different_ids_live_together(void**) {
  const Parsed p(Joined(good_conf,
                        "[apns b]\nprovider = b\nkey = AuthKey_ABC123DEFG.p8\nteam_id = DEF123GHIJ\n"
                        "topic = org.example.siskin\nenvironment = sandbox\nendpoint = https://[::1]:8443\n")
                     .view());
  assert_faultless(p);
  assert_int_equal(p.settings.apns.count, 2);
  assert_text(p.settings.apns[1].endpoint.host.view(), "::1");
  assert_int_equal(p.settings.apns[1].endpoint.port, 8443);
}

static void a_section_has_modules_and_a_dialect(void**) {
  const Parsed p(Joined(good_conf, "dialect = p2\nmodules = monalProdiOS, monalAlpha-sandbox\n").view());
  assert_faultless(p);
  assert_true(p.settings.apns[0].dialect == SectionDialect::p2);
  assert_int_equal(p.settings.apns[0].modules.count, 2);
  assert_text(p.settings.apns[0].modules[1].view(), "monalAlpha-sandbox");
}

static void a_section_may_have_had_the_name_that_one_of_another_kind_has(void**) {
  const Parsed p(Joined(good_conf,
                        "formerly = play, older\n"
                        "[fcm play]\nprovider = f\nservice_account = a.json\nformerly = siskin\n")
                     .view());
  assert_faultless(p);
  assert_int_equal(p.settings.apns[0].formerly.count, 2);
  assert_text(p.settings.apns[0].formerly[1].view(), "older");
  assert_text(p.settings.fcm[0].formerly[0].view(), "siskin");
}

TESTS(validate, cmocka_unit_test(accounts_default_to_the_parent_of_the_domain),
      cmocka_unit_test(the_state_directory_comes_from_conf_environment_or_default),
      cmocka_unit_test(an_absolute_registry_path_stays), cmocka_unit_test(a_registry_path_that_does_not_fit_is_refused),
      cmocka_unit_test(the_default_of_empty_depends_on_the_payload),
      cmocka_unit_test(loopback_needs_no_permission_for_clear_text),
      cmocka_unit_test(a_given_key_id_wins_over_the_file_name),
      cmocka_unit_test(sections_with_different_ids_live_together),
      cmocka_unit_test(a_section_has_modules_and_a_dialect),
      cmocka_unit_test(a_section_may_have_had_the_name_that_one_of_another_kind_has));

}  // namespace tocsin
