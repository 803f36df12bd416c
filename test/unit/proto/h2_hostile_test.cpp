// What servers do to the HTTP/2 client, the impolite things first of all.
#include "test/unit/proto/h2_wire.h"

namespace tocsin::test {
namespace {

using Outcome = H2Exchange::Outcome;
using namespace std::string_view_literals;

// :status 200 and :status 404 from HPACK's static table (RFC 7541 appendix A).
constexpr string_view status_200 = "\x88";
constexpr string_view status_404 = "\x8d";

// The session is as good as before: one more request gets its answer.
void assert_still_works(H2Wire& w) {
  assert_true(submit(w, 1000).ok());
  assert_true(w.settle());
  w.server.answer(w.server.last_stream(), {.status = 201});
  assert_true(w.settle());
  assert_over(w, 1000, Outcome::answered);
  assert_int_equal(w.exchanges[1000].status, 201);
}

void refused_stream_is_unprocessed_and_other_resets_are_not(void**) {
  H2Wire& w = start_with_three();
  w.server.reset(3, 7);
  w.server.reset(1, 2);
  w.server.reset(5, 0);
  assert_true(w.settle());
  assert_over(w, 1, Outcome::unprocessed);
  assert_over(w, 0, Outcome::reset);
  assert_int_equal(w.exchanges[0].reset_code, 2);
  assert_over(w, 2, Outcome::reset);
  assert_int_equal(w.exchanges[2].reset_code, 0);
  assert_still_works(w);
}

void reset_in_the_middle_of_an_answer_leaves_no_half_answer(void**) {
  H2Wire& w = start_with_three();
  w.server.answer(1, {.status = 410, .body = "{\"rea", .open_end = true});
  assert_true(w.settle());
  w.server.reset(1, 8);
  assert_true(w.settle());
  assert_over(w, 0, Outcome::reset);
  assert_int_equal(w.exchanges[0].status, 0);
  assert_int_equal(w.exchanges[0].body_size, 0);
}

// RFC 9113 §8.1: a server may answer before the request is whole, and stop the rest with NO_ERROR.
void early_answer_counts_although_the_request_is_stopped(void**) {
  for (const bool reset : {true, false}) {
    H2Wire& w = start({.initial_window = 4, .grants_windows = false});
    assert_true(submit(w, 0, "much too long a body").ok());
    assert_true(w.settle());
    assert_int_equal(w.server.find(1)->body_size, 4);
    assert_true(raw_frame(w, HEADERS, END_HEADERS | END_STREAM, 1, status_404).ok());
    assert_null(w.client.next());
    if (reset) {
      assert_true(raw_frame(w, 3, 0, 1, "\0\0\0\0"sv).ok());
    } else {
      w.client.cancel(w.exchanges[0]);
      assert_true(w.to_server().ok());
    }
    assert_over(w, 0, Outcome::answered);
    assert_int_equal(w.exchanges[0].status, 404);
  }
}

void answer_of_headers_alone_is_an_answer(void**) {
  H2Wire& w = start_with_three();
  w.server.answer(3, {.status = 503});
  assert_true(w.settle());
  assert_over(w, 1, Outcome::answered);
  assert_int_equal(w.exchanges[1].status, 503);
  assert_text(w.exchanges[1].body_text(), "");
}

void body_in_many_pieces_is_put_together_and_cut_at_its_room(void**) {
  static char text[1200];
  for (size_t i = 0; i < sizeof(text); ++i) text[i] = char('a' + i % 26);
  const size_t sizes[] = {1, 511, 512, 513, 1200};
  for (const size_t size : sizes) {
    H2Wire& w = start_with_three();
    w.server.answer(1, {.body = {text, size}, .piece = 7});
    assert_true(w.settle());
    assert_over(w, 0, Outcome::answered);
    assert_text(w.exchanges[0].body_text(), {text, std::min(size, size_t{512})});
    assert_int_equal(w.exchanges[0].body_cut, size > 512);
  }
}

void trailers_are_ignored(void**) {
  H2Wire& w = start_with_three();
  w.server.answer(1, {.status = 400, .body = "x", .trailers = true});
  assert_true(w.settle());
  assert_over(w, 0, Outcome::answered);
  assert_int_equal(w.exchanges[0].status, 400);
  assert_text(w.exchanges[0].id.view(), "");
}

void interim_responses_are_skipped(void**) {
  H2Wire& w = start_with_three();
  w.server.inform(1, 100);
  w.server.inform(1, 103);
  // 103 with a retry-after of its own (static table index 53, literal without indexing).
  assert_true(w.to_client().ok());
  assert_true(raw_frame(w, HEADERS, END_HEADERS, 1,
                        "\x08\x03"
                        "103"
                        "\x0f\x26\x03"
                        "999"sv)
                  .ok());
  assert_null(w.client.next());
  constexpr H2ServerHeader headers[] = {{"retry-after", "7"}};
  w.server.answer(1, {.status = 429, .headers = headers});
  assert_true(w.settle());
  assert_over(w, 0, Outcome::answered);
  assert_int_equal(w.exchanges[0].status, 429);
  assert_text(w.exchanges[0].retry_after.view(), "7");
}

void headers_longer_than_their_room_are_left_empty(void**) {
  H2Wire& w = start_with_three();
  static char letters[H2Exchange::id_bytes_max + 1];
  std::memset(letters, 'a', sizeof letters);
  const string_view longer(letters, sizeof letters);
  const H2ServerHeader headers[] = {{"apns-id", longer}, {"retry-after", longer}, {"date", longer}};
  w.server.answer(1, {.headers = headers});
  assert_true(w.settle());
  assert_over(w, 0, Outcome::answered);
  assert_true(w.exchanges[0].id.empty() && w.exchanges[0].retry_after.empty() && w.exchanges[0].date.empty());
}

void answer_without_a_proper_status_is_a_reset(void**) {
  const string_view heads[] = {
      "\x0f\x12\x01x"sv,  // no :status, only a date
      "\x08\x03"
      "2x0"sv,
      "\x08\x02"
      "20"sv,
      "\x08\x04"
      "0200"sv,
      "\x08\x03"
      "-20"sv,
      "\x08\x03"
      "099"sv,
      "\x08\x03"
      "101"sv,                // RFC 9113 §8.6: no 101
      "\x88\x88"sv,           // twice
      "\x0f\x12\x01x\x88"sv,  // behind an ordinary header
      "\x88\x82"sv,           // :method in a response
      "\x08\x03"
      "100"sv,  // an interim response that ends the stream
  };
  for (const string_view head : heads) {
    H2Wire& w = start_with_three();
    assert_true(raw_frame(w, HEADERS, END_HEADERS | END_STREAM, 1, head).ok());
    assert_true(w.settle());
    assert_over(w, 0, Outcome::reset);
    assert_int_equal(w.exchanges[0].status, 0);
    assert_still_works(w);
  }
}

void late_answers_after_our_reset_are_ignored(void**) {
  H2Wire& w = start_with_three();
  w.server.answer(1, {.status = 410, .body = "late", .piece = 1});
  w.server.answer(3, {.status = 410});
  w.client.cancel(w.exchanges[0]);
  assert_true(w.to_client().ok());  // before the RST was written
  assert_true(w.to_server().ok());
  assert_over(w, 1, Outcome::answered);
  assert_over(w, 0, Outcome::cancelled);
  assert_true(raw_frame(w, HEADERS, END_HEADERS, 1, status_200).ok());  // and long after
  assert_true(raw_frame(w, DATA, END_STREAM, 1, "later").ok());
  assert_null(w.client.next());
  assert_still_works(w);
}

// The first byte that nghttp2 finds wrong ends the session, and the peer hears GOAWAY.
void assert_broken(H2Wire& w, Status fed) {
  assert_int_equal(fed.error(), Error::malformed);
  assert_true(w.client.problem()[0] != '\0');
  assert_int_equal(w.client.room(), 0);
  assert_int_equal(w.client.feed(bytes_of("more")).error(), Error::malformed);
  assert_true(w.client.wants_write());
  assert_int_equal(w.to_server().error(), Error::malformed);
  assert_int_equal(w.server.counters().goaways, 1);
  w.client.shut();
  unsigned lost = 0;
  while (const H2Exchange* over = w.client.next()) lost += over->outcome == Outcome::lost ? 1 : 0;
  assert_int_equal(lost, 3);
  assert_int_equal(w.heap.live(), 0);
}

void broken_protocol_ends_the_session(void**) {
  struct Case {
    uint8_t type, flags;
    int32_t stream;
    string_view payload;
  };
  const Case cases[] = {
      {HEADERS, END_HEADERS, 1, "\xff\xff\xff\xff\xff"sv},  // HPACK index out of range
      {HEADERS, END_HEADERS, 7, status_200},                // a stream that nobody opened
      {HEADERS, END_HEADERS, 2, status_200},                // a stream of the server's own
      {DATA, 0, 9, "x"},
      {DATA, 0, 0, "x"},
      {SETTINGS, 0, 0, "\0\x04\xff\xff\xff\xff"sv},
      {SETTINGS, 0, 0, "12345"},
      {PING, 0, 0, "1234567"},
      {PUSH_PROMISE, END_HEADERS, 1, "\0\0\0\x02\x82"sv},
      {CONTINUATION, END_HEADERS, 1, status_200},
      {GOAWAY, 0, 0, "\0\0\0"sv},
      {8, 0, 0, "\0\0\0\0"sv},
  };
  for (const Case& c : cases) {
    H2Wire& w = start_with_three();
    assert_broken(w, raw_frame(w, c.type, c.flags, c.stream, c.payload));
  }
}

void garbage_is_not_http2(void**) {
  uint64_t seed = 88172645463325252;
  for (int round = 0; round < 300; ++round) {
    H2Wire& w = start({}, {.first_streams = 3}, round % 2 == 0);
    for (unsigned i = 0; i < 3; ++i) assert_true(submit(w, i).ok());
    uint8_t noise[512];
    for (uint8_t& byte : noise) {
      seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
      byte = uint8_t(seed);
    }
    noise[0] = noise[1] = 0;  // a length that fits into a frame
    static_cast<void>(w.client.feed(noise));
    static_cast<void>(w.client.pull(w.buffer));
    w.client.shut();
    unsigned over = 0;
    while (w.client.next() != nullptr) ++over;
    assert_int_equal(over, 3);
    assert_int_equal(w.heap.live(), 0);
  }
}

void http1_answer_is_recognised_as_such(void**) {
  const string_view answer = "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
  for (size_t cut = 0; cut < answer.size(); ++cut) {
    H2Wire& w = start({}, {}, false);
    assert_true(submit(w, 0).ok());
    Status fed = w.client.feed(bytes_of(slice(answer, 0, cut)));
    if (fed.ok()) fed = w.client.feed(bytes_of(slice(answer, cut)));
    assert_int_equal(fed.error(), Error::malformed);
    assert_true(string_view(w.client.problem()).find("SETTINGS") != string_view::npos);
  }
}

// A response head of `count` literal headers (never indexed) with values of `size` bytes, in one
// HEADERS frame and as many CONTINUATIONs as it takes.
Status feed_big_head(H2Wire& w, size_t count, size_t size) {
  static char head[1 << 20];
  size_t used = 0;
  head[used++] = '\x88';
  for (size_t i = 0; i < count; ++i) {
    used += static_cast<size_t>(std::copy_n("\x10\x01x\x7f", 4, head + used) - (head + used));
    for (size_t rest = size - 127;; rest >>= 7) {
      head[used++] = char(rest < 128 ? rest : (rest & 127) | 128);
      if (rest < 128) break;
    }
    std::fill_n(head + used, size, 'v');
    used += size;
  }
  for (size_t at = 0; at < used; at += 16'384) {
    const string_view part = slice({head, used}, at, 16'384);
    const uint8_t last = at + part.size() == used ? END_HEADERS : 0;
    const Status fed =
        at == 0 ? raw_frame(w, HEADERS, END_STREAM | last, 1, part) : raw_frame(w, CONTINUATION, last, 1, part);
    if (!fed.ok()) return fed;
  }
  return {};
}

void big_header_lists_are_skipped_or_end_the_session(void**) {
  H2Wire* w = &start_with_three();
  assert_true(feed_big_head(*w, 100, 1000).ok());
  assert_over(*w, 0, Outcome::answered);
  assert_still_works(*w);
  w = &start_with_three();
  assert_true(feed_big_head(*w, 1, 60'000).ok());
  assert_over(*w, 0, Outcome::answered);
  w = &start_with_three();
  assert_broken(*w, feed_big_head(*w, 1, 70'000));
  w = &start_with_three();
  static_cast<void>(feed_big_head(*w, 1000, 1000));  // newer nghttp2 limits the CONTINUATIONs, older ones read on
}

void flood_of_pings_ends_the_session(void**) {
  H2Wire& w = start_with_three();
  Status fed;
  for (int i = 0; fed.ok() && i < 100; ++i) fed = raw_frame(w, PING, 0, 0, "12345678");
  assert_int_equal(fed.error(), Error::malformed);
  assert_true(w.client.problem()[0] != '\0');
  assert_int_equal(w.client.pull(w.buffer).error(), Error::malformed);
}

}  // namespace

TESTS(h2_hostile, cmocka_unit_test(refused_stream_is_unprocessed_and_other_resets_are_not),
      cmocka_unit_test(reset_in_the_middle_of_an_answer_leaves_no_half_answer),
      cmocka_unit_test(early_answer_counts_although_the_request_is_stopped),
      cmocka_unit_test(answer_of_headers_alone_is_an_answer),
      cmocka_unit_test(body_in_many_pieces_is_put_together_and_cut_at_its_room), cmocka_unit_test(trailers_are_ignored),
      cmocka_unit_test(interim_responses_are_skipped), cmocka_unit_test(headers_longer_than_their_room_are_left_empty),
      cmocka_unit_test(answer_without_a_proper_status_is_a_reset),
      cmocka_unit_test(late_answers_after_our_reset_are_ignored), cmocka_unit_test(broken_protocol_ends_the_session),
      cmocka_unit_test(garbage_is_not_http2), cmocka_unit_test(http1_answer_is_recognised_as_such),
      cmocka_unit_test(big_header_lists_are_skipped_or_end_the_session),
      cmocka_unit_test(flood_of_pings_ends_the_session));

}  // namespace tocsin::test
