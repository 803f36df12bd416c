// XEP-0114 as a pure core: bytes in, events out, bytes out. It knows the
// stream, the handshake, keep-alives and liveness; reconnecting is the link's.
#pragma once

#include <cstdint>

#include "base/arena.h"
#include "base/result.h"
#include "base/ring.h"
#include "base/text.h"
#include "base/time.h"
#include "proto/framer.h"
#include "proto/stanza.h"
#include "proto/xml_reader.h"

namespace tocsin {

struct ComponentOptions {
  string_view domain;   // our JID; outlives the stream
  string_view ping_to;  // a domain of the server, or so we hope: see ping_ourselves_; empty: no pings
  size_t stanza_bytes_max = 64 * 1024;
  Duration handshake_within = seconds(30);  // ejabberd gives 120 s, MongooseIM 5 s
  Duration ping_after = seconds(60);        // without any input
  Duration pong_within = seconds(30);
  Duration own_pong_within = seconds(10);  // of the ping that follows, when there was none
  Duration blank_after = seconds(240);     // a space when we sent nothing for so long
};

struct ComponentEvent {
  enum class Kind : uint8_t {
    challenge,  // text: the stream id, unescaped; answer with authenticate(). Valid until open() or shut()
    up,         // handshake accepted
    stanza,     // iq, message or presence; stanza is valid until the next feed()
    ended,  // stream is over: text is the reason for the log ("not-authorized: Secret key mismatch", "conflict", "no
            // answer to a ping", "not-well-formed: …")
  };
  Kind kind = Kind::ended;
  string_view text;
  Stanza stanza{};
  bool conflict = false;  // ended by <conflict/>: another component has our name; do not hurry back
};

class ComponentStream {
 public:
  // out: where stanzas wait to leave. heap and arena as in XmlReader.
  ComponentStream(Heap& heap, Arena& arena, ByteRing& out, const ComponentOptions& options);

  // Writes the stream header. What is left in out belongs to an earlier stream and is dropped.
  void open(Instant now);
  // hex: 40 lower-case hex digits of SHA1(stream id ‖ secret) (XEP-0114 §3).
  void authenticate(string_view hex);

  // Consumes input up to the first event, which next() then hands over; call next()
  // before feeding on: until then nothing is used. Returns how many bytes were used
  // (all of them when no event came, or when the stream is over).
  size_t feed(ByteView in, Instant now);
  bool next(ComponentEvent& event);
  // The peer closed the connection.
  void peer_closed();
  void tick(Instant now);
  Instant due() const;

  // Appends a whole stanza to out; Error::exhausted when it has no room, Error::closed
  // when the stream is not up (nothing is written).
  Status send(ByteView stanza, Instant now);
  void close();  // </stream:stream>, best effort; after it only the end is reported
  void shut();   // forget everything, free the parser
  bool up() const { return state_ == State::up; }
  // Stanzas whose root tag was over a limit, so that there was nothing to deliver.
  uint32_t dropped() const { return dropped_; }
  const XmlReader& reader() const { return reader_; }

 private:
  enum class State : uint8_t { shut, opening, challenged, authenticating, up, closing, ended };
  void end(string_view reason, string_view detail = {}, bool conflict = false);
  void header_part(ByteView part, bool complete);
  void stanza_part(ByteView part, bool complete);
  void stanza_arrived(const Stanza& stanza);
  void stream_error(const Element& error);
  bool is_pong(const Element& root) const;
  void report(ComponentEvent::Kind kind, string_view text = {});
  void write_ping(Instant now);
  Instant pong_due() const;

  XmlReader reader_;
  Framer framer_;
  ByteRing& out_;
  ComponentOptions options_;
  State state_ = State::shut;
  bool between_ = true;    // the next byte of a stanza is its first
  bool skipping_ = false;  // the rest of the open stanza is not parsed; left_ is what came before
  bool left_ok_ = false;
  bool pending_ = false;      // event_ waits for next()
  bool end_pending_ = false;  // and behind it the end
  bool conflict_ = false;
  size_t parsed_ = 0;  // bytes of the open stanza that the reader has seen
  Stanza left_;
  ComponentEvent event_;
  FixedText<1024> text_;  // the reason of the end
  uint8_t header_[1024];  // the stream's start tag while it arrives
  size_t header_size_ = 0;
  Instant started_{};
  Instant last_input_{};
  Instant last_output_{};
  Instant ping_sent_{};
  bool ping_open_ = false;
  // ping_to was silent; it may be another server's domain, which is away or never was there. A ping to ourselves comes
  // back by way of our server. Kept from stream to stream, until one does not come back.
  bool ping_ourselves_ = false;
  uint32_t pings_ = 0;
  uint32_t dropped_ = 0;
};

}  // namespace tocsin
