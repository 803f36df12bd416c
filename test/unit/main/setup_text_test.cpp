#include "setup_text.h"

#include "test/unit/settings/parsed.h"

namespace tocsin {

namespace {

constexpr SetupKind kinds[] = {SetupKind::unifiedpush, SetupKind::webpush, SetupKind::apns, SetupKind::fcm};
constexpr SetupPart parts[] = {SetupPart::prosody, SetupPart::ejabberd, SetupPart::proxy, SetupPart::dns,
                               SetupPart::conf};

SetupPlan plan_of(SetupKind kind, string_view domain, string_view conf = "/etc/tocsin/tocsin.conf") {
  SetupPlan plan{.kind = kind, .names = {}, .secret = "0011223344556677889900112233445566778899", .conf = conf};
  uint8_t room[512];
  Writer problem(room);
  assert_true(read_setup_domain(kind, domain, plan.names, problem));
  return plan;
}

uint8_t part_room[setup_part_bytes_max];

string_view part_of(const SetupPlan& plan, SetupPart part) {
  Writer out(part_room);
  write_setup_part(out, part, plan);
  assert_false(out.overflowed());
  return {reinterpret_cast<const char*>(part_room), out.size()};
}

bool has(string_view text, string_view words) { return text.find(words) != string_view::npos; }

// Of the longest names that pass, into domain.
string_view longest(char (&domain)[domain_bytes_max]) {
  for (size_t i = 0; i < sizeof domain; ++i) domain[i] = i % 60 == 59 ? '.' : 'a';
  return {domain, domain_bytes_max - 5};
}

}  // namespace

static void every_kind_is_a_conf_without_faults_but_for_what_only_the_operator_knows(void**) {
  for (const SetupKind kind : kinds) {
    const test::Parsed parsed(part_of(plan_of(kind, "example.org"), SetupPart::conf));
    const bool vendor = kind == SetupKind::apns;
    assert_int_equal(parsed.faults.count(), vendor ? 2 : 0);
    assert_int_equal(parsed.faults.run_exit_code(), exit_code::ok);
    assert_int_equal(parsed.faults.check_exit_code(), vendor ? exit_code::missing : exit_code::ok);
    for (uint32_t i = 0; i < parsed.faults.count(); ++i)
      assert_true(has(parsed.fault(i), i == 0 ? "team_id: still what tocsin setup put there"
                                              : "topic: still what tocsin setup put there"));
    assert_text(parsed.settings.xmpp.domain.view(), "push.example.org");
    assert_text(parsed.settings.xmpp.secret.view(), "0011223344556677889900112233445566778899");
    assert_text(parsed.settings.xmpp.accounts[0].view(), "example.org");
    assert_int_equal(parsed.settings.listen.on, kind == SetupKind::unifiedpush);
    assert_int_equal(parsed.settings.unified_push.offered, kind == SetupKind::unifiedpush);
    assert_int_equal(parsed.settings.webpush.count, kind == SetupKind::webpush);
    assert_int_equal(parsed.settings.apns.count, kind == SetupKind::apns);
    assert_int_equal(parsed.settings.fcm.count, kind == SetupKind::fcm);
  }
}

static void the_contact_of_web_push_is_in_the_domain(void**) {
  const test::Parsed parsed(part_of(plan_of(SetupKind::webpush, "push.example.net"), SetupPart::conf));
  assert_text(parsed.settings.webpush[0].contact.view(), "mailto:postmaster@example.net");
}

static void only_who_is_called_by_https_gets_a_site_and_a_record(void**) {
  for (const SetupKind kind : kinds) {
    const bool https = kind == SetupKind::unifiedpush || kind == SetupKind::apns;
    const SetupPlan plan = plan_of(kind, "example.org");
    for (const SetupPart part : parts)
      assert_int_equal(setup_has(kind, part), https || (part != SetupPart::proxy && part != SetupPart::dns));
    const string_view conf = part_of(plan, SetupPart::conf);
    assert_int_equal(has(conf, "[listen]"), https);
    for (const SetupPart part : {SetupPart::conf, SetupPart::proxy, SetupPart::dns})
      if (https) assert_int_equal(has(part_of(plan, part), "Optional: "), kind == SetupKind::apns);
  }
}

static void an_app_gets_a_second_section_for_the_sandbox_with_the_comments_taken_away(void**) {
  char room[setup_part_bytes_max];
  size_t size = 0;
  const string_view text = part_of(plan_of(SetupKind::apns, "example.org"), SetupPart::conf);
  const size_t second = text.find("#[apns app-dev]");
  assert_true(second != string_view::npos);
  const size_t end = text.find("\n\n", second);
  for (size_t i = 0; i < text.size(); ++i)
    if (i < second || i > end || text[i] != '#') room[size++] = text[i];
  const test::Parsed parsed(string_view(room, size));
  assert_int_equal(parsed.faults.run_exit_code(), exit_code::ok);
  assert_int_equal(parsed.settings.apns.count, 2);
  assert_text(parsed.settings.apns[1].name.view(), "app-dev");
  assert_true(parsed.settings.apns[1].environment == ApnsEnvironment::sandbox);
}

static void a_browser_is_not_told_of_typing(void**) {
  const test::Parsed parsed(part_of(plan_of(SetupKind::webpush, "example.org"), SetupPart::conf));
  assert_true(parsed.settings.webpush[0].empty == EmptyPush::drop);
}

static void the_parts_agree_on_name_and_secret(void**) {
  for (const SetupKind kind : kinds) {
    const SetupPlan plan = plan_of(kind, "example.org");
    for (const SetupPart part : parts) {
      const string_view text = part_of(plan, part);
      assert_true(has(text, "push.example.org"));
      assert_int_equal(has(text, plan.secret), part != SetupPart::proxy && part != SetupPart::dns);
      assert_true(ends_with(text, "\n"));
    }
    for (const char* words :
         {"VirtualHost \"example.org\"", "\"cloud_notify\"; \"smacks\"; \"mam\"; \"carbons\"; \"csi_simple\"",
          "Component \"push.example.org\""})
      assert_true(has(part_of(plan, SetupPart::prosody), words));
    for (const char* words :
         {"module: ejabberd_service", "mod_push:", "mod_push_keepalive:", "mod_stream_mgmt:", "mod_mam:"})
      assert_true(has(part_of(plan, SetupPart::ejabberd), words));
    for (const char* words :
         {"location /unregister-device/", "location /rest/push/unregister-device/", "location /up/"})
      assert_true(has(part_of(plan, SetupPart::proxy), words));
  }
}

static void the_component_s_own_name_does_as_well(void**) {
  const struct {
    const char* domain;
    const char* users;
    const char* component;
  } rows[] = {
      {"example.org", "example.org", "push.example.org"},
      {"push.example.org", "example.org", "push.example.org"},
      {"chat.example.org", "chat.example.org", "push.chat.example.org"},
      {"push.org", "push.org", "push.push.org"},
      {"pushy.example.org", "pushy.example.org", "push.pushy.example.org"},
      {"localhost", "localhost", "push.localhost"},
      {"push.localhost", "localhost", "push.localhost"},
      {"1und1.example", "1und1.example", "push.1und1.example"},
  };
  for (const auto& row : rows) {
    const SetupPlan plan = plan_of(SetupKind::unifiedpush, row.domain);
    assert_text(plan.names.users.view(), row.users);
    assert_text(plan.names.component.view(), row.component);
  }
}

static void what_is_no_plain_domain_is_refused_with_a_sentence(void**) {
  const struct {
    string_view domain;
    const char* words;
  } rows[] = {
      {"", "is no domain; give"},
      {".", "ends in a dot"},
      {"example.org.", "ends in a dot"},
      {"Example.org", "has capitals"},
      {"exa mple.org", "is no domain: it has only"},
      {" example.org", "is no domain: it has only"},
      {"example.org\nsecret = x", "is no domain: it has only"},
      {"a\"; os.exit() --.org", "is no domain: it has only"},
      {"a'.org", "is no domain: it has only"},
      {"a;b.org", "is no domain: it has only"},
      {"a#b.org", "is no domain: it has only"},
      {"a_b.org", "is no domain: it has only"},
      {"../etc.org", "is no domain: it has only"},
      {"*.example.org", "is no domain: it has only"},
      {"ann@example.org", "is no domain: it has only"},
      {"example.org:443", "is no domain: it has only"},
      {"[2001:db8::1]", "is no domain: it has only"},
      {string_view("exa\0mple.org", 12), "is no domain: it has only"},
      {"m\xc3\xbcnchen.example", "beyond ASCII"},
      {"\xff.example", "beyond ASCII"},
      {"xn--mnchen-3ya.example", "ASCII form"},
      {"a..org", "a dot too many"},
      {".example.org", "a dot too many"},
      {"-a.example.org", "begins or ends with -"},
      {"a-.example.org", "begins or ends with -"},
      {"example", "has no dot"},
      {"192.0.2.1", "is an address"},
      {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.org", "over 63"},
  };
  for (const auto& row : rows) {
    SetupNames names;
    uint8_t room[512];
    Writer problem(room);
    assert_false(read_setup_domain(SetupKind::apns, row.domain, names, problem));
    if (!has(problem.view(), row.words)) assert_text(problem.view(), row.words);
    for (const char c : problem.view()) assert_true(c != '\n' && c != '\0');
    assert_false(problem.overflowed());
    assert_true(names.users.empty());
  }
}

static void web_push_wants_a_domain_that_is_known_outside(void**) {
  for (const char* domain : {"home.local", "a.invalid", "localhost", "a.localhost"}) {
    SetupNames names;
    uint8_t room[512];
    Writer problem(room);
    assert_false(read_setup_domain(SetupKind::webpush, domain, names, problem));
    assert_true(read_setup_domain(SetupKind::unifiedpush, domain, names, problem));
  }
}

static void the_longest_domain_fits_everywhere_and_one_more_does_not(void**) {
  char room[domain_bytes_max];
  const string_view domain = longest(room);
  for (const SetupKind kind : kinds) {
    const SetupPlan plan = plan_of(kind, domain);
    for (const SetupPart part : parts) part_of(plan, part);
    if (kind == SetupKind::webpush) continue;
    const test::Parsed parsed(part_of(plan, SetupPart::conf));
    assert_int_equal(parsed.faults.run_exit_code(), exit_code::ok);
  }
  SetupNames names;
  uint8_t sentence[512];
  Writer problem(sentence);
  assert_false(read_setup_domain(SetupKind::apns, {room, domain.size() + 1}, names, problem));
  assert_true(has(problem.view(), "too long"));
}

static void the_next_commands_are_comments_and_name_the_conf(void**) {
  for (const bool written : {false, true}) {
    Writer out(part_room);
    write_setup_next(out, plan_of(SetupKind::apns, "example.org", "/srv/my conf"), written);
    assert_true(has(out.view(), "#   tocsin -c '/srv/my conf' check --as tocsin --online"));
    assert_true(has(out.view(), "#   chown root:tocsin '/srv/my conf'\n#   chmod 640 '/srv/my conf'\n"));
    assert_true(has(out.view(), "#   install -g tocsin -m 640 AuthKey_YOURKEYID0.p8 /srv/\n"));
    assert_true(has(out.view(), "#   systemctl restart prosody "));
    assert_true(has(out.view(), "team_id and topic"));
    bool at_start = true;
    for (const char c : out.view()) {
      if (at_start) assert_int_equal(c, '#');
      at_start = c == '\n';
    }
  }
}

static void the_longest_name_of_a_conf_fits_with_every_quote(void**) {
  char path[path_bytes_max];
  for (char& c : path) c = '\'';
  path[0] = path[path_bytes_max - 5] = '/';
  char room[domain_bytes_max];
  for (const SetupKind kind : kinds) {
    const SetupPlan plan = plan_of(kind, longest(room), {path, sizeof path});
    for (const SetupPart part : parts) part_of(plan, part);
    for (const bool written : {false, true}) {
      Writer out(part_room);
      write_setup_next(out, plan, written);
      assert_false(out.overflowed());
    }
  }
}

TESTS(setup_text, cmocka_unit_test(every_kind_is_a_conf_without_faults_but_for_what_only_the_operator_knows),
      cmocka_unit_test(the_contact_of_web_push_is_in_the_domain),
      cmocka_unit_test(only_who_is_called_by_https_gets_a_site_and_a_record),
      cmocka_unit_test(an_app_gets_a_second_section_for_the_sandbox_with_the_comments_taken_away),
      cmocka_unit_test(a_browser_is_not_told_of_typing),
      cmocka_unit_test(the_longest_name_of_a_conf_fits_with_every_quote),
      cmocka_unit_test(the_parts_agree_on_name_and_secret), cmocka_unit_test(the_component_s_own_name_does_as_well),
      cmocka_unit_test(what_is_no_plain_domain_is_refused_with_a_sentence),
      cmocka_unit_test(web_push_wants_a_domain_that_is_known_outside),
      cmocka_unit_test(the_longest_domain_fits_everywhere_and_one_more_does_not),
      cmocka_unit_test(the_next_commands_are_comments_and_name_the_conf));

}  // namespace tocsin
