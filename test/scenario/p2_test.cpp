// Conversations and its family (p2), and apps made for Openfire's push server: a device is what the client calls
// it, a secret protects its node, group chats are channels of their own.
#include "test/scenario/clients.h"

namespace tocsin::test {
namespace {

constexpr string_view ann = "ann@example.org/Conversations.x";
constexpr string_view android_id = "92afd7a91cdba9a0";
constexpr string_view command = "register-push-apns";

// Registers; muc "" for the account itself.
Given register_push(string_view id, string_view token, string_view device = android_id, string_view muc = "",
                    string_view from = ann) {
  const FormField fields[] = {{"token", token}, {"android-id", device}, {"muc", muc}};
  ask_command(from, id, command, " action='execute'", Fields(fields).first(muc.empty() ? 2 : 3));
  return given(id);
}

void publish_to(const Given& device, string_view id, string_view from = "example.org") {
  const FormField options[] = {{"FORM_TYPE", "http://jabber.org/protocol/pubsub#publish-options"},
                               {"secret", device.secret.view()}};
  publish({.id = id, .node = device.node.view(), .from = from, .notification = prosody_message, .options = options});
}

// 2.12.8, 2.19 and Snikket Android say `execute`, the newest code begins with `complete`.
void conversations_of_every_age_is_rung(void**) {
  World& w = world();
  w.start();
  constexpr string_view actions[] = {" action='execute'", " action='complete'", " action='next'", ""};
  constexpr string_view ids[] = {"c1", "c2", "c3", "c4"};
  for (uint32_t i = 0; i < 4; ++i) {
    const TokenText token = token_number(i);
    const FormField fields[] = {{"token", token}, {"android-id", ids[i]}};
    ask_command(ann, ids[i], command, actions[i], fields);
    const Given device = given(ids[i]);
    assert_string_equal(device.jid.c_str(), "push.example.org");
    assert_int_equal(device.secret.view().size(), 24);
    uint8_t room[8];
    Writer id(room);
    publish_to(device, id.text(ids[i]).text("p").view());
    w.expect_result(id.view());
    assert_int_equal(w.provider().requests_for(token), 1);
    // Neither JID nor text: the app asks its server.
    assert_true(w.provider().last().body.view() == wake_up_body);
    assert_string_equal(w.provider().last().priority.c_str(), "10");
  }
  w.expect_at_rest();
}

void the_same_device_keeps_node_and_secret(void**) {
  World& w = world();
  w.start();
  const Given first = register_push("r1", token_a);
  const Given again = register_push("r2", token_a);
  assert_string_equal(first.node.c_str(), again.node.c_str());
  assert_string_equal(first.secret.c_str(), again.secret.c_str());
  // A new token of the same device: Google and Apple give one from time to time.
  w.restart();
  const Given moved = register_push("r3", token_b, android_id, "", "ann@example.org/other");
  assert_string_equal(first.node.c_str(), moved.node.c_str());
  assert_string_equal(first.secret.c_str(), moved.secret.c_str());
  publish_to(first, "p1");
  w.expect_result("p1");
  assert_int_equal(w.provider().requests_for(token_a), 0);
  assert_int_equal(w.provider().requests_for(token_b), 1);
  assert_int_equal(w.gateway().registry().count(), 1);
  w.expect_at_rest();
}

void a_wrong_secret_is_gone_and_changes_nothing(void**) {
  World& w = world();
  w.start();
  const Given device = register_push("r1", token_a);
  w.provider().act(FakeProvider::Act::stall);
  const FormField right[] = {{"secret", device.secret.view()}};
  send_publish({.id = "waits", .node = device.node.view(), .options = right});
  assert_true(w.run_until([&] { return w.provider().stalled() == 1; }));
  constexpr string_view wrong[] = {"", "wrong", "KK4+H5WMfpRG/2zCbuKq6wpX"};
  constexpr string_view ids[] = {"p1", "p2", "p3"};
  for (int i = 0; i < 3; ++i) {
    const FormField options[] = {{"secret", wrong[i]}};
    publish({.id = ids[i], .node = device.node.view(), .notification = prosody_message, .options = options});
    w.expect_gone(ids[i]);
  }
  const FormField cut[] = {{"secret", slice(device.secret.view(), 0, 23)}};
  publish({.id = "p4", .node = device.node.view(), .options = cut});
  w.expect_gone("p4");
  uint8_t more_room[32];
  Writer more(more_room);
  const FormField longer[] = {{"secret", more.text(device.secret.view()).character('A').view()}};
  publish({.id = "p8", .node = device.node.view(), .options = longer});
  w.expect_gone("p8");
  publish({.id = "p5", .node = device.node.view()});  // without options
  w.expect_gone("p5");
  // It looks like a node that never was.
  publish({.id = "p6", .node = "AAAAAAAAAAAAAAAAAAAAAA"});
  assert_int_equal(w.server().answer("p5").size(), w.server().answer("p6").size());
  w.expect_no_answer("waits");
  w.provider().accept_all();
  w.provider().release_stalled();
  w.wait_for_answer("waits");
  w.expect_result("waits");
  w.expect_requests(1);
  w.run_for(seconds(10));
  publish_to(device, "p7");
  w.expect_result("p7");
  assert_int_equal(w.gateway().registry().count(), 1);
  w.expect_at_rest();
}

// The rest of the stanza is missing, so perhaps the secret: nobody loses a registration for a long message.
void a_stanza_too_long_for_its_options_costs_nobody_a_registration(void**) {
  World& w = world();
  w.start();
  const Given device = register_push("r1", token_a);
  static char text[150 * 1024];
  std::memset(text, 'x', sizeof text);
  const FormField options[] = {{"secret", device.secret.view()}};
  publish({.id = "p1", .node = device.node.view(), .notification = {text, sizeof text}, .options = options});
  w.expect_wait("p1");
  publish({.id = "p2", .node = token_b, .notification = {text, sizeof text}, .options = options});
  w.expect_wait("p2");  // a stateless node, if the options said so
  w.expect_requests(0);
  publish_to(device, "p3");
  w.expect_result("p3");
}

// A peer keeps one row for all of them.
void an_account_and_two_rooms_are_three_nodes(void**) {
  World& w = world();
  w.start();
  const Given account = register_push("r1", token_a);
  const Given tea = register_push("r2", token_a, android_id, "tea@muc.example.net");
  const Given work = register_push("r3", token_a, android_id, "work@muc.example.net");
  assert_string_not_equal(account.node.c_str(), tea.node.c_str());
  assert_string_not_equal(account.node.c_str(), work.node.c_str());
  assert_string_not_equal(tea.node.c_str(), work.node.c_str());
  assert_string_not_equal(tea.secret.c_str(), work.secret.c_str());
  assert_string_equal(tea.node.c_str(), register_push("r4", token_a, android_id, "tea@muc.example.net").node.c_str());
  // The room's domain is another one, and may publish for its room only.
  publish_to(tea, "p1", "muc.example.net");
  w.expect_result("p1");
  publish_to(work, "p2", "work@muc.example.net");
  w.expect_result("p2");
  publish_to(account, "p3", "muc.example.net");
  w.expect_gone("p3");
  publish_to(account, "p4");
  w.expect_result("p4");
  w.expect_requests(3);
  // On the phone wake-ups of a room do not replace those of the account.
  assert_string_not_equal(w.provider().request(0).collapse_id.c_str(), w.provider().request(1).collapse_id.c_str());
  assert_string_not_equal(w.provider().request(0).collapse_id.c_str(), w.provider().request(2).collapse_id.c_str());

  const FormField fields[] = {{"android-id", android_id}, {"muc", "tea@muc.example.net"}};
  ask_command(ann, "u1", "unregister-push-apns", " action='execute'", fields);
  w.expect_answer("u1", "node='unregister-push-apns' ");
  w.expect_answer("u1", "status='completed'/>");
  publish_to(tea, "p5", "muc.example.net");
  w.expect_gone("p5");
  w.run_for(seconds(10));
  publish_to(work, "p6", "muc.example.net");
  w.expect_result("p6");
  w.run_for(seconds(10));
  w.expect_at_rest();
}

// A peer ends devices by domain and device id: fellow users could end each other's.
void the_same_device_id_of_another_account_is_another_device(void**) {
  World& w = world();
  w.start();
  const Given ours = register_push("r1", token_a);
  const Given theirs = register_push("r2", token_b, android_id, "", "bob@example.org/phone");
  assert_string_not_equal(ours.node.c_str(), theirs.node.c_str());
  const FormField fields[] = {{"android-id", android_id}};
  ask_command("cid@example.org/phone", "u1", "unregister-push-apns", "", fields);
  w.expect_gone("u1");
  ask_command("bob@example.org/phone", "u2", "unregister-push-apns", "", fields);
  w.expect_answer("u2", "status='completed'");
  publish_to(theirs, "p1");
  w.expect_gone("p1");
  publish_to(ours, "p2");
  w.expect_result("p2");
  w.expect_at_rest();
}

// A peer answers recipient-unavailable for it and pushes for ever.
void a_dead_device_is_gone_and_stays_gone(void**) {
  World& w = world();
  w.start();
  const Given device = register_push("r1", token_a);
  w.provider().answer_device(token_a, 410, "Unregistered");
  publish_to(device, "p1");
  w.expect_gone("p1");
  publish_to(device, "p2");
  w.expect_gone("p2");
  w.expect_requests(1);
  const Given fresh = register_push("r2", token_b);
  assert_string_not_equal(device.node.c_str(), fresh.node.c_str());
  assert_string_not_equal(device.secret.c_str(), fresh.secret.c_str());
  w.expect_at_rest();
}

void secrets_and_nodes_never_repeat(void**) {
  World& w = world();
  w.start();
  static Given all[64];
  for (uint32_t i = 0; i < 64; ++i) {
    uint8_t id_room[8], from_room[48];
    Writer id(id_room), from(from_room);
    all[i] = register_push(id.character('r').unsigned_number(i).view(), token_number(i), android_id, "",
                           from.text("user").unsigned_number(i).text("@example.org/x").view());
    for (uint32_t j = 0; j < i; ++j) {
      assert_string_not_equal(all[i].secret.c_str(), all[j].secret.c_str());
      assert_string_not_equal(all[i].node.c_str(), all[j].node.c_str());
    }
  }
}

void what_p2_refuses_is_refused_and_named(void**) {
  World& w = world();
  w.start();
  const FormField no_token[] = {{"android-id", android_id}};
  ask_command(ann, "r1", command, "", no_token);
  w.expect_answer("r1", "Field token is missing");
  const FormField bad_token[] = {{"android-id", android_id}, {"token", "no token"}};
  ask_command(ann, "r2", command, "", bad_token);
  w.expect_answer("r2", "Field token: &quot;no token&quot; is not a token of this provider");
  const FormField full[] = {{"android-id", android_id}, {"token", token_a}, {"muc", "tea@muc.example.org/ann"}};
  ask_command(ann, "r3", command, "", full);
  w.expect_answer("r3", "Field muc");
  for (const char* id : {"r1", "r2", "r3"}) w.expect_answer(id, "<error type='modify'><bad-request ");
  const FormField good[] = {{"android-id", android_id}, {"token", token_a}};
  ask_command(ann, "r4", "register-push-wns", "", good);
  w.expect_gone("r4");
  ask_command("eve@example.net/x", "r5", command, "", good);
  w.expect_answer("r5", "<error type='auth'><forbidden ");
  assert_int_equal(w.gateway().registry().count(), 0);
}

// A token could be chosen so that it equals what we keep of a device: it would be that device.
void a_token_that_poses_as_a_device_is_refused(void**) {
  World& w = world();
  w.start();
  w.send_register(ann, "r1", "tigase:messenger:apns:1", "0069647000000000000000000000000000000000000000aa");
  w.wait_for_answer("r1");
  w.expect_answer("r1", "<error type='modify'><bad-request ");
}

constexpr Configured two_sections = {.two = true};
constexpr Configured two_and_one_takes = {.extra = "[apns other]\ndialect = p2\n", .two = true};

void of_two_sections_the_conf_says_which_takes_them(void**) {
  World& w = world();
  w.start();
  const Given device = register_push("r1", token_a);
  publish_to(device, "p1");
  w.expect_result("p1");
  assert_int_equal(w.provider(1).requests(), 1);
  w.expect_requests(0);
  assert_true(contains(w.log().last("event=registered"), "provider=apns/other"));
}

void without_a_word_neither_of_two_sections_takes_them(void**) {
  World& w = world();
  w.start();
  const FormField fields[] = {{"token", token_a}, {"android-id", android_id}};
  ask_command(ann, "r1", command, "", fields);
  w.expect_gone("r1");
  assert_int_equal(w.gateway().registry().count(), 0);
}

// ---- Openfire's push server --------------------------------------------------

constexpr string_view sandbox_section =
    "[apns sand]\nprovider = tigase:messenger:apns:1\nkey = /etc/key.p8\nkey_id = ABC123DEFG\nteam_id = DEF123GHIJ\n"
    "topic = org.example.siskin\nenvironment = sandbox\nendpoint = https://localhost:444\nca_file = /etc/ca.pem\n";
constexpr Configured with_sandbox = {.extra = sandbox_section.data()};

Given register_openfire(string_view id, string_view token) {
  const FormField fields[] = {{"token", token}, {"device-id", "device 7"}};
  ask_command("ann@example.org/app", id, command, " action='execute'", fields);
  return given(id);
}

void publish_sandbox(const Given& device, string_view id, string_view sandbox) {
  const FormField options[] = {{"secret", device.secret.view()}, {"sandbox", sandbox}};
  publish({.id = id, .node = device.node.view(), .notification = prosody_message, .options = options});
}

void apps_for_openfire_are_rung_where_their_token_lives(void**) {
  World& w = world();
  w.start();
  const Given device = register_openfire("r1", token_a);
  publish_sandbox(device, "p1", "true");
  w.expect_result("p1");
  assert_int_equal(w.provider(1).requests(), 1);
  w.expect_requests(0);
  w.run_for(seconds(10));
  // It was found there and stays there, whether or not the next publish says so.
  assert_string_equal(device.node.c_str(), register_openfire("r2", token_a).node.c_str());
  publish_sandbox(device, "p2", "false");
  w.expect_result("p2");
  assert_int_equal(w.provider(1).requests(), 2);
  w.expect_requests(0);
  w.run_for(seconds(10));
  // Devices that end at the sandbox end here.
  w.provider(1).answer_device(token_a, 410, "Unregistered");
  publish_sandbox(device, "p3", "true");
  w.expect_gone("p3");
  assert_int_equal(w.gateway().registry().count(), 0);
  w.expect_at_rest();
}

// Production would say BadDeviceToken, for which a device can end.
void without_a_section_for_the_sandbox_nothing_is_sent_and_nothing_ends(void**) {
  World& w = world();
  w.start();
  const Given device = register_openfire("r1", token_a);
  publish_sandbox(device, "p1", "true");
  w.expect_wait("p1");
  w.expect_requests(0);
  publish_sandbox(device, "p2", "0");
  w.expect_result("p2");
  assert_int_equal(w.gateway().registry().count(), 1);
}

TESTS(p2, SCENARIO(conversations_of_every_age_is_rung), SCENARIO(the_same_device_keeps_node_and_secret),
      SCENARIO(a_wrong_secret_is_gone_and_changes_nothing),
      SCENARIO(a_stanza_too_long_for_its_options_costs_nobody_a_registration),
      SCENARIO(an_account_and_two_rooms_are_three_nodes),
      SCENARIO(the_same_device_id_of_another_account_is_another_device), SCENARIO(a_dead_device_is_gone_and_stays_gone),
      SCENARIO(secrets_and_nodes_never_repeat), SCENARIO(what_p2_refuses_is_refused_and_named),
      SCENARIO(a_token_that_poses_as_a_device_is_refused),
      SCENARIO_WITH(of_two_sections_the_conf_says_which_takes_them, two_and_one_takes),
      SCENARIO_WITH(without_a_word_neither_of_two_sections_takes_them, two_sections),
      SCENARIO_WITH(apps_for_openfire_are_rung_where_their_token_lives, with_sandbox),
      SCENARIO(without_a_section_for_the_sandbox_nothing_is_sent_and_nothing_ends));

}  // namespace
}  // namespace tocsin::test
