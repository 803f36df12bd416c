// The two ends of a connection: what a SimPort calls and what a peer calls.
#include <algorithm>

#include "base/check.h"
#include "port/sim/network.h"

namespace tocsin::sim {

// ---- the gateway's end -----------------------------------------------------

int32_t Network::handle_of(const Connection& c) const {
  return static_cast<int32_t>((c.number_ & 0x7fff) << 16 | c.slot_);
}

Connection& Network::of(int32_t handle) {
  GW_CHECK(handle >= 0 && (handle & 0xffff) < sizes_.connections);
  Connection& c = connections_[handle & 0xffff];
  GW_CHECK(c.state_ != Connection::State::unused && c.gateway_open_ && handle_of(c) == handle);  // else shut before
  return c;
}

Status Network::connect_result(int32_t handle) {
  Connection& c = of(handle);
  if (c.state_ == Connection::State::connecting) return Error::again;
  if (c.state_ == Connection::State::open) return {};
  const Error error = c.error_ == Error::none ? Error::closed : c.error_;
  c.error_ = Error::none;
  return error;
}

Result<size_t> Network::receive(int32_t handle, Bytes room) {
  Connection& c = of(handle);
  Pipe& pipe = c.to_gateway_;
  GW_CHECK(!room.empty());  // 0 bytes would look like the end of the stream
  if (c.state_ == Connection::State::connecting) return Error::again;
  size_t got = 0;
  while (got < room.size() && pipe.readable() > 0) {
    const ByteView front = pipe.ring.front();
    const size_t part = std::min({front.size(), pipe.readable(), room.size() - got});
    copy_bytes(room.data() + got, front.first(part));
    pipe.ring.pop(part);
    pipe.taken += part;
    got += part;
  }
  if (got > 0) return got;
  if (c.error_ != Error::none) {
    const Error error = c.error_;
    c.error_ = Error::none;
    return error;
  }
  if (c.state_ == Connection::State::failed || pipe.ended) return size_t{0};
  return Error::again;
}

Result<size_t> Network::send(int32_t handle, ByteView bytes) {
  Connection& c = of(handle);
  Pipe& pipe = c.to_peer_;
  if (c.state_ == Connection::State::connecting) return Error::again;
  if (c.state_ == Connection::State::failed) {
    const Error error = c.error_ == Error::none ? Error::closed : c.error_;
    c.error_ = Error::none;
    return error;
  }
  const size_t window = std::min<size_t>(c.path_.window, pipe.ring.capacity());
  if (pipe.ring.size() >= window) return Error::again;
  size_t part = std::min(bytes.size(), window - pipe.ring.size());
  if (c.path_.send_max > 0) part = std::min<size_t>(part, time_->random().between(1, c.path_.send_max));
  if (part == 0) return size_t{0};
  GW_CHECK(pipe.ring.push(bytes.first(part)));
  pipe.written += part;
  time_->trace().add(c.number_);
  time_->trace().add(bytes.first(part));
  wrote(c, pipe, false);
  return part;
}

bool Network::can_read(int32_t handle) {
  if (const Listener* door = listener_of(handle)) return first_waiting(static_cast<uint16_t>(door - doors_)) != nullptr;
  Connection& c = of(handle);
  if (c.state_ == Connection::State::connecting) return false;
  return c.state_ == Connection::State::failed || c.to_gateway_.readable() > 0 || c.to_gateway_.ended;
}

bool Network::can_write(int32_t handle) {
  if (listener_of(handle) != nullptr) return false;
  Connection& c = of(handle);
  if (c.state_ == Connection::State::connecting) return false;
  if (c.state_ == Connection::State::failed) return true;
  const size_t window = std::min<size_t>(c.path_.window, c.to_peer_.ring.capacity());
  const size_t used = c.to_peer_.ring.size();
  // Linux calls a socket writable when a third of its room is free (sk_stream_is_writeable).
  return used < window && window - used >= used / 2;
}

void Network::finish(int32_t handle) {
  Connection& c = of(handle);
  if (c.state_ == Connection::State::open && !c.to_peer_.finished) wrote(c, c.to_peer_, true);
}

void Network::shut(int32_t handle) {
  if (Listener* door = listener_of(handle)) {
    GW_CHECK(door->open);
    while (Connection* c = first_waiting(static_cast<uint16_t>(door - doors_))) {
      c->waiting_ = false;
      break_both(*c);
      c->gateway_open_ = false;
      release_if_done(*c);
    }
    door->open = false;
    return;
  }
  Connection& c = of(handle);
  const bool unread = c.to_gateway_.readable() > 0;
  c.gateway_open_ = false;
  if (!c.peer_open_) return release_if_done(c);
  c.abortive_ = unread;  // RFC 1122 §4.2.2.13: closing with data unread sends a reset
  if (!c.to_peer_.finished) wrote(c, c.to_peer_, true);
}

void Network::vanish(int32_t handle) {
  if (listener_of(handle) != nullptr) return shut(handle);
  Connection& c = of(handle);
  c.gateway_open_ = false;
  c.to_peer_.drop_in_flight();
  release_if_done(c);
}

// ---- the peer's end --------------------------------------------------------

void Connection::handle(PeerHandler& handler) {
  handler_ = &handler;
  if (to_peer_.readable() > 0 || to_peer_.ended)
    network_->plan(network_->time_->now(), Network::Kind::hand_over, *this);
}

void Connection::send(ByteView bytes) {
  if (bytes.empty() || !peer_open_ || !gateway_open_ || state_ == State::failed) return;  // lost, as on a wire
  GW_CHECK(!to_gateway_.finished);
  GW_CHECK(to_gateway_.ring.push(bytes));  // else: larger Sizes::to_gateway_bytes, or ask room()
  to_gateway_.written += bytes.size();
  network_->time_->trace().add(number_);
  network_->time_->trace().add(bytes);
  network_->wrote(*this, to_gateway_, false);
}

void Connection::finish() {
  if (!to_gateway_.finished) network_->wrote(*this, to_gateway_, true);
}

void Connection::close() {
  if (!peer_open_) return;
  finish();
  peer_open_ = false;
  take(to_peer_.readable());
  network_->release_if_done(*this);
}

void Connection::reset() {
  if (!peer_open_) return;
  peer_open_ = false;
  if (gateway_open_) {
    to_gateway_.drop_in_flight();
    network_->answer_with_reset(*this);
  }
  network_->release_if_done(*this);
}

void Connection::resume() {
  paused_ = false;
  network_->plan(network_->time_->now(), Network::Kind::hand_over, *this);
}

ByteView Connection::arrived() const {
  const ByteView front = to_peer_.ring.front();
  return front.first(std::min(front.size(), to_peer_.readable()));
}

void Connection::take(size_t bytes) {
  GW_CHECK(bytes <= to_peer_.readable());
  to_peer_.ring.pop(bytes);
  to_peer_.taken += bytes;
}

void Connection::release() {
  to_gateway_.held = false;
  to_peer_.held = false;
  network_->schedule(*this, to_gateway_);
  network_->schedule(*this, to_peer_);
}

}  // namespace tocsin::sim
