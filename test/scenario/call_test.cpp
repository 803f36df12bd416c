// Calls: to the second token where the device has one, else, or when that one is
// dead, as an alert; the device itself is never at stake.
#include "test/scenario/world.h"

namespace tocsin::test {
namespace {

constexpr string_view ann = "ann@example.org/phone";
constexpr string_view tigase = "tigase:messenger:apns:1";
constexpr string_view call =
    "<notification xmlns='urn:xmpp:push:0'><encrypted xmlns='tigase:push:encrypt:0' type='voip' "
    "iv='AAAAAAAAAAAAAAAAAAAAAA=='>Y2lwaGVydGV4dA==</encrypted></notification>";

NodeText register_with_second_token(World& w) {
  w.send_register(ann, "r", tigase, token_a, token_b);
  w.wait_for_answer("r");
  return w.register_device(ann, token_c);  // another device, so that the account has two
}

void ring(World& w, string_view node, string_view id) {
  w.server().publish_raw(node, id, call);
  w.wait_for_answer(id);
  w.expect_result(id);
}

string_view node_of_first(World& w, FixedText<NodeId::text_size>& room) {
  for (uint32_t i = 0; const Device* device = w.gateway().registry().device_at(i); ++i) {
    static uint8_t record[Registry::record_bytes_max];
    Registration found;
    assert_true(w.gateway().registry().read(*device, record, found).ok());
    if (found.token.empty() || found.token[0] != 0xaa) continue;
    uint8_t text[NodeId::text_size];
    Writer name(text);
    name.base64url(found.node.view());
    assert_true(room.assign(name.view()));
  }
  return room.view();
}

void a_call_rings_the_second_token(void**) {
  World& w = world();
  w.start();
  register_with_second_token(w);
  FixedText<NodeId::text_size> room;
  const string_view node = node_of_first(w, room);
  ring(w, node, "c1");
  assert_int_equal(w.provider().requests(), 1);
  assert_int_equal(w.provider().requests_for(token_b), 1);
  assert_true(contains(w.provider().last().topic.view(), ".voip"));
  assert_string_equal(w.provider().last().push_type.c_str(), "voip");
  w.publish_and_wait(node, "p1");  // a message goes to the first as ever
  assert_int_equal(w.provider().requests_for(token_a), 1);
  w.expect_at_rest();
}

void a_dead_second_token_ends_alone_and_the_call_goes_out(void**) {
  World& w = world();
  w.start();
  register_with_second_token(w);
  FixedText<NodeId::text_size> room;
  const string_view node = node_of_first(w, room);
  w.provider().answer_device(token_b, 410, "Unregistered");
  ring(w, node, "c1");
  assert_int_equal(w.provider().requests(), 2);
  assert_string_equal(w.provider().last_for(token_a).push_type.c_str(), "alert");
  assert_true(contains(w.provider().last_for(token_a).body.view(), "Y2lwaGVydGV4dA=="));
  assert_int_equal(w.log().count("event=second_token_gone"), 1);
  w.run_for(seconds(10));
  ring(w, node, "c2");
  assert_int_equal(w.provider().requests_for(token_b), 1);
  assert_int_equal(w.gateway().registry().count(), 2);
  w.restart();
  ring(w, node, "c3");
  assert_int_equal(w.provider().requests_for(token_b), 1);
  w.expect_at_rest();
}

void words_that_prove_nothing_leave_the_second_token(void**) {
  World& w = world();
  w.start();
  register_with_second_token(w);
  FixedText<NodeId::text_size> room;
  const string_view node = node_of_first(w, room);
  w.publish_and_wait(node, "p1");
  w.provider().answer_device(token_b, 400, "BadDeviceToken");
  for (uint32_t i = 0; i < 3; ++i) {
    ring(w, node, token_number(i));
    w.run_for(seconds(40));
  }
  assert_int_equal(w.provider().requests_for(token_b), 3);
  assert_int_equal(w.provider().requests_for(token_a), 4);
  w.provider().accept_all();
  w.provider().forget_rules();
  ring(w, node, "c9");
  assert_int_equal(w.provider().requests_for(token_b), 4);
  assert_int_equal(w.gateway().registry().count(), 2);
}

void a_call_that_rang_proves_nothing_of_the_first_token(void**) {
  World& w = world();
  w.start();
  register_with_second_token(w);
  FixedText<NodeId::text_size> room;
  const string_view node = node_of_first(w, room);
  ring(w, node, "c1");
  w.provider().answer_device(token_a, 400, "BadDeviceToken");
  w.publish_and_wait(node, "p1");
  w.expect_wait("p1");  // held: the first token was never accepted
  assert_int_equal(w.gateway().registry().count(), 2);
}

TESTS(calls, SCENARIO(a_call_rings_the_second_token), SCENARIO(a_dead_second_token_ends_alone_and_the_call_goes_out),
      SCENARIO(words_that_prove_nothing_leave_the_second_token),
      SCENARIO(a_call_that_rang_proves_nothing_of_the_first_token));

}  // namespace
}  // namespace tocsin::test
