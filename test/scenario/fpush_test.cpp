// Monal and Quicksy (fpush): no registration, the node is the token and an option names the app. Nothing is kept but
// who is dead.
#include "test/scenario/clients.h"

namespace tocsin::test {
namespace {

constexpr string_view monal = "monalProdiOS";
constexpr string_view alpha = "monalAlpha";

constexpr Configured two_apps = {.extra =
                                     "[apns siskin]\nmodules = monalProdiOS, default\npayload = wake\n"
                                     "[apns other]\nmodules = monalAlpha, quicksyProdiOS\n",
                                 .two = true};
constexpr Configured one_app = {.extra = "[apns siskin]\nmodules = monalProdiOS\n"};

void publish_to(string_view token, string_view id, string_view module = monal, string_view from = "example.org",
                string_view notification = prosody_message) {
  const FormField options[] = {{"FORM_TYPE", "http://jabber.org/protocol/pubsub#publish-options"},
                               {"pushModule", module}};
  publish({.id = id, .node = token, .from = from, .notification = notification, .options = options});
}

void the_module_names_the_app_and_the_node_the_device(void**) {
  World& w = world();
  w.start();
  publish_to(token_a, "p1");
  w.expect_result("p1");
  w.expect_requests(1);
  assert_true(contains(w.provider().last().path.view(), token_a));
  assert_string_equal(w.provider().last().topic.c_str(), "org.example.siskin");
  assert_true(w.provider().last().body.view() == wake_up_body);
  assert_string_equal(w.provider().last().priority.c_str(), "10");
  publish_to(token_b, "p2", alpha);
  publish_to(token_c, "p3", "quicksyProdiOS");
  w.expect_result("p2");
  w.expect_result("p3");
  assert_int_equal(w.provider(1).requests(), 2);
  // The section's payload is Siskin's; a stateless device is woken all the same, and has no account.
  assert_true(w.provider(1).last().body.view() == wake_up_body);
  w.run_for(seconds(10));
  // ejabberd's empty notification: in the background Monal would sleep on.
  publish_to(token_a, "p4", monal, "example.org", "<notification xmlns='urn:xmpp:push:0'/>");
  w.expect_result("p4");
  assert_string_equal(w.provider().last().push_type.c_str(), "alert");
  assert_int_equal(w.gateway().registry().count(), 0);
  w.run_for(seconds(10));
  w.expect_at_rest();
}

void without_options_the_module_is_called_default(void**) {
  World& w = world();
  w.start();
  publish({.id = "p1", .node = token_a, .notification = prosody_message});
  w.expect_result("p1");
  w.expect_requests(1);
  // What can be no token, or looks like a node of ours, is a node that nobody knows.
  publish({.id = "p2", .node = "device-7"});
  w.expect_gone("p2");
  publish({.id = "p3", .node = "AAAAAAAAAAAAAAAAAAAAAA"});
  w.expect_gone("p3");
  w.expect_requests(1);
}

void where_no_section_has_modules_there_are_no_stateless_nodes(void**) {
  World& w = world();
  w.start();
  publish({.id = "p1", .node = token_a, .notification = prosody_message});
  w.expect_gone("p1");
  publish_to(token_a, "p2");  // the module's section may come back
  w.expect_wait("p2");
  w.expect_requests(0);
}

// A module that is spelt wrong in the conf, or listed for another app, is our mistake.
void what_the_conf_may_have_wrong_costs_no_registration(void**) {
  World& w = world();
  w.start();
  publish_to(token_a, "p1", "monalProdCatalyst");
  w.expect_wait("p1");
  publish_to("fcm:APA91b_x-1", "p2");  // no token of Apple's
  w.expect_wait("p2");
  publish_to("", "p3");
  w.expect_gone("p3");  // no node at all
  w.expect_requests(0);
  assert_true(contains(w.log().last("id=p1"), "verdict=config"));
  assert_true(contains(w.log().last("id=p2"), "verdict=config"));
}

void a_section_that_is_off_costs_no_registration(void**) {
  World& w = world();
  w.turn_off(0);
  w.start();
  publish_to(token_a, "p1");
  w.expect_wait("p1");
}

// A peer rejects the whole publish for one field that it does not know.
void further_options_do_no_harm(void**) {
  World& w = world();
  w.start();
  const FormField options[] = {{"color", "red"}, {"secret", "none"}, {"a", "1"},           {"b", "2"},
                               {"c", "3"},       {"d", "4"},         {"pushModule", monal}};
  publish({.id = "p1", .node = token_a, .notification = prosody_message, .options = options});
  w.expect_result("p1");
  w.expect_requests(1);
}

// One phone's token serves accounts of several servers.
void a_token_is_bound_to_no_domain(void**) {
  World& w = world();
  w.start();
  constexpr string_view domains[] = {"example.org", "example.net", "muc.example.com", "example.org/5e8848"};
  constexpr string_view ids[] = {"p1", "p2", "p3", "p4"};
  for (int i = 0; i < 4; ++i) {
    publish_to(token_a, ids[i], monal, domains[i]);
    w.expect_result(ids[i]);
    w.run_for(seconds(10));
  }
  w.expect_requests(4);
}

void tokens_are_the_same_in_either_case(void**) {
  World& w = world();
  w.start();
  uint8_t room[64];
  Writer upper(room);
  for (const char c : token_a) upper.character(c >= 'a' && c <= 'f' ? static_cast<char>(c - 32) : c);
  w.provider().answer_device(token_a, 410, "Unregistered");
  publish_to(token_a, "p1");
  w.expect_gone("p1");
  publish_to(upper.view(), "p2");
  w.expect_gone("p2");
  w.expect_requests(1);
}

void the_dead_are_gone_and_asked_for_again_a_day_later(void**) {
  World& w = world();
  w.start();
  publish_to(token_b, "p0");
  w.provider().answer_device(token_a, 410, "Unregistered", 1'700'000'000'000);
  publish_to(token_a, "p1");
  w.expect_gone("p1");
  w.run_for(hours(23));
  publish_to(token_a, "p2");
  w.expect_gone("p2");
  w.expect_requests(2);  // not asked
  w.run_for(hours(1));
  publish_to(token_a, "p3");
  w.expect_gone("p3");
  w.expect_requests(3);
  w.run_for(hours(47));
  publish_to(token_a, "p4");
  w.expect_requests(3);  // for the second time it is two days
  w.run_for(hours(1));
  w.provider().forget_rules();  // the app was installed again
  publish_to(token_a, "p5");
  w.expect_result("p5");
  w.expect_requests(4);
  w.run_for(seconds(10));
  publish_to(token_b, "p6");
  w.expect_result("p6");
  w.run_for(seconds(10));
  w.expect_at_rest();
}

constexpr Configured google = {.extra =
                                   "[fcm play]\nprovider = fcm-xmpp-api\nservice_account = /etc/account.json\n"
                                   "endpoint = https://fcm.wild.example.org\nca_file = /etc/ca.pem\nmodules = droid\n"};

void the_dead_of_google_are_remembered_as_well(void**) {
  World& w = world();
  w.start();
  publish_to(fcm_token_b, "p0", "droid");
  w.expect_result("p0");
  w.fcm().answer_device(fcm_token_a, 404, "UNREGISTERED");
  for (const string_view id : {"p1", "p2", "p3"}) {
    publish_to(fcm_token_a, id, "droid");
    w.expect_gone(id);
    w.run_for(hours(1));
  }
  assert_int_equal(w.fcm().requests(), 2);  // asked once
}

void a_token_that_died_for_one_app_lives_for_another(void**) {
  World& w = world();
  w.start();
  w.provider().answer_device(token_a, 410, "Unregistered");
  publish_to(token_a, "p1");
  w.expect_gone("p1");
  publish_to(token_a, "p2", alpha);
  w.expect_result("p2");
  assert_int_equal(w.provider(1).requests(), 1);
}

// BadDeviceToken is what a wrong environment or topic says of every token.
void words_that_our_mistakes_produce_hold_for_a_day(void**) {
  World& w = world();
  w.start();
  w.provider().answer_all(400, "BadDeviceToken");
  for (uint32_t i = 0; i < 20; ++i) {
    uint8_t room[8];
    Writer id(room);
    publish_to(token_number(i), id.character('p').unsigned_number(i).view());
    w.expect_wait(id.view());
  }
  w.expect_requests(20);
  publish_to(token_number(3), "again");
  w.expect_wait("again");
  assert_true(contains(w.log().last("id=again"), "verdict=held"));
  w.expect_requests(20);
  assert_true(contains(w.log().last("event=device_held"), "check="));
  // The conf is mended, which takes a restart; or a day passes.
  w.provider().accept_all();
  w.run_for(hours(24));
  publish_to(token_number(3), "later");
  w.expect_result("later");
  w.restart();
  publish_to(token_number(4), "restarted");
  w.expect_result("restarted");
}

void the_same_words_drop_a_device_when_another_is_accepted(void**) {
  World& w = world();
  w.start();
  publish_to(token_b, "p0");
  w.expect_result("p0");
  w.provider().answer_device(token_a, 400, "BadDeviceToken");
  publish_to(token_a, "p1");
  w.expect_gone("p1");
  publish_to(token_a, "p2");
  w.expect_gone("p2");
  w.expect_requests(2);
}

// More than five and more than a tenth of what was accepted within the hour: that is no honest uninstalling.
void the_brake_holds_for_stateless_devices_too(void**) {
  World& w = world();
  w.start();
  uint32_t gone = 0;
  w.provider().answer_all(410, "Unregistered");
  for (uint32_t i = 0; i < 30; ++i) {
    uint8_t room[8];
    Writer id(room);
    publish_to(token_number(i), id.character('p').unsigned_number(i).view());
    gone += contains(w.server().answer(id.view()), "item-not-found");
  }
  assert_int_equal(gone, 5);
  publish_to(token_number(29), "held");
  w.expect_wait("held");
}

void honest_uninstalls_are_all_told(void**) {
  World& w = world();
  w.start();
  uint32_t gone = 0;
  for (uint32_t i = 0; i < 400; ++i) {
    uint8_t room[8];
    Writer id(room);
    if (i % 20 == 19) w.provider().answer_device(token_number(i), 410, "Unregistered");
    publish_to(token_number(i), id.character('p').unsigned_number(i).view());
    gone += contains(w.server().answer(id.view()), "item-not-found");
    w.run_for(seconds(2));
  }
  assert_int_equal(gone, 20);
}

// A peer answers `result` and forgets the push.
void what_the_provider_limits_is_sent_later(void**) {
  World& w = world();
  w.start();
  w.provider().answer_next(1, 429, "TooManyRequests");
  publish_to(token_a, "p1");
  w.expect_result("p1");
  publish_to(token_a, "p2");
  w.expect_result("p2");
  w.expect_requests(1);
  w.run_for(minutes(2));
  w.expect_requests(2);
  w.expect_at_rest();
}

void trouble_of_the_provider_costs_no_registration(void**) {
  World& w = world();
  w.start();
  w.provider().answer_next(1, 500, "InternalServerError");
  publish_to(token_a, "p1");
  w.expect_wait("p1");
  w.run_for(hours(1));
  w.expect_requests(2);  // it goes out all the same
  w.expect_at_rest();
}

void many_devices_cost_no_memory_and_no_byte_on_disk(void**) {
  World& w = world();
  w.start();
  publish_to(token_a, "p0");
  w.run_for(minutes(2));
  const World::Footprint before = w.footprint();
  const uint64_t appended = w.gateway().registry().count();
  for (uint32_t i = 0; i < 3000; ++i) {
    uint8_t room[16];
    Writer id(room);
    const FormField options[] = {{"pushModule", monal}};
    publish({.id = id.character('q').unsigned_number(i).view(), .node = token_number(i), .options = options});
    w.expect_result(id.view());
  }
  w.run_for(minutes(2));
  assert_true(before == w.footprint());
  assert_int_equal(w.gateway().registry().count(), appended);
  assert_int_equal(w.gateway().registry().committed_ticket(), 0);
  w.expect_at_rest();
}

// A registered device's node stays one whatever options its server sends along.
void registered_nodes_come_first(void**) {
  World& w = world();
  w.start();
  const NodeText node = w.register_device("ann@example.org/phone", token_c);
  publish_to(node, "p1", alpha);
  w.expect_result("p1");
  assert_int_equal(w.provider().requests_for(token_c), 1);
  publish_to(node, "p2", alpha, "evil.example.net");
  w.expect_gone("p2");
}

TESTS(fpush, SCENARIO_WITH(the_module_names_the_app_and_the_node_the_device, two_apps),
      SCENARIO_WITH(without_options_the_module_is_called_default, two_apps),
      SCENARIO(where_no_section_has_modules_there_are_no_stateless_nodes),
      SCENARIO_WITH(what_the_conf_may_have_wrong_costs_no_registration, one_app),
      SCENARIO_WITH(a_section_that_is_off_costs_no_registration, one_app),
      SCENARIO_WITH(further_options_do_no_harm, one_app), SCENARIO_WITH(a_token_is_bound_to_no_domain, one_app),
      SCENARIO_WITH(tokens_are_the_same_in_either_case, one_app),
      SCENARIO_WITH(the_dead_are_gone_and_asked_for_again_a_day_later, one_app),
      SCENARIO_WITH(the_dead_of_google_are_remembered_as_well, google),
      SCENARIO_WITH(a_token_that_died_for_one_app_lives_for_another, two_apps),
      SCENARIO_WITH(words_that_our_mistakes_produce_hold_for_a_day, one_app),
      SCENARIO_WITH(the_same_words_drop_a_device_when_another_is_accepted, one_app),
      SCENARIO_WITH(the_brake_holds_for_stateless_devices_too, one_app),
      SCENARIO_WITH(honest_uninstalls_are_all_told, one_app),
      SCENARIO_WITH(what_the_provider_limits_is_sent_later, one_app),
      SCENARIO_WITH(trouble_of_the_provider_costs_no_registration, one_app),
      SCENARIO_WITH(many_devices_cost_no_memory_and_no_byte_on_disk, one_app),
      SCENARIO_WITH(registered_nodes_come_first, two_apps));

}  // namespace
}  // namespace tocsin::test
