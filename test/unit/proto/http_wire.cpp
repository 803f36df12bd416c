#include "test/unit/proto/http_wire.h"

#include <cstdio>
#include <new>

#include "base/encode.h"
#include "base/text.h"
#include "test/support/tests.h"

namespace tocsin::test {

namespace {

uint8_t server_room[16 * 1024];
uint8_t out_room[16 * 1024];
uint8_t body_room[8 * 1024];
uint8_t words_room[16 * 1024];
uint8_t log_room[http_log_bytes];
uint8_t piece_room[64 * 1024];
alignas(HttpWire) uint8_t wire_room[sizeof(HttpWire)];
uint8_t file_room[256 * 1024];
uint8_t line_room[64 * 1024];

string_view unescape(string_view text, Writer& out) {
  const size_t start = out.size();
  while (!text.empty()) {
    if (text[0] != '\\') {
      const size_t plain = text.find('\\');
      out.text(slice(text, 0, plain));
      text = slice(text, plain);
      continue;
    }
    const char kind = text[1];
    text = slice(text, 2);
    if (kind == 'x') {
      uint8_t byte = 0;
      assert_true(decode_hex(slice(text, 0, 2), {&byte, 1}).ok());
      out.bytes({&byte, 1});
      text = slice(text, 2);
    } else if (kind == '*') {
      const Result<uint64_t> count = parse_number(take_until(text, ';'));
      assert_true(count.ok());
      for (uint64_t i = 0; i < count.value(); ++i) out.character(text[0]);
      text = slice(text, 1);
    } else {
      out.character(kind == 'r' ? '\r' : kind == 'n' ? '\n' : kind == 't' ? '\t' : '\\');
    }
  }
  assert_false(out.overflowed());
  return slice(out.view(), start);
}

}  // namespace

HttpWire::HttpWire(const HttpServerOptions& options)
    : out(out_room), server(server_room, out, options), words_(words_room), log_(log_room) {
  server.open();
}

HttpWire& new_http_wire(const HttpServerOptions& options, bool streaming) {
  HttpWire& wire = *new (wire_room) HttpWire(options);
  wire.streaming = streaming;
  return wire;
}

void HttpWire::feed(string_view text, size_t piece) {
  while (!text.empty()) {
    const ByteView part = bytes_of(slice(text, 0, piece));
    text = slice(text, part.size());
    assert_true(part.size() <= sizeof(piece_room));
    // At the end of the room, so that reading beyond is seen.
    const Bytes place = Bytes(piece_room).last(part.size());
    copy_bytes(place.data(), part);
    size_t used = 0;
    while (used < part.size()) {
      assert_true(server.reading());
      const size_t step = server.feed(place.subspan(used));
      assert_true(step > 0);
      used += step;
      HttpServerEvent event;
      while (server.next(event)) handle(event);
    }
    std::memset(place.data(), 0xDD, place.size());
  }
}

void HttpWire::handle(const HttpServerEvent& event) {
  const HttpRequest& r = server.request();
  switch (event.kind) {
    case HttpServerEvent::Kind::head:
      log_.text("head ").text(r.method_text).text(" ").text(r.path).text(" ? ").text(r.query).text(" @ ").text(r.host);
      log_.text(r.close ? " close" : "").text(r.expects_continue ? " expects" : "").text("\n");
      body_bytes_ = 0;
      if (streaming) {
        server.stream();
      } else {
        server.gather(body_room);
      }
      break;
    case HttpServerEvent::Kind::body:
      assert_true(streaming);
      log_.bytes(event.body);
      body_bytes_ += event.body.size();
      break;
    case HttpServerEvent::Kind::complete:
      log_.bytes(event.body).text(" end\n");
      body_bytes_ += event.body.size();
      if (words_.size() > 0) words_.text("; ");
      words_.text("ok ").text(r.method_text).text(" ").text(r.path);
      if (r.query.data() != nullptr) words_.text("?").text(r.query);
      words_.text(" ").unsigned_number(body_bytes_);
      answer(200, "x");
      break;
    case HttpServerEvent::Kind::refused:
      log_.text("\nrefused ").text(event.problem).text("\n");
      assert_false(event.problem.empty());
      if (words_.size() > 0) words_.text("; ");
      words_.unsigned_number(event.status);
      answer(event.status, "no");
      assert_true(server.closing());
      break;
  }
  assert_false(log_.overflowed() || words_.overflowed());
}

void HttpWire::answer(uint16_t status, string_view body) {
  assert_true(server.respond({.status = status, .body = bytes_of(body)}).ok());
  while (!out.empty()) {
    log_.bytes(out.front());
    out.pop(out.front().size());
  }
}

string_view HttpWire::verdict() {
  if (words_.size() == 0) words_.text("more");
  if (!server.idle() && !server.closing() && !ends_with(words_.view(), "more")) words_.text("; more");
  return words_.view();
}

void for_each_http_case(void (*visit)(const HttpCase& c)) {
  const char* const path = "test/data/http1/requests.txt";
  FILE* const file = std::fopen(path, "rb");
  if (file == nullptr) fail_msg("%s is missing; tests run from the top of the tree", path);
  const size_t size = std::fread(file_room, 1, sizeof(file_room), file);
  std::fclose(file);
  assert_true(size < sizeof(file_room));
  string_view text = text_of(ByteView(file_room).first(size));
  while (!text.empty()) {
    string_view line = take_until(text, '\n');
    if (starts_with(line, "#")) continue;
    Writer room{line_room};
    HttpCase c;
    for (string_view* const field : {&c.ours, &c.node, &c.h11, &c.note, &c.request}) {
      *field = unescape(take_until(line, '\t'), room);
    }
    visit(c);
  }
}

}  // namespace tocsin::test
