// What other gateways got wrong towards XMPP servers, their users and the disk, one test each: see
// defects_provider_test.cpp.
#include "test/scenario/clients.h"
#include "test/scenario/many_requests.h"
#include "test/scenario/server_models.h"

namespace tocsin::test {
namespace {

constexpr string_view tigase = "tigase:messenger:apns:1";

string_view id_number(Bytes room, char letter, uint32_t i) {
  Writer out(room);
  return out.character(letter).unsigned_number(i).view();
}

// Apple's 5xx became cancel/bad-request, on which ejabberd and MongooseIM delete the device.
void defect_05_trouble_at_the_provider_ends_no_registration_anywhere(void**) {
  World& w = world();
  w.start();
  const NodeText node = w.register_device("ann@example.org/phone", token_a);
  Standing standings[peers_count];
  uint8_t room[8];
  for (uint32_t i = 0; i < 40; ++i) {
    static constexpr uint16_t statuses[] = {500, 502, 503, 599};
    w.provider().answer_all(statuses[i % 4], "InternalServerError");
    w.publish_and_wait(node, id_number(room, 'p', i));
    PeerReply reply = read_reply(w.server().answer(id_number(room, 'p', i)));
    assert_true(reply.kind == PeerReply::Kind::error);
    for (uint32_t p = 0; p < peers_count; ++p) {
      reply.to = from_of(static_cast<Peer>(p));
      react(static_cast<Peer>(p), reply, "push.example.org", standings[p]);
      assert_true(standings[p].enabled);
      assert_int_equal(standings[p].errors, 0);
    }
    w.run_for(seconds(10));
  }
}

// An option that was not known made the whole publish fail.
void defect_06_options_and_fields_nobody_knows_are_passed_over(void**) {
  World& w = world();
  w.start();
  const NodeText node = w.register_device("ann@example.org/phone", token_a);
  uint8_t room[4096];
  Writer out(room);
  out.text("<iq type='set' id='p1' xmlns:new='urn:example:new' from='example.org' to='push.example.org'><pubsub ");
  out.text(
      "xmlns='http://jabber.org/protocol/pubsub'><publish-options new:a='b'><x xmlns='jabber:x:data' type='submit'>");
  out.text("<field var='new'><value>1</value><value>2</value></field><field var='FORM_TYPE'><value>");
  out.text(
      "http://jabber.org/protocol/pubsub#publish-options</value></field></x><more/></publish-options><publish node='");
  out.text(node).text("'><item id='7'><notification xmlns='urn:xmpp:push:0'><new xmlns='urn:example:new'/>");
  out.text("<x type='form' xmlns='jabber:x:data'><title/><field var='last-message-body'><value>Hello</value></field>");
  out.text("<field var='urn:example:new#mood'/><field var='message-count'><value>3</value></field><field ");
  out.text(
      "var='FORM_TYPE'><value>urn:xmpp:push:summary</value></field></x></notification></item></publish></pubsub></iq>");
  w.server().send(out.view());
  w.wait_for_answer("p1");
  w.expect_result("p1");
  assert_true(contains(w.provider().last().body.view(), "\"unread-messages\":3"));
}

// Register and unregister could not be reached, and unregister wanted a field that its form did not have.
void defect_07_every_command_works_from_end_to_end(void**) {
  World& w = world();
  w.start();
  const NodeText node = w.register_device("ann@example.org/phone", token_a);
  w.publish_and_wait(node, "p1");
  w.expect_result("p1");
  w.send_unregister("ann@example.org/phone", "u1", tigase, token_a);
  w.wait_for_answer("u1");
  w.expect_answer("u1", "status='completed'");
  w.publish_and_wait(node, "p2");
  w.expect_gone("p2");
  assert_int_equal(w.gateway().registry().count(), 0);
}

// A secret came from the processor time used so far.
void defect_08_a_node_can_not_be_guessed(void**) {
  World& w = world();
  w.start();
  NodeText nodes[40];
  uint8_t room[64];
  for (uint32_t i = 0; i < 40; ++i) {
    Writer from(room);
    nodes[i] = w.register_device(from.text("u").unsigned_number(i).text("@example.org/p").view(), token_number(i));
    assert_true(nodes[i].text.view().size() >= 22);  // 128 bits and more
    uint32_t alike = 0;
    for (uint32_t n = 0; n < i; ++n) {
      alike = 0;
      for (size_t at = 0; at < NodeId::text_size; ++at)
        alike += nodes[i].text.view()[at] == nodes[n].text.view()[at] ? 1 : 0;
      assert_true(alike < 10);  // no common part: neither time nor number nor account
    }
  }
}

// The registry was written at the exit only, and by cutting the old one first.
void defect_11_a_power_cut_at_any_time_loses_nothing_that_was_acknowledged(void**) {
  World& w = world();
  w.disk().faults().sync_latency = milliseconds(4);
  w.start();
  NodeText nodes[15];
  uint8_t room[64];
  for (uint32_t i = 0; i < 15; ++i) {
    Writer from(room);
    nodes[i] = w.register_device(from.text("u").unsigned_number(i).text("@example.org/p").view(), token_number(i));
    w.send_register("eve@example.org/p", id_number(room, 'x', i), tigase, token_number(100 + i));
    w.run_for(microseconds(700 * i));  // the cut falls into the next one
    w.lose_power();
    w.start();
    for (uint32_t n = 0; n <= i; ++n) {
      NodeId node;
      assert_true(node.parse(nodes[n]));
      assert_non_null(w.gateway().registry().find(node));
    }
  }
}

// A wake-up without a reason ended the daemon.
void defect_12_a_wake_up_without_a_reason_ends_nothing(void**) {
  World& w = world();
  w.start();
  const NodeText node = w.register_device("ann@example.org/phone", token_a);
  for (uint32_t i = 0; i < 1000; ++i) {
    w.port().wake();
    w.run_for(milliseconds(10));
  }
  assert_false(w.exited());
  assert_int_equal(w.server().connects(), 1);
  w.publish_and_wait(node, "p1");
  w.expect_result("p1");
}

// Whoever knew the id of a fellow user's device could remove it; an unknown node was answered as our own trouble.
void defect_13_only_the_owner_removes_a_device_and_unknown_nodes_are_gone(void**) {
  World& w = world();
  w.start();
  const NodeText node = w.register_device("ann@example.org/phone", token_a);
  w.send_unregister("eve@example.org/phone", "u1", tigase, token_a);
  w.wait_for_answer("u1");
  w.expect_gone("u1");
  w.publish_and_wait(node, "p1");
  w.expect_result("p1");
  w.publish_and_wait("AAAAAAAAAAAAAAAAAAAAAAAA", "p2");
  w.expect_gone("p2");
}

// 8,000 elements inside each other overflowed the stack and ended the process.
void defect_16_elements_within_elements_cost_their_own_stanza_only(void**) {
  World& w = world();
  w.start();
  const NodeText node = w.register_device("ann@example.org/phone", token_a);
  static uint8_t room[256 * 1024];
  for (const uint32_t levels : {8000u, 16'000u}) {
    Writer out(room);
    out.text("<iq type='set' id='deep' from='example.org' to='push.example.org'>");
    for (uint32_t i = 0; i < levels; ++i) out.text("<a>");
    for (uint32_t i = 0; i < levels; ++i) out.text("</a>");
    out.text("</iq>");
    w.server().send(out.view());
    w.run_for(seconds(1));
  }
  w.publish_and_wait(node, "p1");
  w.expect_result("p1");
  assert_int_equal(w.server().connects(), 1);
}

// One send for each answer, without TCP_NODELAY: an answer waited 40 ms for the next stanza.
void defect_17_answers_leave_at_once_and_together(void**) {
  World& w = world();
  w.start();
  const NodeText node = w.register_device("ann@example.org/phone", token_a);
  w.publish_and_wait(node, "warm");
  w.run_for(seconds(20));
  const uint64_t sends = w.port().net().sends();
  const uint64_t pieces = w.server().sends();
  const Instant began = w.now();
  for (uint32_t i = 0; i < 100; ++i) w.server().publish_numbered(node, i);
  assert_true(w.run_until([&] { return w.server().numbered_answered() == 100; }));
  assert_true(w.now() - began <= milliseconds(5));  // there, to the provider and back, 1 ms each way
  assert_true(w.server().sends() - pieces <= 3);
  assert_true(w.port().net().sends() - sends <= 10);
}

// Results and errors were answered with an error: two such gateways talked for ever.
void defect_19_results_and_errors_are_never_answered(void**) {
  World& w = world();
  w.start();
  const uint64_t stanzas = w.server().stanzas();
  w.server().send("<iq type='result' id='e1' from='push.example.net' to='push.example.org'/>");
  w.server().send(
      "<iq type='error' id='e2' from='push.example.net' to='push.example.org'><error type='cancel'><item-not-found "
      "xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>");
  w.server().send("<iq type='odd' id='e3' from='push.example.net' to='push.example.org'/>");
  w.server().send(
      "<message type='error' id='e4' from='push.example.net' to='push.example.org'><body>x</body></message>");
  w.run_for(seconds(10));
  for (const char* id : {"e1", "e2", "e4"}) w.expect_no_answer(id);
  assert_true(w.server().stanzas() - stanzas <= 1);
}

// After each closed stream the next one came within a millisecond, for ever.
void defect_21_connections_that_end_are_followed_more_and_more_calmly(void**) {
  World& w = world();
  w.start();
  w.server().drop();
  w.run_for(milliseconds(500));
  assert_true(w.server().up());  // once: at once
  const uint32_t connects = w.server().connects();
  w.server().greet(FakeServer::Greeting::brief);
  w.server().drop();
  w.run_for(hours(1));
  assert_true(w.server().connects() - connects <= 260);
  w.server().greet(FakeServer::Greeting::proper);
  assert_true(w.run_until([&] { return w.server().up(); }, seconds(31)));
}

constexpr Configured default_jobs{
    .extra = "[limits]\ndevice_interval = 0\ndomain_interval = 0\n[apns siskin]\nclear_text = yes\n"};

// A thread for each publish: of 10,000 at once 460 were never answered, and some by an error that deletes.
void defect_22_a_flood_through_a_few_jobs_is_answered_to_the_last(void**) {
  World& w = world();
  w.provider().think(milliseconds(20));
  w.start();
  const NodeText node = w.register_device("ann@example.org/phone", token_a);
  flood(w, node, 0, 20'000);
  w.run_for(seconds(30));
  expect_all_answered_once(w, 20'000);
  assert_int_equal(w.server().numbered_waits(), 0);
  w.expect_requests(20'000);
  w.expect_at_rest();
}

// Nearly all that was accepted was gone after kill -9; "ok" although the provider had refused.
void defect_25_what_was_acknowledged_is_durable(void**) {
  World& w = world();
  w.disk().faults().sync_latency = milliseconds(200);
  w.start();
  NodeText nodes[20];
  uint8_t room[64];
  for (uint32_t i = 0; i < 20; ++i) {
    Writer from(room);
    nodes[i] = w.register_device(from.text("u").unsigned_number(i).text("@example.org/p").view(), token_number(i));
    if (i % 2 == 0) {
      w.restart();
    } else {
      w.lose_power();
      w.start();
    }
  }
  assert_int_equal(w.gateway().registry().count(), 20);
  w.provider().answer_all(503, "ServiceUnavailable");
  w.publish_and_wait(nodes[0], "p1");
  w.expect_wait("p1");
}

TESTS(defects_server, SCENARIO(defect_05_trouble_at_the_provider_ends_no_registration_anywhere),
      SCENARIO(defect_06_options_and_fields_nobody_knows_are_passed_over),
      SCENARIO(defect_07_every_command_works_from_end_to_end), SCENARIO(defect_08_a_node_can_not_be_guessed),
      SCENARIO(defect_11_a_power_cut_at_any_time_loses_nothing_that_was_acknowledged),
      SCENARIO(defect_12_a_wake_up_without_a_reason_ends_nothing),
      SCENARIO(defect_13_only_the_owner_removes_a_device_and_unknown_nodes_are_gone),
      SCENARIO(defect_16_elements_within_elements_cost_their_own_stanza_only),
      SCENARIO_WITH(defect_17_answers_leave_at_once_and_together, many_requests),
      SCENARIO(defect_19_results_and_errors_are_never_answered),
      SCENARIO(defect_21_connections_that_end_are_followed_more_and_more_calmly),
      SCENARIO_WITH(defect_22_a_flood_through_a_few_jobs_is_answered_to_the_last, default_jobs),
      SCENARIO(defect_25_what_was_acknowledged_is_durable));

}  // namespace
}  // namespace tocsin::test
