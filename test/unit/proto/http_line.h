// What the tests of the HTTP/1.1 client share: a client with one request, and a word for what came of it.
#pragma once

#include "base/text.h"
#include "base/writer.h"
#include "proto/http_client.h"
#include "test/support/tests.h"

namespace tocsin::test {

inline uint8_t http_head_room[2048];
inline uint8_t http_sent_room[8192];

inline constexpr H2Header http_headers[] = {
    {":method", "POST"},        {":scheme", "https"}, {":authority", "push.example.net:8443"},
    {":path", "/wpush/v2/a?b"}, {"ttl", "86400"},     {"content-length", "5"},
    {"urgency", "high"}};
inline constexpr string_view http_request =
    "POST /wpush/v2/a?b HTTP/1.1\r\nHost: push.example.net:8443\r\nttl: 86400\r\nurgency: high\r\n"
    "Content-Length: 5\r\n\r\nhello";

struct HttpLine {
  HttpClient client{Bytes(http_head_room)};
  H2Exchange exchange;
  uint8_t answer[512];
  HttpLine() {
    exchange.room = Bytes(answer);
    client.open();
  }
  void submit() { assert_true(client.submit(http_headers, bytes_of("hello"), exchange).ok()); }
  string_view pull(size_t piece = sizeof(http_sent_room)) {
    size_t size = 0;
    while (const size_t step = client.pull(Bytes(http_sent_room).subspan(size, piece))) size += step;
    return text_of(ByteView(http_sent_room).first(size));
  }
};

// "STATUS body", with "again" when the connection lives on, "cut" when the body was longer than its room; or the
// outcome.
inline string_view judged(HttpLine& line, Writer& out) {
  H2Exchange* const over = line.client.next();
  if (over == nullptr) {
    out.text("open");
    return out.view();
  }
  assert_ptr_equal(over, &line.exchange);
  assert_null(line.client.next());
  switch (over->outcome) {
    case H2Exchange::Outcome::answered: out.unsigned_number(over->status).text(" ").text(over->body_text()); break;
    case H2Exchange::Outcome::reset: out.text("reset"); break;
    case H2Exchange::Outcome::lost: out.text("lost"); break;
    case H2Exchange::Outcome::unprocessed: out.text("unprocessed"); break;
    case H2Exchange::Outcome::cancelled: out.text("cancelled"); break;
    case H2Exchange::Outcome::open: fail_here();
  }
  if (over->body_cut) out.text(" cut");
  if (line.client.may_submit() == 1) out.text(" again");
  assert_true(line.client.may_submit() == 1 || line.client.spent());
  return out.view();
}

}  // namespace tocsin::test
