// The component's stream when it ends: refusals, restarts, silence, names, and
// how often the gateway comes back.
#include "test/scenario/world.h"

namespace tocsin::test {
namespace {

// Pushes with content are not merged, and without an interval all of them leave.
constexpr Configured every_publish_a_request{.extra =
                                                 "[limits]\ndevice_interval = 0\n[apns siskin]\nclear_text = yes\n"};
constexpr Configured four_jobs{
    .extra = "[limits]\ndevice_interval = 0\nmax_inflight = 4\n[apns siskin]\nclear_text = yes\n"};

using Greeting = FakeServer::Greeting;

sim::Path& way_to_server(World& w) { return w.simulation().network().path(World::server_address()); }

uint64_t downs(World& w) { return w.log().count("event=component_down"); }

void a_wrong_secret_is_said_once_and_tried_calmly(void**) {
  World& w = world();
  w.server().greet(Greeting::wrong_secret);
  w.start_alone();
  w.run_for(hours(1));
  assert_int_equal(downs(w), 1);
  assert_true(contains(w.log().last("event=component_down"), "not-authorized: Secret key mismatch"));
  assert_true(contains(w.log().last("event=component_down"), "secret and domain in [xmpp]"));
  assert_true(w.server().connects() >= 120 && w.server().connects() <= 260);
  w.server().greet(Greeting::proper);
  assert_true(w.run_until([&] { return w.server().up(); }, seconds(31)));
}

void an_unknown_domain_is_said_once(void**) {
  World& w = world();
  w.server().greet(Greeting::unknown_domain);
  w.start_alone();
  w.run_for(hours(1));
  assert_int_equal(downs(w), 1);
  assert_true(contains(w.log().last("event=component_down"), "host-unknown"));
  assert_true(contains(w.log().last("event=component_down"), "has no component with the domain"));
  assert_true(contains(w.log().last("event=component_down"), "is not its component port (Prosody's is 5347)\""));
  assert_true(w.server().connects() <= 260);
}

void a_port_that_is_not_for_components_is_called_so(void**) {
  World& w = world();
  w.server().greet(Greeting::other_port);
  w.start_alone();
  w.run_for(minutes(1));
  assert_true(contains(w.log().last("event=component_down"), "invalid-namespace"));
  assert_true(contains(w.log().last("event=component_down"), "check=\"that is not a component port"));
}

void a_conflict_with_the_one_that_was_first_is_no_storm(void**) {
  World& w = world();
  w.server().greet(Greeting::conflict);
  w.start_alone();
  w.run_for(hours(1));
  assert_int_equal(downs(w), 1);
  assert_true(contains(w.log().last("event=component_down"), "another component is connected"));
  assert_true(w.server().connects() >= 10 && w.server().connects() <= 32);
}

void two_that_kick_each_other_out_are_no_storm(void**) {
  World& w = world();
  w.start();
  const Instant end = w.now() + hours(1);
  while (w.now() < end) {
    w.run_for(minutes(1));
    if (w.server().up()) w.server().kick();
  }
  assert_true(w.server().connects() >= 8 && w.server().connects() <= 32);
  // After a long peace a conflict is the first one again.
  assert_true(w.run_until([&] { return w.server().up(); }, minutes(6)));
  w.run_for(hours(1));
  w.server().kick();
  assert_true(w.run_until([&] { return w.server().up(); }, seconds(31)));
}

void a_stream_that_just_ends_is_back_at_once(void**) {
  World& w = world();
  w.start();
  w.run_for(minutes(5));
  w.server().drop();
  w.run_for(milliseconds(50));
  assert_true(w.server().up());
  assert_int_equal(w.server().connects(), 2);
  w.run_for(minutes(5));
  w.server().reset();
  w.run_for(milliseconds(50));
  assert_true(w.server().up());
  assert_int_equal(w.server().connects(), 3);
  assert_int_equal(downs(w), 2);
  assert_int_equal(w.log().count("event=component_up"), 3);
}

void malformed_xml_closes_and_reconnects(void**) {
  World& w = world();
  w.start();
  const NodeText node = w.register_device("ann@example.org/phone", token_a);
  w.run_for(minutes(1));
  w.server().send("<iq id='a' from='example.org'><</iq>");
  w.run_for(milliseconds(100));
  assert_true(contains(w.log().last("event=component_down"), "not-well-formed"));
  assert_int_equal(w.server().connects(), 2);
  w.publish_and_wait(node, "p1");
  w.expect_result("p1");
  w.server().send("<!-- a comment -->");
  w.run_for(milliseconds(700));
  assert_int_equal(w.server().connects(), 3);
  w.expect_at_rest();
}

void a_restart_costs_little_and_is_said_once(void**) {
  World& w = world();
  w.start();
  w.run_for(minutes(5));
  const uint64_t before = w.simulation().network().connects();
  way_to_server(w).reach = sim::Reach::refuse;
  w.server().drop();
  w.run_for(seconds(60));
  const uint64_t tries = w.simulation().network().connects() - before;
  assert_true(tries >= 7 && tries <= 14);
  assert_int_equal(downs(w), 2);  // closed; then that nobody listens
  assert_true(contains(w.log().last("event=component_down"), "no connection to xmpp.example.org port 5347"));
  assert_true(contains(w.log().last("event=component_down"), "check=\"is the XMPP server running"));
  way_to_server(w).reach = sim::Reach::accept;
  assert_true(w.run_until([&] { return w.server().up(); }, seconds(31)));
  // The count begins anew: the next end is followed at once.
  w.run_for(seconds(11));
  w.server().drop();
  w.run_for(milliseconds(50));
  assert_true(w.server().up());
}

void an_outage_of_a_day_is_two_lines(void**) {
  World& w = world();
  w.start();
  w.run_for(minutes(1));
  way_to_server(w).reach = sim::Reach::refuse;
  w.server().drop();
  const uint64_t before = w.simulation().network().connects();
  w.run_for(days(1));
  const uint64_t tries = w.simulation().network().connects() - before;
  assert_int_equal(downs(w), 2);
  assert_true(tries >= 2'800 && tries <= 5'900);  // every 15 to 30 s
}

void a_name_that_can_not_be_looked_up_is_tried_again(void**) {
  World& w = world();
  w.simulation().names().fails("xmpp.example.org", Error::not_found);
  w.start_alone();
  w.run_for(minutes(10));
  assert_int_equal(w.server().connects(), 0);
  assert_int_equal(downs(w), 1);
  assert_true(
      contains(w.log().last("event=component_down"), "the name xmpp.example.org can not be looked up: not found"));
  w.simulation().names().set("xmpp.example.org", World::server_address());
  assert_true(w.run_until([&] { return w.server().up(); }, seconds(31)));
}

void a_resolver_that_is_silent_is_tried_again(void**) {
  World& w = world();
  w.simulation().names().fails("xmpp.example.org", Error::timed_out, sim::NameTable::silence);
  w.start_alone();
  w.run_for(minutes(5));
  assert_int_equal(downs(w), 1);
  assert_true(contains(w.log().last("event=component_down"), "the name lookup took too long"));
  w.simulation().names().set("xmpp.example.org", World::server_address());
  assert_true(w.run_until([&] { return w.server().up(); }, seconds(41)));
}

void a_server_that_says_nothing_is_left_after_a_while(void**) {
  World& w = world();
  w.server().greet(Greeting::silent);
  w.start_alone();
  w.run_for(seconds(29));
  assert_int_equal(w.server().connects(), 1);
  w.run_for(seconds(3));
  assert_int_equal(w.server().connects(), 2);
  w.server().greet(Greeting::mute);
  w.run_for(hours(1));
  assert_true(w.server().connects() <= 125);
  assert_int_equal(downs(w), 1);
  assert_true(contains(w.log().last("event=component_down"), "handshake timed out"));
  w.server().greet(Greeting::proper);
  assert_true(w.run_until([&] { return w.server().up(); }, seconds(61)));
}

void a_dead_first_address_costs_one_attempt(void**) {
  World& w = world();
  const Address addresses[] = {parse_ip("2001:db8::5", 5347).value(), World::server_address()};
  w.simulation().network().path(addresses[0]).reach = sim::Reach::black_hole;
  w.simulation().names().set("xmpp.example.org", addresses);
  w.start_alone();
  w.run_for(seconds(9));
  assert_int_equal(w.server().connects(), 0);
  w.run_for(seconds(2));
  assert_true(w.server().up());
  assert_int_equal(downs(w), 0);
}

void a_server_that_closes_each_stream_at_once_is_no_storm(void**) {
  World& w = world();
  w.server().greet(Greeting::brief);
  w.start_alone();
  w.run_for(hours(1));
  assert_true(w.server().connects() >= 120 && w.server().connects() <= 260);
}

// ---- what was open when the stream ended ---------------------------------------

void an_answer_finds_its_way_over_the_next_stream(void**) {
  World& w = world();
  w.start();
  const NodeText node = w.register_device("ann@example.org/phone", token_a);
  w.publish_and_wait(node, "p0");
  w.run_for(minutes(1));
  w.provider().think(seconds(3));
  w.server().publish(node, "p1");
  w.run_for(seconds(1));
  w.server().drop();
  w.run_for(seconds(3));
  assert_int_equal(w.server().connects(), 2);
  w.expect_result("p1");
  w.expect_at_rest();
}

void open_publishes_do_not_hold_up_the_next_handshake(void**) {
  World& w = world();
  w.start();
  const NodeText node = w.register_device("ann@example.org/phone", token_a);
  w.provider().act(FakeProvider::Act::stall);
  for (uint32_t i = 0; i < 4; ++i) w.server().publish_numbered(node, i);
  w.run_for(milliseconds(100));
  assert_false(w.gateway().gateway().ready_for_input());
  w.server().reset();
  w.run_for(milliseconds(700));
  assert_true(w.server().up());
  w.run_for(minutes(10));
  w.provider().accept_all();
}

// ---- TERM ------------------------------------------------------------------------

void at_the_end_answers_leave_before_the_goodbye(void**) {
  World& w = world();
  w.start();
  const NodeText node = w.register_device("ann@example.org/phone", token_a);
  w.provider().grant(1, 1);
  w.provider().act(FakeProvider::Act::stall);
  for (uint32_t i = 0; i < 10; ++i) w.server().publish_numbered(node, i);
  w.run_for(milliseconds(500));
  assert_int_equal(w.provider().requests(), 1);  // one stream until the first answer
  w.terminate();
  assert_true(w.run_until([&] { return w.exited(); }, milliseconds(500)));
  assert_int_equal(w.server().goodbyes(), 1);
  assert_int_equal(w.server().numbered_answered(), 10);
  assert_int_equal(w.server().numbered_waits(), 9);  // `result` for the one that has left
  assert_int_equal(w.simulation().network().open_count(), 0);
}

// `result` says that the request has left: what still lies in our buffers is waited for.
void at_the_end_requests_that_were_answered_result_arrive(void**) {
  World& w = world();
  sim::Path& way = w.simulation().network().path(World::provider_address(0));
  way.window = 4 * 1024;
  way.latency = milliseconds(20);
  w.start();
  const NodeText node = w.register_device("ann@example.org/phone", token_a);
  w.publish_and_wait(node, "p1");
  w.provider().act(FakeProvider::Act::stall);
  for (uint32_t i = 0; i < 60; ++i) w.server().publish_numbered(node, i);
  w.run_for(milliseconds(5));
  w.terminate();
  assert_true(w.run_until([&] { return w.exited(); }, seconds(2)));
  w.run_for(seconds(1));
  assert_int_equal(w.server().numbered_answered(), 60);
  assert_true(w.server().numbered_waits() < 60);
  w.expect_requests(1 + 60 - w.server().numbered_waits());
}

void a_server_that_does_not_read_can_not_hold_up_the_end(void**) {
  World& w = world();
  way_to_server(w).window = 4 * 1024;
  w.start();
  w.server().pause();
  for (uint32_t i = 0; i < 100; ++i) w.server().publish_numbered("AAAAAAAAAAAAAAAAAAAAAA", i);
  w.run_for(milliseconds(500));
  const Instant began = w.now();
  w.terminate();
  assert_true(w.run_until([&] { return w.exited(); }, seconds(10)));
  assert_true(w.now() - began >= seconds(2) && w.now() - began <= seconds(4));
}

void without_a_stream_the_end_comes_at_once(void**) {
  World& w = world();
  way_to_server(w).reach = sim::Reach::refuse;
  w.start_alone();
  w.run_for(minutes(10));
  const Instant began = w.now();
  w.terminate();
  assert_true(w.run_until([&] { return w.exited(); }, seconds(10)));
  assert_true(w.now() - began <= seconds(3));
}

TESTS(component_reconnect, SCENARIO(a_wrong_secret_is_said_once_and_tried_calmly),
      SCENARIO(an_unknown_domain_is_said_once), SCENARIO(a_port_that_is_not_for_components_is_called_so),
      SCENARIO(a_conflict_with_the_one_that_was_first_is_no_storm), SCENARIO(two_that_kick_each_other_out_are_no_storm),
      SCENARIO(a_stream_that_just_ends_is_back_at_once), SCENARIO(malformed_xml_closes_and_reconnects),
      SCENARIO(a_restart_costs_little_and_is_said_once), SCENARIO(an_outage_of_a_day_is_two_lines),
      SCENARIO(a_name_that_can_not_be_looked_up_is_tried_again), SCENARIO(a_resolver_that_is_silent_is_tried_again),
      SCENARIO(a_server_that_says_nothing_is_left_after_a_while), SCENARIO(a_dead_first_address_costs_one_attempt),
      SCENARIO(a_server_that_closes_each_stream_at_once_is_no_storm),
      SCENARIO(an_answer_finds_its_way_over_the_next_stream),
      SCENARIO_WITH(open_publishes_do_not_hold_up_the_next_handshake, four_jobs),
      SCENARIO_WITH(at_the_end_answers_leave_before_the_goodbye, every_publish_a_request),
      SCENARIO_WITH(at_the_end_requests_that_were_answered_result_arrive, every_publish_a_request),
      SCENARIO(a_server_that_does_not_read_can_not_hold_up_the_end), SCENARIO(without_a_stream_the_end_comes_at_once));

}  // namespace
}  // namespace tocsin::test
