#include "proto/http_client.h"

#include "base/text.h"
#include "base/writer.h"
#include "test/support/tests.h"
#include "test/unit/proto/http_line.h"

namespace tocsin {

namespace {

using Outcome = H2Exchange::Outcome;
using test::judged;
using Line = test::HttpLine;

void a_request_is_written_byte_for_byte(void**) {
  for (const size_t piece : {size_t{1}, size_t{7}, size_t{4096}}) {
    Line line;
    assert_int_equal(line.client.may_submit(), 1);
    line.exchange.owner = &line;
    line.submit();
    assert_ptr_equal(line.exchange.owner, &line);
    assert_int_equal(line.client.may_submit(), 0);
    assert_true(line.client.wants_write());
    assert_true(line.pull(piece) == test::http_request);
    assert_false(line.client.wants_write());
    H2Exchange other;
    assert_int_equal(line.client.submit(test::http_headers, {}, other).error(), Error::again);
  }
}

void a_request_that_would_be_another_is_refused(void**) {
  const H2Header evil[] = {{":path", "/a b"},
                           {":path", "a"},
                           {":path", ""},
                           {":path", "/a\r\nb"},
                           {":path", "/a#b"},
                           {":path", "http://a/"},
                           {":authority", "a b"},
                           {":authority", ""},
                           {":authority", "a@b"},
                           {":authority", "a/b"},
                           {":authority", "a\r\nb"},
                           {":method", "POST /"},
                           {":method", ""},
                           {":method", "HEAD"},
                           {":method", "CONNECT"},
                           {"topic", "a\r\nb"},
                           {"topic", "a\nb"},
                           {"to pic", "a"},
                           {"", "a"},
                           {"topic:", "a"},
                           {"host", "a"},
                           {"connection", "a"},
                           {"Transfer-Encoding", "chunked"},
                           {"expect", "100-continue"}};
  for (const H2Header& header : evil) {
    Line line;
    H2Header list[std::size(test::http_headers) + 1];
    size_t count = 0;
    for (const H2Header& h : test::http_headers) {
      if (h.name != header.name) list[count++] = h;
    }
    list[count++] = header;
    line.exchange.status = 7;
    assert_int_equal(line.client.submit({list, count}, {}, line.exchange).error(), Error::malformed);
    assert_int_equal(line.exchange.status, 7);
    line.submit();
    assert_true(line.pull() == test::http_request);
  }
  Line line;
  static char long_text[sizeof(test::http_head_room)];
  std::memset(long_text, 'a', sizeof(long_text));
  H2Header list[std::size(test::http_headers)];
  for (size_t i = 0; i < std::size(test::http_headers); ++i) list[i] = test::http_headers[i];
  list[4].value = {long_text, sizeof(long_text)};
  assert_int_equal(line.client.submit(list, {}, line.exchange).error(), Error::too_long);
}

void one_request_follows_the_other(void**) {
  Line line;
  for (unsigned i = 0; i < 3; ++i) {
    line.submit();
    assert_true(line.pull() == test::http_request);
    assert_true(line.client
                    .feed(bytes_of("HTTP/1.1 100 C\r\n\r\nHTTP/1.1 429 Slow\r\nRetry-After: 120\r\n"
                                   "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\nKeep-Alive: max=5, Timeout=7\r\n"
                                   "Content-Length: 2\r\n\r\nno"))
                    .ok());
    assert_int_equal(line.client.may_submit(), 0);  // before it came out of next()
    assert_ptr_equal(line.client.next(), &line.exchange);
    assert_int_equal(line.exchange.status, 429);
    assert_true(line.exchange.retry_after.view() == "120");
    assert_true(line.exchange.date.view() == "Sun, 06 Nov 1994 08:49:37 GMT");
    assert_int_equal(line.client.keep_alive_seconds(), 7);
    assert_int_equal(line.client.may_submit(), 1);
  }
  assert_true(line.client.feed({}).ok());
  assert_int_equal(line.client.feed(bytes_of("H")).error(), Error::malformed);
  assert_true(line.client.spent());
  assert_string_equal(line.client.problem(), "bytes without a request");
  assert_int_equal(line.client.submit(test::http_headers, {}, line.exchange).error(), Error::again);
}

void doubled_or_endless_words_are_unknown(void**) {
  Line line;
  line.submit();
  line.pull();
  assert_true(line.client
                  .feed(bytes_of("HTTP/1.1 503 X\r\nRetry-After: 1\r\nRetry-After: 2\r\nKeep-Alive: timeout=x\r\n"
                                 "Date: 0123456789012345678901234567890123456789 0123456789\r\n"
                                 "Content-Length: 0\r\n\r\n"))
                  .ok());
  assert_non_null(line.client.next());
  assert_true(line.exchange.retry_after.empty());
  assert_true(line.exchange.date.empty());
  assert_int_equal(line.client.keep_alive_seconds(), UINT32_MAX);
}

void feed_many(Line& line, string_view text, unsigned times) {
  for (unsigned i = 0; i < times; ++i) (void)line.client.feed(bytes_of(text)).ok();
}

void long_bodies_are_read_to_their_end_but_not_for_ever(void**) {
  uint8_t judged_room[1024];
  {
    Line line;
    line.submit();
    line.pull();
    assert_true(line.client.feed(bytes_of("HTTP/1.1 400 X\r\nContent-Length: 60000\r\n\r\n")).ok());
    feed_many(line, "0123456789", 6000);
    Writer out{judged_room};
    assert_true(ends_with(judged(line, out), "01 cut again"));
    assert_int_equal(line.exchange.body_size, 512);
  }
  for (const string_view head :
       {"HTTP/1.1 400 X\r\n\r\n", "HTTP/1.1 400 X\r\nContent-Length: 18446744073709551616\r\n\r\n",
        "HTTP/1.1 400 X\r\nTransfer-Encoding: chunked\r\n\r\nffffffff\r\n"}) {
    Line line;
    line.submit();
    line.pull();
    assert_true(line.client.feed(bytes_of(head)).ok());
    feed_many(line, "0123456789", 6553);
    assert_null(line.client.next());
    feed_many(line, "0123456789", 1);
    Writer out{judged_room};
    assert_true(ends_with(judged(line, out), "01 cut"));
    assert_int_equal(line.exchange.status, 400);
    assert_true(line.client.feed(bytes_of("more")).ok());
  }
}

void long_heads_are_refused_and_long_lines_that_nobody_needs_are_not(void**) {
  const auto judge = [](string_view field, unsigned times) {
    static uint8_t judged_room[1024];
    Line line;
    line.submit();
    line.pull();
    feed_many(line, "HTTP/1.1 200 OK\r\n", 1);
    feed_many(line, field, times);
    feed_many(line, "Content-Length: 0\r\n\r\n", 1);
    Writer out{judged_room};
    return judged(line, out);
  };
  constexpr string_view policy =
      "Content-Security-Policy: 0123456789012345678901234567890123456789012345678901234567890123456789012345678901\r\n";
  assert_true(judge(policy, 150) == "200  again");
  assert_true(judge(policy, 400) == "reset");
  assert_true(judge("a: b\r\n", 199) == "200  again");
  assert_true(judge("a: b\r\n", 200) == "reset");
  // Wanted, and more of it than there is room: a length behind it must not be overlooked.
  assert_true(judge("Date: 01234567890123456789012345678901234567890123456789\r\n", 30) == "reset");
}

void an_early_answer_costs_the_connection(void**) {
  Line line;
  line.submit();
  assert_int_equal(line.client.pull(Bytes(test::http_sent_room).first(10)), 10);
  assert_true(line.client.feed(bytes_of("HTTP/1.1 413 Long\r\nContent-Length: 0\r\n\r\n")).ok());
  uint8_t judged_room[64];
  Writer out{judged_room};
  assert_true(judged(line, out) == "413 ");
  assert_false(line.client.wants_write());
  assert_int_equal(line.client.pull(test::http_sent_room), 0);
}

void what_never_left_is_unprocessed(void**) {
  for (const unsigned how : {0u, 1u, 2u}) {
    Line line;
    line.submit();
    if (how == 0) line.client.shut();
    if (how == 1) line.client.peer_closed();
    if (how == 2) assert_int_equal(line.client.feed(bytes_of("HTTP/1.1 408 X\r\n\r\n")).error(), Error::malformed);
    uint8_t judged_room[64];
    Writer out{judged_room};
    assert_true(judged(line, out) == "unprocessed");
    assert_true(line.client.spent());
    line.client.open();
    line.submit();
    assert_true(line.pull() == test::http_request);
  }
}

void a_request_is_cancelled_with_its_connection_unless_it_never_left(void**) {
  uint8_t judged_room[64];
  Line line;
  line.submit();
  line.client.cancel(line.exchange);
  Writer out{judged_room};
  assert_true(judged(line, out) == "cancelled again");
  line.submit();
  line.client.pull(Bytes(test::http_sent_room).first(1));
  line.client.cancel(line.exchange);
  line.client.cancel(line.exchange);
  out.rewind(0);
  assert_true(judged(line, out) == "cancelled");
  assert_true(line.client.feed(bytes_of("HTTP/1.1 200 OK\r\n")).ok());
  assert_null(line.client.next());
}

void a_lost_connection_is_not_an_answer(void**) {
  Line line;
  line.submit();
  line.pull();
  assert_true(line.client.feed(bytes_of("HTTP/1.1 201 Created\r\n\r\nhello")).ok());
  line.client.shut();  // not in good order: whether that was all, nobody knows
  assert_ptr_equal(line.client.next(), &line.exchange);
  assert_int_equal(line.exchange.outcome, Outcome::lost);
  assert_int_equal(line.exchange.status, 0);
}

TESTS(http_client, cmocka_unit_test(a_request_is_written_byte_for_byte),
      cmocka_unit_test(a_request_that_would_be_another_is_refused), cmocka_unit_test(one_request_follows_the_other),
      cmocka_unit_test(doubled_or_endless_words_are_unknown),
      cmocka_unit_test(long_bodies_are_read_to_their_end_but_not_for_ever),
      cmocka_unit_test(long_heads_are_refused_and_long_lines_that_nobody_needs_are_not),
      cmocka_unit_test(an_early_answer_costs_the_connection), cmocka_unit_test(what_never_left_is_unprocessed),
      cmocka_unit_test(a_request_is_cancelled_with_its_connection_unless_it_never_left),
      cmocka_unit_test(a_lost_connection_is_not_an_answer));

}  // namespace

}  // namespace tocsin
