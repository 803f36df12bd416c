#include "test/unit/port_sim/bench.h"

#include <algorithm>
#include <new>

namespace tocsin::sim::test {

void Peer::accepted(Connection& c) {
  ++accepts;
  connection = &c;
  if (!manual) c.handle(*this);
}

void Peer::received(Connection& c, ByteView bytes) {
  ++calls;
  GW_CHECK(bytes.size() <= sizeof heard - heard_bytes);
  copy_bytes(heard + heard_bytes, bytes);
  heard_bytes += bytes.size();
  if (echoing) c.send(bytes);
}

void Peer::closed(Connection&, Error reason) {
  ++ends;
  why = reason;
  connection = nullptr;
}

void Link::turn() {
  port::Net& net = port->port().net;
  if (socket == port::no_handle && !ended) {
    const Result<port::Handle> started = net.connect(to);
    if (started.ok()) {
      socket = started.value();
    } else {
      error = started.error();
      ended = true;
    }
  }
  port::Interest interest{.socket = socket, .read = reading && connected, .write = !connected || !out.empty()};
  net.wait({&interest, 1}, due);
  if (due <= port->port().clock.now()) due = Instant::never();
  if (interest.can_write && !connected) {
    const Status status = net.connect_result(socket);
    if (!status.ok()) {
      error = status.error();
      return shut();
    }
    connected = true;
    connected_at = port->port().clock.now();
  } else if (interest.can_write) {
    const Result<size_t> sent = net.send(socket, out);
    if (sent.ok()) {
      out = out.subspan(sent.value());
    } else if (sent.error() != Error::again) {
      error = sent.error();
      return shut();
    }
  }
  if (!interest.can_read) return;
  GW_CHECK(heard_bytes < sizeof heard);
  const Result<size_t> got = net.receive(socket, {heard + heard_bytes, sizeof heard - heard_bytes});
  ++reads;
  if (!got.ok() || got.value() == 0) {
    error = got.ok() ? Error::none : got.error();
    return shut();
  }
  heard_bytes += got.value();
  last_byte_at = port->port().clock.now();
}

void Link::shut() {
  port->port().net.shut(socket);
  socket = port::no_handle;
  ended = true;
}

Bench::Bench(Bytes bytes, uint64_t seed)
    : region(bytes.subspan(region_rounded(sizeof(Bench)))),
      world(region, {}, seed),
      disk(region, {}, seed),
      copy(region, {}, seed),
      port(region, world, disk, 1),
      second(region, world, disk, 2),
      memory(bytes) {
  disk.put_directory("state");
  link.port = &port;
  link.to = server;
}

void Bench::start() { port.drive(&link); }

static Bench* benches[4];

Bench& make_bench(uint64_t seed) {
  const Bytes memory = map_memory(region_rounded(sizeof(Bench)) + Simulation::bytes_for({}) + 2 * Disk::bytes_for({}) +
                                  2 * SimPort::bytes_for());
  Bench* made = new (memory.data()) Bench(memory, seed);
  Bench** slot = benches;
  while (*slot != nullptr) GW_CHECK(++slot < benches + 4);
  *slot = made;
  return *made;
}

int set_up(void** state) {
  *state = &make_bench(42);
  return 0;
}

int tear_down(void**) {
  for (Bench*& slot : benches) {
    if (slot != nullptr) unmap_memory(slot->memory);
    slot = nullptr;
  }
  return 0;
}

}  // namespace tocsin::sim::test
