// What other gateways got wrong in the words of their dialects: commands, forms, secrets and what tells devices apart.
// See defects_provider_test.cpp.
#include "test/scenario/clients.h"

namespace tocsin::test {
namespace {

string_view id_number(Bytes room, char letter, uint32_t i) {
  Writer out(room);
  return out.character(letter).unsigned_number(i).view();
}

// What one field of a form wants, by its name and its options.
void fill_field(Writer& out, string_view field) {
  const string_view var = attribute_of(field, "var");
  string_view value = contains(var, "token") ? token_a : string_view("device 7");
  const size_t option = field.find("<option");
  if (option != string_view::npos) {
    string_view rest = slice(field, field.find("<value>", option) + 7);
    value = take_until(rest, '<');
  }
  out.text("<field var='").text(var).text("'><value>").text(value).text("</value></field>");
}

// Asks for the form of a command and submits it with no field but those that it asks for.
void ask_by_form(string_view node, string_view id) {
  World& w = world();
  uint8_t form_room[16], room[4096];
  Writer form(form_room), out(room);
  form.text("form-").text(id);
  out.text("<iq type='set' from='ann@example.org/x' to='push.example.org' id='").text(form.view());
  out.text("'><command xmlns='http://jabber.org/protocol/commands' node='").text(node).text("'/></iq>");
  w.server().send(out.view());
  w.wait_for_answer(form.view());
  w.expect_answer(form.view(), "status='executing'");
  const string_view asked = w.server().answer(form.view());
  out.rewind(0);
  out.text("<iq type='set' from='ann@example.org/x' to='push.example.org' id='").text(id).text("'><command node='");
  out.text(node).text("' xmlns='http://jabber.org/protocol/commands' action='complete' sessionid='");
  out.text(attribute_of(slice(asked, asked.find("<command")), "sessionid"));
  out.text("'><x xmlns='jabber:x:data' type='submit'>");
  size_t at = 0;
  while ((at = asked.find("<required/>", at)) != string_view::npos) {
    const size_t start = asked.rfind("<field ", at);
    at = asked.find("</field>", at);
    fill_field(out, slice(asked, start, at - start));
  }
  out.text("</x></command></iq>");
  assert_false(out.overflowed());
  w.server().send(out.view());
  w.wait_for_answer(id);
  w.expect_answer(id, "status='completed'");
}

constexpr Configured with_google = {.extra = with_fcm};

// Register and unregister could not be reached, and unregister wanted a field that its form did not have.
void defect_07_every_form_asks_for_all_that_its_command_needs(void**) {
  World& w = world();
  w.start();
  w.server().send(
      "<iq type='get' id='items' from='ann@example.org/x' to='push.example.org'><query "
      "xmlns='http://jabber.org/protocol/disco#items' node='http://jabber.org/protocol/commands'/></iq>");
  w.wait_for_answer("items");
  const string_view items = w.server().answer("items");
  uint32_t commands = 0, pairs = 0;
  for (size_t at = 0; (at = items.find("<item ", at)) != string_view::npos; ++at) {
    const string_view node = attribute_of(slice(items, at), "node");
    ++commands;
    const size_t verb = node.find("register");
    assert_true(verb != string_view::npos);
    if (verb >= 2 && slice(node, verb - 2, 2) == "un") continue;
    uint8_t rooms[4][32], leave_room[64];
    Writer in(rooms[0]), first(rooms[1]), out(rooms[2]), last(rooms[3]), leave(leave_room);
    ask_by_form(node, in.text("in").unsigned_number(pairs).view());
    const string_view answer = w.server().answer(in.view());
    const Given device = contains(answer, "var='secret'") ? given(in.view()) : Given{};
    NodeText plain;
    const size_t value = answer.find("<value>", answer.find("var='node'")) + 7;
    assert_true(plain.text.assign(slice(answer, value, NodeId::text_size)));
    const FormField options[] = {{"secret", device.secret.view()}};
    const Fields wanted = device.secret.empty() ? Fields() : Fields(options);
    publish({.id = first.text("first").unsigned_number(pairs).view(), .node = plain, .options = wanted});
    w.expect_result(first.view());
    leave.text(slice(node, 0, verb)).text("un").text(slice(node, verb));
    ask_by_form(leave.view(), out.text("out").unsigned_number(pairs).view());
    publish({.id = last.text("last").unsigned_number(pairs).view(), .node = plain, .options = wanted});
    w.expect_gone(last.view());
    ++pairs;
  }
  assert_int_equal(commands, 8);
  assert_int_equal(pairs, 4);
  assert_int_equal(w.gateway().registry().count(), 0);
}

Given register_p2(string_view id, uint32_t device, string_view muc = "") {
  uint8_t room[32];
  Writer name(room);
  name.text("device").unsigned_number(device);
  const FormField fields[] = {{"token", token_a}, {"android-id", name.view()}, {"muc", muc}};
  ask_command("ann@example.org/x", id, "register-push-apns", " action='execute'",
              Fields(fields).first(muc.empty() ? 2 : 3));
  return given(id);
}

void defect_08_a_secret_can_not_be_guessed(void**) {
  World& w = world();
  w.start();
  static Given all[15];
  uint8_t room[8];
  for (uint32_t i = 0; i < 15; ++i) {
    all[i] = register_p2(id_number(room, 'r', i), i);
    const string_view secret = all[i].secret.view();
    assert_true(secret.size() >= 22);
    assert_true(secret.find(all[i].node.view()) == string_view::npos);
    for (uint32_t n = 0; n < i; ++n) {
      uint32_t alike = 0;
      for (size_t at = 0; at < secret.size(); ++at) alike += secret[at] == all[n].secret.view()[at] ? 1 : 0;
      assert_true(alike < 12);
    }
  }
}

struct Drawn {
  FixedText<64> secret;
  FixedText<NodeId::text_size> node;
  FixedText<NodeId::text_size> plain;  // of a device without a secret
};
// The same registrations at the same times; only the port's entropy differs.
Drawn drawn_with(uint64_t seed) {
  World& w = world();
  w.end();
  w.begin(seed);
  w.start();
  const Given device = register_p2("r1", 1);
  const NodeText plain = w.register_device("ann@example.org/phone", token_b);
  Drawn drawn;
  assert_true(drawn.secret.assign(device.secret.view()) && drawn.node.assign(device.node.view()));
  assert_true(drawn.plain.assign(plain));
  return drawn;
}

void defect_08_secrets_and_nodes_come_from_the_ports_entropy_alone(void**) {
  const Drawn one = drawn_with(1), other = drawn_with(2), again = drawn_with(1);
  assert_string_not_equal(one.secret.c_str(), other.secret.c_str());
  assert_string_not_equal(one.node.c_str(), other.node.c_str());
  assert_string_not_equal(one.plain.c_str(), other.plain.c_str());
  assert_string_equal(one.secret.c_str(), again.secret.c_str());
  assert_string_equal(one.node.c_str(), again.node.c_str());
  assert_string_equal(one.plain.c_str(), again.plain.c_str());
}

// The channel was missing where a row was written: an account's rooms overwrote each other.
void defect_09_an_account_and_two_rooms_are_three_nodes(void**) {
  World& w = world();
  w.start();
  const Given account = register_p2("r1", 1);
  const Given tea = register_p2("r2", 1, "tea@muc.example.net");
  const Given work = register_p2("r3", 1, "work@muc.example.net");
  assert_string_not_equal(account.node.c_str(), tea.node.c_str());
  assert_string_not_equal(account.node.c_str(), work.node.c_str());
  assert_string_not_equal(tea.node.c_str(), work.node.c_str());
  w.lose_power();
  w.start();
  assert_string_equal(register_p2("r4", 1, "tea@muc.example.net").node.c_str(), tea.node.c_str());
  assert_int_equal(w.gateway().registry().count(), 3);
}

// Whoever knew the id of a fellow user's device could remove it.
void defect_13_whoever_knows_the_id_of_a_fellow_users_device_removes_nothing(void**) {
  World& w = world();
  w.start();
  const FormField p2[] = {{"device-id", "device 7"}, {"token", token_a}};
  ask_command("ann@example.org/app", "r1", "register-push-apns", "", p2);
  const FormField v1[] = {{"type", "apns"}, {"node", "device 7"}, {"token", token_a}};
  ask_command("ann@example.org/app", "r2", "v1-register-push", "", v1);
  const Given devices[] = {given("r1"), given("r2")};
  for (const string_view who :
       {"eve@example.org/app", "example.org", "ann@example.org.evil.net/app", "a@example.org"}) {
    uint8_t rooms[2][48];
    Writer first(rooms[0]), second(rooms[1]);
    first.text("u1-").text(who);
    second.text("u2-").text(who);
    ask_command(who, first.view(), "unregister-push-apns", "", Fields(p2).first(1));
    ask_command(who, second.view(), "v1-unregister-push", "", Fields(v1).first(2));
    w.expect_gone(first.view());
    w.expect_gone(second.view());
  }
  for (uint32_t i = 0; i < 2; ++i) {
    uint8_t room[8];
    const FormField options[] = {{"secret", devices[i].secret.view()}};
    publish({.id = id_number(room, 'p', i), .node = devices[i].node.view(), .options = options});
    w.expect_result(id_number(room, 'p', i));
  }
}

TESTS(defects_dialect, SCENARIO_WITH(defect_07_every_form_asks_for_all_that_its_command_needs, with_google),
      SCENARIO(defect_08_a_secret_can_not_be_guessed),
      SCENARIO(defect_08_secrets_and_nodes_come_from_the_ports_entropy_alone),
      SCENARIO(defect_09_an_account_and_two_rooms_are_three_nodes),
      SCENARIO(defect_13_whoever_knows_the_id_of_a_fellow_users_device_removes_nothing));

}  // namespace
}  // namespace tocsin::test
