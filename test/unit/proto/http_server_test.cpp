#include "proto/http_server.h"

#include "base/text.h"
#include "base/writer.h"
#include "proto/http_response.h"
#include "test/support/tests.h"

namespace tocsin {

namespace {

using Kind = HttpServerEvent::Kind;

uint8_t room[16 * 1024];
uint8_t out_room[4096];
uint8_t body_room[4096];
uint8_t sent_room[8192];

struct Desk {
  ByteRing out{Bytes(out_room)};
  HttpServer server;
  explicit Desk(const HttpServerOptions& options = {}) : server(room, out, options) { server.open(); }

  // Feeds what the server takes; the rest is returned.
  string_view feed(string_view text) { return slice(text, server.feed(bytes_of(text))); }
  HttpServerEvent event() {
    HttpServerEvent event;
    assert_true(server.next(event));
    return event;
  }
  void expect(Kind kind) { assert_int_equal(event().kind, kind); }
  void expect_nothing() {
    HttpServerEvent event;
    assert_false(server.next(event));
  }
  // All that wants to leave, until the next call.
  string_view sent() {
    Writer writer{sent_room};
    while (!out.empty()) {
      writer.bytes(out.front());
      out.pop(out.front().size());
    }
    return writer.view();
  }
  void expect_sent(string_view wanted) {
    const string_view got = sent();
    if (got != wanted) fail_msg("sent: %.*s", static_cast<int>(got.size()), got.data());
  }
};

constexpr string_view get = "GET /a?b=c HTTP/1.1\r\nHost: push.example.org\r\n\r\n";
constexpr string_view post = "POST /x HTTP/1.1\r\nHost: push.example.org\r\nContent-Length: 5\r\n\r\n";
constexpr string_view waiting =
    "POST /x HTTP/1.1\r\nHost: push.example.org\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n";
constexpr string_view chunked = "POST /x HTTP/1.1\r\nHost: push.example.org\r\nTransfer-Encoding: chunked\r\n\r\n";
constexpr string_view go_on = "HTTP/1.1 100 Continue\r\n\r\n";

void a_head_is_told_in_views(void**) {
  Desk desk;
  assert_true(desk.server.idle());
  assert_int_equal(
      desk.feed("GET /up/A%20b?x=%2f&y HTTP/1.1\r\nHOST:  push.example.org:8443 \r\nTTL:60\r\n"
                "X-Forwarded-For: 192.0.2.1\r\nEmpty: \r\nx-forwarded-for:\t198.51.100.2, 203.0.113.3\r\n\r\n")
          .size(),
      0);
  desk.expect(Kind::head);
  const HttpRequest& r = desk.server.request();
  assert_true(r.method == HttpRequest::Method::get && r.method_text == "GET");
  assert_true(r.path == "/up/A%20b");
  assert_true(r.query == "x=%2f&y");
  assert_true(r.host == "push.example.org:8443");
  assert_false(r.has_body() || r.close || r.expects_continue);
  assert_true(r.fields.value("ttl") == "60");
  assert_int_equal(r.fields.count("x-forwarded-for"), 2);
  assert_true(r.fields.value("x-forwarded-for", 1) == "198.51.100.2, 203.0.113.3");
  assert_true(r.fields.lists("x-forwarded-for", "203.0.113.3"));
  assert_false(r.fields.lists("x-forwarded-for", "203.0.113"));
  assert_non_null(r.fields.value("empty").data());
  assert_true(r.fields.value("empty").empty());
  assert_null(r.fields.value("x-forwarded").data());
  assert_null(r.fields.value("ttl", 1).data());
  desk.expect(Kind::complete);
  desk.expect_nothing();
}

void an_answer_is_written_byte_for_byte(void**) {
  Desk desk;
  desk.feed(get);
  desk.expect(Kind::head);
  desk.expect(Kind::complete);
  const HttpField fields[] = {{"TTL", "0"}, {"Location", "https://push.example.org/m/1"}};
  assert_true(desk.server
                  .respond({.status = 201,
                            .date = "Sun, 06 Nov 1994 08:49:37 GMT",
                            .type = "application/json",
                            .fields = fields,
                            .body = bytes_of(R"({"result":"success"})")})
                  .ok());
  desk.expect_sent(
      "HTTP/1.1 201 Created\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nContent-Type: application/json\r\n"
      "Content-Length: 20\r\nTTL: 0\r\nLocation: https://push.example.org/m/1\r\n\r\n{\"result\":\"success\"}");
  assert_true(desk.server.idle());
  assert_false(desk.server.closing());
  assert_int_equal(desk.server.answered(), 1);
}

void head_and_204_have_no_body(void**) {
  Desk desk;
  desk.feed("HEAD / HTTP/1.1\r\nHost: push.example.org\r\n\r\n");
  desk.expect(Kind::head);
  assert_true(desk.server.respond({.status = 200, .body = bytes_of("hello")}).ok());
  desk.expect_sent("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n");
  desk.feed(get);
  desk.expect(Kind::head);
  assert_true(desk.server.respond({.status = 204, .body = bytes_of("hello")}).ok());
  desk.expect_sent("HTTP/1.1 204 No Content\r\n\r\n");
  desk.feed("HEAD / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n");
  assert_int_equal(desk.event().status, 400);
  assert_true(desk.server.respond({.status = 400, .body = bytes_of("two hosts")}).ok());
  desk.expect_sent("HTTP/1.1 400 Bad Request\r\nContent-Length: 9\r\nConnection: close\r\n\r\n");
}

void the_connection_ends_when_somebody_wants_it(void**) {
  for (const string_view request : {"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
                                    "GET / HTTP/1.1\r\nHost: a\r\nConnection: x, CLOSE\r\n\r\n"}) {
    Desk desk;
    desk.feed(request);
    desk.expect(Kind::head);
    assert_true(desk.server.respond({.status = 200}).ok());
    desk.expect_sent("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    assert_true(desk.server.closing());
    assert_false(desk.server.idle());
  }
  Desk desk;
  desk.feed(get);
  desk.expect(Kind::head);
  assert_true(desk.server.respond({.status = 503, .close = true}).ok());
  desk.expect_sent("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
  // What still comes is read and thrown away.
  assert_int_equal(desk.feed(get).size(), 0);
  desk.expect_nothing();
  // And the same object serves the next connection.
  desk.server.open();
  desk.feed(get);
  desk.expect(Kind::head);
}

void the_next_request_waits_for_the_answer_and_for_its_leaving(void**) {
  Desk desk;
  char two[256];
  Writer both{{reinterpret_cast<uint8_t*>(two), sizeof(two)}};
  both.text(get).text(get);
  string_view left = desk.feed(both.view());
  assert_int_equal(left.size(), get.size());
  assert_int_equal(desk.feed(left).size(), left.size());
  desk.expect(Kind::head);
  assert_false(desk.server.reading());
  assert_int_equal(desk.feed(left).size(), left.size());
  desk.expect(Kind::complete);
  assert_int_equal(desk.feed(left).size(), left.size());
  assert_true(desk.server.respond({.status = 200}).ok());
  assert_false(desk.server.reading());
  assert_int_equal(desk.feed(left).size(), left.size());
  desk.sent();
  assert_true(desk.server.reading());
  left = desk.feed(left);
  assert_int_equal(left.size(), 0);
  desk.expect(Kind::head);
}

void a_body_is_read_when_it_is_wanted(void**) {
  Desk desk;
  desk.feed(post);
  desk.expect(Kind::head);
  desk.expect_nothing();
  assert_false(desk.server.reading());
  assert_int_equal(desk.feed("hello").size(), 5);
  desk.server.gather(body_room);
  assert_int_equal(desk.feed("hel").size(), 0);
  desk.expect_nothing();
  assert_int_equal(desk.feed("loGET").size(), 3);
  const HttpServerEvent event = desk.event();
  assert_int_equal(event.kind, Kind::complete);
  assert_true(text_of(event.body) == "hello");
  assert_true(desk.server.respond({.status = 201}).ok());
  desk.expect_sent("HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n");
}

void a_body_comes_in_parts(void**) {
  Desk desk;
  desk.feed(chunked);
  desk.expect(Kind::head);
  assert_true(desk.server.request().has_body());
  desk.server.stream();
  string_view left = desk.feed("3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n");
  HttpServerEvent event = desk.event();
  assert_true(event.kind == Kind::body && text_of(event.body) == "hel");
  desk.expect_nothing();
  left = desk.feed(left);
  event = desk.event();
  assert_true(event.kind == Kind::body && text_of(event.body) == "lo");
  left = desk.feed(left);
  assert_int_equal(left.size(), 0);
  event = desk.event();
  assert_true(event.kind == Kind::complete && event.body.empty());
  assert_true(desk.server.respond({.status = 201}).ok());
  assert_false(desk.server.closing());
}

void continue_is_said_when_the_body_is_wanted(void**) {
  Desk desk;
  desk.feed(waiting);
  desk.expect(Kind::head);
  desk.expect_sent("");
  desk.server.gather(body_room);
  desk.expect_sent(go_on);
  desk.feed("hello");
  desk.expect(Kind::complete);
  assert_true(desk.server.respond({.status = 201}).ok());
  desk.expect_sent("HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n");
  // Answered at once: no 100, and the connection ends, for the body may come or not.
  desk.feed(waiting);
  desk.expect(Kind::head);
  assert_true(desk.server.respond({.status = 404}).ok());
  desk.expect_sent("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
}

void continue_is_said_to_nobody_else(void**) {
  for (const string_view request : {"POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n",
                                    "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n\r\n",
                                    "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 0\r\n\r\n",
                                    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n"}) {
    Desk desk;
    desk.feed(request);
    desk.expect(Kind::head);
    desk.server.gather(body_room);
    desk.expect_sent("");
  }
  // Too long for the room that is there.
  Desk desk;
  desk.feed(waiting);
  desk.expect(Kind::head);
  desk.server.gather(Bytes(body_room).first(4));
  assert_int_equal(desk.event().status, 413);
  desk.expect_sent("");
}

void a_body_over_its_room_is_refused(void**) {
  Desk desk;
  desk.feed(chunked);
  desk.expect(Kind::head);
  desk.server.gather(Bytes(body_room).first(4));
  desk.feed("2\r\nhe\r\n3\r\nllo\r\n");
  const HttpServerEvent event = desk.event();
  assert_int_equal(event.kind, Kind::refused);
  assert_int_equal(event.status, 413);
  assert_true(desk.server.respond({.status = event.status}).ok());
  desk.expect_sent("HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
  assert_true(desk.server.closing());
}

void an_answer_in_the_middle_of_a_body_ends_the_connection(void**) {
  Desk desk;
  desk.feed(post);
  desk.expect(Kind::head);
  desk.server.stream();
  desk.feed("he");
  desk.expect(Kind::body);
  assert_true(desk.server.respond({.status = 429}).ok());
  desk.expect_sent("HTTP/1.1 429 Too Many Requests\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
  assert_int_equal(desk.feed("lloGET / HTTP/1.1\r\n").size(), 0);
  desk.expect_nothing();
}

void an_answer_that_does_not_fit_may_be_tried_again(void**) {
  Desk desk;
  desk.feed(get);
  desk.expect(Kind::head);
  static const uint8_t long_body[4096] = {};
  assert_int_equal(desk.server.respond({.status = 200, .body = long_body}).error(), Error::exhausted);
  desk.expect_sent("");
  assert_true(desk.server.respond({.status = 200, .body = bytes_of("x")}).ok());
  desk.expect_sent("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx");
}

void no_field_can_say_more_than_itself(void**) {
  Desk desk;
  desk.feed(get);
  desk.expect(Kind::head);
  const HttpField evil[] = {{"Location", "/\r\nSet-Cookie: a"},
                            {"Location", "a\nb"},
                            {"Location", string_view("a\0b", 3)},
                            {"A b", "c"},
                            {"", "c"},
                            {"A:", "c"},
                            {"A\r\n", "c"},
                            {"Location",
                             "a\x7f"
                             "b"}};
  for (const HttpField& field : evil) {
    assert_int_equal(desk.server.respond({.status = 200, .fields = {&field, 1}}).error(), Error::malformed);
  }
  assert_int_equal(desk.server.respond({.status = 200, .date = "a\rb"}).error(), Error::malformed);
  assert_int_equal(desk.server.respond({.status = 200, .type = "a\r\nb: c"}).error(), Error::malformed);
  static char long_value[HttpServer::response_head_bytes_max];
  std::memset(long_value, 'a', sizeof(long_value));
  const HttpField long_field{"A", {long_value, sizeof(long_value)}};
  assert_int_equal(desk.server.respond({.status = 200, .fields = {&long_field, 1}}).error(), Error::too_long);
  desk.expect_sent("");
  assert_true(desk.server.respond({.status = 200}).ok());
}

void limits_are_the_callers(void**) {
  const HttpServerOptions options{.head = {.line_bytes_max = 20, .field_bytes_max = 60, .fields_max = 2},
                                  .body_bytes_max = 3};
  const auto judge = [&](string_view request) -> unsigned {
    Desk desk(options);
    while (!request.empty()) {
      const size_t before = request.size();
      request = desk.feed(request);
      HttpServerEvent event;
      while (desk.server.next(event)) {
        if (event.kind == Kind::refused) return event.status;
        if (event.kind == Kind::head) desk.server.gather(body_room);
      }
      if (request.size() == before) break;
    }
    return 0;
  };
  assert_int_equal(judge("POST /456789 HTTP/1.1\r\nHost: a\r\n\r\n"), 414);
  assert_int_equal(judge("POST /45678 HTTP/1.1\r\nHost: a\r\n\r\n"), 0);
  assert_int_equal(judge("GET / HTTP/1.1\r\nHost: a\r\nb: c\r\n\r\n"), 0);
  assert_int_equal(judge("GET / HTTP/1.1\r\nHost: a\r\nb: c\r\nd: e\r\n\r\n"), 431);
  assert_int_equal(judge("GET / HTTP/1.1\r\nHost: a\r\nb: 45678901234567890123456789012345678901234567\r\n\r\n"), 0);
  assert_int_equal(judge("GET / HTTP/1.1\r\nHost: a\r\nb: 456789012345678901234567890123456789012345678\r\n\r\n"), 431);
  assert_int_equal(judge("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"), 0);
  assert_int_equal(judge("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n"), 413);
  assert_int_equal(judge("GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"), 0);
  assert_int_equal(judge("GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n1\r\n"), 413);
}

void an_empty_line_between_requests_is_no_request(void**) {
  Desk desk;
  desk.feed("\r\n");
  assert_true(desk.server.idle());
  desk.feed("G");
  assert_false(desk.server.idle());
}

void media_types_are_told_apart_from_their_parameters(void**) {
  assert_true(is_media_type("application/json", "application/json"));
  assert_true(is_media_type("Application/JSON ; charset=utf-8", "application/json"));
  assert_false(is_media_type("application/jsonx", "application/json"));
  assert_false(is_media_type("", "application/json"));
  assert_false(is_media_type("text/plain;application/json", "application/json"));
}

TESTS(http_server, cmocka_unit_test(a_head_is_told_in_views), cmocka_unit_test(an_answer_is_written_byte_for_byte),
      cmocka_unit_test(head_and_204_have_no_body), cmocka_unit_test(the_connection_ends_when_somebody_wants_it),
      cmocka_unit_test(the_next_request_waits_for_the_answer_and_for_its_leaving),
      cmocka_unit_test(a_body_is_read_when_it_is_wanted), cmocka_unit_test(a_body_comes_in_parts),
      cmocka_unit_test(continue_is_said_when_the_body_is_wanted), cmocka_unit_test(continue_is_said_to_nobody_else),
      cmocka_unit_test(a_body_over_its_room_is_refused),
      cmocka_unit_test(an_answer_in_the_middle_of_a_body_ends_the_connection),
      cmocka_unit_test(an_answer_that_does_not_fit_may_be_tried_again),
      cmocka_unit_test(no_field_can_say_more_than_itself), cmocka_unit_test(limits_are_the_callers),
      cmocka_unit_test(an_empty_line_between_requests_is_no_request),
      cmocka_unit_test(media_types_are_told_apart_from_their_parameters));

}  // namespace

}  // namespace tocsin
