// One provider's silence is nobody else's; and many publishes at once lose none.
#include "test/scenario/world.h"

namespace tocsin::test {
namespace {

constexpr string_view other = "other:apns:1";
constexpr Configured two_sections = {.two = true};
constexpr Configured flood = {.extra = "[limits]\ndevice_interval = 0\n[log]\nlevel = error\n", .two = true};

NodeText register_number(World& w, uint32_t i, string_view provider = "tigase:messenger:apns:1") {
  uint8_t room[64];
  Writer from(room);
  from.text("user").unsigned_number(i).text("@example.org/phone");
  return w.register_device(from.view(), token_number(i), provider);
}

void a_slow_section_keeps_a_quarter_of_the_jobs(void**) {
  World& w = world();
  w.start();
  NodeText nodes[100];
  for (uint32_t i = 0; i < 100; ++i) nodes[i] = register_number(w, i);
  const NodeText quick = w.register_device("ann@example.org/phone", token_a, other);
  w.publish_and_wait(nodes[99], "first");  // the connection stands
  w.provider().act(FakeProvider::Act::stall);
  for (uint32_t i = 0; i < 64; ++i) w.server().publish_numbered(nodes[i], i);
  w.run_for(milliseconds(900));
  assert_int_equal(w.gateway().gateway().publish().jobs_open(), 64);
  w.run_for(milliseconds(200));  // silent for a second
  assert_int_equal(w.gateway().gateway().publish().jobs_open(), 16);
  assert_int_equal(w.server().numbered_answered(), 48);
  for (uint32_t i = 64; i < 90; ++i) w.server().publish_numbered(nodes[i], i);
  const Instant before = w.now();
  w.publish_and_wait(quick, "q1");
  assert_true(w.now() - before < milliseconds(200));
  assert_int_equal(w.server().numbered_answered(), 48 + 26);  // what came on top was answered at once
  assert_int_equal(w.gateway().gateway().publish().jobs_open(), 16);
  for (uint32_t i = 0; i < 90; ++i) assert_int_equal(w.server().answers_to_number(i), i >= 48 && i < 64 ? 0 : 1);
  w.run_for(seconds(5));
  assert_int_equal(w.server().numbered_answered(), 90);
  assert_int_equal(w.server().numbered_waits(), 0);
  w.provider().accept_all();
  w.run_for(hours(2));
  w.expect_at_rest();
}

void a_connection_that_is_never_made_keeps_no_more_jobs_than_a_quarter(void**) {
  World& w = world();
  w.start();
  NodeText nodes[64];
  for (uint32_t i = 0; i < 64; ++i) nodes[i] = register_number(w, i);
  const NodeText quick = w.register_device("ann@example.org/phone", token_a, other);
  w.simulation().network().path(World::provider_address(0)).reach = sim::Reach::black_hole;
  for (uint32_t i = 0; i < 64; ++i) w.server().publish_numbered(nodes[i], i);
  w.run_for(milliseconds(1100));
  assert_int_equal(w.gateway().gateway().publish().jobs_open(), 16);
  w.publish_and_wait(quick, "q1");
  w.expect_result("q1");
  w.simulation().network().path(World::provider_address(0)).reach = sim::Reach::accept;
  w.run_for(minutes(3));
  assert_int_equal(w.server().numbered_answered(), 64);
  w.expect_requests(64);
  w.expect_at_rest();
}

// An hour in which the first provider fails in some way; everything else goes on as if nothing had happened.
void an_hour_of(World& w, const NodeText* nodes, uint32_t count) {
  const NodeText quick = w.register_device("ann@example.org/phone", token_a, other);
  w.publish_and_wait(quick, "before");
  w.run_for(seconds(10));
  const uint64_t earlier_requests = w.provider(1).requests();
  uint32_t number = 0;
  for (uint32_t minute = 0; minute < 60; ++minute) {
    for (uint32_t i = 0; i < count; ++i) w.server().publish_numbered(nodes[i], number++);
    uint8_t id_room[16];
    Writer id(id_room);
    id.text("q").unsigned_number(minute);
    const Instant before = w.now();
    w.publish_and_wait(quick, id.view());
    w.expect_result(id.view());
    assert_true(contains(w.log().last("event=push"), "verdict=delivered"));
    uint8_t room[64];
    Writer from(room);
    w.register_device(from.text("new").unsigned_number(minute).text("@example.org/phone").view(),
                      token_number(1000 + minute));
    Writer disco(id_room);
    disco.text("d").unsigned_number(minute);
    uint8_t stanza_room[300];
    Writer stanza(stanza_room);
    stanza.text("<iq to='push.example.org' id='").text(disco.view());
    stanza.text(
        "' from='ann@example.org/phone' type='get'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>");
    w.server().send(stanza.view());
    w.wait_for_answer(disco.view());
    assert_true(w.now() - before < milliseconds(500));
    w.run_for(seconds(60));
  }
  assert_int_equal(w.provider(1).requests(), earlier_requests + 60);
  assert_int_equal(w.provider(1).connections(), 1);
  assert_int_equal(w.server().numbered_answered(), number);
  assert_int_equal(w.server().numbered_twice(), 0);
}

void an_hour_of_silence_at_one_provider_is_not_noticed_at_the_other(void**) {
  World& w = world();
  w.start();
  NodeText nodes[40];
  for (uint32_t i = 0; i < 40; ++i) nodes[i] = register_number(w, i);
  w.provider().act(FakeProvider::Act::stall);
  an_hour_of(w, nodes, 40);
  w.provider().accept_all();
  w.provider().drop_connections();
  w.run_for(hours(3));
  w.expect_at_rest();
}

void an_hour_without_a_route_to_one_provider_is_not_noticed_at_the_other(void**) {
  World& w = world();
  w.start();
  NodeText nodes[40];
  for (uint32_t i = 0; i < 40; ++i) nodes[i] = register_number(w, i);
  w.simulation().network().path(World::provider_address(0)).reach = sim::Reach::black_hole;
  an_hour_of(w, nodes, 40);
  w.expect_requests(0);
  w.simulation().network().path(World::provider_address(0)).reach = sim::Reach::accept;
  w.run_for(minutes(5));
  w.expect_requests(40);  // each device's newest
  w.expect_at_rest();
}

void send_flood(World& w, const NodeText* nodes, uint32_t devices, uint32_t count) {
  for (uint32_t sent = 0; sent < count;) {
    while (sent < count && w.server().connection()->room() > 4096) {
      w.server().publish_numbered(nodes[sent % devices], sent);
      ++sent;
    }
    w.run_for(milliseconds(1));
  }
}

void twenty_thousand_at_once_lose_none_and_grow_nothing(void**) {
  World& w = world();
  w.start();
  NodeText nodes[64];
  for (uint32_t i = 0; i < 64; ++i) nodes[i] = register_number(w, i);
  w.publish_and_wait(nodes[0], "first");
  w.simulation().network().path(World::provider_address(0)).latency = milliseconds(20);
  w.run_for(seconds(1));
  const World::Footprint before = w.footprint();
  send_flood(w, nodes, 64, 20'000);
  assert_true(w.run_until([&] { return w.server().numbered_answered() == 20'000; }, minutes(5)));
  w.run_for(seconds(5));
  assert_int_equal(w.server().numbered_twice(), 0);
  assert_int_equal(w.server().numbered_waits(), 0);
  assert_int_equal(w.server().connects(), 1);
  assert_int_equal(w.provider().connections(), 1);
  assert_false(w.provider().broken());
  assert_true(w.footprint() == before);
  w.expect_at_rest();
}

void two_hundred_thousand_publishes_have_two_hundred_thousand_answers(void**) {
  World& w = world();
  w.start();
  NodeText nodes[16];
  for (uint32_t i = 0; i < 16; ++i) nodes[i] = register_number(w, i);
  w.publish_and_wait(nodes[0], "first");
  w.run_for(seconds(1));
  const World::Footprint before = w.footprint();
  send_flood(w, nodes, 16, 200'000);
  w.run_for(seconds(10));
  assert_int_equal(w.server().numbered_answered(), 200'000);
  assert_int_equal(w.server().numbered_twice(), 0);
  assert_int_equal(w.server().numbered_waits(), 0);
  assert_int_equal(w.provider().connections(), 1);
  assert_true(w.footprint() == before);
  w.expect_at_rest();
}

void a_flood_for_a_silent_provider_is_answered_and_bounded(void**) {
  World& w = world();
  w.start();
  NodeText nodes[64];
  for (uint32_t i = 0; i < 64; ++i) nodes[i] = register_number(w, i);
  w.publish_and_wait(nodes[0], "first");
  w.provider().act(FakeProvider::Act::stall);
  send_flood(w, nodes, 64, 5'000);
  w.run_for(seconds(30));
  assert_int_equal(w.server().numbered_answered(), 5'000);
  assert_int_equal(w.server().numbered_twice(), 0);
  assert_true(w.gateway().gateway().publish().pending() <= 256);
  w.provider().accept_all();
  w.provider().drop_connections();
  w.run_for(hours(2));
  w.expect_at_rest();
}

TESTS(slow_section, SCENARIO_WITH(a_slow_section_keeps_a_quarter_of_the_jobs, two_sections),
      SCENARIO_WITH(a_connection_that_is_never_made_keeps_no_more_jobs_than_a_quarter, two_sections),
      SCENARIO_WITH(an_hour_of_silence_at_one_provider_is_not_noticed_at_the_other, two_sections),
      SCENARIO_WITH(an_hour_without_a_route_to_one_provider_is_not_noticed_at_the_other, two_sections),
      SCENARIO_WITH(twenty_thousand_at_once_lose_none_and_grow_nothing, flood),
      SCENARIO_WITH(two_hundred_thousand_publishes_have_two_hundred_thousand_answers, flood),
      SCENARIO_WITH(a_flood_for_a_silent_provider_is_answered_and_bounded, flood));

}  // namespace
}  // namespace tocsin::test
