// Sockets, lookups and the wait of a simulated port.
#include "base/check.h"
#include "port/sim/sim_port.h"

namespace tocsin::sim {

using port::Handle;
using port::Interest;
using port::no_handle;

Result<Handle> SimNet::connect(const Address& address) {
  if (socket_count_ == sockets_max) return Error::exhausted;
  const Result<Handle> socket = world_->network().connect(address);
  if (socket.ok()) sockets_[socket_count_++] = socket.value();
  return socket;
}

Status SimNet::connect_result(Handle socket) { return world_->network().connect_result(socket); }

Result<size_t> SimNet::receive(Handle socket, Bytes room) { return world_->network().receive(socket, room); }

Result<size_t> SimNet::send(Handle socket, ByteView bytes) {
  if (dead_) return Error::closed;
  const Result<size_t> sent = world_->network().send(socket, bytes);
  if (sent.ok() && sent.value() > 0) ++sends_;
  return sent;
}

void SimNet::shut(Handle socket) {
  if (dead_) return;
  uint32_t i = 0;
  while (i < socket_count_ && sockets_[i] != socket) ++i;
  GW_CHECK(i < socket_count_);  // of another port, or shut before
  sockets_[i] = sockets_[--socket_count_];
  for (uint32_t w = 0; w < wanted_count_; ++w) {
    if (wanted_[w].socket == socket) wanted_[w].socket = no_handle;
  }
  world_->network().shut(socket);
}

void SimNet::finish(Handle socket) {
  if (!dead_) world_->network().finish(socket);
}

Result<Handle> SimNet::listen(const port::Door& door) {
  using Kind = port::Door::Kind;
  if (door.kind == Kind::handed) return Error::not_found;
  if (socket_count_ == sockets_max) return Error::exhausted;
  dead_ = false;
  const Result<Handle> made = world_->network().listen(door.address, door.kind == Kind::dual,
                                                       door.kind == Kind::unix_path ? string_view(door.path) : "");
  if (made.ok()) sockets_[socket_count_++] = made.value();
  return made;
}

Result<port::Accepted> SimNet::accept(Handle listener) {
  if (socket_count_ == sockets_max) return Error::exhausted;
  const Result<Handle> made = world_->network().accept(listener);
  if (!made.ok()) return made.error();
  sockets_[socket_count_++] = made.value();
  const bool local = world_->network().is_local(made.value());
  return port::Accepted{
      .socket = made.value(), .peer = local ? Address{} : world_->network().peer(made.value()), .local = local};
}

Result<uint32_t> SimNet::lookup_start(string_view host, uint16_t port) {
  LookupSlot* slot = slot_of(0);
  if (slot == nullptr) return Error::exhausted;
  *slot = LookupSlot{};
  if (!slot->host.assign(host)) return Error::too_long;
  slot->port = port;
  const Result<Address> address = parse_ip(host, port);
  Duration latency{};
  if (address.ok()) {
    slot->literal = true;
    slot->lookup.count = 1;
    slot->lookup.addresses[0] = address.value();
  } else {
    latency = world_->names().latency(host);
  }
  slot->ticket = ++tickets_;
  world_->time().trace().add(bytes_of(host));
  if (latency.us != NameTable::silence.us) slot->event = world_->after(latency, *this, slot->ticket);
  return slot->ticket;
}

SimNet::LookupSlot* SimNet::slot_of(uint32_t ticket) {
  for (LookupSlot& slot : lookups_) {
    if (slot.ticket == ticket) return &slot;
  }
  return nullptr;
}

void SimNet::on_event(uint64_t tag) {
  LookupSlot* slot = slot_of(static_cast<uint32_t>(tag));
  if (slot == nullptr) return;
  if (!slot->literal) slot->lookup = world_->names().answer(slot->host.view(), slot->port);
  slot->done = true;
  ring();
}

bool SimNet::lookup_done(uint32_t ticket, port::Lookup& out) {
  LookupSlot* slot = slot_of(ticket);
  GW_CHECK(ticket != 0 && slot != nullptr);  // ended before
  if (!slot->done) return false;
  out = slot->lookup;
  slot->ticket = 0;
  return true;
}

void SimNet::lookup_cancel(uint32_t ticket) {
  if (dead_) return;
  LookupSlot* slot = slot_of(ticket);
  GW_CHECK(ticket != 0 && slot != nullptr);  // ended before
  world_->cancel(slot->event);
  slot->ticket = 0;
}

void SimNet::wait(std::span<Interest> interests, Instant until) {
  ++waits_;
  bool woken = rung_ || until <= world_->now();
  rung_ = false;
  until_ = until;
  wanted_count_ = 0;
  for (Interest& interest : interests) {
    interest.can_read = interest.can_write = false;
    if (interest.socket == no_handle || (!interest.read && !interest.write)) continue;
    GW_CHECK(wanted_count_ < sockets_max);
    wanted_[wanted_count_++] = {interest.socket, interest.read, interest.write};
    interest.can_read = interest.read && world_->network().can_read(interest.socket);
    interest.can_write = interest.write && world_->network().can_write(interest.socket);
    woken |= interest.can_read || interest.can_write;
  }
  if (woken) ++wake_ups_;
  again_ = woken;  // it works now, and asks again before it stands still
}

bool SimNet::anything_ready() {
  if (again_ || rung_ || until_ <= world_->now()) return true;
  for (uint32_t i = 0; i < wanted_count_; ++i) {
    const Wanted& wanted = wanted_[i];
    if (wanted.socket == no_handle) continue;
    if (wanted.read && world_->network().can_read(wanted.socket)) return true;
    if (wanted.write && world_->network().can_write(wanted.socket)) return true;
  }
  return false;
}

void SimNet::end_all(bool power_lost) {
  dead_ = true;
  while (socket_count_ > 0) {
    const Handle socket = sockets_[--socket_count_];
    if (power_lost) {
      world_->network().vanish(socket);
    } else {
      world_->network().shut(socket);
    }
  }
  for (LookupSlot& slot : lookups_) {
    if (slot.ticket != 0) world_->cancel(slot.event);
    slot.ticket = 0;
  }
  wanted_count_ = 0;
  until_ = Instant{};
  rung_ = true;
}

}  // namespace tocsin::sim
