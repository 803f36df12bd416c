// How many requests are under way: streams as granted, windows, few sends.
#include "test/scenario/many_requests.h"

namespace tocsin::test {
namespace {

// ---- how many at a time --------------------------------------------------------

void one_stream_until_a_request_was_posted_then_as_many_as_granted(void**) {
  World& w = world();
  w.provider().think(milliseconds(100));
  w.start();
  const NodeText node = w.register_device("ann@example.org/phone", token_a);
  for (uint32_t i = 0; i < 40; ++i) w.server().publish_numbered(node, i);
  w.run_for(seconds(3));
  expect_all_answered_once(w, 40);
  w.expect_requests(40);
  assert_true(w.provider().request(1).at > w.provider().request(0).at);
  assert_int_equal((w.provider().request(39).at - w.provider().request(1).at).us, 0);
  assert_int_equal(w.provider().most_streams(), 40);
  assert_int_equal(w.provider().connections(), 1);
  assert_false(w.provider().broken());
  w.expect_at_rest();
}

void a_lower_limit_is_obeyed_while_requests_are_open(void**) {
  World& w = world();
  w.start();
  stall(w, 20);
  w.provider().grant_now(1);
  w.run_for(milliseconds(10));
  const NodeText other = w.register_device("bob@example.org/phone", token_b);
  for (uint32_t i = 20; i < 40; ++i) w.server().publish_numbered(other, i);
  w.run_for(milliseconds(500));
  assert_int_equal(w.provider().stalled(), 20);  // not one more
  w.provider().accept_all();
  w.provider().think(milliseconds(10));
  w.provider().release_stalled();
  uint32_t most = 0;
  assert_true(w.run_until([&] {
    if (w.provider().stalled() > most) most = w.provider().stalled();
    return w.server().numbered_answered() == 40;
  }));
  assert_int_equal(most, 1);
  w.provider().grant_now(0);
  w.run_for(milliseconds(100));
  w.server().publish(other, "p1");
  w.run_for(seconds(15));
  w.expect_requests(41);
  w.expect_result("p1");  // after 5 s: it goes on
  w.provider().grant_now(3);
  w.run_for(milliseconds(200));
  w.expect_requests(42);
  assert_int_equal(w.provider().connections(), 1);
  assert_false(w.provider().broken());
  w.expect_at_rest();
}

void a_provider_that_grants_no_streams_is_left_calmly(void**) {
  World& w = world();
  w.provider().grant(0, 0);
  w.start();
  const NodeText node = w.register_device("ann@example.org/phone", token_a);
  w.server().publish(node, "p1");
  w.run_for(minutes(20));
  assert_int_equal(w.server().answers("p1"), 1);
  w.expect_requests(0);
  assert_true(w.provider().connections() >= 5 && w.provider().connections() <= 30);
  assert_true(contains(w.log().last("event=provider_down"), "it takes no requests"));
  w.provider().grant(1, 500);
  w.run_for(minutes(2));
  w.expect_requests(1);
  w.expect_at_rest();
}

void a_silent_provider_with_thousands_waiting_is_never_given_too_many_streams(void**) {
  World& w = world();
  w.provider().grant(1, 50);
  w.start();
  const NodeText node = stall(w, 50);
  uint32_t sent = 50;
  for (uint32_t second = 0; second < 120; ++second) {
    for (uint32_t i = 0; i < 25; ++i) w.server().publish_numbered(node, sent++);
    w.run_for(seconds(1));
    assert_true(w.provider().most_streams() <= 50);
  }
  w.run_for(seconds(6));
  expect_all_answered_once(w, sent);
  assert_false(w.provider().broken());
  assert_true(w.provider().connections() >= 3 && w.provider().connections() <= 8);
  w.provider().accept_all();
  w.run_for(minutes(10));
  assert_false(w.provider().broken());
  w.expect_at_rest();
}

void five_hundred_requests_of_one_turn_leave_in_few_sends(void**) {
  World& w = world();
  w.provider().http_options().connection_window = 1 << 20;
  w.simulation().network().path(World::provider_address(0)).latency = milliseconds(100);
  w.start();
  const NodeText node = w.register_device("ann@example.org/phone", token_a);
  for (uint32_t i = 0; i < 500; ++i) w.server().publish_numbered(node, i);
  w.run_for(milliseconds(150));
  const uint64_t before = w.port().net().sends();
  assert_true(w.run_until([&] { return w.server().numbered_answered() == 500; }));
  assert_true(w.port().net().sends() - before <= 40);
  w.expect_requests(500);
  w.expect_at_rest();
}

// ---- windows -----------------------------------------------------------------------------

void publish_ciphertext(World& w, string_view node, uint32_t number, size_t bytes) {
  uint8_t room[4096];
  Writer out(room);
  out.text("<notification xmlns='urn:xmpp:push:0'><encrypted xmlns='tigase:push:encrypt:0' iv='DxLOyHY5+SPlXMgu'>");
  out.text("N").unsigned_number(1000 + number);
  while (out.size() < bytes) out.text("AAAA");
  out.text("</encrypted></notification>");
  assert_false(out.overflowed());
  uint8_t id_room[16];
  Writer id(id_room);
  w.server().publish_raw(node, id.character('n').unsigned_number(number).view(), out.view());
}

uint32_t number_in(string_view body) {
  const size_t at = body.find("\"N1");
  assert_true(at != string_view::npos);
  return static_cast<uint32_t>(parse_number(slice(body, at + 2, 4)).value()) - 1000;
}

// nghttp2 would let later requests overtake one that was sent by half.
void small_windows_starve_nobody(void**) {
  World& w = world();
  w.provider().http_options().initial_window = 500;
  w.provider().http_options().grants_windows = false;
  w.start();
  const NodeText node = w.register_device("ann@example.org/phone", token_a);
  constexpr uint32_t count = 120;  // 300 KB through windows of 500 bytes each and 64 KiB for all
  for (uint32_t i = 0; i < count; ++i) publish_ciphertext(w, node, i, 2'500);
  for (uint32_t i = 0; i < 2'000 && w.provider().requests() < count; ++i) {
    w.run_for(milliseconds(5));
    w.provider().open_windows(400);
  }
  w.run_for(milliseconds(100));
  expect_all_answered_once(w, count);
  assert_int_equal(w.server().numbered_waits(), 0);
  w.expect_requests(count);
  for (uint32_t i = 0; i < count; ++i) {
    const uint32_t number = number_in(w.provider().request(i).body.view());
    assert_true(number + 30 > i && i + 30 > number);
  }
  assert_false(w.provider().broken());
  w.expect_at_rest();
}

void a_window_that_never_opens_is_a_silent_provider(void**) {
  World& w = world();
  w.provider().http_options().grants_windows = false;
  w.start();
  const NodeText node = w.register_device("ann@example.org/phone", token_a);
  for (uint32_t i = 0; i < 60; ++i) publish_ciphertext(w, node, i, 2'500);
  w.run_for(minutes(4));
  expect_all_answered_once(w, 60);
  w.expect_requests(60);  // each connection's first 64 KiB
  assert_true(w.provider().connections() >= 2 && w.provider().connections() <= 8);
  w.expect_at_rest();
}

TESTS(connection_h2, SCENARIO_WITH(one_stream_until_a_request_was_posted_then_as_many_as_granted, many_requests),
      SCENARIO_WITH(a_lower_limit_is_obeyed_while_requests_are_open, many_requests),
      SCENARIO_WITH(a_provider_that_grants_no_streams_is_left_calmly, many_requests),
      SCENARIO_WITH(a_silent_provider_with_thousands_waiting_is_never_given_too_many_streams, many_requests),
      SCENARIO_WITH(five_hundred_requests_of_one_turn_leave_in_few_sends, many_requests),
      SCENARIO_WITH(small_windows_starve_nobody, many_requests),
      SCENARIO_WITH(a_window_that_never_opens_is_a_silent_provider, many_requests));

}  // namespace
}  // namespace tocsin::test
