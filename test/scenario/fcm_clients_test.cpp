// The clients whose phones Google rings: their stanzas as their sources write them, and what they read of the data
// message that comes in the end.
#include "test/scenario/clients.h"
#include "test/scenario/many_requests.h"

namespace tocsin::test {
namespace {

constexpr Configured fcm{.extra = with_fcm};
constexpr string_view ann = "ann@example.org/Conversations.x";
constexpr string_view android_id = "92afd7a91cdba9a0";
// SHA-1 of the bare JID (or the room's), NUL and the device's id, as Conversations computes them.
constexpr string_view ann_hash = "128a2003c4eb0723dfee8bec794748f59e1ca88d";
constexpr string_view tea_hash = "377bce24f3c44dc02d529e669ae2ee319409f232";

Given register_push(string_view id, string_view token, string_view muc = "", string_view attributes = "",
                    string_view from = ann) {
  const FormField fields[] = {{"token", token}, {"android-id", android_id}, {"muc", muc}};
  ask_command(from, id, "register-push-fcm", attributes, Fields(fields).first(muc.empty() ? 2 : 3));
  return given(id);
}

void publish_to(const Given& device, string_view id, string_view from = "example.org") {
  const FormField options[] = {{"FORM_TYPE", "http://jabber.org/protocol/pubsub#publish-options"},
                               {"secret", device.secret.view()}};
  publish({.id = id, .node = device.node.view(), .from = from, .notification = prosody_message, .options = options});
}

bool says(World& w, string_view part) { return contains(w.fcm().last().body.view(), part); }

// The app compares the hash with those of its own accounts, and asks its server for the rest.
void conversations_of_every_age_is_rung_by_google(void**) {
  World& w = world();
  w.start();
  constexpr string_view actions[] = {" action='execute'", " action='complete'", " action='next'", ""};
  constexpr string_view ids[] = {"c1", "c2", "c3", "c4"};
  for (uint32_t i = 0; i < 4; ++i) {
    const Given device = register_push(ids[i], fcm_token_a, "", actions[i]);
    assert_string_equal(device.jid.c_str(), "push.example.org");
    uint8_t room[8];
    Writer id(room);
    publish_to(device, id.text(ids[i]).text("p").view());
    w.expect_result(id.view());
    uint8_t data_room[96];
    Writer data(data_room);
    assert_true(says(w, data.text("\"data\":{\"account\":\"").text(ann_hash).text("\"}").view()));
    assert_true(says(w, "\"priority\":\"HIGH\""));
    assert_false(says(w, "\"notification\""));
    assert_false(says(w, "ann@example.org"));
    w.run_for(seconds(10));
  }
  assert_int_equal(w.gateway().registry().count(), 1);
  w.expect_requests(0);  // of APNs
  w.expect_at_rest();
}

void a_room_has_a_channel_of_its_own_at_google(void**) {
  World& w = world();
  w.start();
  const Given account = register_push("r1", fcm_token_a);
  const Given tea = register_push("r2", fcm_token_a, "tea@muc.example.net");
  assert_string_not_equal(account.node.c_str(), tea.node.c_str());
  publish_to(tea, "p1", "muc.example.net");
  w.expect_result("p1");
  uint8_t room[160];
  Writer data(room);
  data.text("\"data\":{\"account\":\"").text(ann_hash).text("\",\"channel\":\"").text(tea_hash).text("\"}");
  assert_true(says(w, data.view()));
  // Wake-ups of a room do not replace those of the account: p2's six characters of the hash.
  assert_true(says(w, "\"collapse_key\":\"377bce\""));
  publish_to(account, "p2");
  w.expect_result("p2");
  assert_true(says(w, "\"collapse_key\":\"128a20\""));
  const FormField fields[] = {{"android-id", android_id}, {"muc", "tea@muc.example.net"}};
  ask_command(ann, "u1", "unregister-push-fcm", " action='execute'", fields);
  w.expect_answer("u1", "status='completed'/>");
  publish_to(tea, "p3", "muc.example.net");
  w.expect_gone("p3");
  w.run_for(seconds(10));
  w.expect_at_rest();
}

void a_new_token_of_google_keeps_node_and_secret(void**) {
  World& w = world();
  w.start();
  const Given first = register_push("r1", fcm_token_a);
  w.restart();
  const Given moved = register_push("r2", fcm_token_b);
  assert_string_equal(first.node.c_str(), moved.node.c_str());
  assert_string_equal(first.secret.c_str(), moved.secret.c_str());
  publish_to(first, "p1");
  w.expect_result("p1");
  assert_true(says(w, fcm_token_b));
  const FormField wrong[] = {{"secret", "KK4+H5WMfpRG/2zCbuKq6wpX"}};
  publish({.id = "p2", .node = first.node.view(), .notification = prosody_message, .options = wrong});
  w.expect_gone("p2");
  assert_int_equal(w.gateway().registry().count(), 1);
}

// Made for Openfire's push server: Google knows no sandbox, so it is rung whatever its app says of one.
void an_app_for_openfire_is_rung_by_google_whatever_it_says_of_a_sandbox(void**) {
  World& w = world();
  w.start();
  const FormField form[] = {{"token", fcm_token_a}, {"device-id", "device 7"}};
  ask_command("ann@example.org/app", "r1", "register-push-fcm", "", form);
  const Given device = given("r1");
  const FormField options[] = {{"secret", device.secret.view()}, {"sandbox", "true"}};
  publish({.id = "p1", .node = device.node.view(), .notification = prosody_message, .options = options});
  w.expect_result("p1");
  assert_true(says(w, fcm_token_a));
}

// Tigase's words, the provider chosen from a list; it crashes on an answer without a node.
void stork_registers_is_rung_and_leaves(void**) {
  World& w = world();
  w.start();
  constexpr string_view form =
      "<x xmlns='jabber:x:data' type='submit'><field var='provider' type='list-single'><value>fcm-xmpp-api</value>"
      "</field><field var='device-token' type='text-single'><value>dKx0aaaaaaaaaaaaaaaa:APA91bAAA</value></field></x>"
      "</command></iq>";
  uint8_t room[1024];
  Writer register_device(room);
  register_device.text("<iq type='set' id='r1' to='push.example.org' from='ann@example.org/Stork'><command ");
  register_device.text("xmlns='http://jabber.org/protocol/commands' node='register-device'>").text(form);
  w.server().send(register_device.view());
  w.wait_for_answer("r1");
  w.expect_answer("r1", "status='completed'");
  w.expect_answer("r1", "<field var='node' type='text-single'><value>");
  const NodeText node = w.register_android("ann@example.org/Stork", fcm_token_a);  // the same device
  w.publish_and_wait(node, "p1");
  w.expect_result("p1");
  assert_true(says(w, "\"data\":{\"account\":\"ann@example.org\""));
  Writer unregister(room);
  unregister.text("<iq type='set' id='u1' to='push.example.org' from='ann@example.org/Stork'><command ");
  unregister.text("xmlns='http://jabber.org/protocol/commands' node='unregister-device'>").text(form);
  w.server().send(unregister.view());
  w.wait_for_answer("u1");
  w.expect_answer("u1", "status='completed'");
  w.publish_and_wait(node, "p2");
  w.expect_gone("p2");
  assert_int_equal(w.fcm().requests(), 1);
  w.run_for(seconds(10));
  w.expect_at_rest();
}

// mod_push_appserver's words; its own name of the device is not the node that it gets.
void yaxim_registers_is_rung_and_leaves(void**) {
  World& w = world();
  w.start();
  const FormField form[] = {{"type", "fcm"}, {"node", "yaxim-device-7"}, {"token", fcm_token_a}};
  ask_command("ann@example.org/yaxim", "r1", "v1-register-push", " action='execute'", form);
  const Given device = given("r1");
  assert_string_not_equal(device.node.c_str(), "yaxim-device-7");
  publish_to(device, "p1");
  w.expect_result("p1");
  assert_true(says(w, fcm_token_a));
  assert_false(says(w, "ann@example.org"));
  ask_command("ann@example.org/yaxim", "u1", "v1-unregister-push", " action='execute'", Fields(form).first(2));
  w.expect_answer("u1", "status='completed'");
  publish_to(device, "p2");
  w.expect_gone("p2");
  w.expect_requests(0);  // of APNs
  w.run_for(seconds(10));
  w.expect_at_rest();
}

constexpr Configured with_module{
    .extra =
        "[fcm play]\nprovider = fcm-xmpp-api\nservice_account = /etc/account.json\nmodules = androidApp\n"
        "endpoint = https://fcm.wild.example.org\nca_file = /etc/ca.pem\n"};

void publish_stateless(string_view token, string_view id) {
  const FormField options[] = {{"FORM_TYPE", "http://jabber.org/protocol/pubsub#publish-options"},
                               {"pushModule", "androidApp"}};
  publish({.id = id, .node = token, .notification = prosody_message, .options = options});
}

// fpush's words for Android: the node is Google's token, and the message says nothing at all.
void a_stateless_device_of_google_is_woken_and_remembered_when_dead(void**) {
  World& w = world();
  w.start();
  publish_stateless(fcm_token_a, "p1");
  w.expect_result("p1");
  assert_true(says(w, fcm_token_a));
  assert_true(says(w, "\"priority\":\"HIGH\""));
  for (const char* told : {"account", "example.org", "New Message", "unread", "\"notification\""}) {
    assert_false(says(w, told));
  }
  w.fcm().answer_all(404, "UNREGISTERED");
  publish_stateless(fcm_token_b, "p2");
  w.expect_gone("p2");
  publish_stateless(fcm_token_b, "p3");
  w.expect_gone("p3");
  assert_int_equal(w.fcm().requests(), 2);
  // A word that a wrong service_account says of every token: nobody was accepted today, so it proves nothing.
  w.run_for(hours(30));
  w.fcm().answer_all(403, "SENDER_ID_MISMATCH");
  publish_stateless(fcm_token_a, "p4");
  w.expect_wait("p4");
  publish_stateless(fcm_token_a, "p5");
  w.expect_wait("p5");
  assert_int_equal(w.fcm().requests(), 3);
  assert_int_equal(w.gateway().registry().committed_ticket(), 0);
  w.expect_requests(0);  // of APNs
  w.run_for(seconds(10));
  w.expect_at_rest();
}

// ---- what other gateways got wrong towards Google ------------------------------

// UNREGISTERED: the row was kept, and pushed to for ever.
void defect_10_the_dead_of_google_are_dropped_and_then_cost_no_request(void**) {
  World& w = world();
  w.start();
  const Given device = register_push("r1", fcm_token_a);
  w.fcm().answer_all(404, "UNREGISTERED");
  for (const char* id : {"p1", "p2", "p3", "p4"}) {
    publish_to(device, id);
    w.expect_gone(id);
  }
  assert_int_equal(w.fcm().requests(), 1);
  w.restart();
  publish_to(device, "p5");
  w.expect_gone("p5");
  assert_int_equal(w.fcm().requests(), 1);
  const Given again = register_push("r2", fcm_token_b);
  assert_string_not_equal(device.node.c_str(), again.node.c_str());
}

// Tokens of another project, as those of Apple's other environment, were disabled without a word.
void defect_15_a_token_of_another_project_is_kept_and_the_log_says_so(void**) {
  World& w = world();
  w.start();
  const Given device = register_push("r1", fcm_token_a);
  w.fcm().answer_all(403, "SENDER_ID_MISMATCH");
  publish_to(device, "p1");
  w.expect_wait("p1");
  assert_true(contains(w.log().last("event=device_held"), "provider=fcm/play"));
  assert_true(contains(w.log().last("event=device_held"), "check="));
  assert_int_equal(w.gateway().registry().count(), 1);
}

constexpr Configured many_of_google{
    .extra =
        "[fcm play]\nprovider = fcm-xmpp-api\nservice_account = /etc/account.json\n"
        "endpoint = https://fcm.wild.example.org\nca_file = /etc/ca.pem\nclear_text = yes\n"
        "[limits]\ndevice_interval = 0\nmax_inflight = 1000\n"};

// 12,547 TLS connections for 13,314 requests.
void defect_23_one_connection_serves_all_requests_of_google(void**) {
  World& w = world();
  w.start();
  const NodeText node = w.register_android("ann@example.org/phone", fcm_token_a);
  for (uint32_t i = 0; i < 5000; ++i) {
    w.server().publish_numbered(node, i);
    if (i % 100 == 99) w.run_for(seconds(1));
  }
  expect_all_answered_once(w, 5000);
  assert_int_equal(w.fcm().requests(), 5000);
  assert_int_equal(w.fcm().connections(), 1);
  assert_int_equal(w.google().requests(), 1);  // and one access token
}

TESTS(fcm_clients, SCENARIO_WITH(conversations_of_every_age_is_rung_by_google, fcm),
      SCENARIO_WITH(a_room_has_a_channel_of_its_own_at_google, fcm),
      SCENARIO_WITH(a_new_token_of_google_keeps_node_and_secret, fcm),
      SCENARIO_WITH(an_app_for_openfire_is_rung_by_google_whatever_it_says_of_a_sandbox, fcm),
      SCENARIO_WITH(stork_registers_is_rung_and_leaves, fcm), SCENARIO_WITH(yaxim_registers_is_rung_and_leaves, fcm),
      SCENARIO_WITH(a_stateless_device_of_google_is_woken_and_remembered_when_dead, with_module),
      SCENARIO_WITH(defect_10_the_dead_of_google_are_dropped_and_then_cost_no_request, fcm),
      SCENARIO_WITH(defect_15_a_token_of_another_project_is_kept_and_the_log_says_so, fcm),
      SCENARIO_WITH(defect_23_one_connection_serves_all_requests_of_google, many_of_google));

}  // namespace
}  // namespace tocsin::test
