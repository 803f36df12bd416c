// One story for each client that can come: its stanzas as its source writes them, and what it reads of the answers.
// Conversations' and Monal's are told in p2_test.cpp and fpush_test.cpp.
#include "test/scenario/clients.h"

namespace tocsin::test {
namespace {

constexpr string_view upper_token = "AA00000000000000000000000000000000000000000000000000000000000A01";

void siskin_registers_is_rung_and_leaves(void**) {
  World& w = world();
  w.start();
  w.server().send(
      "<iq type='get' id='d1' from='ann@example.org/phone' to='push.example.org'>"
      "<query xmlns='http://jabber.org/protocol/disco#info'/></iq>");
  w.wait_for_answer("d1");
  for (const string_view part : {"<identity category='pubsub' type='push' ", "<feature var='urn:xmpp:push:0'/>",
                                 "<feature var='tigase:messenger:apns:1'/>", "<feature var='snikket:apns:1'/>"}) {
    w.expect_answer("d1", part);
  }
  // No action, no session; the token in upper case, PushKit's in lower case.
  w.server().send(
      "<iq type='set' id='r1' to='push.example.org' from='ann@example.org/phone'>"
      "<command xmlns='http://jabber.org/protocol/commands' node='register-device'><x xmlns='jabber:x:data' "
      "type='submit'><field var='provider' type='text-single'><value>tigase:messenger:apns:1</value></field>"
      "<field var='device-token' type='text-single'>"
      "<value>AA00000000000000000000000000000000000000000000000000000000000A01</value></field>"
      "<field var='device-second-token' type='text-single'>"
      "<value>cc00000000000000000000000000000000000000000000000000000000000c03</value></field></x></command></iq>");
  w.wait_for_answer("r1");
  w.expect_answer("r1", "<x xmlns='jabber:x:data' type='result'><field var='node' type='text-single'><value>");
  w.expect_answer("r1", "<field var='features' type='text-multi'><value>tigase:push:encrypt:0</value></field>");
  w.expect_answer("r1", "<field var='max-payload-size' type='text-single'><value>");
  const NodeText node = w.register_device("ann@example.org/phone", token_a);  // the same device
  // Tigase's server names no secret and no form type, and a resource that is to come back.
  publish({.id = "p1",
           .node = node,
           .from = "example.org/5e8848",
           .notification =
               "<notification xmlns='urn:xmpp:push:0'><priority xmlns='tigase:push:priority:0'>high</priority>"
               "<encrypted xmlns='tigase:push:encrypt:0' iv='q83vASNFZ4mrze8B'>pX3+</encrypted>"
               "</notification>"});
  w.expect_result("p1");
  w.expect_answer("p1", "to='example.org/5e8848'");
  assert_true(contains(w.provider().last().body.view(),
                       R"("account":"ann@example.org","encrypted":"pX3+","iv":"q83vASNFZ4mrze8B")"));
  w.send_unregister("ann@example.org/phone", "u1", "tigase:messenger:apns:1", upper_token);
  w.wait_for_answer("u1");
  w.expect_answer("u1", "<command ");
  w.send_unregister("ann@example.org/phone", "u2", "tigase:messenger:apns:1", upper_token);
  w.wait_for_answer("u2");
  w.expect_gone("u2");  // which Siskin takes for success
  w.run_for(seconds(10));
  w.expect_at_rest();
}

// TigaseSwift 2.1.3 takes the first child of an error for its condition, whatever it is.
void snikket_reads_conditions_and_leaves_under_another_name(void**) {
  World& w = world();
  w.start();
  const NodeText node = w.register_device("ann@example.org/phone", token_a, "snikket:apns:1");
  w.send_register("eve@example.net/phone", "r1", "snikket:apns:1", token_b);
  w.wait_for_answer("r1");
  w.expect_answer("r1", "<error type='auth'><forbidden ");
  publish({.id = "p1", .node = node, .notification = prosody_message});
  w.expect_result("p1");
  w.send_unregister("ann@example.org/phone", "u1", "tigase:messenger:apns:1", token_a);
  w.wait_for_answer("u1");
  w.expect_answer("u1", "status='completed'");
  w.run_for(seconds(10));
  w.expect_at_rest();
}

// Apps made for mod_push_appserver: the node that they name is the device, the node that they get is another.
void old_monal_registers_is_rung_and_leaves(void**) {
  World& w = world();
  w.start();
  const FormField form[] = {{"FORM_TYPE", "https://github.com/tmolitor-stud-tu/mod_push_appserver/#v1-register-push"},
                            {"type", "apns"},
                            {"node", "0B2D-device-uuid"},
                            {"token", token_a}};
  ask_command("ann@example.org/Monal", "r1", "v1-register-push", " action='execute'", form);
  const Given device = given("r1");
  assert_string_equal(device.jid.c_str(), "push.example.org");
  ask_command("ann@example.org/Monal", "r2", "v1-register-push", " action='complete' sessionid='s1'", form);
  w.expect_answer("r2", "sessionid='s1'");
  assert_string_equal(device.node.c_str(), given("r2").node.c_str());
  assert_string_equal(device.secret.c_str(), given("r2").secret.c_str());
  const FormField options[] = {{"secret", device.secret.view()}};
  publish({.id = "p1", .node = device.node.view(), .notification = prosody_message, .options = options});
  w.expect_result("p1");
  assert_true(w.provider().last().body.view() == wake_up_body);
  publish({.id = "p2", .node = device.node.view(), .notification = prosody_message});
  w.expect_gone("p2");  // without the secret
  // Another account's device of that name is another one.
  ask_command("bob@example.org/Monal", "u1", "v1-unregister-push", " action='execute'", Fields(form).first(3));
  w.expect_gone("u1");
  ask_command("ann@example.org/Monal", "u2", "v1-unregister-push", " action='execute'", Fields(form).first(3));
  w.expect_answer("u2", "status='completed'");
  w.expect_answer("u2", device.node.view());
  publish({.id = "p3", .node = device.node.view(), .notification = prosody_message, .options = options});
  w.expect_gone("p3");
  w.run_for(seconds(10));
  w.expect_at_rest();
}

// Converse.js and libraries: node and secret are written into their conf, whichever command gave them.
void a_client_with_a_configured_node_may_name_a_secret_or_none(void**) {
  World& w = world();
  w.start();
  const NodeText plain = w.register_device("ann@example.org/web", token_a);
  const FormField unasked[] = {{"FORM_TYPE", "http://jabber.org/protocol/pubsub#publish-options"}, {"secret", "any"}};
  publish({.id = "p1", .node = plain, .notification = prosody_message, .options = unasked});
  w.expect_result("p1");
  const FormField form[] = {{"token", token_b}, {"device-id", "browser"}};
  ask_command("bob@example.org/web", "r1", "register-push-apns", "", form);
  const Given device = given("r1");
  const FormField options[] = {{"secret", device.secret.view()}};
  publish({.id = "p2", .node = device.node.view(), .notification = prosody_message, .options = options});
  w.expect_result("p2");
  w.run_for(seconds(10));
  w.expect_at_rest();
}

// ChatSecure registers over HTTP with a gateway of its own kind; what its server then publishes is a node that nobody
// knows here, and is told so rather than kept waiting.
void what_is_not_served_is_told_so(void**) {
  World& w = world();
  w.start();
  const FormField options[] = {{"FORM_TYPE", "http://jabber.org/protocol/pubsub#publish-options"},
                               {"token", token_a},
                               {"endpoint", "https://push.example.com/api/v1/messages/"}};
  publish({.id = "p1",
           .node = "4f1b7e4a-2d0c-4c65-9a53-0f6a3b1c2d3e",
           .notification = prosody_message,
           .options = options});
  w.expect_gone("p1");
  w.expect_requests(0);
}

void one_account_may_speak_every_dialect(void**) {
  World& w = world();
  w.start();
  for (const string_view secret : {token_a, string_view("device-of-ann"), string_view("ann@")}) w.log().forbid(secret);
  const NodeText siskin = w.register_device("ann@example.org/siskin", token_a);
  const FormField p2[] = {{"token", token_a}, {"android-id", "device-of-ann"}};
  ask_command("ann@example.org/conversations", "r1", "register-push-apns", "", p2);
  const FormField v1[] = {{"type", "apns"}, {"node", "device-of-ann"}, {"token", token_a}};
  ask_command("ann@example.org/yaxim", "r2", "v1-register-push", "", v1);
  const Given second = given("r1"), third = given("r2");
  for (const Given* each : {&second, &third}) {
    w.log().forbid(each->node.view());
    w.log().forbid(each->secret.view());
  }
  assert_int_equal(w.gateway().registry().count(), 3);
  w.restart();
  publish({.id = "p1", .node = siskin, .notification = prosody_message});
  const FormField options_2[] = {{"secret", second.secret.view()}};
  publish({.id = "p2", .node = second.node.view(), .notification = prosody_message, .options = options_2});
  const FormField options_3[] = {{"secret", third.secret.view()}};
  publish({.id = "p3", .node = third.node.view(), .notification = prosody_message, .options = options_3});
  const FormField module[] = {{"pushModule", "monalProdiOS"}};
  publish({.id = "p4", .node = token_a, .notification = prosody_message, .options = module});
  for (const char* id : {"p1", "p2", "p3", "p4"}) w.expect_result(id);
  w.expect_requests(4);
  // Wrong ones, and the end of all: none of it is in the log, at no level.
  const FormField wrong[] = {{"secret", third.secret.view()}};
  publish({.id = "p5", .node = second.node.view(), .notification = prosody_message, .options = wrong});
  w.expect_gone("p5");
  w.provider().answer_all(410, "Unregistered");
  w.run_for(seconds(10));
  publish({.id = "p6", .node = second.node.view(), .notification = prosody_message, .options = options_2});
  publish({.id = "p7", .node = token_a, .notification = prosody_message, .options = module});
  for (const char* id : {"p6", "p7"}) w.expect_gone(id);
  ask_command("ann@example.org/yaxim", "u1", "v1-unregister-push", "", Fields(v1).first(2));
  w.expect_answer("u1", "status='completed'");
  assert_int_equal(w.log().leaks(), 0);
}

constexpr Configured with_module = {.extra = "[log]\nlevel = debug\n[apns siskin]\nmodules = monalProdiOS\n"};

TESTS(clients, SCENARIO(siskin_registers_is_rung_and_leaves),
      SCENARIO(snikket_reads_conditions_and_leaves_under_another_name),
      SCENARIO(old_monal_registers_is_rung_and_leaves),
      SCENARIO(a_client_with_a_configured_node_may_name_a_secret_or_none), SCENARIO(what_is_not_served_is_told_so),
      SCENARIO_WITH(one_account_may_speak_every_dialect, with_module));

}  // namespace
}  // namespace tocsin::test
