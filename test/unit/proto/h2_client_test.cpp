#include "test/unit/proto/h2_wire.h"

namespace tocsin::test {
namespace {

using Outcome = H2Exchange::Outcome;

constexpr H2ServerHeader gone_headers[] = {{"apns-id", "123e4567-e89b-12d3-a456-426614174000"},
                                           {"retry-after", "120"},
                                           {"date", "Tue, 01 Jul 2025 10:00:00 GMT"}};
constexpr string_view gone_body = "{\"reason\":\"Unregistered\",\"timestamp\":1751364000000}";

void request_reaches_the_peer_whole_and_its_answer_comes_back(void**) {
  H2Wire& w = start();
  assert_true(submit(w, 0, "{\"aps\":{\"mutable-content\":1}}").ok());
  assert_int_equal(w.client.in_flight(), 1);
  assert_true(w.settle());
  const H2Request* request = w.server.next();
  assert_non_null(request);
  assert_text(request->header(":method"), "POST");
  assert_text(request->path(), "/3/device/00ff");
  assert_text(request->header("apns-id"), "123e4567-e89b-12d3-a456-426614174000");
  assert_text(request->body_text(), "{\"aps\":{\"mutable-content\":1}}");
  assert_null(w.client.next());
  w.server.answer(request->stream, {.status = 410, .headers = gone_headers, .body = gone_body});
  assert_true(w.settle());
  assert_over(w, 0, Outcome::answered);
  const H2Exchange& exchange = w.exchanges[0];
  assert_int_equal(exchange.status, 410);
  assert_text(exchange.id.view(), "123e4567-e89b-12d3-a456-426614174000");
  assert_text(exchange.retry_after.view(), "120");
  assert_text(exchange.date.view(), "Tue, 01 Jul 2025 10:00:00 GMT");
  assert_text(exchange.body_text(), gone_body);
  assert_false(exchange.body_cut);
  assert_null(w.client.next());
  assert_int_equal(w.client.in_flight(), 0);
  assert_false(w.client.wants_write());
}

void exchange_may_be_used_again_after_it_ended(void**) {
  H2Wire& w = start();
  for (uint16_t status = 400; status < 410; ++status) {
    assert_true(submit(w, 0).ok());
    assert_true(w.settle());
    const H2Request* request = w.server.next();
    if (status % 2 == 0) {
      w.server.answer(request->stream, {.status = status, .headers = gone_headers, .body = gone_body});
    } else {
      w.server.answer(request->stream, {.status = status});
    }
    assert_true(w.settle());
    assert_over(w, 0, Outcome::answered);
    assert_int_equal(w.exchanges[0].status, status);
    assert_int_equal(w.exchanges[0].body_size, status % 2 == 0 ? gone_body.size() : 0);
    assert_int_equal(w.exchanges[0].id.empty(), status % 2 == 1);
  }
}

// What a server says to three requests: one answered in pieces with an interim response and
// trailers, one refused, one answered by headers alone; and a PING and a GOAWAY behind it.
size_t record_server(Bytes room) {
  H2Wire& w = start({}, {.first_streams = 3}, false);
  for (unsigned i = 0; i < 3; ++i) assert_true(submit(w, i).ok());
  assert_true(w.to_server().ok());
  w.server.inform(1, 103);
  w.server.answer(1, {.status = 410, .headers = gone_headers, .body = gone_body, .piece = 7, .trailers = true});
  w.server.reset(3, 7);
  w.server.answer(5, {.status = 200});
  w.server.ping();
  w.server.go_away(5, 0, "{\"reason\":\"Shutdown\"}");
  return w.server.pull(room);
}

void assert_recorded(H2Wire& w) {
  unsigned seen = 0;
  while (const H2Exchange* over = w.client.next()) {
    ++seen;
    if (over == &w.exchanges[0]) {
      assert_int_equal(int(over->outcome), int(Outcome::answered));
      assert_int_equal(over->status, 410);
      assert_text(over->body_text(), gone_body);
      assert_text(over->id.view(), "123e4567-e89b-12d3-a456-426614174000");
    } else {
      assert_int_equal(int(over->outcome), int(over == &w.exchanges[1] ? Outcome::unprocessed : Outcome::answered));
    }
  }
  assert_int_equal(seen, 3);
  assert_int_equal(w.client.goaway_code(), 0);
  assert_text(w.client.goaway_reason(), "Shutdown");
  assert_true(w.client.settings_seen());
}

void answers_may_be_split_at_every_byte(void**) {
  static uint8_t said[4096];
  const size_t size = record_server(said);
  assert_true(size > 200 && size < sizeof(said));
  for (size_t cut = 0; cut <= size; ++cut) {
    H2Wire& w = start({}, {.first_streams = 3}, false);
    for (unsigned i = 0; i < 3; ++i) assert_true(submit(w, i).ok());
    assert_true(w.to_server().ok());
    assert_true(w.client.feed({said, cut}).ok());
    assert_true(w.client.feed({said + cut, size - cut}).ok());
    assert_recorded(w);
  }
}

void answers_may_come_byte_by_byte(void**) {
  static uint8_t said[4096];
  const size_t size = record_server(said);
  H2Wire& w = start({}, {.first_streams = 3}, false);
  for (unsigned i = 0; i < 3; ++i) assert_true(submit(w, i).ok());
  assert_true(w.to_server().ok());
  for (size_t i = 0; i < size; ++i) assert_true(w.client.feed({said + i, 1}).ok());
  assert_recorded(w);
}

void requests_leave_the_same_whatever_the_room(void**) {
  static uint8_t whole[4096];
  H2Wire* w = &start({}, {.first_streams = 3}, false);
  for (unsigned i = 0; i < 3; ++i) assert_true(submit(*w, i).ok());
  const size_t size = w->client.pull(whole).value();
  assert_true(size > 100 && size < sizeof(whole));
  for (size_t room = 1; room <= size; ++room) {
    static uint8_t parts[4096];
    w = &start({}, {.first_streams = 3}, false);
    for (unsigned i = 0; i < 3; ++i) assert_true(submit(*w, i).ok());
    size_t used = 0;
    while (w->client.wants_write()) {
      const size_t pulled = w->client.pull({parts + used, std::min(room, sizeof(parts) - used)}).value();
      assert_true(pulled <= room);
      used += pulled;
    }
    assert_int_equal(used, size);
    assert_memory_equal(parts, whole, size);
  }
}

void one_stream_is_granted_before_the_first_settings(void**) {
  H2Wire& w = start({.streams_max = 500}, {}, false);
  assert_int_equal(w.client.room(), 1);
  assert_false(w.client.settings_seen());
  assert_true(submit(w, 0).ok());
  assert_int_equal(w.client.room(), 0);
  assert_int_equal(submit(w, 1).error(), Error::again);
  assert_true(w.settle());
  assert_true(w.client.settings_seen());
  assert_int_equal(w.client.peer_streams(), 500);
  assert_int_equal(w.client.room(), 499);
  assert_int_equal(w.server.counters().most_open, 1);
}

void our_own_bound_holds_below_the_peers(void**) {
  H2Wire& w = start({.streams_max = 1000}, {.streams_max = 3});
  for (unsigned i = 0; i < 3; ++i) assert_true(submit(w, i).ok());
  assert_int_equal(submit(w, 3).error(), Error::again);
  assert_int_equal(w.client.room(), 0);
}

void limit_is_obeyed_while_it_moves(void**) {
  H2Wire& w = start({.streams_max = 1});
  assert_int_equal(w.client.room(), 1);
  w.server.set_streams_max(100);
  assert_true(w.settle());
  assert_int_equal(w.client.room(), 100);
  for (unsigned i = 0; i < 100; ++i) assert_true(submit(w, i).ok());
  assert_int_equal(w.client.room(), 0);
  assert_true(w.settle());
  w.server.set_streams_max(1);
  assert_true(w.settle());
  // A hundred are open where one is allowed: no room before all of them ended.
  for (unsigned i = 0; i < 100; ++i) {
    assert_int_equal(w.client.room(), 0);
    w.server.answer(w.server.next()->stream, {});
    assert_true(w.settle());
  }
  assert_int_equal(w.client.room(), 1);
  w.server.set_streams_max(0);
  assert_true(w.settle());
  assert_int_equal(w.client.room(), 0);
  assert_int_equal(submit(w, 200).error(), Error::again);
  assert_false(w.server.broken());
}

void cancelled_stream_counts_until_its_reset_is_written(void**) {
  H2Wire& w = start({.streams_max = 1});
  assert_true(submit(w, 0).ok());
  assert_true(w.to_server().ok());
  w.client.cancel(w.exchanges[0]);
  w.client.cancel(w.exchanges[0]);
  assert_null(w.client.next());
  assert_int_equal(w.client.room(), 0);
  assert_int_equal(submit(w, 1).error(), Error::again);
  assert_true(w.to_server().ok());
  assert_over(w, 0, Outcome::cancelled);
  assert_int_equal(w.client.room(), 1);
  assert_int_equal(w.server.counters().resets, 1);
  assert_int_equal(w.server.counters().last_reset_code, 8);  // CANCEL
  w.client.cancel(w.exchanges[0]);                           // over: nothing happens
  assert_null(w.client.next());
  assert_true(submit(w, 1).ok());
  assert_true(w.settle());
  assert_int_equal(w.server.counters().most_open, 1);
  assert_false(w.server.broken());
}

// The peer lowered its limit between submit() and pull().
void request_that_waits_for_the_limit_can_be_cancelled_at_once(void**) {
  H2Wire& w = start({.streams_max = 2});
  assert_true(submit(w, 0, "one").ok());
  assert_true(submit(w, 1, "two").ok());
  w.server.set_streams_max(0);
  assert_true(w.to_client().ok());
  assert_true(w.settle());
  assert_int_equal(w.server.counters().most_open, 0);
  w.client.cancel(w.exchanges[0]);
  assert_over(w, 0, Outcome::cancelled);
  assert_int_equal(w.client.in_flight(), 1);
  w.exchanges[0] = H2Exchange{};
  w.server.set_streams_max(5);
  assert_true(w.settle());
  const H2Request* request = w.server.next();
  assert_text(request->body_text(), "two");
  assert_null(w.server.next());
  assert_int_equal(w.client.room(), 4);
  w.server.answer(request->stream, {});
  assert_true(w.settle());
  assert_over(w, 1, Outcome::answered);
  assert_null(w.client.next());
  assert_int_equal(w.client.room(), 5);
}

void shut_tells_lost_from_unprocessed(void**) {
  H2Wire& w = start();
  assert_true(submit(w, 0).ok());
  assert_true(submit(w, 1).ok());
  assert_true(w.settle());
  w.server.answer(1, {.status = 200, .headers = gone_headers, .body = "half", .open_end = true});
  assert_true(w.settle());
  w.client.cancel(w.exchanges[1]);
  assert_true(submit(w, 2).ok());
  w.client.shut();
  assert_over(w, 0, Outcome::lost);
  assert_int_equal(w.exchanges[0].status, 0);
  assert_int_equal(w.exchanges[0].body_size, 0);
  assert_over(w, 1, Outcome::cancelled);
  assert_over(w, 2, Outcome::unprocessed);
  assert_null(w.client.next());
  assert_int_equal(w.client.room(), 0);
  assert_false(w.client.wants_write());
  assert_int_equal(w.client.feed(bytes_of("x")).error(), Error::closed);
  assert_int_equal(w.client.pull(w.buffer).error(), Error::closed);
  assert_int_equal(w.heap.live(), 0);
  // The same client connects again.
  w.server.open({});
  assert_true(w.client.open({}).ok());
  assert_true(submit(w, 0).ok());
  assert_true(w.settle());
  w.server.answer(1, {});
  assert_true(w.settle());
  assert_over(w, 0, Outcome::answered);
}

void ping_is_answered_both_ways(void**) {
  H2Wire& w = start();
  assert_true(w.client.ping_answered());
  assert_true(w.client.ping().ok());
  assert_int_equal(w.client.ping().error(), Error::busy);
  assert_false(w.client.ping_answered());
  w.server.ping();
  assert_true(w.settle());
  assert_true(w.client.ping_answered());
  assert_int_equal(w.server.counters().ping_answers, 1);
}

void unanswered_ping_shows(void**) {
  H2Wire& w = start({.answers_pings = false});
  assert_true(w.client.ping().ok());
  assert_true(w.settle());
  assert_int_equal(w.server.counters().pings, 1);
  assert_false(w.client.ping_answered());
  w.client.shut();
  assert_true(w.client.ping_answered());
}

void headers_that_can_not_be_sent_are_refused(void**) {
  H2Wire& w = start();
  assert_int_equal(submit(w, 0, "", "/a\r\nb").error(), Error::malformed);
  static char path[H2Client::header_bytes_max + 1];
  std::fill(path, path + sizeof(path), 'a');
  assert_int_equal(submit(w, 0, "", {path, sizeof(path)}).error(), Error::too_long);
  H2Header many[H2Client::headers_max + 1];
  for (H2Header& header : many) header = {.name = "x", .value = "y"};
  assert_int_equal(w.client.submit(many, {}, w.exchanges[0]).error(), Error::too_long);
  assert_int_equal(w.client.in_flight(), 0);
  assert_false(w.client.wants_write());
}

void request_without_a_body_ends_with_its_headers(void**) {
  H2Wire& w = start();
  assert_true(submit(w, 0, "").ok());
  assert_true(w.settle());
  assert_int_equal(w.server.next()->body_size, 0);
}

}  // namespace

TESTS(h2_client, cmocka_unit_test(request_reaches_the_peer_whole_and_its_answer_comes_back),
      cmocka_unit_test(exchange_may_be_used_again_after_it_ended), cmocka_unit_test(answers_may_be_split_at_every_byte),
      cmocka_unit_test(answers_may_come_byte_by_byte), cmocka_unit_test(requests_leave_the_same_whatever_the_room),
      cmocka_unit_test(one_stream_is_granted_before_the_first_settings),
      cmocka_unit_test(our_own_bound_holds_below_the_peers), cmocka_unit_test(limit_is_obeyed_while_it_moves),
      cmocka_unit_test(cancelled_stream_counts_until_its_reset_is_written),
      cmocka_unit_test(request_that_waits_for_the_limit_can_be_cancelled_at_once),
      cmocka_unit_test(shut_tells_lost_from_unprocessed), cmocka_unit_test(ping_is_answered_both_ways),
      cmocka_unit_test(unanswered_ping_shows), cmocka_unit_test(headers_that_can_not_be_sent_are_refused),
      cmocka_unit_test(request_without_a_body_ends_with_its_headers));

}  // namespace tocsin::test
