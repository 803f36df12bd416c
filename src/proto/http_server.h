// HTTP/1.1 server side of one connection as a pure core (RFC 9112): requests are read strictly, one at a time; answers
// go to a ring. No clock: how long a client may take for a head or a body, and how long it may be idle, is the link's.
//
// The way of a request:
//   feed() → next(): head → gather() or stream() if it has a body → next(): body … complete → respond()
//   feed() → next(): refused → respond() with its status
// respond() may come at any time after head; before the body is complete it ends the connection, for what the client
// still sends could not be told from a request. While an answer is owed, or out holds bytes at the beginning of a
// request, feed() uses nothing: who does not read answers is not read from.
#pragma once

#include <cstdint>

#include "base/bytes.h"
#include "base/result.h"
#include "base/ring.h"
#include "proto/http_chunks.h"
#include "proto/http_request.h"

namespace tocsin {

struct HttpServerOptions {
  HttpRequestReader::Limits head;
  uint64_t body_bytes_max = 4096;  // RFC 8030 §7.2: a push resource takes at least so much
};

struct HttpServerEvent {
  enum class Kind : uint8_t {
    head,      // request() is there; if it has_body(), gather(), stream() or respond() is wanted
    body,      // a part of the body: a view into what was fed, valid as long as that is
    complete,  // body: all that was gathered; now respond()
    refused,   // respond() with status; whatever else that says, the connection ends with it
  };
  Kind kind = Kind::head;
  ByteView body;
  uint16_t status = 0;  // of refused: 400 413 414 417 431 501 505
  string_view problem;  // of refused: a literal for logs
};

struct HttpResponse {
  uint16_t status = 200;
  string_view date = {};  // of now, IMF-fixdate (RFC 9110 §5.6.7); empty while the clock is not plausible
  string_view type = {};  // Content-Type; empty: none
  std::span<const HttpField> fields = {};
  ByteView body = {};  // not sent for HEAD, 204 and 304
  bool close = false;
};

class HttpServer {
 public:
  static constexpr size_t response_head_bytes_max = 1024;

  // room: at least options.head.room_bytes(). out: at least response_head_bytes_max and the longest body.
  HttpServer(Bytes room, ByteRing& out, const HttpServerOptions& options);
  // A new connection; what is left in out belongs to an earlier one and is dropped.
  void open();

  // Consumes input up to the first event and returns how much that was; call next() until it says no, before feeding
  // on. Uses all, unread, once closing().
  size_t feed(ByteView in);
  bool next(HttpServerEvent& event);
  // False while feed() would use nothing: do not read from the socket.
  bool reading() const;
  // From head until respond(); after refused only its method counts.
  const HttpRequest& request() const { return reader_.request(); }

  // After head. The body comes with complete, in room, which must live until then; a body longer than the room is
  // refused (413).
  void gather(Bytes room);
  // After head. The body comes in parts.
  void stream();

  // Error::exhausted: out has no room now; Error::malformed, too_long: the fields can not be sent. Nothing is
  // written then.
  Status respond(const HttpResponse& response);

  // No further request: send what out holds, shut down the writing side, read on for a while (else the answer may be
  // lost with a reset, RFC 9112 §9.6), close.
  bool closing() const { return state_ == State::over; }
  // Between two requests: nobody waits for anything here.
  bool idle() const { return state_ == State::head && !reader_.begun(); }
  uint32_t answered() const { return answered_; }  // on this connection

 private:
  enum class State : uint8_t {
    head,
    asking,  // head was handed over, the body waits for gather() or stream()
    body,
    answering,  // the next word is respond()'s
    over,
  };
  enum class Pending : uint8_t { none, head, body, complete, refused };
  void want_body(uint64_t bytes_max);
  void refuse(uint16_t status, const char* problem);
  size_t feed_body(ByteView in);
  void body_part(ByteView part);
  void body_ended();

  Bytes room_;
  ByteRing& out_;
  HttpServerOptions options_;
  State state_ = State::over;
  Pending pending_ = Pending::none;
  HttpRequestReader reader_;
  HttpChunks chunks_;
  uint64_t body_left_ = 0;  // of a content length
  bool body_complete_ = false;
  bool gathering_ = false;
  Bytes body_room_;
  size_t gathered_ = 0;
  ByteView part_;
  uint16_t status_ = 0;
  const char* problem_ = "";
  uint32_t answered_ = 0;
};

}  // namespace tocsin
