// Hostile clients: whatever bytes come to the HTTP/1.1 server, and however they are cut, the same comes of them,
// nothing is read twice or beyond, and every request has one end. The first byte of an input says how the connection is
// served (Way), the second how it is cut; the rest is what the client sends.
//   make fuzz SECONDS=60
#include "base/writer.h"
#include "proto/http_server.h"
#include "test/fuzz/check.h"

using namespace tocsin;
using namespace tocsin::fuzz;

namespace {

using Kind = HttpServerEvent::Kind;

enum Way : uint8_t {
  streaming = 1,   // bodies in parts
  narrow = 2,      // limits that are soon reached
  hasty = 4,       // answers before the body came
  lazy = 8,        // sends nothing while it can read
  big_answer = 16  // answers that fill what is to be sent
};

constexpr size_t input_bytes_max = 16 * 1024;
constexpr size_t out_bytes = 2048;
constexpr size_t answer_bytes = 900;

HttpServerOptions options_of(uint8_t way) {
  if ((way & narrow) == 0) return {};
  return {.head = {.line_bytes_max = 40, .field_bytes_max = 160, .fields_max = 4}, .body_bytes_max = 24};
}

// One connection, and what came of it.
class Connection {
 public:
  explicit Connection(uint8_t way)
      : way_(way),
        options_(options_of(way)),
        room_(options_.head.room_bytes()),
        body_room_(options_.body_bytes_max),
        out_(out_room_),
        server_(room_.bytes(), out_, options_) {
    server_.open();
  }

  void feed(ByteView whole) {
    const Copy copy(whole);
    ByteView in = copy.view();
    while (!in.empty()) {
      if (!server_.reading()) {
        check(!out_.empty(), "who does not read has something to send");
        check(server_.feed(in) == 0, "who does not read uses nothing");
        send();
        check(server_.reading(), "who has sent all reads");
      }
      const size_t used = server_.feed(in);
      check(used > 0 && used <= in.size(), "some of it is used, never more than there is");
      in = in.subspan(used);
      HttpServerEvent event;
      unsigned events = 0;
      while (server_.next(event)) {
        check(++events <= 3, "head, body and end at once at most");
        take(event);
      }
      if ((way_ & lazy) == 0) send();
    }
  }

  // Everything that must not depend on how it was cut.
  string_view log() {
    send();
    check(!log_.overflowed() && !sent_.overflowed(), "room for what is compared");
    return log_.view();
  }
  string_view sent() const { return sent_.view(); }  // after log()
  size_t requests() const { return requests_; }

 private:
  struct Block {
    explicit Block(size_t size) : at(static_cast<uint8_t*>(std::malloc(size))), size(size) {}
    ~Block() { std::free(at); }
    Block(const Block&) = delete;
    Block& operator=(const Block&) = delete;
    Bytes bytes() const { return {at, size}; }
    uint8_t* at;
    size_t size;
  };

  void take(const HttpServerEvent& event) {
    const HttpRequest& r = server_.request();
    switch (event.kind) {
      case Kind::head: return take_head(r);
      case Kind::body:
        check((way_ & streaming) != 0 && open_ && !event.body.empty(), "parts come to who wants them");
        body_bytes_ += event.body.size();
        log_.bytes(event.body);
        break;
      case Kind::complete:
        check(open_, "an end has a beginning");
        if ((way_ & streaming) == 0) body_bytes_ += event.body.size();
        log_.bytes(event.body).text(" end\n");
        check(r.chunked || body_bytes_ == r.content_length, "the body is as long as it said");
        answer(200);
        break;
      case Kind::refused:
        check(event.status >= 400 && event.status < 600 && !event.problem.empty(), "a refusal has its reasons");
        log_.text("\nrefused ").text(event.problem).text("\n");
        answer(event.status);
        check(server_.closing(), "a refusal is the end");
        break;
    }
    check(body_bytes_ <= options_.body_bytes_max, "no body is longer than may be");
  }

  void take_head(const HttpRequest& r) {
    check(!open_, "one request at a time");
    open_ = true;
    body_bytes_ = 0;
    check(!r.method_text.empty() && (is_http_path(r.path) || (r.path == "*" && r.method_text == "OPTIONS")), "a path");
    check(is_http_host(r.host) || (r.minor == 0 && r.host.empty()), "a host");
    check(!(r.chunked && r.content_length > 0), "one length");
    log_.text("head ").text(r.method_text).text(" ").text(r.path).text(" ? ").text(r.query).text(" @ ").text(r.host);
    log_.text(r.close ? " close" : "").text(r.expects_continue ? " expects" : "").text("\n");
    if ((way_ & hasty) != 0) {
      answer(404);
    } else if ((way_ & streaming) != 0) {
      server_.stream();
    } else {
      server_.gather(body_room_.bytes());
    }
  }

  void answer(uint16_t status) {
    static const uint8_t body[answer_bytes] = {'x'};
    const HttpResponse response{.status = status, .body = {body, (way_ & big_answer) != 0 ? answer_bytes : 1}};
    Status said = server_.respond(response);
    if (!said.ok()) {
      check(said.error() == Error::exhausted && !out_.empty(), "only what waits to be sent keeps an answer back");
      send();
      said = server_.respond(response);
    }
    check(said.ok(), "there is room for an answer");
    open_ = false;
    ++requests_;
  }

  void send() {
    while (!out_.empty()) {
      sent_.bytes(out_.front());
      out_.pop(out_.front().size());
    }
  }

  uint8_t way_;
  HttpServerOptions options_;
  Block room_;
  Block body_room_;
  uint8_t out_room_[out_bytes];
  uint8_t log_room_[4 * input_bytes_max];
  // Every request has its answer; the shortest request has 18 bytes.
  uint8_t sent_room_[(input_bytes_max / 16) * (answer_bytes + 256)];
  ByteRing out_;
  HttpServer server_;
  Writer log_{log_room_};
  Writer sent_{sent_room_};
  bool open_ = false;
  size_t body_bytes_ = 0;
  size_t requests_ = 0;
};

// One after the other in static storage: each is larger than a stack should bear.
struct Connections {
  alignas(Connection) uint8_t room[2][sizeof(Connection)];
};
Connections connections;

class Served {
 public:
  Served(int which, uint8_t way) : connection_(new (connections.room[which]) Connection(way)) {}
  ~Served() { connection_->~Connection(); }
  Served(const Served&) = delete;
  Served& operator=(const Served&) = delete;
  Connection* operator->() const { return connection_; }

 private:
  Connection* connection_;
};

void compare(const Served& whole, const Served& cut) {
  check(whole->log() == cut->log(), "how it is cut changes nothing of what is asked");
  check(whole->sent() == cut->sent(), "nor of what is answered");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2 || size > input_bytes_max) return 0;
  const uint8_t way = data[0];
  const ByteView text(data + 2, size - 2);
  const Served whole(0, way);
  whole->feed(text);
  check(whole->requests() <= 1 + text.size() / 16, "no request is made of nothing");
  {
    const Served single(1, way);
    for (const uint8_t& byte : text) single->feed({&byte, 1});
    compare(whole, single);
  }
  const Served cut(1, way);
  uint32_t dice = data[1];
  for (ByteView rest = text; !rest.empty();) {
    dice = dice * 1664525 + 1013904223;  // Numerical Recipes' generator: cuts need no better one
    const size_t piece = 1 + (dice >> 16) % (1 + data[1]);
    const ByteView part = rest.first(piece < rest.size() ? piece : rest.size());
    cut->feed(part);
    rest = rest.subspan(part.size());
  }
  compare(whole, cut);
  return 0;
}
