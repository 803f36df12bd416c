// A small world for the tests of the simulator itself: two ports on one disk, a
// peer that writes down what it hears, and a link that reads whatever comes.
#pragma once

#include "port/sim/sim_port.h"
#include "test/support/tests.h"

namespace tocsin::sim::test {

inline constexpr Address address_of(uint8_t last, uint16_t port = 5347) {
  return Address{.family = Address::Family::v4, .bytes = {192, 0, 2, last}, .port = port};
}

// Answers with what it was given, if echoing; remembers the newest connection.
struct Peer final : Acceptor, PeerHandler {
  bool manual = false;
  bool echoing = false;
  uint32_t accepts = 0;
  uint32_t ends = 0;
  uint32_t calls = 0;
  Error why = Error::none;
  Connection* connection = nullptr;
  size_t heard_bytes = 0;
  uint8_t heard[1 << 16];

  void accepted(Connection& c) override;
  void received(Connection& c, ByteView bytes) override;
  void closed(Connection& c, Error reason) override;
  string_view text() const { return text_of({heard, heard_bytes}); }
};

// One socket: connects at the first turn, sends what stands in `out`, reads all.
struct Link final : Turner {
  SimPort* port = nullptr;
  Address to;
  port::Handle socket = port::no_handle;
  bool connected = false;
  bool reading = true;
  bool ended = false;
  Error error = Error::none;
  Instant due = Instant::never();
  Instant connected_at{};
  Instant last_byte_at{};
  uint64_t reads = 0;
  ByteView out;
  size_t heard_bytes = 0;
  uint8_t heard[1 << 16];

  void turn() override;
  void shut();
  string_view text() const { return text_of({heard, heard_bytes}); }
};

struct Bench {
  explicit Bench(Bytes bytes, uint64_t seed);

  Region region;
  Simulation world;
  Disk disk;
  Disk copy;
  SimPort port;
  SimPort second;
  Peer peer;
  Link link;
  Address server = address_of(1);
  Bytes memory;

  Path& listen() { return world.network().listen(server, peer); }
  void start();  // the link, on port
};

Bench& make_bench(uint64_t seed);  // one more, for tests that need several; given back with the others
int set_up(void** state);
int tear_down(void** state);
inline Bench& bench(void** state) { return *static_cast<Bench*>(*state); }

}  // namespace tocsin::sim::test

#define SIM_TEST(name) \
  cmocka_unit_test_setup_teardown(name, ::tocsin::sim::test::set_up, ::tocsin::sim::test::tear_down)
