#include "proto/component.h"

#include "base/writer.h"

namespace tocsin {

namespace {

constexpr string_view streams_ns = "http://etherx.jabber.org/streams";
constexpr string_view stream_errors_ns = "urn:ietf:params:xml:ns:xmpp-streams";
constexpr string_view ping_id = "tocsin-ping-";

// Two domains of 1,023 bytes (RFC 7622 §3.2), escaped where the domain is odd.
constexpr size_t line_bytes_max = 4096;

}  // namespace

ComponentStream::ComponentStream(Heap& heap, Arena& arena, ByteRing& out, const ComponentOptions& options)
    : reader_(heap, arena, XmlLimits{}), out_(out), options_(options) {}

void ComponentStream::open(Instant now) {
  shut();
  out_.clear();
  state_ = State::opening;
  started_ = last_input_ = last_output_ = now;
  uint8_t room[line_bytes_max];
  Writer line{Bytes(room)};
  line.text("<?xml version='1.0'?><stream:stream xmlns='jabber:component:accept' xmlns:stream='")
      .text(streams_ns)
      .text("' to='")
      .xml(options_.domain)
      .text("'>");
  if (line.overflowed() || !out_.push(line.written())) end("no room for the stream header");
}

void ComponentStream::authenticate(string_view hex) {
  if (state_ != State::challenged) return;
  uint8_t room[128];
  Writer line{Bytes(room)};
  line.text("<handshake>").xml(hex).text("</handshake>");
  if (line.overflowed() || !out_.push(line.written())) return end("no room for the handshake");
  state_ = State::authenticating;
}

size_t ComponentStream::feed(ByteView in, Instant now) {
  if (state_ == State::shut || state_ == State::ended) return in.size();
  if (in.empty() || pending_) return 0;
  last_input_ = now;
  ping_open_ = false;
  size_t used = 0;
  while (used < in.size() && !pending_ && state_ != State::ended) {
    const Framer::Step step = framer_.feed(in.subspan(used));
    const ByteView part = in.subspan(used, step.used);
    used += step.used;
    switch (step.found) {
      case Framer::Found::more:
        if (framer_.depth() == 0) {
          header_part(part, false);
        } else {
          stanza_part(part, false);
        }
        break;
      case Framer::Found::stanza: stanza_part(part, true); break;
      case Framer::Found::blank: break;
      case Framer::Found::stream_open: header_part(part, true); break;
      case Framer::Found::stream_close: end("closed by the server"); break;
      case Framer::Found::forbidden:
        end("not-well-formed", "a comment, processing instruction, DOCTYPE or text where none may be");
        break;
    }
  }
  return state_ == State::ended ? in.size() : used;
}

void ComponentStream::header_part(ByteView part, bool complete) {
  if (part.size() > sizeof header_ - header_size_) return end("stream header too long");
  copy_bytes(header_ + header_size_, part);
  header_size_ += part.size();
  if (!complete) return;
  const Status read = reader_.open({header_, header_size_});
  if (read.error() == Error::malformed) return end("not-well-formed", reader_.problem());
  if (!read.ok()) return end("stream header", describe(read.error()));
  const Element& header = *reader_.header();
  if (header.name != "stream" || header.ns != streams_ns) return end("not an XMPP stream");
  if (state_ != State::opening) return;
  state_ = State::challenged;
  // Prosody sends an empty id before it says host-unknown.
  report(ComponentEvent::Kind::challenge, header.value("id"));
}

// Gives the reader the first stanza_bytes_max bytes of a stanza and no more, so that
// what is delivered does not depend on how the bytes were cut on their way.
void ComponentStream::stanza_part(ByteView part, bool complete) {
  if (between_) {
    between_ = skipping_ = false;
    parsed_ = 0;
    reader_.begin();
  }
  if (!skipping_) {
    const size_t room = options_.stanza_bytes_max - parsed_;
    const ByteView head = part.first(part.size() < room ? part.size() : room);
    const Status read = reader_.feed(head);
    parsed_ += head.size();
    if (read.error() == Error::malformed) return end("not-well-formed", reader_.problem());
    if (!read.ok() || head.size() < part.size()) {
      const Result<Stanza> left = reader_.abandon();
      if (!left.ok() && left.error() == Error::exhausted) return end("no memory for the XML parser");
      left_ok_ = left.ok();
      if (left_ok_) left_ = left.value();
      skipping_ = true;
    }
  }
  if (!complete) return;
  between_ = true;
  if (!skipping_) {
    const Result<Stanza> read = reader_.finish();
    if (!read.ok() && read.error() == Error::malformed) return end("not-well-formed", reader_.problem());
    left_ok_ = read.ok();
    if (left_ok_) left_ = read.value();
  }
  if (!left_ok_) {
    ++dropped_;
    return;
  }
  left_.size = framer_.stanza_bytes();
  stanza_arrived(left_);
}

void ComponentStream::stanza_arrived(const Stanza& stanza) {
  const Element& root = *stanza.root;
  if (root.name == "error" && root.ns == streams_ns) return stream_error(root);
  if (!is_stanza_namespace(root.ns)) return;
  if (state_ == State::authenticating) {
    if (root.name != "handshake") return;
    state_ = State::up;
    report(ComponentEvent::Kind::up);
  } else if (state_ == State::up) {
    if (root.name != "iq" && root.name != "message" && root.name != "presence") return;
    if (is_pong(root)) return;
    report(ComponentEvent::Kind::stanza);
    event_.stanza = stanza;
  }
}

// RFC 6120 §4.9.2: a condition, and maybe a text for humans.
void ComponentStream::stream_error(const Element& error) {
  string_view condition = "stream error";
  string_view detail = error.text;
  bool conflict = false;
  for (const Element* e = error.first_child; e != nullptr; e = e->next) {
    if (e->ns != stream_errors_ns) continue;
    if (e->name == "text") {
      detail = e->text;
    } else if (condition == "stream error") {
      condition = e->name;
      conflict = e->name == "conflict";
    }
  }
  end(condition, detail, conflict);
}

// Errors count as well: a server that answers is alive. And so is one that brings us our own.
bool ComponentStream::is_pong(const Element& root) const {
  if (root.name != "iq" || !starts_with(root.value("id"), ping_id)) return false;
  const string_view type = root.value("type");
  return type == "result" || type == "error" || (type == "get" && root.value("from") == options_.domain);
}

void ComponentStream::report(ComponentEvent::Kind kind, string_view text) {
  event_ = ComponentEvent{.kind = kind, .text = text};
  pending_ = true;
}

void ComponentStream::end(string_view reason, string_view detail, bool conflict) {
  if (state_ == State::ended || state_ == State::shut) return;
  state_ = State::ended;
  conflict_ = conflict;
  end_pending_ = true;
  // The server's words may be of any length; for the log their beginning will do.
  uint8_t room[1024];
  Writer line{Bytes(room)};
  line.text(cut_utf8(reason, 200));
  if (!detail.empty()) line.text(": ").text(cut_utf8(detail, 800));
  if (!text_.assign(line.view())) text_.clear();
}

bool ComponentStream::next(ComponentEvent& event) {
  if (pending_) {
    pending_ = false;
    event = event_;
    return true;
  }
  if (!end_pending_) return false;
  end_pending_ = false;
  event = ComponentEvent{.kind = ComponentEvent::Kind::ended, .text = text_.view(), .conflict = conflict_};
  return true;
}

void ComponentStream::peer_closed() { end("connection closed by the server"); }

void ComponentStream::tick(Instant now) {
  switch (state_) {
    case State::opening:
    case State::challenged:
    case State::authenticating:
      if (now >= started_ + options_.handshake_within) end("handshake timed out");
      return;
    case State::up: break;
    default: return;
  }
  if (ping_open_ && now >= pong_due()) {
    ping_ourselves_ = !ping_ourselves_;
    if (!ping_ourselves_) return end("no answer to a ping");
    write_ping(now);
  }
  if (!ping_open_ && !options_.ping_to.empty() && now >= last_input_ + options_.ping_after) write_ping(now);
  if (now >= last_output_ + options_.blank_after) {
    // Without room there is output waiting anyway.
    static_cast<void>(out_.push(bytes_of(" ")));
    last_output_ = now;
  }
}

// A full ring is no excuse: a server that neither reads nor writes is not alive.
void ComponentStream::write_ping(Instant now) {
  ping_open_ = true;
  ping_sent_ = now;
  uint8_t room[line_bytes_max];
  Writer line{Bytes(room)};
  line.text("<iq type='get' id='").text(ping_id).unsigned_number(++pings_);
  line.text("' from='").xml(options_.domain).text("' to='").xml(ping_ourselves_ ? options_.domain : options_.ping_to);
  line.text("'><ping xmlns='urn:xmpp:ping'/></iq>");
  if (!line.overflowed() && out_.push(line.written())) last_output_ = now;
}

Instant ComponentStream::pong_due() const {
  return ping_sent_ + (ping_ourselves_ ? options_.own_pong_within : options_.pong_within);
}

Instant ComponentStream::due() const {
  switch (state_) {
    case State::opening:
    case State::challenged:
    case State::authenticating: return started_ + options_.handshake_within;
    case State::up: break;
    default: return Instant::never();
  }
  const Instant blank = last_output_ + options_.blank_after;
  if (ping_open_) return earlier(blank, pong_due());
  return options_.ping_to.empty() ? blank : earlier(blank, last_input_ + options_.ping_after);
}

Status ComponentStream::send(ByteView stanza, Instant now) {
  if (state_ != State::up) return Error::closed;
  if (!out_.push(stanza)) return Error::exhausted;
  last_output_ = now;
  return {};
}

void ComponentStream::close() {
  if (state_ == State::shut || state_ == State::closing || state_ == State::ended) return;
  state_ = State::closing;
  static_cast<void>(out_.push(bytes_of("</stream:stream>")));
}

void ComponentStream::shut() {
  reader_.shut();
  framer_.reset();
  state_ = State::shut;
  between_ = true;
  skipping_ = pending_ = end_pending_ = conflict_ = ping_open_ = false;
  header_size_ = 0;
}

}  // namespace tocsin
