// The head of an HTTP/1.1 request (RFC 9112 §3, §5), byte by byte, and what it says about the body. Refuses with the
// status that the client shall see.
#pragma once

#include <cstdint>

#include "base/bytes.h"
#include "proto/http_fields.h"

namespace tocsin {

// All views lie in the reader's room.
struct HttpRequest {
  enum class Method : uint8_t { get, head, post, other };  // other: PUT, DELETE, OPTIONS, PATCH
  Method method = Method::other;
  string_view method_text;  // case counts (RFC 9110 §9.1)
  string_view path;         // as it came: "/up/AbC%20d"; "*" with OPTIONS
  string_view query;        // behind '?'; no data() when there was none
  string_view host;         // with its port; of good form, but anybody's. Empty: HTTP/1.0 without one
  HttpFields fields;
  uint8_t minor = 1;              // HTTP/1.minor
  bool close = false;             // the client wants no further request on this connection, or cannot say so
  bool expects_continue = false;  // waits for 100 before it sends the body
  bool chunked = false;
  uint64_t content_length = 0;  // 0 when chunked
  bool has_body() const { return chunked || content_length > 0; }
};

class HttpRequestReader {
 public:
  static constexpr size_t method_bytes_max = 16;  // of those we know, the longest has 7

  struct Limits {
    size_t line_bytes_max = 2048;   // the request line without its end
    size_t field_bytes_max = 6144;  // the header section
    uint32_t fields_max = 64;
    size_t room_bytes() const { return line_bytes_max + field_bytes_max; }
  };
  enum class Found : uint8_t { more, head, refused };

  // room: at least limits.room_bytes(), outlives the reader.
  void start(Bytes room, const Limits& limits);
  // After head or refused, start() is next.
  Found feed(uint8_t byte);
  bool begun() const { return begun_; }  // a byte of its line came
  // After head; after refused its method may be there, when it was understood.
  const HttpRequest& request() const { return request_; }
  uint16_t status() const { return status_; }       // after refused: 400, 414, 417, 431, 501, 505
  const char* problem() const { return problem_; }  // a literal, for logs

 private:
  enum class State : uint8_t;
  Found line_byte(uint8_t byte);
  Found line_ended();
  Found head_ended();
  bool read_target();
  bool read_host();
  bool read_body_length();
  bool refuse(uint16_t status, const char* problem);
  Found refused(uint16_t status, const char* problem) {
    (void)refuse(status, problem);
    return Found::refused;
  }

  Bytes room_;
  Limits limits_;
  State state_{};
  bool begun_ = false;
  bool blank_line_ = false;  // came
  size_t line_size_ = 0;
  size_t target_at_ = 0;
  size_t version_at_ = 0;
  HttpRequest request_;
  uint16_t status_ = 0;
  const char* problem_ = "";
};

// "example.org", "192.0.2.1:8080", "[2001:db8::1]:443". Stricter than RFC 3986: no %XX, no signs that no host has, and
// no empty port.
bool is_http_host(string_view text);

// A path and query that may be asked for as it is (origin form, RFC 9112 §3.2.1).
bool is_http_path(string_view text);

}  // namespace tocsin
