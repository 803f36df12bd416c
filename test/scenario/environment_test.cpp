// One app in both environments: production first, and the other one once when
// Apple says that the token is bad.
#include "test/scenario/world.h"

namespace tocsin::test {
namespace {

constexpr string_view ann = "ann@example.org/phone";
constexpr string_view tigase = "tigase:messenger:apns:1";
constexpr Configured pair{
    .extra =
        "[limits]\ndevice_interval = 0s\n"
        "[apns xcode]\nprovider = tigase:messenger:apns:1\nkey = /etc/key.p8\nkey_id = ABC123DEFG\n"
        "team_id = DEF123GHIJ\ntopic = org.example.siskin\nenvironment = sandbox\n"
        "endpoint = https://localhost:444\nca_file = /etc/ca.pem\n"};

FakeProvider& production() { return world().provider(0); }
FakeProvider& sandbox() { return world().provider(1); }

void a_sandbox_token_is_found_out_once_and_remembered(void**) {
  World& w = world();
  w.start();
  const NodeText node = w.register_device(ann, token_a);
  production().answer_device(token_a, 400, "BadDeviceToken");
  w.publish_and_wait(node, "p1");
  w.expect_result("p1");
  assert_int_equal(production().requests(), 1);
  assert_int_equal(sandbox().requests(), 1);
  for (const char* id : {"p2", "p3"}) {
    w.publish_and_wait(node, id);
    w.expect_result(id);
  }
  assert_int_equal(production().requests(), 1);
  assert_int_equal(sandbox().requests(), 3);
  // Neither registering again nor a restart forgets it.
  assert_string_equal(node.text.c_str(), w.register_device(ann, token_a).text.c_str());
  w.publish_and_wait(node, "p4");
  w.restart();
  w.publish_and_wait(node, "p5");
  w.expect_result("p5");
  assert_int_equal(production().requests(), 1);
  assert_int_equal(sandbox().requests(), 5);
  w.expect_at_rest();
}

void a_token_that_both_refuse_is_held_and_never_lost(void**) {
  World& w = world();
  w.start();
  const NodeText node = w.register_device(ann, token_a);
  production().answer_all(400, "BadDeviceToken");
  sandbox().answer_all(400, "BadDeviceToken");
  w.publish_and_wait(node, "p1");
  w.expect_wait("p1");
  assert_int_equal(production().requests(), 1);
  assert_int_equal(sandbox().requests(), 1);
  w.publish_and_wait(node, "p2");
  w.expect_wait("p2");
  assert_int_equal(production().requests() + sandbox().requests(), 2);
  assert_int_equal(w.gateway().registry().count(), 1);
  w.expect_at_rest();
}

void a_device_that_was_accepted_and_is_bad_in_both_has_gone(void**) {
  World& w = world();
  w.start();
  const NodeText node = w.register_device(ann, token_a);
  w.publish_and_wait(node, "p1");
  production().answer_all(400, "BadDeviceToken");
  sandbox().answer_all(400, "BadDeviceToken");
  w.publish_and_wait(node, "p2");
  w.expect_gone("p2");
  assert_int_equal(sandbox().requests(), 1);
  assert_int_equal(w.gateway().registry().count(), 0);
  w.expect_at_rest();
}

void while_the_other_environment_can_not_be_asked_nothing_is_proven(void**) {
  World& w = world();
  w.start();
  const NodeText node = w.register_device(ann, token_a);
  w.publish_and_wait(node, "p1");
  w.simulation().network().path(World::provider_address(1)).reach = sim::Reach::refuse;
  production().answer_all(400, "BadDeviceToken");
  for (uint32_t i = 0; i < 10; ++i) {
    w.server().publish_numbered(node, i);
    w.run_for(minutes(20));
  }
  assert_int_equal(w.gateway().registry().count(), 1);
  w.simulation().network().path(World::provider_address(1)).reach = sim::Reach::accept;
  w.run_for(days(2));
  w.publish_and_wait(node, "p2");
  w.expect_result("p2");
  assert_int_equal(w.gateway().registry().count(), 1);
}

void clients_are_offered_the_app_once(void**) {
  World& w = world();
  w.start();
  w.server().send(
      "<iq type='get' id='d1' from='ann@example.org/phone' to='push.example.org'>"
      "<query xmlns='http://jabber.org/protocol/disco#info'/></iq>");
  w.wait_for_answer("d1");
  const string_view answer = w.server().answer("d1");
  const size_t first = answer.find(tigase);
  assert_true(first != string_view::npos && answer.find(tigase, first + 1) == string_view::npos);
}

TESTS(environments, SCENARIO_WITH(a_sandbox_token_is_found_out_once_and_remembered, pair),
      SCENARIO_WITH(a_token_that_both_refuse_is_held_and_never_lost, pair),
      SCENARIO_WITH(a_device_that_was_accepted_and_is_bad_in_both_has_gone, pair),
      SCENARIO_WITH(while_the_other_environment_can_not_be_asked_nothing_is_proven, pair),
      SCENARIO_WITH(clients_are_offered_the_app_once, pair));

}  // namespace
}  // namespace tocsin::test
