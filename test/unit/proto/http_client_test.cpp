#include "proto/http_client.h"

#include "base/text.h"
#include "base/writer.h"
#include "test/support/tests.h"
#include "test/unit/proto/stanzas.h"

namespace tocsin {

namespace {

using Outcome = H2Exchange::Outcome;
using test::Dice;

uint8_t room[2048];
uint8_t sent_room[8192];

constexpr H2Header headers[] = {
    {":method", "POST"},        {":scheme", "https"}, {":authority", "push.example.net:8443"},
    {":path", "/wpush/v2/a?b"}, {"ttl", "86400"},     {"content-length", "5"},
    {"urgency", "high"}};
constexpr string_view request =
    "POST /wpush/v2/a?b HTTP/1.1\r\nHost: push.example.net:8443\r\nttl: 86400\r\nurgency: high\r\n"
    "Content-Length: 5\r\n\r\nhello";

struct Line {
  HttpClient client{Bytes(room)};
  H2Exchange exchange;
  Line() { client.open(); }
  void submit() { assert_true(client.submit(headers, bytes_of("hello"), exchange).ok()); }
  string_view pull(size_t piece = sizeof(sent_room)) {
    size_t size = 0;
    while (const size_t step = client.pull(Bytes(sent_room).subspan(size, piece))) size += step;
    return text_of(ByteView(sent_room).first(size));
  }
};

void a_request_is_written_byte_for_byte(void**) {
  for (const size_t piece : {size_t{1}, size_t{7}, size_t{4096}}) {
    Line line;
    assert_int_equal(line.client.may_submit(), 1);
    line.exchange.owner = &line;
    line.submit();
    assert_ptr_equal(line.exchange.owner, &line);
    assert_int_equal(line.client.may_submit(), 0);
    assert_true(line.client.wants_write());
    assert_true(line.pull(piece) == request);
    assert_false(line.client.wants_write());
    H2Exchange other;
    assert_int_equal(line.client.submit(headers, {}, other).error(), Error::again);
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
    H2Header list[std::size(headers) + 1];
    size_t count = 0;
    for (const H2Header& h : headers) {
      if (h.name != header.name) list[count++] = h;
    }
    list[count++] = header;
    line.exchange.status = 7;
    assert_int_equal(line.client.submit({list, count}, {}, line.exchange).error(), Error::malformed);
    assert_int_equal(line.exchange.status, 7);
    line.submit();
    assert_true(line.pull() == request);
  }
  Line line;
  static char long_text[sizeof(room)];
  std::memset(long_text, 'a', sizeof(long_text));
  H2Header list[std::size(headers)];
  for (size_t i = 0; i < std::size(headers); ++i) list[i] = headers[i];
  list[4].value = {long_text, sizeof(long_text)};
  assert_int_equal(line.client.submit(list, {}, line.exchange).error(), Error::too_long);
}

// "STATUS body", with "again" when the connection lives on, "cut" when the body was longer than its room; or the
// outcome.
string_view judged(Line& line, Writer& out) {
  H2Exchange* const over = line.client.next();
  if (over == nullptr) {
    out.text("open");
    return out.view();
  }
  assert_ptr_equal(over, &line.exchange);
  assert_null(line.client.next());
  switch (over->outcome) {
    case Outcome::answered: out.unsigned_number(over->status).text(" ").text(over->body_text()); break;
    case Outcome::reset: out.text("reset"); break;
    case Outcome::lost: out.text("lost"); break;
    case Outcome::unprocessed: out.text("unprocessed"); break;
    case Outcome::cancelled: out.text("cancelled"); break;
    case Outcome::open: fail_here();
  }
  if (over->body_cut) out.text(" cut");
  if (line.client.may_submit() == 1) out.text(" again");
  assert_true(line.client.may_submit() == 1 || line.client.spent());
  return out.view();
}

struct Response {
  string_view wanted;
  string_view text;
  bool closed = false;  // by the peer, behind text
};

constexpr string_view ok = "HTTP/1.1 200 OK\r\n";

constexpr Response responses[] = {
    {"201  again", "HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n"},
    {"200 hello again", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"},
    {"200 hello again", "HTTP/1.1 200 OK\r\ncontent-length:5\r\nX: y\r\n\r\nhello"},
    {"200 hello again", "HTTP/1.1 200 OK\r\nContent-Length: 00005\r\n\r\nhello"},
    {"200 hello again", "HTTP/1.1 200\r\nContent-Length: 5\r\n\r\nhello"},
    {"200 hello again", "HTTP/1.1 200 \r\nContent-Length: 5\r\n\r\nhello"},
    {"200 hello again", "HTTP/1.1 200 \xc3\xa4 b\tc\r\nContent-Length: 5\r\n\r\nhello"},
    {"200 hello again", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"},
    {"200 hello again",
     "HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n2;a=b\r\nhe\r\n3\r\nllo\r\n0\r\nA: b\r\n\r\n"},
    {"410  again", "HTTP/1.1 410 Gone\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
    {"204  again", "HTTP/1.1 204 No Content\r\n\r\n"},
    {"204  again", "HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n"},
    {"204 ", "HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\nhello"},
    {"204 ", "HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
    {"304  again", "HTTP/1.1 304 Not Modified\r\n\r\n"},
    {"304 ", "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n"},
    {"301  again", "HTTP/1.1 301 Moved\r\nLocation: https://evil.example.net/\r\nContent-Length: 0\r\n\r\n"},
    {"201 ", "HTTP/1.1 201 Created\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"},
    {"201 ", "HTTP/1.1 201 Created\r\nConnection: keep-alive, CLOSE\r\nContent-Length: 0\r\n\r\n"},
    {"201 ", "HTTP/1.1 201 Created\r\nConnection: keep-alive\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"},
    {"201 ", "HTTP/1.0 201 Created\r\nContent-Length: 0\r\n\r\n"},
    {"201 ", "HTTP/1.0 201 Created\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n"},
    {"200 hello", "HTTP/1.1 200 OK\r\n\r\nhello", true},
    {"200 ", "HTTP/1.1 200 OK\r\n\r\n", true},
    {"200 hello", "HTTP/1.0 200 OK\r\n\r\nhello", true},
    {"200 0\r\n\r\n", "HTTP/1.0 200 OK\r\n\r\n0\r\n\r\n", true},
    {"201  again", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n"},
    {"201  again",
     "HTTP/1.1 103 Early Hints\r\nLink: <a>\r\nContent-Length: 5\r\n\r\nHTTP/1.1 201 C\r\nContent-Length: 0\r\n\r\n"},
    // Not over yet.
    {"open", ""},
    {"open", "HTTP/1.1 20"},
    {"open", "HTTP/1.1 201 Created\r\nContent-Length: 0\r\n"},
    {"open", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell"},
    {"open", "HTTP/1.1 200 OK\r\n\r\nhello"},
    {"open", "HTTP/1.1 100 Continue\r\n\r\n"},
    {"open", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n"},
    // Cut off.
    {"lost", "", true},
    {"lost", "HTTP/1.1 201 Created\r\nContent-Length: 0\r\n", true},
    {"lost", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell", true},
    {"lost", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n", true},
    {"lost", "HTTP/1.1 100 Continue\r\n\r\n", true},
    // More than one answer: the first was there, and is believed.
    {"201 ", "HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\nHTTP/1.1 410 Gone\r\nContent-Length: 0\r\n\r\n"},
    {"200 hell", "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nhello"},
    {"204 ", "HTTP/1.1 204 No Content\r\n\r\n\r\n"},
    // What could be two things.
    {"reset", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello"},
    {"reset", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!"},
    {"reset", "HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\n\r\nhello"},
    {"reset", "HTTP/1.1 200 OK\r\nContent-Length: +5\r\n\r\nhello"},
    {"reset", "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n"},
    {"reset", "HTTP/1.1 200 OK\r\nContent-Length: 0x5\r\n\r\nhello"},
    {"reset", "HTTP/1.1 200 OK\r\nContent-Length: \r\n\r\n"},
    {"reset", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
    {"reset", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
    {"reset", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"},
    {"reset", "HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\n\r\nhello", true},
    {"reset", "HTTP/1.1 200 OK\r\nTransfer-Encoding: \r\n\r\nhello", true},
    {"reset", "HTTP/1.1 200 OK\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"},
    {"reset", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\t\r\n\r\n0\r\n\r\n"},
    {"reset", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
    {"reset", "HTTP/1.1 204 No Content\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n"},
    {"reset", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5 \r\nhello\r\n0\r\n\r\n"},
    {"reset", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhello\r\n0\r\n\r\n"},
    {"reset", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\nhello\r\n0\r\n\r\n"},
    {"reset", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nContent-Length: 5\r\n\r\n"},
    {"reset", "HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 0\r\n\r\n"},
    {"reset", "HTTP/1.1 200 OK\r\nContent-Length : 0\r\n\r\n"},
    {"reset", "HTTP/1.1 200 OK\r\nX: a\nContent-Length: 0\r\n\r\n"},
    {"reset", "HTTP/1.1 200 OK\r\nX: a\rb\r\nContent-Length: 0\r\n\r\n"},
    {"reset", "HTTP/1.1 200 OK\r\nX: a\x01\r\nContent-Length: 0\r\n\r\n"},
    {"reset", "HTTP/1.1 200 OK\r\n: a\r\nContent-Length: 0\r\n\r\n"},
    {"reset", "HTTP/1.1 200 OK\r\nX\r\nContent-Length: 0\r\n\r\n"},
    {"reset", "HTTP/1.1 200 OK\nContent-Length: 0\n\n"},
    {"reset", "HTTP/1.1 200 OK\rContent-Length: 0\r\n\r\n"},
    {"reset", "HTTP/1.1 200 O\x02K\r\nContent-Length: 0\r\n\r\n"},
    // No responses at all.
    {"reset", "\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"},
    {"reset", "HTTP/1.2 200 OK\r\nContent-Length: 0\r\n\r\n"},
    {"reset", "HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n"},
    {"reset", "HTTP/1.1  200 OK\r\nContent-Length: 0\r\n\r\n"},
    {"reset", "HTTP/1.1 2000 OK\r\nContent-Length: 0\r\n\r\n"},
    {"reset", "HTTP/1.1 099 OK\r\nContent-Length: 0\r\n\r\n"},
    {"reset", "HTTP/1.1 600 OK\r\nContent-Length: 0\r\n\r\n"},
    {"reset", "HTTP/1.1 2x0 OK\r\nContent-Length: 0\r\n\r\n"},
    {"reset", "HTTP/1.1 -20 OK\r\nContent-Length: 0\r\n\r\n"},
    {"reset", "HTTP/1.1 200OK\r\nContent-Length: 0\r\n\r\n"},
    {"reset", "http/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"},
    {"reset", "ICY 200 OK\r\nContent-Length: 0\r\n\r\n"},
    {"reset", "220 mail.example.net ESMTP\r\n"},
    {"reset", "<html></html>"},
    {"reset", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n"},
    {"reset",
     "HTTP/1.1 100 C\r\n\r\nHTTP/1.1 100 C\r\n\r\nHTTP/1.1 100 C\r\n\r\nHTTP/1.1 100 C\r\n\r\nHTTP/1.1 100 C\r\n\r\n"
     "HTTP/1.1 100 C\r\n\r\nHTTP/1.1 100 C\r\n\r\nHTTP/1.1 100 C\r\n\r\nHTTP/1.1 100 C\r\n\r\n"},
};

void assert_judged(const Response& response, size_t cut, bool bytewise) {
  Line line;
  line.submit();
  line.pull();
  const ByteView text = bytes_of(response.text);
  if (bytewise) {
    for (const uint8_t& byte : text) (void)line.client.feed({&byte, 1}).ok();
  } else {
    (void)line.client.feed(text.first(cut)).ok();
    (void)line.client.feed(text.subspan(cut)).ok();
  }
  if (response.closed) line.client.peer_closed();
  uint8_t judged_room[1024];
  Writer out{judged_room};
  if (judged(line, out) != response.wanted) {
    fail_msg("%.*s: %.*s, not %.*s (cut at %zu)", static_cast<int>(response.text.size()), response.text.data(),
             static_cast<int>(out.size()), out.view().data(), static_cast<int>(response.wanted.size()),
             response.wanted.data(), cut);
  }
}

void responses_are_read_in_every_cut(void**) {
  for (const Response& response : responses) {
    assert_judged(response, 0, true);
    for (size_t cut = 0; cut <= response.text.size(); ++cut) assert_judged(response, cut, false);
  }
}

void one_request_follows_the_other(void**) {
  Line line;
  for (unsigned i = 0; i < 3; ++i) {
    line.submit();
    assert_true(line.pull() == request);
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
  assert_int_equal(line.client.submit(headers, {}, line.exchange).error(), Error::again);
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
    feed_many(line, ok, 1);
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
  assert_int_equal(line.client.pull(Bytes(sent_room).first(10)), 10);
  assert_true(line.client.feed(bytes_of("HTTP/1.1 413 Long\r\nContent-Length: 0\r\n\r\n")).ok());
  uint8_t judged_room[64];
  Writer out{judged_room};
  assert_true(judged(line, out) == "413 ");
  assert_false(line.client.wants_write());
  assert_int_equal(line.client.pull(sent_room), 0);
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
    assert_true(line.pull() == request);
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
  line.client.pull(Bytes(sent_room).first(1));
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

// Mutated responses: the same in every cut, and nothing outside of its room (the sanitizers look).
void mutated_responses_mean_the_same_in_every_cut(void**) {
  Dice dice{7};
  static uint8_t text_room[2048];
  static uint8_t judged_rooms[2][1024];
  for (const Response& response : responses) {
    if (response.text.empty()) continue;
    for (unsigned round = 0; round < 30; ++round) {
      Writer text{text_room};
      const uint32_t at = dice.roll(static_cast<uint32_t>(response.text.size()));
      constexpr string_view likely = "\r\n :\t0159,;=chunked\0\x7f\x80";
      text.text(slice(response.text, 0, at));
      const uint32_t how = dice.roll(3);
      if (how != 0) text.character(likely[dice.roll(static_cast<uint32_t>(likely.size()))]);
      text.text(slice(response.text, how == 1 ? at : at + 1));
      size_t sizes[2];
      for (unsigned way = 0; way < 2; ++way) {
        Line line;
        line.submit();
        line.pull();
        const size_t piece = way == 0 ? text.size() : 1 + dice.roll(20);
        for (size_t i = 0; i < text.size(); i += piece) {
          (void)line.client.feed(bytes_of(slice(text.view(), i, piece))).ok();
        }
        if (response.closed) line.client.peer_closed();
        Writer out{judged_rooms[way]};
        judged(line, out);
        out.text(line.client.problem());
        sizes[way] = out.size();
      }
      assert_int_equal(sizes[0], sizes[1]);
      assert_memory_equal(judged_rooms[0], judged_rooms[1], sizes[0]);
    }
  }
}

TESTS(http_client, cmocka_unit_test(a_request_is_written_byte_for_byte),
      cmocka_unit_test(a_request_that_would_be_another_is_refused), cmocka_unit_test(responses_are_read_in_every_cut),
      cmocka_unit_test(one_request_follows_the_other), cmocka_unit_test(doubled_or_endless_words_are_unknown),
      cmocka_unit_test(long_bodies_are_read_to_their_end_but_not_for_ever),
      cmocka_unit_test(long_heads_are_refused_and_long_lines_that_nobody_needs_are_not),
      cmocka_unit_test(an_early_answer_costs_the_connection), cmocka_unit_test(what_never_left_is_unprocessed),
      cmocka_unit_test(a_request_is_cancelled_with_its_connection_unless_it_never_left),
      cmocka_unit_test(a_lost_connection_is_not_an_answer),
      cmocka_unit_test(mutated_responses_mean_the_same_in_every_cut));

}  // namespace

}  // namespace tocsin
