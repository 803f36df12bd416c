// Names with several addresses: families in turn, dead ones passed over, and
// another round when none does.
#include "test/scenario/world.h"

namespace tocsin::test {
namespace {

const Address& nth(uint32_t i) {
  static Address addresses[4];
  static bool made = false;
  if (!made) {
    addresses[0] = parse_ip("2001:db8::1", 443).value();
    addresses[1] = parse_ip("2001:db8::2", 443).value();
    addresses[2] = parse_ip("10.0.0.1", 443).value();
    addresses[3] = parse_ip("10.0.0.9", 443).value();
    made = true;
  }
  return addresses[i];
}

sim::Path& way(World& w, uint32_t i) { return w.simulation().network().path(nth(i)); }

// The resolver prefers IPv6; only the addresses that a story opens answer.
void four_addresses(World& w) {
  const Address all[] = {nth(0), nth(1), nth(2), nth(3)};
  w.simulation().names().set("api.push.example.org", all);
  for (const uint32_t i : {0u, 1u, 3u}) w.simulation().network().listen(nth(i), w.provider());
  for (uint32_t i = 0; i < 4; ++i) way(w, i).reach = sim::Reach::black_hole;
}

string_view used(World& w) { return w.log().last("event=provider_up"); }

void families_take_turns(void**) {
  World& w = world();
  four_addresses(w);
  way(w, 2).reach = sim::Reach::accept;
  w.start();
  const NodeText node = w.register_device("ann@example.org/phone", token_a);
  w.server().publish(node, "p1");
  // One black hole of IPv6 costs 5 s; IPv4 is next, not the second of IPv6.
  w.run_for(milliseconds(5'400));
  assert_true(contains(used(w), "address=10.0.0.1:443"));
  w.expect_requests(1);
  w.expect_result("p1");
}

void ipv6_is_used_where_it_works(void**) {
  World& w = world();
  four_addresses(w);
  way(w, 0).reach = way(w, 2).reach = sim::Reach::accept;
  w.start();
  const NodeText node = w.register_device("ann@example.org/phone", token_a);
  w.publish_and_wait(node, "p1");
  assert_true(contains(used(w), "2001:db8::1"));
  w.expect_result("p1");
}

void unreachable_addresses_cost_nothing(void**) {
  World& w = world();
  four_addresses(w);
  way(w, 0).reach = way(w, 1).reach = way(w, 2).reach = sim::Reach::unreachable;
  way(w, 3).reach = sim::Reach::accept;
  w.start();
  const NodeText node = w.register_device("ann@example.org/phone", token_a);
  const Instant began = w.now();
  w.publish_and_wait(node, "p1");
  assert_true(w.now() - began < milliseconds(200));
  w.expect_result("p1");
  assert_true(contains(used(w), "address=10.0.0.9:443"));
  assert_int_equal(w.log().count("event=provider_down"), 0);
}

void when_all_refuse_publishers_hear_wait_and_another_round_follows(void**) {
  World& w = world();
  four_addresses(w);
  for (uint32_t i = 0; i < 4; ++i) way(w, i).reach = sim::Reach::refuse;
  w.start();
  const NodeText node = w.register_device("ann@example.org/phone", token_a);
  const uint64_t before = w.simulation().network().connects();
  w.server().publish(node, "p1");
  w.run_for(milliseconds(300));
  w.expect_wait("p1");
  assert_int_equal(w.simulation().network().connects() - before, 4);
  assert_true(contains(w.log().last("event=provider_down"), "connection refused"));
  way(w, 1).reach = sim::Reach::accept;
  w.run_for(milliseconds(1'300));
  w.expect_requests(1);
  assert_true(contains(used(w), "2001:db8::2"));
  w.expect_at_rest();
}

// The last address tried is a dead route; what the operator must hear came before it.
void the_most_telling_trouble_is_said(void**) {
  World& w = world();
  four_addresses(w);
  way(w, 0).reach = sim::Reach::accept;
  w.provider().conduct(FakeProvider::Conduct::hang_up);
  for (const uint32_t i : {1u, 2u, 3u}) way(w, i).reach = sim::Reach::unreachable;
  w.start();
  const NodeText node = w.register_device("ann@example.org/phone", token_a);
  w.publish_and_wait(node, "p1");
  w.expect_wait("p1");
  assert_true(contains(w.log().last("event=provider_down"), "closed by the provider during the TLS handshake"));
}

void names_are_looked_up_before_each_connection(void**) {
  World& w = world();
  w.start();
  const NodeText node = w.register_device("ann@example.org/phone", token_a);
  w.publish_and_wait(node, "p1");
  const uint64_t lookups = w.port().net().lookups();
  w.run_for(minutes(1));
  // The provider moves: its old address is gone with the connection.
  w.simulation().network().listen(nth(3), w.provider());
  w.simulation().names().set("api.push.example.org", nth(3));
  w.provider().drop_connections();
  w.run_for(seconds(1));
  assert_int_equal(w.port().net().lookups(), lookups);  // nothing to send: nothing to do
  w.publish_and_wait(node, "p2");
  w.expect_result("p2");
  assert_int_equal(w.port().net().lookups(), lookups + 1);
  assert_true(contains(used(w), "address=10.0.0.9:443"));
}

// Rounds of four times 5 s, further and further apart.
void all_black_holes_are_tried_round_after_round(void**) {
  World& w = world();
  four_addresses(w);
  w.start();
  const NodeText node = w.register_device("ann@example.org/phone", token_a);
  const uint64_t before = w.simulation().network().connects();
  w.server().publish(node, "p1");
  w.run_for(seconds(21));
  w.expect_result("p1");  // after 5 s nobody knew
  assert_int_equal(w.log().count("event=provider_down"), 1);
  assert_true(contains(w.log().last("event=provider_down"), "timed out"));
  w.run_for(hours(1));
  const uint64_t tries = w.simulation().network().connects() - before;
  assert_true(tries >= 150 && tries <= 600);
  way(w, 3).reach = sim::Reach::accept;
  w.run_for(seconds(90));
  w.expect_requests(1);
  w.expect_at_rest();
}

TESTS(connection_addresses, SCENARIO(families_take_turns), SCENARIO(ipv6_is_used_where_it_works),
      SCENARIO(unreachable_addresses_cost_nothing),
      SCENARIO(when_all_refuse_publishers_hear_wait_and_another_round_follows),
      SCENARIO(the_most_telling_trouble_is_said), SCENARIO(names_are_looked_up_before_each_connection),
      SCENARIO(all_black_holes_are_tried_round_after_round));

}  // namespace
}  // namespace tocsin::test
