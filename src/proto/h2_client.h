// HTTP/2 client as a pure core over nghttp2: callbacks only record, the caller
// sees finished exchanges after feed() or pull() returned.
//
// Lifetime: nghttp2 points into the request body and the H2Exchange from
// submit() until the exchange came out of next(); only then may they be reused.
//
// When the heap refuses, or would refuse what is under way, submit() and ping() answer
// Error::exhausted and the session goes on; feed(), pull() and cancel() can not go on: shut it.
#pragma once

#include <cstdint>
#include <new>

#include "base/bytes.h"
#include "base/check.h"
#include "base/list.h"
#include "base/result.h"
#include "base/text.h"
#include "mem/heap.h"

struct nghttp2_session;

namespace tocsin {

struct H2Header {
  string_view name;  // lower case (RFC 9113 §8.2.1)
  string_view value;
  bool no_index = false;  // HPACK literal without indexing, for values that are unique each time
};

// One request and what came of it; lives in the caller's Push.
struct H2Exchange {
  static constexpr size_t id_bytes_max = 128;

  enum class Outcome : uint8_t {
    open,         // not over yet
    answered,     // status and body are there
    unprocessed,  // the peer did not touch it: REFUSED_STREAM, above GOAWAY's last stream, or never written
    reset,        // RST_STREAM or a protocol error: it may have been processed
    lost,         // the connection ended: it may have been processed
    cancelled,    // by cancel(), unless the answer was complete before
  };
  Outcome outcome = Outcome::open;
  // The caller's, untouched: whose it is, and the room for the body of the answer (none: it is cut to nothing).
  void* owner = nullptr;
  Bytes room;
  int32_t stream = 0;
  uint32_t reset_code = 0;  // of every ended stream; 0 (NO_ERROR) when lost or never written
  uint16_t status = 0;      // 0 unless answered
  bool body_cut = false;    // the body was longer than its room
  uint16_t body_size = 0;
  FixedText<id_bytes_max> id;  // apns-id; as the next two: empty when absent or longer than its room
  FixedText<40> retry_after;
  FixedText<40> date;
  string_view body_text() const { return text_of(ByteView(room).first(body_size)); }
  // For the cores: as new, but for what is the caller's.
  void begin(ByteView request) {
    GW_CHECK(!hook.linked && room.size() <= UINT16_MAX);
    void* const whose = owner;
    const Bytes answer = room;
    new (this) H2Exchange;
    owner = whose;
    room = answer;
    request_body = request.data();
    request_size = request.size();
  }
  ListHook<H2Exchange> hook;
  const uint8_t* request_body = nullptr;
  size_t request_size = 0;
  size_t request_sent = 0;
  bool written = false;     // its HEADERS left
  bool cancelling = false;  // its RST waits to be written
  bool head_over = false;   // the final response's HEADERS are complete: what follows are trailers
  bool complete = false;    // END_STREAM of a final response arrived
};

struct H2Options {
  // What the peer grants before its first SETTINGS: nghttp2 assumes 100, APNs wants 1 (spec: APNs
  // allows one stream until a request with a valid token was posted).
  uint32_t first_streams = 1;
  // Our own bound on streams in flight: each costs the session's heap, see h2_session_bytes().
  uint32_t streams_max = 1000;
};

// The heap of one session, measured with nghttp2 1.52 on x86-64, block headers included: 25.6 KB
// fresh, 10 KB for our own HPACK table, up to 27 KB for the peer's, 16 KB for the words of a
// GOAWAY; a queued request 976 bytes with APNs headers of 460 (its text, 42 a header, 140), an open
// stream 280, a queued RST 160. Worst is all streams queued at once.
constexpr size_t h2_session_bytes(uint32_t streams, size_t header_bytes = 900, size_t headers = 12) {
  return (80 << 10) + streams * (192 + header_bytes + 42 * headers);
}

class H2Client {
 public:
  // More than any provider's request needs; nghttp2 copies them until they are written.
  static constexpr size_t headers_max = 24;
  static constexpr size_t header_bytes_max = 8192;

  explicit H2Client(Heap& heap) : heap_(heap) {}
  H2Client(const H2Client&) = delete;
  H2Client& operator=(const H2Client&) = delete;
  ~H2Client();

  Status open(const H2Options& options);
  // Error::malformed: the peer broke the protocol (problem() says how); Error::exhausted: heap refused.
  // Either way shut() is next; after malformed one pull() before it may say good-bye to the peer.
  Status feed(ByteView in);
  // Frames that want to leave, as many as fit; 0 when there are none. Errors as feed(), Error::closed when shut.
  Result<size_t> pull(Bytes room);
  bool wants_write() const;

  // How many more requests may be submitted now: the peer's live limit, less every stream
  // that is open or whose RST was not written yet; 0 after GOAWAY; and 0 while the queued body bytes
  // fill the connection window, so that a half-sent request is never starved by later ones.
  uint32_t room() const;
  // body must live until the exchange ends; the headers are copied. Error::again: room() is 0 or
  // body does not fit the window now; Error::too_long and Error::malformed: these headers never can
  // be sent; Error::exhausted. After an error the exchange is untouched.
  Status submit(std::span<const H2Header> headers, ByteView body, H2Exchange& exchange);
  // RST_STREAM(CANCEL); the exchange still comes out of next() once that was written, or at once
  // when not even its HEADERS were. Nothing happens to an exchange that is over.
  void cancel(H2Exchange& exchange);
  // Error::busy while the last one is unanswered, Error::exhausted.
  Status ping();
  bool ping_answered() const { return pings_open_ == 0; }

  // The next exchange that is over, or nullptr.
  H2Exchange* next();
  uint32_t in_flight() const { return open_.size(); }
  bool settings_seen() const { return settings_seen_; }
  uint32_t peer_streams() const;
  // No more requests on this session: the peer said GOAWAY, or the stream numbers are used up.
  bool going_away() const { return going_away_; }
  string_view goaway_reason() const { return goaway_.view(); }  // JSON reason or plain text, cut to 128 bytes
  uint32_t goaway_code() const { return goaway_code_; }
  const char* problem() const { return problem_; }  // a literal, "" while all is well

  // Ends the session; every exchange still open is over as lost or unprocessed (never
  // written) and comes out of next() afterwards. The heap is empty then.
  void shut();

 private:
  friend struct H2Callbacks;
  Status start(const H2Options& options);
  Status fail(int library_error);
  void finish(H2Exchange& exchange, H2Exchange::Outcome outcome);
  void withdraw(H2Exchange& exchange, H2Exchange::Outcome outcome);
  bool body_fits(size_t size) const;
  bool heap_fits(size_t request_bytes) const;
  void keep_goaway(uint32_t code, ByteView debug_data);

  Heap& heap_;
  nghttp2_session* session_ = nullptr;
  ByteView piece_;  // what nghttp2 handed out and pull() had no room for
  List<H2Exchange, &H2Exchange::hook> open_;
  List<H2Exchange, &H2Exchange::hook> over_;
  FixedText<128> goaway_;
  uint32_t goaway_code_ = 0;
  uint32_t streams_max_ = 0;
  uint32_t streams_ = 0;  // that nghttp2 knows: queued, open, or with an unwritten RST
  uint32_t pings_open_ = 0;
  size_t body_bytes_queued_ = 0;
  bool settings_seen_ = false;
  bool going_away_ = false;
  bool dead_ = false;  // nghttp2 may only be deleted
  Error trouble_ = Error::none;
  int library_error_ = 0;  // what nghttp2 explained in the last feed()
  const char* problem_ = "";
};

}  // namespace tocsin
