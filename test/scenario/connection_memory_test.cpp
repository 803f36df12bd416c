// Fences: a library that is refused memory costs its own connection and nothing
// else, what a connection took is given back, and the plan is what is carved.
#include "test/scenario/world.h"

namespace tocsin::test {
namespace {

using Act = FakeProvider::Act;

constexpr Configured many{
    .extra =
        "[limits]\ndevice_interval = 0\nmax_inflight = 200\nmax_pending = 1000\n[apns siskin]\nclear_text = yes\n"};

// Both of its connections together.
size_t tls_live(World& w) { return w.gateway().tls_heap(0, 0).live() + w.gateway().tls_heap(0, 1).live(); }
size_t h2_live(World& w) { return w.gateway().h2_heap(0, 0).live() + w.gateway().h2_heap(0, 1).live(); }

void fail_at(World& w, Heap& (Wiring::*heap)(uint32_t, uint32_t), uint32_t n) {
  for (uint32_t which = 0; which < 2; ++which) {
    (w.gateway().*heap)(0, which).fail_at(n);
  }
}

// Refuses the n-th allocation of each connection: for every n until one connection gets through.
void refuse(Heap& (Wiring::*heap)(uint32_t, uint32_t), uint32_t step) {
  if (!Heap::enforced()) return;
  World& w = world();
  w.start();
  const NodeText node = w.register_device("ann@example.org/phone", token_a);
  uint32_t failed = 0;
  for (uint32_t n = 1; n < 5'000; n += step) {
    fail_at(w, heap, n);
    w.server().publish_numbered(node, n);
    assert_true(w.run_until([&] { return w.server().numbered_answered() == (n - 1) / step + 1; }, seconds(6)));
    fail_at(w, heap, 0);
    const bool through = w.log().count("event=provider_up") > 0;
    if (!through) {
      ++failed;
      assert_int_equal(w.server().numbered_waits(), failed);
      assert_true(contains(w.log().last("event=provider_down"), "out of counted memory"));
      assert_int_equal(tls_live(w), 0);
      assert_int_equal(h2_live(w), 0);
      // Not before the next round, or the publish would be answered from what is known.
      const Instant until = w.gateway().section(0).lanes[0].down_until;
      if (until > w.now()) w.run_for(until - w.now() - milliseconds(1));
      continue;
    }
    break;
  }
  assert_true(failed >= 3);
  // With and without the size of the fence, for the session and for a request: a few words, not one line a try.
  assert_true(w.log().count("event=provider_down") <= 6);
  w.run_for(hours(1));
  w.publish_and_wait(node, "p1");
  w.expect_result("p1");
  w.expect_at_rest();
}

void a_tls_session_that_is_refused_memory_is_no_connection(void**) { refuse(&Wiring::tls_heap, 97); }

void an_http2_session_that_is_refused_memory_is_no_connection(void**) { refuse(&Wiring::h2_heap, 1); }

void what_was_refused_once_is_not_blamed_for_the_next_trouble(void**) {
  if (!Heap::enforced()) return;
  World& w = world();
  w.start();
  const NodeText node = w.register_device("ann@example.org/phone", token_a);
  fail_at(w, &Wiring::h2_heap, 1);
  w.publish_and_wait(node, "p1");
  fail_at(w, &Wiring::h2_heap, 0);
  assert_true(contains(w.log().last("event=provider_down"), "out of counted memory"));
  w.simulation().network().path(World::provider_address(0)).reach = sim::Reach::refuse;
  w.run_for(minutes(3));
  assert_true(contains(w.log().last("event=provider_down"), "connection refused"));
}

// Now an old session is refused memory, at any point of its work.
void a_session_that_runs_out_of_memory_at_work_is_replaced(void**) {
  if (!Heap::enforced()) return;
  World& w = world();
  w.start();
  const NodeText node = w.register_device("ann@example.org/phone", token_a);
  for (uint32_t n = 1; n < 60; ++n) {
    w.run_for(minutes(2));
    fail_at(w, &Wiring::h2_heap, n);
    for (uint32_t i = 0; i < 5; ++i) w.server().publish_numbered(node, n * 5 + i);
    w.run_for(milliseconds(20));
    fail_at(w, &Wiring::h2_heap, 0);
    w.run_for(seconds(10));
    assert_int_equal(w.server().numbered_answered(), 5 * n);
    assert_int_equal(w.server().numbered_twice(), 0);
  }
  w.run_for(hours(2));
  w.publish_and_wait(node, "p1");
  w.expect_result("p1");
  w.expect_at_rest();
}

void what_a_connection_took_is_given_back_with_it(void**) {
  World& w = world();
  w.start();
  const NodeText node = w.register_device("ann@example.org/phone", token_a);
  size_t tls = 0;
  size_t h2 = 0;
  for (uint32_t round = 0; round < 12; ++round) {
    for (uint32_t i = 0; i < 100; ++i) w.server().publish_numbered(node, round * 100 + i);
    assert_true(w.run_until([&] { return w.server().numbered_answered() == (round + 1) * 100; }));
    w.run_for(seconds(30));
    if (round == 0) tls = tls_live(w);
    if (round == 0) h2 = h2_live(w);
    assert_int_equal(tls_live(w), tls);
    assert_true(h2_live(w) < h2 + 2'000);  // the tables of HPACK know other words
    switch (round % 3) {
      case 0: w.provider().drop_connections(); break;
      case 1: w.provider().go_away_now(-1, "{\"reason\":\"Shutdown\"}"); break;
      case 2: w.simulation().network().reset_all(World::provider_address(0)); break;
      default: break;
    }
    w.run_for(seconds(15));
    assert_int_equal(tls_live(w), 0);
    assert_int_equal(h2_live(w), 0);
    assert_int_equal(w.port().net().open_sockets(), 1);
  }
  assert_int_equal(w.provider().connections(), 12);
  assert_int_equal(w.server().numbered_waits(), 0);
  w.expect_at_rest();
}

void resets_by_the_thousand_leave_no_growth(void**) {
  World& w = world();
  w.provider().act(Act::reset_stream);
  w.start();
  const NodeText node = w.register_device("ann@example.org/phone", token_a);
  size_t peak = 0;
  for (uint32_t round = 0; round < 40; ++round) {
    for (uint32_t i = 0; i < 100; ++i) w.server().publish_numbered(node, round * 100 + i);
    w.run_for(seconds(20));
    if (round == 10) peak = w.gateway().h2_heap(0, 0).peak();
  }
  assert_true(w.provider().requests() > 3'000);
  assert_int_equal(w.server().numbered_answered(), 4'000);
  assert_int_equal(w.server().numbered_twice(), 0);
  assert_int_equal(w.provider().connections(), 1);
  assert_int_equal(w.gateway().h2_heap(0, 0).refused(), 0);
  assert_true(w.gateway().h2_heap(0, 0).peak() <= peak + peak / 20);
  assert_true(h2_live(w) < 64 * 1024);
}

// start_alone() holds plan and wiring together (World::wire).
void the_plan_is_what_is_carved(void**) {
  static constexpr const char* confs[] = {
      "", "[limits]\nmax_inflight = 1\nmax_pending = 0\n[registry]\nmax_devices = 1\n",
      "[limits]\nmax_inflight = 1000\nmax_pending = 3000\n[registry]\nmax_devices = 100000\n",
      "[limits]\nmax_inflight = 7\nmax_pending = 13\n[xmpp]\nmax_stanza_bytes = 16384\n",
      "[limits]\ndevice_interval = 0\ndevice_burst = 1\n[xmpp]\nmax_stanza_bytes = 262144\n"};
  World& w = world();
  for (const char* conf : confs) {
    for (uint32_t sections = 1; sections <= 2; ++sections) {
      for (uint32_t off = 0; off <= sections; ++off) {  // sections: none is off
        w.end();
        w.begin(1, conf, sections == 2);
        if (off < sections) w.turn_off(off);
        w.start();
        w.run_for(seconds(1));
      }
    }
  }
}

// Sections that name the same bundle share its roots; whose key is none turns up later.
void roots_are_shared_also_with_a_section_that_is_off(void**) {
  World& w = world();
  for (uint32_t how = 0; how < 2; ++how) {
    w.end();
    w.begin(1, "", true);
    if (how == 0) w.turn_off(0);
    if (how == 1) w.spoil_key(0);
    w.start();
    const NodeText off = w.register_device("ann@example.org/phone", token_a);
    const NodeText on = w.register_device("ann@example.org/phone", token_b, "other:apns:1");
    w.publish_and_wait(off, "p1");
    w.publish_and_wait(on, "p2");
    w.expect_wait("p1");
    w.expect_result("p2");
    assert_int_equal(w.provider(1).requests(), 1);
  }
}

TESTS(connection_memory, SCENARIO_WITH(a_tls_session_that_is_refused_memory_is_no_connection, many),
      SCENARIO_WITH(an_http2_session_that_is_refused_memory_is_no_connection, many),
      SCENARIO(what_was_refused_once_is_not_blamed_for_the_next_trouble),
      SCENARIO_WITH(a_session_that_runs_out_of_memory_at_work_is_replaced, many),
      SCENARIO_WITH(what_a_connection_took_is_given_back_with_it, many),
      SCENARIO_WITH(resets_by_the_thousand_leave_no_growth, many), SCENARIO(the_plan_is_what_is_carved),
      SCENARIO(roots_are_shared_also_with_a_section_that_is_off));

}  // namespace
}  // namespace tocsin::test
