// One publisher's domain floods: it waits for itself, and nobody else for it.
#include <cstdio>

#include "test/scenario/clients.h"

namespace tocsin::test {
namespace {

constexpr string_view ann = "ann@example.org/phone";
constexpr string_view evil = "evil.example.net";
constexpr Configured stateless{.extra = "[apns siskin]\nmodules = monalProdiOS\n"};
constexpr Configured unlimited{
    .extra = "[limits]\nmax_pending = 4000\ndomain_interval = 0\n[apns siskin]\nmodules = monalProdiOS\n"};
constexpr string_view call =
    "<notification xmlns='urn:xmpp:push:0'><encrypted xmlns='tigase:push:encrypt:0' type='voip' "
    "iv='AAAAAAAAAAAAAAAAAAAAAA=='>Y2lwaGVydGV4dA==</encrypted></notification>";

// Each to another device, which is nobody's.
void flood(uint32_t count, string_view from = evil, uint32_t first = 0) {
  for (uint32_t i = first; i < first + count; ++i) {
    char id[16];
    snprintf(id, sizeof id, "n%u", i);
    const TokenText token = token_number(1000 + i);
    const FormField options[] = {{"FORM_TYPE", "http://jabber.org/protocol/pubsub#publish-options"},
                                 {"pushModule", "monalProdiOS"}};
    send_publish({.id = id, .node = token, .from = from, .notification = prosody_message, .options = options});
  }
}

void a_flood_leaves_at_its_pace_and_delays_nobody(void**) {
  World& w = world();
  w.start();
  const NodeText node = w.register_device(ann, token_a);
  for (uint32_t i = 0; i < 5; ++i) {
    flood(75, evil, 75 * i);
    w.run_for(milliseconds(300));
  }
  w.publish_and_wait(node, "p1");
  w.expect_result("p1");
  assert_true(contains(w.log().last("id=p1"), "verdict=delivered"));
  // 200 at once, and 50 a second; as much as may wait waits, and the rest is told to come again.
  assert_int_equal(w.server().numbered_answered(), 375);
  assert_in_range(w.provider().requests(), 250, 290);
  const uint32_t waits = w.server().numbered_waits();
  assert_in_range(waits, 5, 60);
  assert_in_range(w.log().count("verdict=limited"), 60, 180);
  assert_int_equal(w.log().count("event=domain_limited"), 1);
  w.run_for(seconds(5));
  assert_int_equal(w.provider().requests(), 1 + 375 - waits);
  w.run_for(seconds(10));
  w.expect_at_rest();
}

void a_slow_provider_is_not_filled_by_one_domain(void**) {
  World& w = world();
  w.start();
  const NodeText node = w.register_device(ann, token_a);
  w.provider().think(seconds(3));
  flood(150);
  w.run_for(milliseconds(500));
  // Of 64 jobs it has 16, of 320 pushes 80; the others were answered at once.
  assert_int_equal(w.gateway().gateway().publish().jobs_open(), 16);
  assert_int_equal(w.gateway().gateway().publish().pushes_alive(), 80);
  w.publish_and_wait(node, "p1");
  w.expect_result("p1");
  assert_true(contains(w.log().last("id=p1"), "verdict=delivered"));
  w.run_for(seconds(30));
  w.expect_at_rest();
}

void a_call_is_not_held_up_by_what_its_domain_published_before(void**) {
  World& w = world();
  w.start();
  for (uint32_t i = 0; i < 5; ++i) {
    flood(75, evil, 75 * i);
    w.run_for(milliseconds(100));
  }
  assert_true(w.log().count("verdict=limited") > 0);
  const FormField options[] = {{"FORM_TYPE", "http://jabber.org/protocol/pubsub#publish-options"},
                               {"pushModule", "monalProdiOS"}};
  publish({.id = "p1", .node = token_b, .from = evil, .notification = call, .options = options});
  w.expect_result("p1");
  assert_true(contains(w.log().last("id=p1"), "verdict=delivered"));
}

void an_ordinary_busy_server_of_ours_notices_nothing(void**) {
  World& w = world();
  w.start();
  flood(250, "example.org");
  w.run_for(seconds(2));
  assert_int_equal(w.server().numbered_answered(), 250);
  assert_int_equal(w.server().numbered_waits(), 0);
  assert_int_equal(w.log().count("verdict=limited"), 0);
  assert_int_equal(w.provider().requests(), 250);
}

void without_the_limit_a_flood_is_a_flood(void**) {
  World& w = world();
  w.start();
  flood(1000);
  w.run_for(seconds(2));
  assert_int_equal(w.provider().requests(), 1000 - w.server().numbered_waits());
  assert_int_equal(w.log().count("verdict=limited"), 0);
  assert_int_equal(w.log().count("event=domain_limited"), 0);
}

TESTS(domain_limits, SCENARIO_WITH(a_flood_leaves_at_its_pace_and_delays_nobody, stateless),
      SCENARIO_WITH(a_slow_provider_is_not_filled_by_one_domain, stateless),
      SCENARIO_WITH(a_call_is_not_held_up_by_what_its_domain_published_before, stateless),
      SCENARIO_WITH(an_ordinary_busy_server_of_ours_notices_nothing, stateless),
      SCENARIO_WITH(without_the_limit_a_flood_is_a_flood, unlimited));

}  // namespace
}  // namespace tocsin::test
