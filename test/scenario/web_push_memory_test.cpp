// The pool of origins without memory: whoever opens, closes or opens again an origin
// is refused the n-th allocation, for every n, and no registration, answer or byte is lost.
#include "test/scenario/web_push_words.h"

namespace tocsin::test {
namespace {

constexpr Configured many{.extra =
                              "[limits]\ndevice_interval = 0\n[webpush]\ncontact = mailto:ops@push.example.org\n"
                              "ca_file = /etc/ca.pem\n"};
constexpr uint32_t lanes = Wiring::web_push_lanes;
constexpr uint32_t origins = lanes + 2;  // so that each one that is opened takes another's place

NodeText nodes[origins];

enum class Kind : uint8_t { tls, h2 };

Heap& heap_of(World& w, Kind kind, uint32_t lane) {
  return kind == Kind::tls ? w.gateway().lane_tls_heap(lane) : w.gateway().lane_h2_heap(lane);
}

// 0: nothing is refused any more.
void refuse_at(World& w, Kind kind, uint32_t n) {
  for (uint32_t lane = 0; lane < lanes; ++lane) heap_of(w, kind, lane).fail_at(n);
}

void subscribe_all(World& w) {
  for (uint32_t i = 0; i < origins; ++i) {
    uint8_t room[64];
    Writer url(room);
    url.text("https://n").unsigned_number(i).text(".wild.example.org");
    w.simulation().names().set(slice(url.view(), 8), World::provider_address(4 + i % 3));
    uint8_t name[32];
    Writer from(name);
    from.text("user").unsigned_number(i).text("@example.org/web");
    nodes[i] = subscribe(w, from.view(), Subscribed(url.text("/push").view()));
  }
}

// A lane that serves nobody holds nothing; and one that does, what a session is worth.
void expect_nothing_leaks(World& w) {
  for (uint32_t lane = 0; lane < lanes; ++lane) {
    assert_int_equal(heap_of(w, Kind::tls, lane).live(), 0);
    assert_int_equal(heap_of(w, Kind::h2, lane).live(), 0);
  }
  assert_int_equal(w.gateway().curve_heap().live(), 0);
  assert_int_equal(w.port().net().open_sockets(), 1);
}

uint64_t all_requests(World& w) {
  uint64_t sum = 0;
  for (uint32_t i = 0; i < 3; ++i) sum += w.service(i).requests();
  return sum;
}

// Each try goes to the next origin, and all lanes are taken: the least recently used one is closed for it.
void refuse(Kind kind, uint32_t step) {
  if (!Heap::enforced()) return;
  World& w = world();
  w.start();
  subscribe_all(w);
  const uint32_t devices = w.gateway().registry().count();
  for (uint32_t i = 0; i < lanes; ++i) w.server().publish_numbered(nodes[i], i);
  w.run_for(seconds(10));
  assert_int_equal(all_requests(w), lanes);
  uint32_t next = lanes;
  uint32_t failed = 0;
  bool through = false;
  for (uint32_t n = 1; n < 40'000 && !through; n += step) {
    const uint64_t before = all_requests(w);
    const uint32_t waits = w.server().numbered_waits();
    const uint32_t number = next++;
    refuse_at(w, kind, n);
    w.server().publish_numbered(nodes[number % origins], number);
    assert_true(w.run_until([&] { return w.server().numbered_answered() == number + 1; }, seconds(6)));
    refuse_at(w, kind, 0);
    through = w.server().numbered_waits() == waits;
    failed += through ? 0 : 1;
    // What is not delivered yet is delivered once there is memory again.
    w.run_for(minutes(3));
    assert_in_range(all_requests(w), before + 1, before + 2);  // again where the answer was lost
  }
  assert_true(through);
  assert_true(failed >= 3);
  assert_int_equal(w.server().numbered_waits(), failed);
  assert_int_equal(w.server().numbered_twice(), 0);
  assert_true(w.log().saw("out of counted memory"));
  assert_int_equal(w.gateway().registry().count(), devices);
  for (uint32_t i = 0; i < origins; ++i) {
    w.server().publish_numbered(nodes[i], next++);
    w.run_for(seconds(2));
  }
  assert_int_equal(w.server().numbered_waits(), failed);
  w.run_for(minutes(10));
  expect_nothing_leaks(w);
  w.expect_at_rest();
}

void an_origin_whose_tls_is_refused_memory_is_opened_later(void**) { refuse(Kind::tls, 487); }
void an_origin_whose_http2_is_refused_memory_is_opened_later(void**) { refuse(Kind::h2, 2); }

// At work, and while it is closed: whatever the pool is about.
void lanes_that_run_out_of_memory_at_any_time_recover(void**) {
  if (!Heap::enforced()) return;
  World& w = world();
  w.start();
  subscribe_all(w);
  uint32_t next = 0;
  for (uint32_t n = 1; n < 60; n += 3) {
    const Kind kind = n % 2 == 0 ? Kind::tls : Kind::h2;
    for (uint32_t i = 0; i < 3; ++i) {
      const uint32_t number = next++;
      w.server().publish_numbered(nodes[number % origins], number);
      w.run_for(milliseconds(3));
      refuse_at(w, kind, n);
    }
    w.run_for(seconds(1));
    refuse_at(w, kind, 0);
    w.run_for(seconds(10));
    assert_int_equal(w.server().numbered_answered(), next);
    assert_int_equal(w.server().numbered_twice(), 0);
  }
  w.run_for(hours(2));
  assert_int_equal(w.gateway().registry().count(), origins);
  assert_false(w.log().saw("device_held"));
  for (uint32_t i = 0; i < origins; ++i) {
    const uint32_t waits = w.server().numbered_waits();
    w.server().publish_numbered(nodes[i], next++);
    w.run_for(seconds(3));
    assert_int_equal(w.server().numbered_waits(), waits);
  }
  w.run_for(minutes(10));
  expect_nothing_leaks(w);
  w.expect_at_rest();
}

}  // namespace

TESTS(web_push_memory, SCENARIO_WITH(an_origin_whose_tls_is_refused_memory_is_opened_later, many),
      SCENARIO_WITH(an_origin_whose_http2_is_refused_memory_is_opened_later, many),
      SCENARIO_WITH(lanes_that_run_out_of_memory_at_any_time_recover, many));

}  // namespace tocsin::test
