// The component's stream while it stands: sizes, pieces, keep-alives, a server
// that does not read.
#include "test/scenario/world.h"

namespace tocsin::test {
namespace {

constexpr string_view nobody = "AAAAAAAAAAAAAAAAAAAAAA";  // a node that was never given out

sim::Path& way_to_server(World& w) { return w.simulation().network().path(World::server_address()); }

// Sends what does not fit the wire at once.
void send_long(World& w, string_view text) {
  while (!text.empty()) {
    const size_t room = w.server().connection()->room();
    const size_t part = text.size() < room ? text.size() : room;
    if (part > 0) w.server().send(slice(text, 0, part));
    text.remove_prefix(part);
    w.run_for(milliseconds(10));
  }
}

void repeat(Writer& out, string_view text, uint32_t times) {
  for (uint32_t i = 0; i < times; ++i) out.text(text);
}

// Pushes with content are not merged, and without an interval all of them leave.
constexpr string_view every_publish_a_request = "[limits]\ndevice_interval = 0\n[apns siskin]\nclear_text = yes\n";

uint8_t long_room[2 * 1024 * 1024];

void all_answers_of_a_turn_leave_in_one_send(void**) {
  World& w = world();
  w.start();
  const uint64_t before = w.port().net().sends();
  for (uint32_t i = 0; i < 40; ++i) w.server().publish_numbered(nobody, i);
  w.run_for(seconds(1));
  assert_int_equal(w.server().numbered_answered(), 40);
  assert_int_equal(w.port().net().sends() - before, 1);
}

void white_space_of_the_server_is_life_and_ours_follows_our_silence(void**) {
  World& w = world();
  w.start();
  for (uint32_t minute = 0; minute < 40; ++minute) {
    w.run_for(seconds(59));
    w.server().send(" ");
  }
  assert_int_equal(w.server().pings(), 0);
  assert_int_equal(w.server().connects(), 1);
  assert_int_equal(w.server().blanks(), 40 * 59 / 240);
}

void a_silent_server_is_pinged_at_its_parent_domain(void**) {
  World& w = world();
  w.start();
  w.run_for(seconds(61));
  assert_int_equal(w.server().pings(), 1);
  assert_true(w.server().pinged() == "example.org");
  w.run_for(hours(2));
  assert_int_equal(w.server().connects(), 1);
  assert_true(w.server().pings() >= 115 && w.server().pings() <= 121);
}

void a_ping_without_an_answer_ends_the_stream(void**) {
  World& w = world();
  w.start();
  w.server().answer_pings(false);
  w.run_for(seconds(99));
  assert_int_equal(w.server().pings(), 2);
  assert_true(w.server().pinged() == "push.example.org");
  assert_int_equal(w.server().connects(), 1);
  w.run_for(seconds(3));
  assert_int_equal(w.server().connects(), 2);
  assert_true(w.server().up());
  assert_true(contains(w.log().last("event=component_down"), "no answer to a ping"));
}

// Its parent domain is another server's, which does not answer: ours does, for it brings us our own ping.
void a_domain_that_is_not_our_servers_costs_no_stream(void**) {
  World& w = world();
  w.start();
  w.server().answer_only_own_pings();
  w.run_for(hours(2));
  assert_int_equal(w.server().connects(), 1);
  assert_true(w.server().pinged() == "push.example.org");
  assert_true(w.server().pings() >= 115 && w.server().pings() <= 121);
  assert_int_equal(w.server().stanzas() - w.server().pings(), 1);  // the handshake: our own ping is not answered
  w.server().answer_pings(false);                                  // and a server that is gone is noticed all the same
  w.run_for(seconds(75));
  assert_int_equal(w.server().connects(), 2);
}

void an_error_is_an_answer_to_a_ping(void**) {
  World& w = world();
  w.start();
  w.server().answer_pings(false);
  for (uint32_t i = 0; i < 10; ++i) {
    w.run_for(seconds(70));
    uint8_t room[400];
    Writer error(room);
    error.text("<iq type='error' from='example.org' to='push.example.org' id='tocsin-ping-").unsigned_number(i + 1);
    error.text(
        "'><error type='cancel'><remote-server-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>");
    w.server().send(error.view());
  }
  assert_int_equal(w.server().pings(), 10);
  assert_int_equal(w.server().connects(), 1);
  assert_int_equal(w.server().stanzas() - w.server().pings(), 1);  // the handshake: errors are not answered
}

void a_stanza_of_a_megabyte_and_a_half_is_answered_and_its_neighbours_flow(void**) {
  World& w = world();
  w.start();
  const NodeText node = w.register_device("ann@example.org/phone", token_a);
  Writer out(long_room);
  out.text(
      "<iq to='push.example.org' id='big' from='example.org' type='set'><pubsub "
      "xmlns='http://jabber.org/protocol/pubsub'>");
  out.text("<publish node='")
      .text(node)
      .text("'><item><notification xmlns='urn:xmpp:push:0'><x xmlns='jabber:x:data'>");
  out.text("<field var='last-message-body'><value>");
  repeat(out, "&quot;", 250'000);
  out.text("</value></field></x></notification></item></publish></pubsub></iq>");
  assert_false(out.overflowed());
  w.server().publish(node, "p1");
  send_long(w, out.view());
  w.server().publish(node, "p2");
  w.run_for(seconds(20));
  w.expect_result("p1");
  w.expect_result("big");
  w.expect_result("p2");
  w.expect_requests(2);  // the second waited for the device's interval, and the third joined it
  assert_int_equal(w.server().connects(), 1);
  assert_int_equal(w.gateway().xml_heap().refused(), 0);
  w.expect_at_rest();
}

void a_start_tag_of_a_megabyte_costs_its_own_stanza_only(void**) {
  World& w = world();
  w.start();
  Writer out(long_room);
  out.text("<iq to='push.example.org' id='tag' from='example.org' type='set' odd='");
  repeat(out, "0123456789", 100'000);
  out.text("'><pubsub xmlns='http://jabber.org/protocol/pubsub'/></iq>");
  w.server().publish(nobody, "p1");
  send_long(w, out.view());
  w.server().publish(nobody, "p2");
  w.run_for(seconds(2));
  w.expect_gone("p1");
  w.expect_gone("p2");
  assert_int_equal(w.server().answers("tag"), 0);
  assert_int_equal(w.server().connects(), 1);
}

void depth_and_attributes_never_close_the_stream(void**) {
  World& w = world();
  w.start();
  const NodeText node = w.register_device("ann@example.org/phone", token_a);
  Writer deep(long_room);
  deep.text(
      "<iq to='push.example.org' id='deep' from='example.org' type='set'><pubsub "
      "xmlns='http://jabber.org/protocol/pubsub'>");
  deep.text("<publish node='").text(node).text("'><item><notification xmlns='urn:xmpp:push:0'>");
  repeat(deep, "<a>", 5'000);
  repeat(deep, "</a>", 5'000);
  send_long(w, deep.text("</notification></item></publish></pubsub></iq>").view());
  Writer wide(long_room);
  wide.text(
      "<iq to='push.example.org' id='wide' from='example.org' type='set'><pubsub "
      "xmlns='http://jabber.org/protocol/pubsub'>");
  wide.text("<publish node='").text(node).text("'><item");
  for (uint32_t i = 0; i < 3'000; ++i) wide.text(" a").unsigned_number(i).text("='1'");
  send_long(w, wide.text("/></publish></pubsub></iq>").view());
  // The node stands behind what is too much: nobody knows whose it is.
  Writer early(long_room);
  early.text(
      "<iq to='push.example.org' id='early' from='example.org' type='set'><pubsub "
      "xmlns='http://jabber.org/protocol/pubsub'>");
  repeat(early, "<b/>", 2'000);
  early.text("<publish node='").text(node).text("'><item/></publish></pubsub></iq>");
  send_long(w, early.view());
  w.run_for(seconds(6));
  w.expect_result("deep");
  w.expect_result("wide");
  w.expect_wait("early");
  assert_int_equal(w.server().connects(), 1);
}

void bytes_that_come_one_by_one_mean_the_same(void**) {
  World& w = world();
  way_to_server(w).to_gateway = {.piece_max = 1};
  way_to_server(w).to_peer = {.piece_max = 1};
  way_to_server(w).send_max = 7;
  w.start();
  const NodeText node = w.register_device("ann@example.org/phone", token_a);
  w.publish_and_wait(node, "p1");
  w.publish_and_wait(nobody, "p2");
  w.expect_result("p1");
  w.expect_gone("p2");
  w.expect_requests(1);
  w.expect_at_rest();
}

void bytes_that_come_in_any_pieces_mean_the_same(void**) {
  for (uint64_t seed = 1; seed <= 5; ++seed) {
    World& w = world();
    w.end();
    w.begin(seed, every_publish_a_request);
    way_to_server(w).to_gateway = {.piece_max = 900, .random_pieces = true, .gap = microseconds(300)};
    way_to_server(w).jitter = milliseconds(3);
    way_to_server(w).send_max = 700;
    w.simulation().network().path(World::provider_address(0)).to_gateway = {.piece_max = 100, .random_pieces = true};
    w.simulation().network().path(World::provider_address(0)).send_max = 333;
    w.start();
    const NodeText node = w.register_device("ann@example.org/phone", token_a);
    for (uint32_t i = 0; i < 40; ++i) w.server().publish_numbered(node, i);
    w.run_for(seconds(10));
    assert_int_equal(w.server().numbered_answered(), 40);
    assert_int_equal(w.server().numbered_twice(), 0);
    assert_int_equal(w.server().numbered_waits(), 0);
    w.expect_requests(40);
    assert_int_equal(w.server().connects(), 1);
    w.expect_at_rest();
  }
}

void a_server_that_does_not_read_is_not_read_from_and_loses_nothing(void**) {
  World& w = world();
  way_to_server(w).window = 32 * 1024;
  w.start();
  w.server().pause();
  uint32_t sent = 0;
  // As much as the wire takes: about 1,400 publishes wait there when the gateway stops reading.
  for (uint32_t i = 0; i < 400; ++i) {
    for (; sent < 100 * (i + 1) && w.server().connection()->room() > 2'048; ++sent)
      w.server().publish_numbered(nobody, sent);
    w.run_for(milliseconds(50));
  }
  const size_t room = w.server().connection()->room();
  assert_true(room <= 2'048);
  assert_int_equal(w.server().numbered_answered(), 0);
  const uint64_t turns = w.simulation().turns();
  w.run_for(seconds(20));
  assert_int_equal(w.server().connection()->room(), room);
  assert_true(w.simulation().turns() - turns < 20);
  w.server().resume();
  w.run_for(seconds(20));
  assert_int_equal(w.server().numbered_answered(), sent);
  assert_int_equal(w.server().numbered_twice(), 0);
  assert_int_equal(w.server().connects(), 1);
  w.expect_at_rest();
}

void a_server_that_never_reads_again_is_left(void**) {
  World& w = world();
  way_to_server(w).window = 16 * 1024;
  w.start();
  w.server().pause();
  for (uint32_t i = 0; i < 1'000; ++i) w.server().publish_numbered(nobody, i);
  w.run_for(minutes(3));
  assert_true(w.server().connects() >= 2);
  assert_true(contains(w.log().last("event=component_down"), "no answer to a ping"));
}

void foreign_names_do_not_fill_the_parser(void**) {
  constexpr uint32_t rounds = 200;
  constexpr uint32_t each = 100;
  World& w = world();
  w.start();
  for (uint32_t round = 0; round < rounds; ++round) {
    Writer out(long_room);
    for (uint32_t i = 0; i < each; ++i) {
      const uint32_t number = round * each + i;
      out.text("<iq type='get' id='n").unsigned_number(number).text("' from='example.org' to='push.example.org'><q");
      out.unsigned_number(number).text(" xmlns:p").unsigned_number(number).text("='urn:odd:").unsigned_number(number);
      out.text("' p").unsigned_number(number).text(":a").unsigned_number(number).text("='1'/></iq>");
    }
    w.server().send(out.view());
    w.run_for(milliseconds(100));
  }
  w.run_for(seconds(1));
  assert_int_equal(w.server().numbered_answered(), rounds * each);
  assert_int_equal(w.server().connects(), 1);
  const Heap& heap = w.gateway().xml_heap();
  assert_int_equal(heap.refused(), 0);
  assert_true(heap.peak() <= heap.size() * 3 / 4);
}

TESTS(component_stream, SCENARIO(all_answers_of_a_turn_leave_in_one_send),
      SCENARIO(white_space_of_the_server_is_life_and_ours_follows_our_silence),
      SCENARIO(a_silent_server_is_pinged_at_its_parent_domain), SCENARIO(a_ping_without_an_answer_ends_the_stream),
      SCENARIO(a_domain_that_is_not_our_servers_costs_no_stream), SCENARIO(an_error_is_an_answer_to_a_ping),
      SCENARIO(a_stanza_of_a_megabyte_and_a_half_is_answered_and_its_neighbours_flow),
      SCENARIO(a_start_tag_of_a_megabyte_costs_its_own_stanza_only),
      SCENARIO(depth_and_attributes_never_close_the_stream), SCENARIO(bytes_that_come_one_by_one_mean_the_same),
      SCENARIO(bytes_that_come_in_any_pieces_mean_the_same),
      SCENARIO(a_server_that_does_not_read_is_not_read_from_and_loses_nothing),
      SCENARIO(a_server_that_never_reads_again_is_left), SCENARIO(foreign_names_do_not_fill_the_parser));

}  // namespace
}  // namespace tocsin::test
