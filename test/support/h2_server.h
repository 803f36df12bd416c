// HTTP/2 server over nghttp2 as a pure core: the other end of the client in tests, and the heart
// of the simulated provider. It hands over whole requests and does what it is told, the impolite
// things included. Bounded: at most requests_max requests at a time, longer ones are cut (too_big).
#pragma once

#include <cstdint>

#include "base/bytes.h"
#include "base/list.h"

struct nghttp2_session;

namespace tocsin::test {

struct H2ServerOptions {
  uint32_t streams_max = 1000;         // SETTINGS_MAX_CONCURRENT_STREAMS of the first SETTINGS
  uint32_t initial_window = 65'535;    // of every stream
  int32_t connection_window = 65'535;  // more than that is opened at once
  bool grants_windows = true;          // false: WINDOW_UPDATE only by grant()
  bool answers_pings = true;
};

struct H2ServerHeader {
  string_view name;
  string_view value;
};

// Headers and body are copied.
struct H2Answer {
  uint16_t status = 200;
  std::span<const H2ServerHeader> headers = {};
  string_view body = {};
  size_t piece = SIZE_MAX;  // the body leaves in DATA frames of at most this many bytes
  bool trailers = false;    // ends with a header block behind the body
  bool open_end = false;    // never says END_STREAM
};

struct H2Request {
  int32_t stream = 0;
  bool too_big = false;                        // head or body did not fit: what is here is the beginning
  string_view header(string_view name) const;  // "" when absent; the first of several
  string_view path() const { return header(":path"); }
  string_view body_text() const { return {body, body_size}; }
  // For the core:
  ListHook<H2Request> hook;
  bool complete = false;
  uint32_t head_size = 0;
  uint32_t body_size = 0;
  uint32_t answer_size = 0;
  uint32_t answer_sent = 0;
  size_t piece = SIZE_MAX;
  bool trailers = false;
  bool open_end = false;
  char head[3072];  // name NUL value NUL …
  char body[5632];
  char answer[2048];
};

class H2Server {
 public:
  static constexpr uint32_t requests_max = 1024;

  struct Counters {
    uint64_t requests = 0;  // complete ones
    uint64_t resets = 0;    // RST_STREAM from the client
    uint64_t closed = 0;    // streams that ended, in whichever way
    uint32_t open = 0;      // streams now
    uint32_t most_open = 0;
    uint32_t pings = 0;
    uint32_t ping_answers = 0;
    uint32_t settings_answers = 0;
    uint32_t last_reset_code = 0;
    uint32_t goaways = 0;  // from the client
    uint32_t goaway_code = 0;
  };

  H2Server() = default;
  H2Server(const H2Server&) = delete;
  H2Server& operator=(const H2Server&) = delete;
  ~H2Server() { shut(); }

  void open(const H2ServerOptions& options);
  void feed(ByteView in);
  size_t pull(Bytes room);
  bool wants_write() const;
  void shut();

  // The next request that is complete; it is valid until its stream ends.
  const H2Request* next();
  // A request by its stream, complete or not; nullptr when there is none (any more).
  const H2Request* find(int32_t stream) const;

  // All of these do nothing where the stream is gone.
  void inform(int32_t stream, uint16_t status);  // an interim response (1xx)
  void answer(int32_t stream, const H2Answer& answer);
  void reset(int32_t stream, uint32_t code);
  void go_away(int32_t last_stream, uint32_t code, string_view debug_data);
  void set_streams_max(uint32_t streams);
  void set_initial_window(uint32_t bytes);
  void grant(int32_t stream, int32_t bytes);  // WINDOW_UPDATE; stream 0 is the connection
  void ping();

  int32_t last_stream() const { return last_stream_; }  // the highest that the client opened
  const Counters& counters() const { return counters_; }
  // The client broke the protocol: more streams than granted (in the SETTINGS it acknowledged), or
  // any other reason for which nghttp2 ends the connection.
  bool broken() const { return broken_; }

 private:
  friend struct H2ServerCallbacks;
  void must(int result) const;

  nghttp2_session* session_ = nullptr;
  ByteView piece_;
  H2Request* requests_ = nullptr;  // requests_max of them; untouched memory until used
  uint32_t requests_used_ = 0;
  List<H2Request, &H2Request::hook> free_;
  List<H2Request, &H2Request::hook> ready_;
  Counters counters_;
  int32_t last_stream_ = 0;
  bool leaving_ = false;  // the GOAWAY is ours
  bool broken_ = false;
};

}  // namespace tocsin::test
