#include "port/sim/network.h"
#include "test/unit/port_sim/bench.h"

using namespace tocsin;
using namespace tocsin::sim;
using namespace tocsin::sim::test;
using port::Accepted;
using port::Door;

namespace {

// Turns that do nothing but wait: the test itself is the gateway.
struct Idle final : Turner {
  SimPort* port = nullptr;
  void turn() override { port->net().wait({}, Instant::never()); }
};

const Door at_443{.kind = Door::Kind::dual, .address = address_of(0, 443)};

}  // namespace

static void a_peer_that_dials_is_accepted_and_both_are_heard(void** state) {
  Bench& b = bench(state);
  SimNet& net = b.port.net();
  Idle idle;
  idle.port = &b.port;
  b.port.drive(&idle);
  const auto door = net.listen(at_443);
  assert_true(door.ok());
  Connection& c = b.world.network().dial(address_of(9, 40000), address_of(1, 443), b.peer, {});
  c.send("hello");
  assert_int_equal(net.accept(door.value()).error(), Error::again);
  b.world.run_for(milliseconds(10));
  port::Interest interest{.socket = door.value(), .read = true};
  net.wait({&interest, 1}, b.world.now());
  assert_true(interest.can_read);
  const auto made = net.accept(door.value());
  assert_true(made.ok());
  assert_true(made.value().peer == address_of(9, 40000));
  uint8_t room[16];
  assert_int_equal(net.receive(made.value().socket, room).value(), 5);
  assert_int_equal(net.send(made.value().socket, bytes_of("bye")).value(), 3);
  net.finish(made.value().socket);
  b.world.run_for(milliseconds(10));
  assert_true(b.peer.text() == "bye");
  assert_int_equal(b.peer.ends, 1);
  assert_int_equal(net.receive(made.value().socket, room).value(), 0);
  net.shut(made.value().socket);
  net.shut(door.value());
  assert_int_equal(b.world.network().open_count(), 0);
  b.port.drive(nullptr);
}

static void nobody_at_home_refuses(void** state) {
  Bench& b = bench(state);
  const auto door = b.port.net().listen({.kind = Door::Kind::tcp, .address = address_of(1, 443)});
  assert_true(door.ok());
  b.world.network().dial(address_of(9, 1), address_of(2, 443), b.peer, {});
  b.world.network().dial("/run/http.sock", b.peer, {});
  b.world.run_for(milliseconds(10));
  assert_int_equal(b.peer.ends, 2);
  assert_int_equal(b.peer.why, Error::refused);
  assert_int_equal(b.port.net().listen(at_443).error(), Error::busy);
  b.port.net().shut(door.value());
}

static void an_address_that_is_away_can_not_be_listened_at(void** state) {
  Bench& b = bench(state);
  const Door door{.kind = Door::Kind::tcp, .address = address_of(1, 443)};
  b.world.network().take_away(door.address);
  assert_int_equal(b.port.net().listen(door).error(), Error::unreachable);
  b.world.network().bring_back();
  const auto made = b.port.net().listen(door);
  assert_true(made.ok());
  b.port.net().shut(made.value());
}

static void a_unix_peer_is_local_and_a_killed_gateway_resets_who_waits(void** state) {
  Bench& b = bench(state);
  Idle idle;
  idle.port = &b.port;
  b.port.drive(&idle);
  const auto door = b.port.net().listen({.kind = Door::Kind::unix_path, .path = "/run/http.sock", .mode = 0660});
  assert_true(door.ok());
  b.world.network().dial("/run/http.sock", b.peer, {});
  b.world.network().dial("/run/http.sock", b.peer, {});
  b.world.run_for(milliseconds(10));
  const auto first = b.port.net().accept(door.value());
  assert_true(first.ok() && first.value().local);
  b.port.kill(Death::process);
  b.world.run_for(milliseconds(10));
  assert_int_equal(b.peer.ends, 2);
  assert_int_equal(b.world.network().open_count(), 0);
}

TESTS(doors, SIM_TEST(a_peer_that_dials_is_accepted_and_both_are_heard), SIM_TEST(nobody_at_home_refuses),
      SIM_TEST(an_address_that_is_away_can_not_be_listened_at),
      SIM_TEST(a_unix_peer_is_local_and_a_killed_gateway_resets_who_waits));
