// The wire: places, events, and how bytes arrive. Both ends: network_ends.cpp.
#include "port/sim/network.h"

#include <algorithm>
#include <new>

#include "base/check.h"

namespace tocsin::sim {

void Pipe::note(uint64_t end, Instant at, bool fin) {
  if (mark_count > 0) {
    Mark& last = mark(mark_count - 1);
    at = later(at, last.at);
    // One place stays for the end; when all others are used, the newest bytes travel together.
    if (!fin && (last.at == at || mark_count >= marks_max - 1)) {
      last.end = end;
      last.at = at;
      return;
    }
  }
  GW_CHECK(mark_count < marks_max);
  mark(mark_count++) = {end, at, fin};
}

void Pipe::drop_in_flight() {
  // What has arrived stays; a ring gives up bytes at its front only, so the rest
  // is left behind the last readable byte and never counted again.
  written = arrived;
  mark_count = 0;
  finished = true;
}

Network::Network(Region& memory, const Sizes& sizes, Timeline& time) : time_(&time), sizes_(sizes) {
  default_path_.reach = Reach::refuse;
  connections_ = reinterpret_cast<Connection*>(memory.carve(sizeof(Connection) * sizes.connections).data());
  rings_ = memory.carve(size_t{sizes.connections} * (sizes.to_gateway_bytes + sizes.to_peer_bytes)).data();
  for (uint16_t i = 0; i < sizes.connections; ++i) new (&connections_[i]) Connection;
}

Network::Place* Network::place(const Address& address) {
  for (uint32_t i = 0; i < place_count_; ++i) {
    if (places_[i].address == address) return &places_[i];
  }
  return nullptr;
}

Network::Place& Network::make_place(const Address& address) {
  Place* known = place(address);
  if (known != nullptr) return *known;
  GW_CHECK(place_count_ < places_max);
  places_[place_count_] = {address, nullptr, default_path_};
  return places_[place_count_++];
}

Path& Network::listen(const Address& address, Acceptor& acceptor, const Path& path) {
  Place& here = make_place(address);
  here.acceptor = &acceptor;
  here.path = path;
  return here.path;
}

Path& Network::path(const Address& address) { return make_place(address).path; }

void Network::reset_all(const Address& address) {
  for (uint16_t i = 0; i < sizes_.connections; ++i) {
    Connection& c = connections_[i];
    if (c.state_ == Connection::State::open && c.address_ == address) break_both(c);
  }
}

void Network::hold_all(const Address& address) {
  for (uint16_t i = 0; i < sizes_.connections; ++i) {
    Connection& c = connections_[i];
    if (c.state_ == Connection::State::unused || !(c.address_ == address)) continue;
    c.hold_to_gateway();
    c.hold_to_peer();
  }
}

void Network::release_all(const Address& address) {
  for (uint16_t i = 0; i < sizes_.connections; ++i) {
    Connection& c = connections_[i];
    if (c.state_ != Connection::State::unused && c.address_ == address) c.release();
  }
}

uint32_t Network::open_count() const {
  uint32_t open = 0;
  for (uint16_t i = 0; i < sizes_.connections; ++i) {
    if (connections_[i].state_ != Connection::State::unused && connections_[i].gateway_open_) ++open;
  }
  return open;
}

Result<int32_t> Network::connect(const Address& address) {
  ++connects_;
  const Place* there = place(address);
  const Path& path = there == nullptr ? default_path_ : there->path;
  if (path.reach == Reach::unreachable) return Error::unreachable;
  Connection* taken = take_slot();
  if (taken == nullptr) return Error::exhausted;
  Connection& c = *taken;
  c.acceptor_ = there == nullptr ? nullptr : there->acceptor;
  c.address_ = address;
  c.path_ = path;
  if (path.reach == Reach::accept && c.acceptor_ != nullptr) {
    plan(time_->now() + path.latency, Kind::arrive, c);
  } else if (path.reach != Reach::black_hole) {
    plan(time_->now() + path.latency * 2, Kind::fail, c);
  }
  return handle_of(c);
}

// One that is connecting; nullptr: all are in use.
Connection* Network::take_slot() {
  uint16_t slot = 0;
  while (slot < sizes_.connections && connections_[slot].state_ != Connection::State::unused) ++slot;
  if (slot == sizes_.connections) return nullptr;
  Connection& c = *new (&connections_[slot]) Connection;
  c.network_ = this;
  c.number_ = ++numbers_;
  c.slot_ = slot;
  c.state_ = Connection::State::connecting;
  c.gateway_open_ = true;
  uint8_t* rings = rings_ + size_t{slot} * (sizes_.to_gateway_bytes + sizes_.to_peer_bytes);
  c.to_gateway_.ring = ByteRing({rings, sizes_.to_gateway_bytes});
  c.to_peer_.ring = ByteRing({rings + sizes_.to_gateway_bytes, sizes_.to_peer_bytes});
  return &c;
}

EventId Network::plan(Instant at, Kind kind, Connection& c) {
  return time_->at(at, *this, uint64_t{static_cast<uint8_t>(kind)} << 56 | uint64_t{c.number_} << 16 | c.slot_);
}

void Network::on_event(uint64_t tag) {
  Connection& c = connections_[tag & 0xffff];
  // The connection of this event may be gone and its slot used anew.
  if (c.state_ == Connection::State::unused || c.number_ != static_cast<uint32_t>(tag >> 16)) return;
  time_->trace().add(tag);
  switch (static_cast<Kind>(tag >> 56)) {
    case Kind::arrive:
      c.peer_open_ = true;
      plan(time_->now() + c.path_.latency, Kind::establish, c);
      c.acceptor_->accepted(c);
      return;
    case Kind::establish:
      if (c.state_ == Connection::State::connecting) c.state_ = Connection::State::open;
      return;
    case Kind::fail: return break_gateway(c, Error::refused);
    case Kind::to_peer: return deliver(c, c.to_peer_, c.path_.to_peer);
    case Kind::to_gateway: return deliver(c, c.to_gateway_, c.path_.to_gateway);
    case Kind::reset_gateway:
      if (!c.to_gateway_.held) break_gateway(c, Error::refused);
      return;
    case Kind::hand_over: return hand_over(c);
    case Kind::knock: return knock(c);
  }
}

Instant Network::arrival(Connection& c, Pipe& pipe) {
  Instant at = time_->now() + c.path_.latency;
  if (c.path_.jitter.us > 0) {
    at = at + microseconds(static_cast<int64_t>(time_->random().below(static_cast<uint64_t>(c.path_.jitter.us) + 1)));
  }
  // The connecting side has not heard of the connection before this moment.
  if (&pipe == &c.to_gateway_ && c.state_ == Connection::State::connecting)
    at = later(at, time_->now() + c.path_.latency);
  return at;
}

void Network::wrote(Connection& c, Pipe& pipe, bool fin) {
  pipe.note(pipe.written, arrival(c, pipe), fin);
  if (fin) pipe.finished = true;
  schedule(c, pipe);
}

void Network::schedule(Connection& c, Pipe& pipe) {
  if (pipe.held || pipe.scheduled || pipe.mark_count == 0) return;
  pipe.scheduled = true;
  plan(later(pipe.mark(0).at, pipe.next_piece), &pipe == &c.to_peer_ ? Kind::to_peer : Kind::to_gateway, c);
}

void Network::deliver(Connection& c, Pipe& pipe, const Flow& flow) {
  pipe.scheduled = false;
  if (pipe.held || pipe.mark_count == 0) return;
  Pipe::Mark& mark = pipe.mark(0);
  if (mark.at > time_->now()) return schedule(c, pipe);

  uint64_t piece = mark.end - pipe.arrived;
  if (flow.piece_max > 0 && piece > 0) {
    piece = std::min<uint64_t>(piece, flow.random_pieces ? time_->random().between(1, flow.piece_max) : flow.piece_max);
  }
  const bool breaks = flow.reset_at > 0 && pipe.arrived + piece >= flow.reset_at;
  if (breaks) piece = flow.reset_at > pipe.arrived ? flow.reset_at - pipe.arrived : 0;
  const bool unlucky = piece > 0 && time_->random().chance(c.path_.reset_per_million);
  if (!unlucky) pipe.arrived += piece;
  time_->trace().add(pipe.arrived);
  if (breaks || unlucky) return break_both(c);

  if (pipe.arrived == mark.end) {
    if (mark.fin) pipe.ended = true;
    pipe.first_mark = (pipe.first_mark + 1) % Pipe::marks_max;
    --pipe.mark_count;
  }
  pipe.next_piece = time_->now() + flow.gap;
  schedule(c, pipe);

  if (&pipe == &c.to_peer_) return hand_over(c);
  if (!c.gateway_open_) {  // nobody is there to read it
    pipe.ring.pop(pipe.readable());
    pipe.taken = pipe.arrived;
  }
}

void Network::hand_over(Connection& c) {
  Pipe& pipe = c.to_peer_;
  const uint32_t number = c.number_;
  if (!c.peer_open_) {
    if (pipe.readable() > 0) answer_with_reset(c);
    pipe.ring.pop(pipe.readable());
    pipe.taken = pipe.arrived;
    return release_if_done(c);
  }
  while (c.handler_ != nullptr && !c.paused_ && pipe.readable() > 0) {
    const ByteView piece = c.arrived();
    c.take(piece.size());  // before the call: the handler may end the connection
    c.handler_->received(c, piece);
    if (c.number_ != number || !c.peer_open_) return;
  }
  if (c.handler_ != nullptr && c.ended()) {
    if (c.gateway_open_) c.finish();  // it only finished: a peer has nothing to say then
    c.peer_open_ = false;
    c.handler_->closed(c, c.abortive_ ? Error::refused : Error::closed);
    release_if_done(c);
  }
}

void Network::answer_with_reset(Connection& c) {
  if (c.rst_coming_ || !c.gateway_open_) return;
  c.rst_coming_ = true;
  plan(time_->now() + c.path_.latency, Kind::reset_gateway, c);
}

void Network::break_gateway(Connection& c, Error error) {
  if (c.gateway_open_ && c.state_ != Connection::State::failed) {
    c.state_ = Connection::State::failed;
    c.error_ = error;
    c.to_gateway_.drop_in_flight();
    c.to_peer_.drop_in_flight();
  }
  release_if_done(c);
}

void Network::break_both(Connection& c) {
  const bool tell = c.peer_open_;
  c.peer_open_ = false;
  // The gateway's side first, but without giving the slot back: closed() still looks at it.
  if (c.gateway_open_ && c.state_ != Connection::State::failed) break_gateway(c, Error::refused);
  if (tell && c.handler_ != nullptr) c.handler_->closed(c, Error::refused);
  release_if_done(c);
}

void Network::release_if_done(Connection& c) {
  if (!c.gateway_open_ && !c.peer_open_) c.state_ = Connection::State::unused;
}

}  // namespace tocsin::sim
