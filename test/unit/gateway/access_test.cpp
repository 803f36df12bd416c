#include "gateway/access.h"

#include "test/support/tests.h"

namespace tocsin {

namespace {

void expect_parts(string_view jid, string_view local, string_view domain, string_view bare) {
  const JidParts parts = split_jid(jid);
  if (parts.local != local || parts.domain != domain || parts.bare != bare) {
    print_error("%.*s\n", static_cast<int>(jid.size()), jid.data());
    fail_here();
  }
}

void a_jid_is_split_at_the_first_slash_and_the_first_at_before_it(void**) {
  expect_parts("ann@example.org/phone", "ann", "example.org", "ann@example.org");
  expect_parts("ann@example.org", "ann", "example.org", "ann@example.org");
  expect_parts("example.org", "", "example.org", "example.org");
  expect_parts("example.org/5e8848", "", "example.org", "example.org");
  // Resources hold anything.
  expect_parts("example.org/ann@evil.net", "", "example.org", "example.org");
  expect_parts("ann@example.org/a/b@c", "ann", "example.org", "ann@example.org");
  expect_parts("ann@example.org/", "ann", "example.org", "ann@example.org");
  // Nonsense stays nonsense.
  expect_parts("ann@evil.net@example.org", "ann", "evil.net@example.org", "ann@evil.net@example.org");
  expect_parts("@example.org", "", "example.org", "@example.org");
  expect_parts("ann@", "ann", "", "ann@");
  expect_parts("/ann@example.org", "", "", "");
  expect_parts("", "", "", "");
}

constexpr string_view two_domains[] = {"example.org", "bücher.example"};
constexpr string_view everybody[] = {"*"};
constexpr AccessRules usual{.accounts = two_domains, .publishers = {}};

void users_of_the_listed_domains_may_register(void**) {
  for (const string_view jid : {"ann@example.org/phone", "ann@example.org", "ann@EXAMPLE.org/phone", "ann@example.org.",
                                "ann@bücher.example/x", "ann@xn--bcher-kva.example", "ann@BÜCHER.example"}) {
    assert_true(may_register(usual, jid));
  }
  for (const string_view jid :
       {"ann@example.net/phone", "ann@muc.example.org", "ann@evilexample.org", "ann@example.org.evil.net",
        "ann@evil.net/ann@example.org", "ann@evil.net@example.org", "evil.net/ann@example.org", "ann@", ""}) {
    assert_false(may_register(usual, jid));
  }
}

void servers_do_not_register(void**) {
  for (const AccessRules& rules : {usual, AccessRules{.accounts = everybody, .publishers = {}}}) {
    assert_false(may_register(rules, "example.org"));
    assert_false(may_register(rules, "example.org/5e8848"));
    assert_false(may_register(rules, "@example.org"));
    assert_false(may_register(rules, "ann@"));
  }
}

void a_star_lets_every_user_register(void**) {
  const AccessRules rules{.accounts = everybody, .publishers = {}};
  assert_true(may_register(rules, "ann@example.org/phone"));
  assert_true(may_register(rules, "bob@example.net"));
  assert_false(may_register({}, "ann@example.org/phone"));
}

void the_home_of_the_account_and_its_subdomains_may_publish(void**) {
  for (const string_view from : {"example.org", "example.org/5e8848", "EXAMPLE.ORG", "muc.example.org",
                                 "tea@muc.example.org/ann", "a.b.example.org", "ann@example.org/phone"}) {
    assert_true(may_publish(usual, from, "ann@example.org"));
  }
  for (const string_view from : {"example.net", "evilexample.org", "org", "example.org.evil.net",
                                 "evil.net/example.org", "ann@evil.net/ann@example.org", "", "/example.org"}) {
    assert_false(may_publish(usual, from, "ann@example.org"));
  }
  // Who may register has nothing to do with it.
  assert_false(may_publish(usual, "bücher.example", "ann@example.org"));
  assert_false(may_publish({.accounts = everybody, .publishers = {}}, "example.net", "ann@example.org"));
  assert_true(may_publish({}, "xn--bcher-kva.example", "ann@BÜCHER.example"));
}

void listed_publishers_may_publish_to_everybody(void**) {
  constexpr string_view publishers[] = {"muc.example.net"};
  const AccessRules rules{.accounts = two_domains, .publishers = publishers};
  assert_true(may_publish(rules, "muc.example.net", "ann@example.org"));
  assert_true(may_publish(rules, "tea@MUC.example.net/bob", "ann@bücher.example"));
  // As they are listed: neither their parents nor their subdomains.
  assert_false(may_publish(rules, "example.net", "ann@example.org"));
  assert_false(may_publish(rules, "a.muc.example.net", "ann@example.org"));
}

void the_domain_of_a_group_chat_may_publish_to_those_who_registered_for_it(void**) {
  assert_true(may_publish(usual, "muc.example.net", "ann@example.org", "tea@muc.example.net"));
  assert_true(may_publish(usual, "tea@MUC.example.net/bob", "ann@example.org", "tea@muc.example.net"));
  assert_true(may_publish(usual, "example.org", "ann@example.org", "tea@muc.example.net"));
  assert_false(may_publish(usual, "muc.example.net", "ann@example.org"));
  assert_false(may_publish(usual, "example.net", "ann@example.org", "tea@muc.example.net"));
  assert_false(may_publish(usual, "a.muc.example.net", "ann@example.org", "tea@muc.example.net"));
  assert_false(may_publish(usual, "", "ann@example.org", "tea@"));
}

}  // namespace

TESTS(access, cmocka_unit_test(a_jid_is_split_at_the_first_slash_and_the_first_at_before_it),
      cmocka_unit_test(users_of_the_listed_domains_may_register), cmocka_unit_test(servers_do_not_register),
      cmocka_unit_test(a_star_lets_every_user_register),
      cmocka_unit_test(the_home_of_the_account_and_its_subdomains_may_publish),
      cmocka_unit_test(listed_publishers_may_publish_to_everybody),
      cmocka_unit_test(the_domain_of_a_group_chat_may_publish_to_those_who_registered_for_it));

}  // namespace tocsin
