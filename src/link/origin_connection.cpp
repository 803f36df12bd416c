#include "link/origin_connection.h"

namespace tocsin {
namespace {

constexpr Duration connect_within = seconds(5);  // the next address is waiting
// TLS, and then the SETTINGS that every HTTP/2 server begins with (RFC 9113 §3.4).
constexpr Duration handshake_within = seconds(10);
// A record: 16 KiB of plaintext, header, explicit nonce, tag; TLS 1.3 adds a type byte.
constexpr size_t record_bytes_max = 16 * 1024 + 256;
// Of an answer over HTTP/1.1: some push services send a page for people.
constexpr HttpClientOptions http1_options{.body_bytes_max = 16 * 1024};

}  // namespace

OriginConnection::OriginConnection(Region& region, const Sizes& sizes, Heap& tls_heap, Heap& h2_heap, port::Port& port,
                                   LinkScratch& scratch)
    : tls_heap_(tls_heap),
      h2_heap_(h2_heap),
      port_(port),
      scratch_(scratch),
      output_(region.carve(sizes.output_bytes)),
      tls_(tls_heap, output_, port.entropy),
      h2_(h2_heap),
      http1_(region.carve(sizes.http1_head_bytes), http1_options),
      http1_offered_(sizes.http1_head_bytes > 0) {}

Status OriginConnection::connect(const Address& address, string_view host, const TlsRoots& roots,
                                 const H2Options& options, Instant now) {
  if (!host_.assign(host)) return Error::too_long;
  const Result<port::Handle> socket = port_.net.connect(address);
  if (!socket.ok()) return socket.error();
  socket_ = socket.value();
  address_ = address;
  roots_ = &roots;
  options_ = options;
  output_.clear();
  problem_.clear();
  was_connected_ = false;
  http1_chosen_ = false;
  tls_heap_.forget_refusals();
  h2_heap_.forget_refusals();
  state_ = State::connecting;
  deadline_ = now + connect_within;
  heard_ = now;
  return {};
}

void OriginConnection::want(port::Interest& interest) const {
  interest.socket = alive() ? socket_ : port::no_handle;
  interest.read = state_ == State::handshaking || state_ == State::open;
  interest.write = state_ == State::connecting || !output_.empty();
}

void OriginConnection::receive(const port::Interest& ready, Instant now) {
  if (state_ == State::connecting) {
    if (ready.can_write) connected(now);
    return;
  }
  if (!ready.can_read || !alive()) return;
  const Result<size_t> got = port_.net.receive(socket_, scratch_.cipher);
  if (!got.ok()) {
    if (got.error() != Error::again)
      fail(got.error() == Error::refused ? "the connection was reset" : describe(got.error()));
    return;
  }
  if (got.value() == 0) {
    return fail(state_ == State::open ? "closed by the provider" : "closed by the provider during the TLS handshake");
  }
  heard_ = now;
  decrypt(ByteView(scratch_.cipher).first(got.value()));
  if (welcome()) deadline_ = Instant::never();
}

void OriginConnection::connected(Instant now) {
  const Status connected = port_.net.connect_result(socket_);
  if (!connected.ok()) {
    if (connected.error() != Error::again) fail(describe(connected.error()));
    return;
  }
  was_connected_ = true;
  heard_ = now;
  const string_view alpn = http1_offered_ ? "h2,http/1.1" : "h2";
  if (!tls_.open(*roots_, host_.view(), alpn, !http1_offered_, certificate_).ok()) return fail(tls_.problem());
  state_ = State::handshaking;
  deadline_ = now + handshake_within;
}

void OriginConnection::decrypt(ByteView in) {
  for (;;) {
    const Result<size_t> plain = tls_.read(in, scratch_.plain);
    if (!plain.ok()) {
      send_waiting();  // the alert that tells the peer why
      return fail(tls_.problem());
    }
    if (state_ == State::handshaking && tls_.state() == TlsClient::State::open) {
      if (!open_http().ok()) return fail(http_problem());
      state_ = State::open;
    }
    if (plain.value() > 0 && !feed(ByteView(scratch_.plain).first(plain.value())).ok()) {
      encrypt();  // the GOAWAY that tells the peer why; shut() sends it
      return fail(http_problem());
    }
    if (tls_.state() == TlsClient::State::ended) {
      if (http1_chosen_) http1_.peer_closed();  // some answers end with that
      return fail("closed by the provider");
    }
    if (in.empty() && plain.value() == 0) return;
  }
}

// Frames into records as long as a whole record has room.
void OriginConnection::encrypt() {
  while (state_ == State::open && wants_write() && output_.free() >= record_bytes_max) {
    const Result<size_t> frames = pull(scratch_.plain);
    if (!frames.ok()) return fail(http_problem());
    ByteView rest = ByteView(scratch_.plain).first(frames.value());
    if (rest.empty()) return;
    // One record, unless the peer asked for shorter ones (RFC 8449).
    while (!rest.empty()) {
      const Result<size_t> taken = tls_.write(rest);
      if (!taken.ok()) return fail(tls_.problem());
      if (taken.value() == 0) return fail("the provider's TLS records are too short");
      rest = rest.subspan(taken.value());
    }
  }
}

void OriginConnection::flush() {
  while (alive() && state_ != State::connecting) {
    encrypt();
    if (!alive() || output_.empty()) return;
    const Result<size_t> sent = port_.net.send(socket_, output_.front());
    if (!sent.ok()) {
      if (sent.error() != Error::again)
        fail(sent.error() == Error::refused ? "the connection was reset" : describe(sent.error()));
      return;
    }
    if (sent.value() == 0) return;
    output_.pop(sent.value());
  }
}

// Last words, as far as the socket takes them now.
void OriginConnection::send_waiting() {
  while (!output_.empty()) {
    const Result<size_t> sent = port_.net.send(socket_, output_.front());
    if (!sent.ok() || sent.value() == 0) return;
    output_.pop(sent.value());
  }
}

void OriginConnection::fail(string_view why) {
  if (!alive()) return;
  // A library that was refused memory often blames the peer.
  const bool refused = tls_heap_.refused() + h2_heap_.refused() > 0 && !starts_with(why, "out of counted memory");
  GW_CHECK(problem_.assign(slice(refused ? string_view("out of counted memory") : why, 0, 400)));
  shut();
  state_ = State::failed;
}

void OriginConnection::give_up(string_view why) { fail(why); }

// ---- HTTP/2 or HTTP/1.1 ------------------------------------------------------

// A peer that chose neither speaks HTTP/1.1, as those do that know nothing of ALPN.
Status OriginConnection::open_http() {
  http1_chosen_ = http1_offered_ && tls_.alpn() != "h2";
  if (!http1_chosen_) return h2_.open(options_);
  http1_.open();
  return {};
}

Status OriginConnection::feed(ByteView plain) { return http1_chosen_ ? http1_.feed(plain) : h2_.feed(plain); }

Result<size_t> OriginConnection::pull(Bytes room) {
  if (http1_chosen_) return http1_.pull(room);
  return h2_.pull(room);
}

Status OriginConnection::submit(std::span<const H2Header> headers, ByteView body, H2Exchange& exchange) {
  if (!http1_chosen_) return h2_.submit(headers, body, exchange);
  const Status submitted = http1_.submit(headers, body, exchange);
  if (submitted.ok()) http1_open_ = &exchange;
  return submitted;
}

void OriginConnection::cancel(H2Exchange& exchange) {
  if (!http1_chosen_) return h2_.cancel(exchange);
  http1_.cancel(exchange);
}

H2Exchange* OriginConnection::next() {
  if (!http1_chosen_) return h2_.next();
  H2Exchange* const over = http1_.next();
  if (over != nullptr) http1_open_ = nullptr;
  return over;
}

void OriginConnection::shut() {
  if (state_ == State::open) {
    tls_.close_notify();
    send_waiting();
  }
  h2_.shut();
  http1_.shut();
  tls_.shut();
  if (socket_ != port::no_handle) port_.net.shut(socket_);
  socket_ = port::no_handle;
  output_.clear();
  deadline_ = Instant::never();
  state_ = State::shut;
}

}  // namespace tocsin
