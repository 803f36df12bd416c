// GOAWAY in all its forms (RFC 9113 §6.8), and what it does to requests on their way.
#include "test/unit/proto/h2_wire.h"

namespace tocsin::test {
namespace {

using Outcome = H2Exchange::Outcome;
using namespace std::string_view_literals;

void goaway_returns_what_the_peer_did_not_touch(void**) {
  H2Wire& w = start_with_three();
  w.server.go_away(3, 0, R"({"reason":"Shutdown"})");
  assert_true(w.settle());
  assert_true(w.client.going_away());
  assert_text(w.client.goaway_reason(), "Shutdown");
  assert_int_equal(w.client.room(), 0);
  assert_int_equal(submit(w, 9).error(), Error::again);
  assert_over(w, 2, Outcome::unprocessed);
  assert_null(w.client.next());
  assert_int_equal(w.client.in_flight(), 2);
  w.server.answer(1, {});
  w.server.answer(3, {.status = 410});
  assert_true(w.settle());
  assert_over(w, 0, Outcome::answered);
  assert_over(w, 1, Outcome::answered);
  assert_int_equal(w.exchanges[1].status, 410);
}

void goaway_without_requests_only_closes_the_door(void**) {
  H2Wire& w = start();
  w.server.go_away(0, 0, "");
  assert_true(w.settle());
  assert_true(w.client.going_away());
  assert_text(w.client.goaway_reason(), "");
  assert_int_equal(w.client.room(), 0);
  assert_null(w.client.next());
}

void goaway_with_last_stream_zero_returns_everything(void**) {
  H2Wire& w = start_with_three();
  assert_true(submit(w, 3).ok());  // and one that was not written yet
  assert_true(raw_frame(w, GOAWAY, 0, 0, "\0\0\0\0\0\0\0\x02internal"sv).ok());
  for (int i = 0; i < 4; ++i) assert_int_equal(int(w.client.next()->outcome), int(Outcome::unprocessed));
  assert_null(w.client.next());
  assert_int_equal(w.client.goaway_code(), 2);
  assert_text(w.client.goaway_reason(), "internal");
  assert_int_equal(w.client.in_flight(), 0);
}

// Graceful shutdown (RFC 9113 §6.8): first a warning with the highest stream, then the real one.
void goaway_may_come_twice(void**) {
  H2Wire& w = start_with_three();
  assert_true(raw_frame(w, GOAWAY, 0, 0, "\x7f\xff\xff\xff\0\0\0\0{\"reason\" : \"Shutdown\"}"sv).ok());
  assert_int_equal(w.client.in_flight(), 3);
  assert_true(w.client.going_away());
  assert_true(raw_frame(w, GOAWAY, 0, 0, "\0\0\0\x01\0\0\0\x07"sv).ok());
  assert_int_equal(w.client.in_flight(), 1);
  assert_int_equal(w.client.goaway_code(), 7);
  assert_text(w.client.goaway_reason(), "Shutdown");
  w.server.answer(1, {});
  assert_true(w.to_client().ok());
  assert_int_equal(w.client.in_flight(), 0);
}

// RFC 9113 §6.8: the last stream must not grow.
void goaway_that_takes_back_its_word_breaks_the_session(void**) {
  H2Wire& w = start_with_three();
  assert_true(raw_frame(w, GOAWAY, 0, 0, "\0\0\0\x01\0\0\0\0"sv).ok());
  static_cast<void>(raw_frame(w, GOAWAY, 0, 0, "\0\0\0\x05\0\0\0\0"sv));
  static_cast<void>(w.to_server());
  assert_true(w.client.wants_write());  // the trouble wants to be heard
  assert_int_equal(w.client.pull(w.buffer).error(), Error::malformed);
  assert_true(w.client.problem()[0] != '\0');
}

void goaway_reason_is_printable_and_bounded(void**) {
  struct Case {
    string_view data, reason;
  };
  static char many[4000];
  std::fill(many, many + sizeof(many), 'x');
  const Case cases[] = {
      {R"({"reason":"BadCertificate"})", "BadCertificate"},
      {"{\"timestamp\":1, \"reason\"\t:\t\"X\" }", "X"},
      {R"({"reason":7})", R"({"reason":7})"},
      {R"({"reason)", R"({"reason)"},
      {R"({"reason":")", ""},
      {R"({"reason":"cut)", "cut"},
      {"Maximum active streams violated for this endpoint.", "Maximum active streams violated for this endpoint."},
      {"a\nb\x7f\xc3\xa4\0c"sv, "a?b????c"},
      {{many, sizeof(many)}, {many, 128}},
  };
  for (const Case& c : cases) {
    H2Wire& w = start();
    w.server.go_away(0, 0, c.data);
    assert_true(w.settle());
    assert_text(w.client.goaway_reason(), c.reason);
  }
}

}  // namespace

TESTS(h2_goaway, cmocka_unit_test(goaway_returns_what_the_peer_did_not_touch),
      cmocka_unit_test(goaway_without_requests_only_closes_the_door),
      cmocka_unit_test(goaway_with_last_stream_zero_returns_everything), cmocka_unit_test(goaway_may_come_twice),
      cmocka_unit_test(goaway_that_takes_back_its_word_breaks_the_session),
      cmocka_unit_test(goaway_reason_is_printable_and_bounded));

}  // namespace tocsin::test
