// What `check` doubts, and of what it says nothing.
#include "settings/notes.h"

#include "test/unit/settings/parsed.h"

namespace tocsin {

using test::Joined;
using test::Parsed;

namespace {

constexpr string_view head = "[xmpp]\ndomain = push.example.org\nsecret = s3cr3t\n";
constexpr string_view apns_a =
    "[apns a]\nprovider = a\nkey = AuthKey_ABC123DEFG.p8\nteam_id = DEF123GHIJ\ntopic = org.example.a\n";
constexpr string_view apns_b =
    "[apns b]\nprovider = b\nkey = AuthKey_ABC123DEFG.p8\nteam_id = DEF123GHIJ\ntopic = org.example.b\n";
constexpr string_view apns_sand =
    "[apns sand]\nprovider = a\nkey = AuthKey_ABC123DEFG.p8\nteam_id = DEF123GHIJ\ntopic = org.example.a\n"
    "environment = sandbox\n";
constexpr string_view two_fcm =
    "[fcm a]\nprovider = c\nservice_account = a.json\n[fcm b]\nprovider = d\n"
    "service_account = b.json\n";

void expect_notes(string_view one, string_view two, string_view three, std::initializer_list<string_view> wanted) {
  const Joined conf(one, two, three);
  Parsed p(conf.view());
  assert_faultless(p);
  note_doubts(p.settings, p.parser.origins(), p.faults);
  uint32_t i = 0;
  for (const string_view note : wanted) assert_text(p.fault(i++), note);
  assert_text(p.fault(i), "(no fault)");
  assert_int_equal(p.faults.check_exit_code(), exit_code::ok);
}

}  // namespace

static void a_usual_conf_raises_no_doubt(void**) {
  expect_notes(head, apns_a, {}, {});
  expect_notes(head, apns_a, "[fcm play]\nprovider = f\nservice_account = a.json\n", {});
  expect_notes(head, "accounts = example.org\n", apns_a, {});
}

static void two_sections_of_a_kind_need_a_word(void**) {
  expect_notes(head, two_fcm, {},
               {"t.conf:7: there are two [fcm …] sections and none says dialect = p2; Conversations and its forks "
                "(register-push-fcm) are turned away; write it into one of them"});
  expect_notes(head, two_fcm, "dialect = p2\n", {});
  expect_notes(head, two_fcm, "[fcm c]\nprovider = e\nservice_account = c.json\n",
               {"t.conf:7: there are 3 [fcm …] sections and none says dialect = p2; Conversations and its forks "
                "(register-push-fcm) are turned away; write it into one of them"});
  expect_notes(head, apns_a, apns_b,
               {"t.conf:9: there are two [apns …] sections and none says dialect = p2; apps that say "
                "register-push-apns are turned away (Siskin, Snikket and Monal do not say it); if yours does, write "
                "it into its section"});
}

static void both_environments_of_an_app_are_one_section(void**) {
  expect_notes(head, apns_a, apns_sand, {});
  expect_notes(head, apns_sand, apns_a, {});
}

static void the_component_needs_a_name_of_its_own(void**) {
  expect_notes("[xmpp]\nsecret = s\naccounts = example.net, example.org\ndomain = example.org\n", apns_a, {},
               {"t.conf:4: domain: \"example.org\" is one of accounts; the component needs a name of its own, such as "
                "push.example.org"});
}

static void a_mistyped_domain_of_accounts_is_doubted(void**) {
  expect_notes(head, "accounts = exmaple.org\n", apns_a,
               {"t.conf:4: accounts has \"exmaple.org\", and domain \"push.example.org\" is not below it: did you mean "
                "example.org?"});
  expect_notes(head, "accounts = chat.example.net, exampel.org\n", apns_a,
               {"t.conf:4: accounts has \"exampel.org\", and domain \"push.example.org\" is not below it: did you mean "
                "example.org?"});
  expect_notes(head, "accounts = walk.test\n", apns_a,
               {"t.conf:4: accounts has \"walk.test\", and domain \"push.example.org\" is not below it: is that right? "
                "Then that server must list the component among its items, or apps do not find it"});
}

static void servers_with_many_domains_are_left_alone(void**) {
  expect_notes(head, "accounts = *\n", apns_a, {});
  expect_notes(head, "accounts = chat.example.net, example.org\n", apns_a, {});
  expect_notes(head, "accounts = chat.example.net, walk.test\n", apns_a, {});
  expect_notes("[xmpp]\ndomain = deep.push.example.org\nsecret = s\naccounts = example.org\n", apns_a, {}, {});
  expect_notes("[xmpp]\ndomain = push.localhost\nsecret = s\naccounts = localhost\n", apns_a, {}, {});
  expect_notes("[xmpp]\ndomain = push\nsecret = s\naccounts = localhost\n", apns_a, {}, {});
}

static void what_the_sample_has_is_nobodys(void**) {
  expect_notes("[xmpp]\ndomain = push.example.org\nsecret = change-me\n", apns_a, {},
               {"t.conf:3: secret: \"change-me\" is the sample's, which everybody knows; make one with: openssl rand "
                "-hex 20, and write it into the XMPP server's conf as well"});
  expect_notes(head, "[apns a]\nprovider = a\nkey = AuthKey_ABC123DEFG.p8\nteam_id = DEF123GHIJ\n",
               "topic = org.example.siskin\n",
               {"t.conf:8: topic: \"org.example.siskin\" is the sample's; set it to the app's bundle id"});
}

TESTS(notes, cmocka_unit_test(a_usual_conf_raises_no_doubt), cmocka_unit_test(two_sections_of_a_kind_need_a_word),
      cmocka_unit_test(both_environments_of_an_app_are_one_section),
      cmocka_unit_test(the_component_needs_a_name_of_its_own),
      cmocka_unit_test(a_mistyped_domain_of_accounts_is_doubted),
      cmocka_unit_test(servers_with_many_domains_are_left_alone), cmocka_unit_test(what_the_sample_has_is_nobodys));

}  // namespace tocsin
