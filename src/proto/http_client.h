// HTTP/1.1 client side of one connection as a pure core (RFC 9112), for push services without HTTP/2. It takes the same
// headers and exchanges as H2Client, one at a time: whoever maps a request need not know which version carries it.
//
// Responses are read strictly: what two readers could take for different messages is malformed, and then nothing more
// is believed from this connection. No redirects, no trailers, no upgrades. No clock: deadlines are the link's.
#pragma once

#include <cstdint>

#include "base/bytes.h"
#include "base/result.h"
#include "proto/h2_client.h"
#include "proto/http_chunks.h"
#include "proto/http_fields.h"

namespace tocsin {

struct HttpClientOptions {
  size_t field_bytes_max = 32 * 1024;  // of each header section; only what is needed of it is kept
  uint32_t fields_max = 200;
  // Of a response's body; only H2Exchange's 512 bytes are kept, but reading on saves the connection.
  uint64_t body_bytes_max = 64 * 1024;
  uint32_t interim_max = 8;  // 1xx responses before the final one
};

class HttpClient {
 public:
  // room: for the head of a request; nothing longer is sent.
  explicit HttpClient(Bytes room, const HttpClientOptions& options = {}) : room_(room), options_(options) {}
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  void open();  // a new connection
  // 1 when a request may be submitted; 0 while one is open, and for ever once spent().
  uint32_t may_submit() const { return state_ == State::idle && over_ == nullptr ? 1 : 0; }
  // headers: as for HTTP/2. :method (not HEAD or CONNECT), :path and :authority are needed, :scheme is not sent,
  // Content-Length is written from body, so content-length is left out. They are copied; body and exchange are pointed
  // to until the exchange came out of next(). Error::again: may_submit() is 0; Error::too_long: over the room;
  // Error::malformed: would be another request on the wire. After an error the exchange is untouched.
  Status submit(std::span<const H2Header> headers, ByteView body, H2Exchange& exchange);
  // Bytes that want to leave, as many as fit; 0 when there are none.
  size_t pull(Bytes room);
  bool wants_write() const { return state_ == State::open && sent_ < head_size_ + exchange_->request_size; }

  // Uses all. Error::malformed: problem() says how; close the connection. An exchange that was answered before that
  // comes out of next() as answered, one that was not as reset.
  Status feed(ByteView in);
  // The peer ended the connection in good order (with TLS: close_notify; else an attacker could cut a response short).
  void peer_closed();
  // Nothing happens to an exchange that is over. Its connection is spent, unless no byte of it had left.
  void cancel(H2Exchange& exchange);
  // Ends the connection; an open exchange is over as lost, or unprocessed when no byte of it had left.
  void shut();

  // The exchange when it is over, once; outcome as with HTTP/2, reset standing for a malformed response.
  H2Exchange* next();
  // No further request over this connection: close it when next() has said so of the last one.
  bool spent() const { return state_ == State::spent; }
  // What the last response's Keep-Alive said; UINT32_MAX: nothing. A request that leaves later may meet a closed door.
  uint32_t keep_alive_seconds() const { return keep_alive_seconds_; }
  const char* problem() const { return problem_; }  // a literal, "" while all is well

 private:
  enum class State : uint8_t { idle, open, spent };
  enum class Part : uint8_t { status_line, reason, status_end, fields, body, chunks, until_closed };
  enum class Step : uint8_t { more, over, bad };
  void begin_response();
  Step head_byte(uint8_t byte);
  Step status_read();
  Step head_ended();
  Step body_part(ByteView part);
  Step refuse(const char* problem);
  void finish(H2Exchange::Outcome outcome, bool reusable);
  void read_keep_alive();

  Bytes room_;
  HttpClientOptions options_;
  State state_ = State::spent;
  H2Exchange* exchange_ = nullptr;
  H2Exchange* over_ = nullptr;
  size_t head_size_ = 0;
  size_t sent_ = 0;  // of head and body
  Part part_ = Part::status_line;
  char line_[12];  // "HTTP/1.1 200"
  size_t line_size_ = 0;
  uint16_t status_ = 0;
  uint32_t interim_ = 0;
  HttpFields fields_;
  uint8_t fields_room_[1024];
  HttpChunks chunks_;
  uint64_t body_left_ = 0;
  uint64_t body_bytes_ = 0;
  bool keeps_ = false;  // the response lets the connection live
  uint32_t keep_alive_seconds_ = UINT32_MAX;
  const char* problem_ = "";
};

}  // namespace tocsin
