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

static void a_certificate_needs_neither_key_nor_team(void**) {
  const Parsed p(Joined(good_conf, "[apns b]\nprovider = b\ntopic = b\ncertificate = c.pem\n").view());
  assert_faultless(p);
  assert_text(p.settings.apns[1].certificate.view(), "c.pem");
  assert_true(p.settings.apns[1].certificate_key.empty() && p.settings.apns[1].key.empty());
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

static constexpr string_view web_push_conf =
    "[xmpp]\ndomain = push.example.org\nsecret = s3cr3t\n[webpush]\ncontact = mailto:ann@example.net\n";

static void web_push_alone_is_a_conf(void**) {
  const Parsed p(web_push_conf);
  assert_faultless(p);
  const Settings& s = p.settings;
  assert_int_equal(s.section_count(), 1);
  assert_true(s.is_webpush(0) && !s.is_apns(0) && !s.is_fcm(0));
  assert_int_equal(s.section(0).provider.count, 1);
  assert_text(s.section(0).provider[0].view(), "webpush");
  assert_true(s.section(0).clear_text);
  assert_true(s.section(0).empty == EmptyPush::normal);
  assert_text(s.webpush[0].contact.view(), "mailto:ann@example.net");
  assert_text(s.webpush[0].vapid_key.view(), "/var/lib/tocsin/vapid.pem");
  assert_true(s.webpush[0].allow_private.empty());
}

static void web_push_is_the_last_section_wherever_it_stands(void**) {
  const Parsed p(Joined(web_push_conf,
                        "provider = a, b\n[fcm play]\nprovider = f\nservice_account = s.json\n"
                        "[apns ios]\nprovider = i\nkey = AuthKey_ABC123DEFG.p8\nteam_id = DEF123GHIJ\ntopic = a.b\n"
                        "[webpush]\nclear_text = no\n")
                     .view());
  assert_faultless(p);
  const Settings& s = p.settings;
  assert_int_equal(s.section_count(), 3);
  assert_true(s.is_apns(0) && s.is_fcm(1) && s.is_webpush(2));
  assert_false(s.is_fcm(0) || s.is_fcm(2) || s.is_webpush(1));
  assert_true(&s.section(2) == &s.webpush[0]);
  assert_int_equal(s.section(2).provider.count, 2);
  assert_false(s.section(2).clear_text);
  assert_true(place_of_section(s, 2).kind == SectionKind::webpush);
}

static void the_vapid_key_stands_in_the_state_directory_unless_it_is_absolute(void**) {
  const Parsed beside(Joined(web_push_conf, "vapid_key = v.pem\n[state]\ndirectory = /srv/a/\n").view());
  assert_faultless(beside);
  assert_text(beside.settings.webpush[0].vapid_key.view(), "/srv/a/v.pem");
  const Parsed absolute(Joined(web_push_conf, "vapid_key = /etc/v.pem\n").view());
  assert_faultless(absolute);
  assert_text(absolute.settings.webpush[0].vapid_key.view(), "/etc/v.pem");
  char text[512];
  const int size = snprintf(text, sizeof(text), "[state]\ndirectory = /%0250d\n[registry]\npath = a\n", 1);
  const Parsed p(Joined(web_push_conf, {text, static_cast<size_t>(size)}).view());
  assert_text(p.fault(0), "t.conf:4: the VAPID key's path in the state directory is over 255 bytes");
}

static void contacts_are_addresses_that_reach_somebody(void**) {
  constexpr string_view head = "[xmpp]\ndomain = push.example.org\nsecret = s3cr3t\n[webpush]\ncontact = ";
  for (const string_view good : {"mailto:ann@example.net", "mailto:ops@push.example.org", "https://example.net",
                                 "https://example.net/contact?a=b", "https://example.net:8443/c",
                                 "mailto:a@b@xn--bcher-kva.example", "mailto:local@example.local.example.net"}) {
    const Joined conf(head, good, "\n");
    const Parsed p(conf.view());
    assert_faultless(p);
    assert_text(p.settings.webpush[0].contact.view(), good);
  }
  for (const string_view bad : {"",
                                "mailto:",
                                "mailto:ann",
                                "mailto:@example.net",
                                "mailto:ann@",
                                "MAILTO:ann@example.net",
                                "ann@example.net",
                                "http://example.net",
                                "https://",
                                "https:///x",
                                "https://ann@example.net/",
                                "mailto:ann@localhost",
                                "mailto:ann@LocalHost",
                                "mailto:ann@a.localhost",
                                "mailto:ann@printer.local",
                                "mailto:ann@x.Invalid",
                                "https://localhost/contact",
                                "https://localhost:80/",
                                "mailto:ann@invalid",
                                "mailto:ops@example.org",
                                "mailto:OPS@Example.ORG",
                                "mailto:ann@127.0.0.1",
                                "https://192.0.2.1/",
                                "mailto:ann@[::1]",
                                "https://[::1]/",
                                "mailto:ann@host",
                                "mailto:an\\n@example.net",
                                "mailto:an\"n@example.net",
                                "mailto:<ann@example.net>",
                                "mailto:ann @example.net",
                                "mailto:\xc3\xa4@example.net",
                                "mailto:ann@ex_ample.net",
                                "tel:5551234"}) {
    const Joined conf(head, bad, "\n");
    const Parsed p(conf.view());
    assert_true(starts_with(p.fault(0), "t.conf:5: contact: "));
  }
}

static void a_contact_has_at_most_255_bytes(void**) {
  char text[512];
  constexpr string_view head = "[xmpp]\ndomain = push.example.org\nsecret = s3cr3t\n[webpush]\ncontact = ";
  for (const int local : {255 - 19, 256 - 19}) {  // mailto: and @example.net
    const int size = snprintf(text, sizeof(text), "mailto:%0*d@example.net\n", local, 1);
    const Parsed p(Joined(head, {text, static_cast<size_t>(size)}).view());
    if (local == 255 - 19) {
      assert_faultless(p);
      assert_int_equal(p.settings.webpush[0].contact.view().size(), 255);
    } else {
      assert_text(p.fault(0), "t.conf:5: contact: the value is over 255 bytes");
    }
  }
}

static void private_ranges_are_a_list_of_sixteen(void**) {
  const Parsed p(Joined(web_push_conf, "allow_private = 192.168.1.0/24, fd00::/8,10.0.0.7\n").view());
  assert_faultless(p);
  const auto& ranges = p.settings.webpush[0].allow_private;
  assert_int_equal(ranges.count, 3);
  assert_true(ranges[0].contains(parse_ip("192.168.1.200", 8443).value()));
  assert_false(ranges[0].contains(parse_ip("192.168.2.1", 443).value()));
  assert_true(ranges[1].contains(parse_ip("fd12::1", 1).value()));
  assert_true(ranges[2].contains(parse_ip("10.0.0.7", 1).value()));
  assert_false(ranges[2].contains(parse_ip("10.0.0.8", 1).value()));
  char text[512];
  int size = snprintf(text, sizeof(text), "allow_private = 10.0.0.0");
  for (int i = 1; i < 17; ++i) size += snprintf(text + size, sizeof(text) - static_cast<size_t>(size), ",10.0.0.%d", i);
  const Parsed many(Joined(web_push_conf, {text, static_cast<size_t>(size)}).view());
  assert_text(many.fault(0), "t.conf:6: allow_private: \"10.0.0.16\" is one too many for this list");
}

TESTS(validate, cmocka_unit_test(accounts_default_to_the_parent_of_the_domain),
      cmocka_unit_test(the_state_directory_comes_from_conf_environment_or_default),
      cmocka_unit_test(an_absolute_registry_path_stays), cmocka_unit_test(a_registry_path_that_does_not_fit_is_refused),
      cmocka_unit_test(the_default_of_empty_depends_on_the_payload),
      cmocka_unit_test(loopback_needs_no_permission_for_clear_text),
      cmocka_unit_test(a_given_key_id_wins_over_the_file_name),
      cmocka_unit_test(sections_with_different_ids_live_together),
      cmocka_unit_test(a_section_has_modules_and_a_dialect), cmocka_unit_test(web_push_alone_is_a_conf),
      cmocka_unit_test(web_push_is_the_last_section_wherever_it_stands),
      cmocka_unit_test(the_vapid_key_stands_in_the_state_directory_unless_it_is_absolute),
      cmocka_unit_test(contacts_are_addresses_that_reach_somebody), cmocka_unit_test(a_contact_has_at_most_255_bytes),
      cmocka_unit_test(private_ranges_are_a_list_of_sixteen),
      cmocka_unit_test(a_certificate_needs_neither_key_nor_team),
      cmocka_unit_test(a_section_may_have_had_the_name_that_one_of_another_kind_has));

}  // namespace tocsin
