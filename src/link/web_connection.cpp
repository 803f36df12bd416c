#include "link/web_connection.h"

#include "proto/proxy_header.h"

namespace tocsin {

namespace {

using Phase = WebConnection::Phase;

constexpr const char* protocol = "http/1.1";
constexpr Duration stalled_for = seconds(20);

// How long each phase may take.
Duration limit_of(Phase phase) {
  switch (phase) {
    case Phase::arriving: return seconds(10);  // PROXY header and handshake, and the waiting of the latter for its turn
    case Phase::idle: return seconds(30);
    case Phase::head: return seconds(10);
    case Phase::body: return seconds(20);
    case Phase::answer: return seconds(40);  // ours to give; the disk may be slow
    case Phase::leaving: return seconds(2);
  }
  return {};
}

HttpServerOptions http_options(const WebConnectionOptions& options) {
  HttpServerOptions http;
  http.body_bytes_max = options.body_bytes_max;
  return http;
}

Bytes cut(Bytes& room, size_t size) {
  const Bytes part = room.first(size);
  room = room.subspan(size);
  return part;
}

}  // namespace

size_t WebConnection::room_bytes(const WebConnectionOptions& options) {
  return input_bytes + options.body_bytes_max + http_options(options).head.room_bytes() + answer_bytes() +
         (options.tls ? plain_bytes + cipher_bytes : 0);
}

WebConnection::WebConnection(Bytes room, Bytes tls_heap, port::Port& port, const WebConnectionOptions& options)
    : port_(port),
      options_(options),
      tls_heap_(tls_heap, "web tls"),
      answers_(cut(room, answer_bytes())),
      cipher_(cut(room, options.tls ? cipher_bytes : 0)),
      input_room_(cut(room, input_bytes)),
      plain_room_(cut(room, options.tls ? plain_bytes : 0)),
      body_room_(cut(room, options.body_bytes_max)),
      http_(room, answers_, http_options(options)),
      tls_(tls_heap_, cipher_, port.entropy) {}

void WebConnection::enter(Phase phase, Instant now) {
  phase_ = phase;
  since_ = now;
  deadline_ = now + limit_of(phase);
}

void WebConnection::open(const port::Accepted& accepted, const TlsServerCertificate* certificate, bool preface,
                         Instant now) {
  GW_CHECK(state_ == State::shut);
  socket_ = accepted.socket;
  client_ = accepted.peer;
  certificate_ = certificate;
  trusted_ = peer_ended_ = stepped = false;
  input_ = plain_ = {};
  answers_.clear();
  cipher_.clear();
  stalled_ = Instant::never();
  enter(Phase::arriving, now);
  state_ = State::preface;
  if (!preface) begin_http(now);
}

// Behind the PROXY header, if there was one.
void WebConnection::begin_http(Instant now) {
  http_.open();
  if (!options_.tls) {
    state_ = State::open;
    return enter(Phase::head, now);  // the first request is due
  }
  state_ = State::handshaking;
  if (!tls_.open(*certificate_, protocol).ok()) shut();
}

void WebConnection::want(port::Interest& interest) const {
  interest.socket = state_ == State::shut ? port::no_handle : socket_;
  interest.read = !peer_ended_ && input_.empty() && plain_.empty() && (state_ != State::open || http_.reading()) &&
                  (state_ != State::handshaking || tls_.thirsty());
  interest.write = !cipher_.empty() || (!options_.tls && !answers_.empty());
}

void WebConnection::receive(const port::Interest& ready) {
  if (!ready.can_read || state_ == State::shut) return;
  const Result<size_t> got = port_.net.receive(socket_, input_room_);
  if (!got.ok()) {
    if (got.error() != Error::again) shut();
    return;
  }
  if (state_ == State::lingering) {
    if (got.value() == 0) shut();
    return;
  }
  if (got.value() > 0) {
    input_ = input_room_.first(got.value());
    return;
  }
  peer_ended_ = true;  // it may only have finished its half, and wait for the answer
  if (phase_ != Phase::answer && sent_all()) shut();
}

bool WebConnection::has_work() const {
  return state_ == State::open && http_.reading() && (!plain_.empty() || !input_.empty() || tls_.holds_plaintext());
}

bool WebConnection::wants_step() const { return state_ == State::handshaking && (!input_.empty() || !tls_.thirsty()); }

bool WebConnection::read_preface(Instant now) {
  const ProxyHeader header = read_proxy_header(input_);
  // It comes in one piece: proxies send it with their first segment (proxy-protocol.txt §2).
  if (header.found != ProxyHeader::Found::header) {
    shut();
    return false;
  }
  input_ = input_.subspan(header.used);
  if (header.has_source) {
    client_ = header.source;
    trusted_ = false;  // it speaks for itself now, not the proxy
  }
  begin_http(now);
  return state_ != State::shut;
}

// True when the parser stopped for an event.
bool WebConnection::feed(ByteView& input) {
  if (!http_.reading()) return false;
  input = input.subspan(http_.feed(input));
  return true;
}

// True when there is plaintext.
bool WebConnection::decrypt() {
  const Result<size_t> got = tls_.read(input_, plain_room_);
  if (!got.ok()) {
    (void)send(cipher_);  // the alert that tells why
    shut();
    return false;
  }
  if (tls_.state() == TlsAcceptor::State::ended) peer_ended_ = true;
  plain_ = plain_room_.first(got.value());
  return got.value() > 0;
}

bool WebConnection::work(HttpServerEvent& event, bool& may_step, Instant now) {
  for (int rounds = 0; rounds < 16; ++rounds) {
    if (state_ == State::preface) {
      if (input_.empty() || !read_preface(now)) return false;
      continue;
    }
    if (state_ == State::handshaking) {
      if (!may_step || !wants_step()) return false;
      may_step = false;
      (void)decrypt();
      if (tls_.state() == TlsAcceptor::State::open) {
        state_ = State::open;
        enter(Phase::head, now);
        continue;
      }
      return false;
    }
    if (state_ != State::open) return false;
    if (http_.next(event)) {
      follow(now);
      using Kind = HttpServerEvent::Kind;
      if (event.kind == Kind::head) {
        ++serial_;
        enter(Phase::body, now);
      } else if (event.kind != Kind::body) {
        enter(Phase::answer, now);
      }
      return true;
    }
    ByteView& rest = options_.tls ? plain_ : input_;
    if (rest.empty() && options_.tls && http_.reading() && (!input_.empty() || tls_.holds_plaintext())) {
      if (!decrypt()) {
        if (state_ == State::open && !input_.empty()) continue;
        break;
      }
    }
    if (rest.empty() || !feed(rest)) break;
    follow(now);
  }
  if (state_ == State::open && peer_ended_ && phase_ != Phase::answer && plain_.empty() && sent_all()) shut();
  return false;
}

// A request has begun, or the next may.
void WebConnection::follow(Instant now) {
  if (phase_ == Phase::idle && !http_.idle()) enter(Phase::head, now);
}

void WebConnection::respond(const HttpResponse& response, Instant now) {
  if (!http_.respond(response).ok()) return shut();
  if (http_.closing()) return enter(Phase::leaving, now);
  enter(Phase::idle, now);
}

// Into one record as long as there is room for it.
void WebConnection::encrypt() {
  while (state_ == State::open && !answers_.empty()) {
    const Result<size_t> taken = tls_.write(answers_.front());
    if (!taken.ok()) return shut();
    if (taken.value() == 0) return;
    answers_.pop(taken.value());
  }
}

size_t WebConnection::send(ByteRing& from) {
  size_t sum = 0;
  while (!from.empty()) {
    const Result<size_t> sent = port_.net.send(socket_, from.front());
    if (!sent.ok()) {
      if (sent.error() != Error::again) from.clear();  // gone; reading will tell
      break;
    }
    if (sent.value() == 0) break;
    from.pop(sent.value());
    sum += sent.value();
  }
  return sum;
}

void WebConnection::flush(Instant now) {
  if (state_ == State::shut) return;
  if (options_.tls) encrypt();
  if (state_ == State::shut) return;
  const bool waited = !sent_all();
  const size_t sent = send(options_.tls ? cipher_ : answers_);
  if (!waited || sent > 0 || sent_all()) {
    stalled_ = Instant::never();
  } else if (stalled_ == Instant::never()) {
    stalled_ = now;
  }
  if (stalled_ != Instant::never()) {
    const Instant end = stalled_ + stalled_for;
    if (now >= end) return shut();
    deadline_ = earlier(deadline_, end);
  }
  if (state_ != State::open || !sent_all()) return;
  if (http_.closing()) return linger(now);
  if (peer_ended_ && phase_ == Phase::idle) shut();
}

void WebConnection::linger(Instant now) {
  if (options_.tls) {
    tls_.close_notify();
    (void)send(cipher_);
    tls_.shut();
  }
  if (peer_ended_) return shut();
  port_.net.finish(socket_);
  input_ = plain_ = {};
  state_ = State::lingering;
  enter(Phase::leaving, now);
}

void WebConnection::shut() {
  if (state_ == State::shut) return;
  if (tls_.state() == TlsAcceptor::State::open) {
    tls_.close_notify();
    (void)send(cipher_);
  }
  if (tls_.state() != TlsAcceptor::State::shut) tls_.shut();
  port_.net.shut(socket_);
  socket_ = port::no_handle;
  input_ = plain_ = {};
  answers_.clear();
  cipher_.clear();
  ++serial_;
  state_ = State::shut;
  deadline_ = Instant::never();
}

}  // namespace tocsin
