// Where gateways listen, and the peers that come to them.
#include "base/check.h"
#include "port/sim/network.h"

namespace tocsin::sim {

Network::Listener* Network::listener_of(int32_t handle) {
  const int32_t slot = handle & 0xffff;
  return slot >= first_door && slot < first_door + doors_max ? &doors_[slot - first_door] : nullptr;
}

Result<int32_t> Network::listen(const Address& address, bool any, string_view path) {
  if (away_.port != 0 && path.empty() && !any && same(address.ip(), away_.ip())) return Error::unreachable;
  uint16_t free = doors_max;
  for (uint16_t i = 0; i < doors_max; ++i) {
    const Listener& there = doors_[i];
    if (!there.open) {
      free = i;
    } else if (path.empty() ? there.path.empty() && there.address.port == address.port &&
                                  (any || there.any || there.address == address)
                            : there.path.view() == path) {
      return Error::busy;
    }
  }
  if (free == doors_max) return Error::exhausted;
  Listener& door = doors_[free];
  if (!door.path.assign(path)) return Error::too_long;
  door.open = true;
  door.any = any;
  door.address = address;
  return int32_t{first_door + free};
}

uint16_t Network::door_for(const Address& to, string_view path) const {
  for (uint16_t i = 0; i < doors_max; ++i) {
    const Listener& door = doors_[i];
    if (!door.open) continue;
    if (path.empty() ? door.path.empty() && door.address.port == to.port && (door.any || door.address == to)
                     : door.path.view() == path)
      return i;
  }
  return doors_max;
}

Connection& Network::start_dial(const Address& from, const Address& to, string_view unix_path, PeerHandler& handler,
                                const Path& path) {
  Connection* c = take_slot();
  GW_CHECK(c != nullptr);  // larger Sizes::connections
  c->address_ = from;
  c->dialled_ = to;
  GW_CHECK(c->dialled_path_.assign(unix_path));
  c->path_ = path;
  c->handler_ = &handler;
  c->peer_open_ = true;
  plan(time_->now() + path.latency, Kind::knock, *c);
  return *c;
}

Connection& Network::dial(const Address& from, const Address& to, PeerHandler& handler, const Path& path) {
  return start_dial(from, to, {}, handler, path);
}

Connection& Network::dial(string_view unix_path, PeerHandler& handler, const Path& path) {
  return start_dial({}, {}, unix_path, handler, path);
}

void Network::knock(Connection& c) {
  const uint16_t door = door_for(c.dialled_, c.dialled_path_.view());
  if (door != doors_max) {
    c.state_ = Connection::State::open;
    c.waiting_ = true;
    c.door_ = door;
    return;
  }
  c.gateway_open_ = false;
  c.to_gateway_.drop_in_flight();
  if (c.peer_open_) {
    c.peer_open_ = false;
    c.handler_->closed(c, Error::refused);
  }
  release_if_done(c);
}

Connection* Network::first_waiting(uint16_t door) {
  Connection* first = nullptr;
  for (uint16_t i = 0; i < sizes_.connections; ++i) {
    Connection& c = connections_[i];
    if (c.state_ == Connection::State::unused || !c.waiting_ || c.door_ != door) continue;
    if (first == nullptr || c.number_ < first->number_) first = &c;
  }
  return first;
}

Result<int32_t> Network::accept(int32_t listener) {
  const Listener* door = listener_of(listener);
  GW_CHECK(door != nullptr && door->open);
  Connection* c = first_waiting(static_cast<uint16_t>(door - doors_));
  if (c == nullptr) return Error::again;
  c->waiting_ = false;
  return handle_of(*c);
}

bool Network::is_local(int32_t handle) { return !of(handle).dialled_path_.empty(); }
const Address& Network::peer(int32_t handle) { return of(handle).address_; }

}  // namespace tocsin::sim
