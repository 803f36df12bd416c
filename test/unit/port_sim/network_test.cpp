#include "port/sim/network.h"

#include "test/unit/port_sim/bench.h"

using namespace tocsin;
using namespace tocsin::sim;
using namespace tocsin::sim::test;

static uint8_t pattern[40'000];

static ByteView pattern_of(size_t count) {
  for (size_t i = 0; i < sizeof pattern; ++i) pattern[i] = static_cast<uint8_t>(i * 31 + i / 256);
  return {pattern, count};
}

static bool heard_pattern(ByteView heard, size_t count) { return same(heard, pattern_of(count)); }

static void connecting_and_every_byte_take_their_latency(void** state) {
  Bench& b = bench(state);
  b.listen().latency = milliseconds(20);
  b.start();
  const Instant start = b.world.now();
  b.world.run_for(milliseconds(39));
  assert_false(b.link.connected);
  assert_int_equal(b.peer.accepts, 1);
  b.world.run_for(milliseconds(1));
  assert_true(b.link.connected);
  assert_int_equal((b.link.connected_at - start).ms(), 40);
  b.peer.connection->send("hello");
  b.world.run_for(milliseconds(19));
  assert_int_equal(b.link.heard_bytes, 0);
  b.world.run_for(milliseconds(1));
  assert_true(b.link.text() == "hello");
  assert_int_equal((b.link.last_byte_at - start).ms(), 60);
}

static void bytes_keep_their_order_in_every_kind_of_piece(void** state) {
  for (uint32_t kind = 0; kind < 6; ++kind) {
    Bench& b = make_bench(kind);
    Path& path = b.listen();
    path.jitter = milliseconds(kind);
    const uint32_t sizes[] = {0, 1, 2, 7, 1000, 4096};
    path.to_gateway.piece_max = path.to_peer.piece_max = sizes[kind];
    path.to_gateway.random_pieces = path.to_peer.random_pieces = (kind & 1) == 0;
    path.send_max = kind == 3 ? 100 : 0;
    b.peer.echoing = true;
    b.link.out = pattern_of(sizeof pattern);
    b.start();
    b.world.run_for(seconds(5));
    assert_true(heard_pattern({b.peer.heard, b.peer.heard_bytes}, sizeof pattern));
    assert_true(heard_pattern({b.link.heard, b.link.heard_bytes}, sizeof pattern));
    if (kind == 1) assert_int_equal(b.link.reads, sizeof pattern);
    if (kind == 1) assert_int_equal(b.peer.calls, sizeof pattern);
    tear_down(nullptr);
  }
  set_up(state);
}

static void pieces_with_a_gap_trickle(void** state) {
  Bench& b = bench(state);
  Path& path = b.listen();
  path.to_gateway = {.piece_max = 1, .gap = seconds(1)};
  b.start();
  b.world.run_for(milliseconds(10));
  b.peer.connection->send("12345");
  b.world.run_for(milliseconds(3'500));
  assert_true(b.link.text() == "1234");
}

static void the_end_comes_after_the_data(void** state) {
  Bench& b = bench(state);
  b.listen().to_gateway.piece_max = 3;
  b.start();
  b.world.run_for(milliseconds(10));
  b.peer.connection->send("the last words");
  b.peer.connection->close();
  b.world.run_for(milliseconds(10));
  assert_true(b.link.text() == "the last words");
  assert_true(b.link.ended);
  assert_int_equal(b.link.error, Error::none);
  assert_int_equal(b.world.network().open_count(), 0);
}

static void a_half_closed_peer_still_hears(void** state) {
  Bench& b = bench(state);
  b.listen();
  b.link.reading = false;
  b.start();
  b.world.run_for(milliseconds(10));
  b.peer.connection->finish();
  b.link.out = bytes_of("still talking");
  b.port.wake();
  b.world.run_for(milliseconds(10));
  assert_true(b.peer.text() == "still talking");
  assert_int_equal(b.peer.ends, 0);
  b.link.shut();
  b.world.run_for(milliseconds(10));
  assert_int_equal(b.peer.ends, 1);
  assert_int_equal(b.peer.why, Error::closed);
}

static void what_is_sent_to_a_closed_peer_is_answered_by_a_reset(void** state) {
  Bench& b = bench(state);
  b.listen();
  b.link.reading = false;
  b.start();
  b.world.run_for(milliseconds(10));
  b.peer.connection->close();
  b.link.out = bytes_of("hello?");
  b.port.wake();
  b.world.run_for(milliseconds(10));
  b.link.out = bytes_of("hello??");
  b.port.wake();
  b.world.run_for(milliseconds(10));
  assert_int_equal(b.link.error, Error::refused);
}

static void a_reset_loses_what_is_on_the_way(void** state) {
  Bench& b = bench(state);
  b.listen();
  b.start();
  b.world.run_for(milliseconds(10));
  b.peer.connection->send("arrives");
  b.world.run_for(milliseconds(2));
  b.peer.connection->send("is lost");
  b.peer.connection->reset();
  b.world.run_for(milliseconds(2));
  assert_true(b.link.text() == "arrives");
  assert_int_equal(b.link.error, Error::refused);
}

static void a_path_may_break_at_a_byte(void** state) {
  Bench& b = bench(state);
  b.listen().to_gateway.reset_at = 5;
  b.start();
  b.world.run_for(milliseconds(10));
  b.peer.connection->send("123456789");
  b.world.run_for(milliseconds(10));
  assert_true(b.link.text() == "12345");
  assert_int_equal(b.link.error, Error::refused);
  assert_int_equal(b.peer.ends, 1);
  assert_int_equal(b.peer.why, Error::refused);
}

static void chance_may_break_a_connection(void** state) {
  Bench& b = bench(state);
  Path& path = b.listen();
  path.reset_per_million = 100'000;
  path.to_peer.piece_max = 1;
  b.link.out = pattern_of(1000);
  b.start();
  b.world.run_for(seconds(1));
  assert_int_equal(b.link.error, Error::refused);
  assert_int_equal(b.peer.why, Error::refused);
  assert_true(b.peer.heard_bytes < 1000);
  assert_true(heard_pattern({b.peer.heard, b.peer.heard_bytes}, b.peer.heard_bytes));
}

static void nobody_and_refusers_refuse_after_a_round_trip(void** state) {
  Bench& b = bench(state);
  b.world.network().default_path().latency = milliseconds(50);
  b.start();
  b.world.run_for(milliseconds(99));
  assert_false(b.link.ended);
  b.world.run_for(milliseconds(1));
  assert_int_equal(b.link.error, Error::refused);
}

static void a_black_hole_never_answers(void** state) {
  Bench& b = bench(state);
  b.listen().reach = Reach::black_hole;
  b.start();
  b.world.run_for(days(1));
  assert_false(b.link.connected);
  assert_false(b.link.ended);
  assert_int_equal(b.peer.accepts, 0);
  assert_true(b.port.wake_ups() < 4);
  b.link.shut();
  assert_int_equal(b.world.network().open_count(), 0);
}

static void no_route_fails_at_once(void** state) {
  Bench& b = bench(state);
  b.listen().reach = Reach::unreachable;
  assert_int_equal(b.port.port().net.connect(b.server).error(), Error::unreachable);
}

static void a_peer_that_does_not_read_fills_the_window(void** state) {
  Bench& b = bench(state);
  b.listen().window = 10'000;
  b.link.out = pattern_of(sizeof pattern);
  b.peer.manual = true;
  b.start();
  b.world.run_for(seconds(1));
  assert_int_equal(b.link.out.size(), sizeof pattern - 10'000);
  assert_int_equal(b.port.port().net.send(b.link.socket, b.link.out).error(), Error::again);
  const uint64_t wake_ups = b.port.wake_ups();
  b.world.run_for(hours(1));
  assert_int_equal(b.port.wake_ups(), wake_ups);
  assert_true(heard_pattern(b.peer.connection->arrived(), 10'000));
  b.peer.connection->take(1);  // a third must be free before a socket is writable again
  b.world.run_for(seconds(1));
  assert_int_equal(b.port.wake_ups(), wake_ups);
  b.peer.connection->take(4'999);
  b.world.run_for(seconds(1));
  assert_int_equal(b.link.out.size(), sizeof pattern - 15'000);
  b.peer.connection->handle(b.peer);
  b.world.run_for(seconds(1));
  assert_int_equal(b.link.out.size(), 0);
  assert_int_equal(b.peer.heard_bytes, sizeof pattern - 5'000);
  assert_memory_equal(b.peer.heard, pattern + 5'000, sizeof pattern - 5'000);
}

static void a_paused_peer_hears_all_of_it_later(void** state) {
  Bench& b = bench(state);
  b.listen();
  b.start();
  b.world.run_for(milliseconds(10));
  b.peer.connection->pause();
  b.link.out = bytes_of("patience");
  b.port.wake();
  b.world.run_for(seconds(1));
  b.link.shut();
  b.world.run_for(seconds(1));
  assert_int_equal(b.peer.heard_bytes, 0);
  assert_int_equal(b.peer.ends, 0);
  b.peer.connection->resume();
  b.world.run_for(seconds(1));
  assert_true(b.peer.text() == "patience");
  assert_int_equal(b.peer.ends, 1);
}

static void held_bytes_wait_for_their_release(void** state) {
  Bench& b = bench(state);
  b.listen();
  b.start();
  b.world.run_for(milliseconds(10));
  b.world.network().hold_all(b.server);
  b.peer.connection->send("down");
  b.link.out = bytes_of("up");
  b.port.wake();
  b.world.run_for(hours(1));
  assert_int_equal(b.link.heard_bytes + b.peer.heard_bytes, 0);
  b.world.network().release_all(b.server);
  b.world.run_for(milliseconds(1));
  assert_true(b.link.text() == "down");
  assert_true(b.peer.text() == "up");
}

static void closing_with_bytes_unread_is_a_reset(void** state) {
  Bench& b = bench(state);
  b.listen();
  b.link.reading = false;
  b.start();
  b.world.run_for(milliseconds(10));
  b.peer.connection->send("unread");
  b.world.run_for(milliseconds(10));
  b.link.shut();
  b.world.run_for(milliseconds(10));
  assert_int_equal(b.peer.why, Error::refused);
}

static void connections_are_bounded_and_come_back(void** state) {
  Bench& b = bench(state);
  b.listen();
  const uint16_t count = Network::Sizes{}.connections;
  port::Handle sockets[Network::Sizes{}.connections];
  for (int round = 0; round < 3; ++round) {
    for (uint16_t i = 0; i < count; ++i) sockets[i] = b.port.port().net.connect(b.server).value();
    assert_int_equal(b.port.port().net.connect(b.server).error(), Error::exhausted);
    b.world.run_for(milliseconds(10));
    for (uint16_t i = 0; i < count; ++i) b.port.port().net.shut(sockets[i]);
    b.world.run_for(milliseconds(10));
    assert_int_equal(b.world.network().open_count(), 0);
  }
  assert_int_equal(b.peer.accepts, 3 * count);
  assert_int_equal(b.peer.ends, 3 * count);
}

TESTS(network, SIM_TEST(connecting_and_every_byte_take_their_latency),
      SIM_TEST(bytes_keep_their_order_in_every_kind_of_piece), SIM_TEST(pieces_with_a_gap_trickle),
      SIM_TEST(the_end_comes_after_the_data), SIM_TEST(a_half_closed_peer_still_hears),
      SIM_TEST(what_is_sent_to_a_closed_peer_is_answered_by_a_reset), SIM_TEST(a_reset_loses_what_is_on_the_way),
      SIM_TEST(a_path_may_break_at_a_byte), SIM_TEST(chance_may_break_a_connection),
      SIM_TEST(nobody_and_refusers_refuse_after_a_round_trip), SIM_TEST(a_black_hole_never_answers),
      SIM_TEST(no_route_fails_at_once), SIM_TEST(a_peer_that_does_not_read_fills_the_window),
      SIM_TEST(a_paused_peer_hears_all_of_it_later), SIM_TEST(held_bytes_wait_for_their_release),
      SIM_TEST(closing_with_bytes_unread_is_a_reset), SIM_TEST(connections_are_bounded_and_come_back));
