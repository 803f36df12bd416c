// The HTTP/2 client under load: many requests, small windows, little memory.
#include "test/unit/proto/h2_wire.h"

namespace tocsin::test {
namespace {

using Outcome = H2Exchange::Outcome;

char long_body[4096];

string_view body_of(size_t size) {
  for (size_t i = 0; i < sizeof(long_body); ++i) long_body[i] = char('a' + i % 26);
  return {long_body, size};
}

// 3,000 requests to a peer that never answers: each is cancelled some turns later, a slow wire
// carries a few bytes a turn, and the peer changes its mind about its limit all the time.
void silent_peer_never_sees_more_streams_than_granted(void**) {
  H2Wire& w = start({.streams_max = 100});
  constexpr unsigned total = 3000;
  const uint32_t limits[] = {100, 1, 37, 0, 100, 60};
  unsigned submitted = 0, over = 0, turn = 0;
  unsigned oldest = 0;  // exchanges are used in turn
  for (; over < total; ++turn) {
    assert_true(turn < 1'000'000);
    while (submitted < total && submitted - over < H2Wire::exchanges_max && w.client.room() > 0) {
      assert_true(submit(w, submitted % H2Wire::exchanges_max).ok());
      ++submitted;
    }
    if (turn % 3 == 0 && oldest < submitted) w.client.cancel(w.exchanges[oldest++ % H2Wire::exchanges_max]);
    if (turn % 2000 == 0) w.server.set_streams_max(limits[turn / 2000 % std::size(limits)]);
    const Result<size_t> size = w.client.pull({w.buffer, 1 + turn % 120});
    assert_true(size.ok());
    w.server.feed({w.buffer, size.value()});
    assert_false(w.server.broken());
    assert_true(w.to_client().ok());
    while (const H2Exchange* ended = w.client.next()) {
      // Refused ones were under way when the limit sank.
      assert_true(ended->outcome == Outcome::cancelled || ended->outcome == Outcome::unprocessed);
      ++over;
    }
  }
  assert_true(w.settle());
  assert_int_equal(w.server.counters().open, 0);
  assert_true(w.server.counters().most_open <= 100);
  assert_true(w.server.counters().most_open > 30);
  assert_int_equal(w.client.in_flight(), 0);
}

void thousand_requests_pass_through_tiny_windows(void**) {
  H2Wire& w = start({.initial_window = 100});
  constexpr unsigned total = 1000;
  const string_view body = body_of(1500);
  unsigned submitted = 0, answered = 0;
  for (unsigned turn = 0; answered < total; ++turn) {
    assert_true(turn < 100'000);
    while (submitted < total && submit(w, submitted, body).ok()) ++submitted;
    assert_true(w.to_server().ok());
    while (const H2Request* request = w.server.next()) {
      assert_text(request->body_text(), body);
      w.server.answer(request->stream, {});
    }
    assert_true(w.to_client().ok());
    while (const H2Exchange* over = w.client.next()) {
      assert_int_equal(int(over->outcome), int(Outcome::answered));
      ++answered;
    }
  }
  assert_false(w.server.broken());
}

// With more body bytes queued than the connection's window, nghttp2 lets later requests overtake a
// half-sent one for as long as the load lasts.
void no_request_is_overtaken_for_ever(void**) {
  H2Wire& w = start();
  constexpr unsigned total = 20'000;
  const string_view body = body_of(4000);
  unsigned submitted = 0, arrived = 0, over = 0, worst = 0;
  static uint16_t unused[H2Wire::exchanges_max];
  unsigned unused_count = 0;
  for (uint16_t i = 0; i < H2Wire::exchanges_max; ++i) unused[unused_count++] = i;
  while (over < total) {
    while (submitted < total && unused_count > 0 && submit(w, unused[unused_count - 1], body).ok()) {
      --unused_count;
      ++submitted;
    }
    assert_true(w.to_server().ok());
    while (const H2Request* request = w.server.next()) {
      const unsigned index = unsigned(request->stream) / 2;  // in the order of submission
      if (arrived > index) worst = std::max(worst, arrived - index);
      ++arrived;
      w.server.answer(request->stream, {});
    }
    assert_true(w.to_client().ok());
    while (const H2Exchange* ended = w.client.next()) {
      unused[unused_count++] = uint16_t(ended - w.exchanges);
      ++over;
    }
  }
  assert_true(worst < 100);
}

void body_waits_for_the_window_of_the_connection(void**) {
  H2Wire& w = start({.grants_windows = false});
  const string_view body = body_of(4096);
  unsigned submitted = 0;
  while (submitted < 100 && submit(w, submitted, body).ok()) ++submitted;
  assert_int_equal(submitted, 15);  // 61,440 of 65,535 bytes
  assert_true(w.client.room() > 0);
  assert_true(submit(w, 15, body_of(4095)).ok());
  assert_int_equal(w.client.room(), 0);  // not one byte left
  assert_true(w.settle());
  assert_int_equal(w.client.room(), 0);
  assert_int_equal(submit(w, 16, "x").error(), Error::again);
  w.server.grant(0, 100);
  assert_true(w.settle());
  assert_true(w.client.room() > 0);
  assert_true(submit(w, 16, body).ok());                       // alone it may wait half-sent …
  assert_int_equal(submit(w, 17, "x").error(), Error::again);  // … and nothing passes it
  assert_true(w.settle());
  assert_int_equal(w.client.room(), 0);
  w.client.cancel(w.exchanges[16]);
  w.server.grant(0, 100);
  assert_true(w.settle());
  assert_true(submit(w, 17, "x").ok());  // what was cancelled does not count any more
}

void memory_does_not_grow_with_the_number_of_requests(void**) {
  H2Wire& w = start();
  const unsigned rounds = Heap::enforced() ? 2000 : 200;
  const unsigned batch = 100;
  size_t live = 0;
  for (unsigned round = 0; round < rounds; ++round) {
    for (unsigned i = 0; i < batch; ++i) assert_true(submit(w, i).ok());
    assert_true(w.to_server().ok());
    for (unsigned i = 0; const H2Request* request = w.server.next(); ++i) {
      if (i % 10 == 0) w.server.reset(request->stream, 7);
      if (i % 10 != 0) w.server.answer(request->stream, {.status = 200, .body = "{}"});
    }
    w.client.cancel(w.exchanges[7]);
    assert_true(w.settle());
    unsigned over = 0;
    while (w.client.next() != nullptr) ++over;
    assert_int_equal(over, batch);
    if (round == 9) live = w.heap.live();
  }
  assert_int_equal(w.heap.live(), live);
  assert_int_equal(w.server.counters().requests, rounds * batch);
  w.client.shut();
  assert_int_equal(w.heap.live(), 0);
}

// Everything a session does, once. False as soon as the client gave up.
bool short_exchange(H2Wire& w) {
  if (!w.client.open({.first_streams = 5}).ok()) return false;
  for (unsigned i = 0; i < 4; ++i) {
    if (!submit(w, i).ok()) return false;
  }
  if (!w.client.ping().ok()) return false;
  if (!w.settle()) return false;
  constexpr H2ServerHeader headers[] = {{"apns-id", "1"}, {"x-new", "indexed"}};
  w.server.answer(1, {.status = 410, .headers = headers, .body = "{\"reason\":\"Unregistered\"}", .trailers = true});
  w.server.reset(3, 7);
  w.server.ping();
  w.server.set_streams_max(3);
  w.client.cancel(w.exchanges[2]);
  if (!w.settle()) return false;
  if (!submit(w, 4).ok()) return false;
  w.client.cancel(w.exchanges[4]);
  if (!submit(w, 5).ok()) return false;
  w.server.go_away(7, 0, "{\"reason\":\"Shutdown\"}");
  return w.settle();
}

void every_refused_allocation_is_survived(void**) {
  if (!Heap::enforced()) skip();
  uint32_t n = 1;
  for (bool whole = false; !whole; ++n) {
    H2Wire& w = start();
    w.client.shut();
    w.server.open({});
    w.heap.fail_at(n);
    whole = short_exchange(w);
    if (!whole) assert_true(w.heap.refused() > 0);
    unsigned over = 0;
    const auto drain = [&] {
      while (const H2Exchange* ended = w.client.next()) {
        assert_true(ended->outcome != Outcome::open);
        ++over;
      }
    };
    drain();
    const unsigned left = w.client.in_flight();
    w.client.shut();
    w.heap.fail_at(0);
    const unsigned before = over;
    drain();
    assert_int_equal(over - before, left);
    assert_int_equal(w.heap.live(), 0);
  }
  assert_true(n > 50);
}

void refused_submit_leaves_the_session_alive(void**) {
  if (!Heap::enforced()) skip();
  H2Wire& w = start();
  for (uint32_t n = 1; n < 10; ++n) {
    w.heap.fail_at(n);
    const Status submitted = submit(w, 0);
    w.heap.fail_at(0);
    if (!submitted.ok()) assert_int_equal(submitted.error(), Error::exhausted);
    if (!submitted.ok()) assert_true(submit(w, 0).ok());
    assert_true(w.settle());
    w.server.answer(w.server.last_stream(), {});
    assert_true(w.settle());
    assert_over(w, 0, Outcome::answered);
    if (submitted.ok()) return;
  }
  fail_here();
}

// The fence for fewer streams than the peer grants: submit() says so in time, and all that is under
// way still ends well, a GOAWAY with much to say included.
void fence_is_felt_by_submit_first(void**) {
  if (!Heap::enforced()) skip();
  H2Wire& w = start({.connection_window = 1 << 24}, {}, true, h2_session_bytes(50));
  unsigned submitted = 0;
  Status last;
  while (last.ok()) {
    last = submit(w, submitted);
    if (last.ok()) ++submitted;
  }
  assert_int_equal(last.error(), Error::exhausted);
  assert_true(w.client.room() > 0);  // the peer would take more
  assert_true(submitted >= 50 && submitted < 300);
  assert_true(w.settle());
  assert_int_equal(w.server.counters().open, submitted);
  for (unsigned i = 0; i < submitted; i += 2) w.client.cancel(w.exchanges[i]);
  static char words[16'000];
  std::fill(words, words + sizeof(words), 'w');
  w.server.answer(3, {.status = 410, .body = "{}"});
  w.server.go_away(w.server.last_stream(), 0, {words, sizeof(words)});
  assert_true(w.settle());
  unsigned over = 0;
  while (w.client.next() != nullptr) ++over;
  assert_int_equal(over, (submitted + 1) / 2 + 1);
  assert_int_equal(w.heap.refused(), 0);
}

}  // namespace

TESTS(h2_load, cmocka_unit_test(silent_peer_never_sees_more_streams_than_granted),
      cmocka_unit_test(thousand_requests_pass_through_tiny_windows), cmocka_unit_test(no_request_is_overtaken_for_ever),
      cmocka_unit_test(body_waits_for_the_window_of_the_connection),
      cmocka_unit_test(memory_does_not_grow_with_the_number_of_requests),
      cmocka_unit_test(every_refused_allocation_is_survived), cmocka_unit_test(refused_submit_leaves_the_session_alive),
      cmocka_unit_test(fence_is_felt_by_submit_first));

}  // namespace tocsin::test
