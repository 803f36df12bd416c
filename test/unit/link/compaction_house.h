// A registry on a simulated disk that loops by the millisecond, with compaction.
// One house at a time.
#pragma once

#include <new>

#include "base/encode.h"
#include "base/siphash.h"
#include "base/writer.h"
#include "link/journal_file.h"
#include "port/sim/sim_port.h"
#include "registry/registry.h"
#include "test/support/tests.h"

namespace tocsin::test {

using namespace sim;

inline constexpr const char* path = "state/devices.registry";
inline constexpr const char* new_path = "state/devices.registry.new";
inline constexpr const char* old_path = "state/devices.registry.old";
inline constexpr Disk::Sizes disk_sizes{.file_bytes = 4 << 20, .pending_bytes = 4 << 20};
inline const Registry::Options options{.max_devices = 3000, .creation_id = {0xc1}};
inline constexpr UnixTime day_one{1'750'000'000};

alignas(64) inline uint8_t registry_memory[1024 * 1024];
alignas(64) inline uint8_t scratch[Registry::replay_scratch_bytes];

struct House {
  explicit House(Region& region)
      : world(region, {.events = 64, .network = {}}, 1),
        disk(region, disk_sizes, 1),
        port(region, world, disk, 1),
        journal(port.port().storage) {
    disk.put_directory("state");
    disk.faults().sync_latency = milliseconds(3);
  }

  void start() {
    journal.shut();
    journal.JournalFile::~JournalFile();
    new (&journal) JournalFile(port.port().storage);
    assert_true(journal.open(path, "state").ok());
    Region region(registry_memory);
    static const string_view sections[] = {"apns/siskin"};
    registry = new (place) Registry(region, options, journal, &journal);
    registry->sections(sections);
    const Status replayed = registry->replay(scratch);
    if (!replayed.ok()) print_error("%s\n", registry->problem());
    assert_true(replayed.ok());
    assert_int_equal(registry->strays(), 0);
  }
  // One turn of a loop, a millisecond long.
  Maintenance turn() {
    world.run_for(milliseconds(1));
    Status outcome;
    if (journal.decided(outcome)) registry->committed(outcome);
    if (registry->anything_staged() && !registry->committing()) (void)registry->commit().ok();
    return registry->maintain(world.now(), wall);
  }
  void commit() {
    for (int i = 0; i < 1000 && (registry->anything_staged() || registry->committing()); ++i) (void)turn();
    assert_false(registry->anything_staged());
  }
  // Until something is said.
  Maintenance compact() {
    registry->request_compaction();
    for (int i = 0; i < 10'000; ++i) {
      const Maintenance outcome = turn();
      if (outcome != Maintenance::quiet) return outcome;
    }
    return Maintenance::quiet;
  }
  Registration device(uint32_t number, uint32_t token) {
    Writer name(account);
    name.text("ann").unsigned_number(number % 100).text("@example.org");
    put_u32(token_room, number);
    put_u32(token_room + 4, token);
    NodeId node;
    std::memset(node.bytes, 0x22, sizeof node.bytes);
    put_u32(node.bytes, number * 0x9e3779b9);
    return {.node = node,
            .account = name.view(),
            .section = "apns/siskin",
            .provider = "push",
            .token = token_room,
            .registered = day_one};
  }
  void add(uint32_t number, uint32_t token = 0) {
    for (;;) {
      const Result<Ticket> added = registry->add(device(number, token), wall);
      if (added.ok()) return;
      assert_int_equal(added.error(), Error::busy);
      commit();
    }
  }
  void fill(uint32_t devices) {
    for (uint32_t i = 0; i < devices; ++i) add(i);
    commit();
  }
  // Everything the registry knows of all devices, whatever their order.
  uint64_t digest() {
    uint64_t sum = 0;
    for (uint32_t i = 0; const Device* device = registry->device_at(i); ++i) {
      Registration found;
      assert_true(registry->read(*device, record, found).ok());
      if (!registry->anything_staged() && !registry->committing()) {
        Registration by_key;
        assert_true(registry->find_device(found.account, found.token, record_2, by_key, nullptr).ok());
        assert_true(by_key.node == device->node);
      }
      uint8_t text[256];
      Writer out(text);
      out.bytes(device->node.view()).text(found.account).bytes(found.token).number(found.registered.s);
      out.number(device->refreshed_stored).character(' ').number(device->accepted_under).number(device->held ? 1 : 0);
      sum += siphash(HashKey{}, out.written());
    }
    return sum;
  }

  Simulation world;
  Disk disk;
  SimPort port;
  JournalFile journal;
  Registry* registry = nullptr;
  UnixTime wall = day_one;
  alignas(Registry) uint8_t place[sizeof(Registry)];
  uint8_t record[Registry::record_bytes_max];
  uint8_t record_2[Registry::record_bytes_max];
  uint8_t account[64];
  uint8_t token_room[8];
};

inline Bytes memory;

inline int set_up(void** state) {
  memory = map_memory(Simulation::bytes_for({.events = 64, .network = {}}) + Disk::bytes_for(disk_sizes) +
                      SimPort::bytes_for() + region_rounded(sizeof(House)) + 4096);
  Region region(memory);
  House* house = new (region.carve(sizeof(House)).data()) House(region);
  house->start();
  *state = house;
  return 0;
}

inline int tear_down(void** state) {
  House& house = *static_cast<House*>(*state);
  house.port.kill(Death::power);
  unmap_memory(memory);
  return 0;
}

inline House& house(void** state) { return *static_cast<House*>(*state); }

}  // namespace tocsin::test

#define HOUSE_TEST(name) cmocka_unit_test_setup_teardown(name, ::tocsin::test::set_up, ::tocsin::test::tear_down)
