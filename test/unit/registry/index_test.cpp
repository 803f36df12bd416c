#include "registry/index.h"

#include "base/encode.h"
#include "port/sim/random.h"
#include "test/unit/registry/bench.h"

using namespace tocsin;
using namespace tocsin::test;
using sim::Random;

namespace {

constexpr uint32_t devices_max = 300;
alignas(64) uint8_t memory[64 * 1024];

struct Known {
  NodeId node;
  uint32_t key;
  uint32_t account;
  bool in;
};

// Everything the table says agrees with the list.
void expect_agreement(const DeviceTable& table, std::span<const Known> list) {
  uint32_t count = 0;
  for (const Known& known : list) {
    const Device* device = table.find(known.node);
    assert_true((device != nullptr) == known.in);
    if (!known.in) continue;
    ++count;
    assert_true(device->node == known.node && device->key_hash == known.key && device->account_hash == known.account);
    assert_ptr_equal(table.find_key(known.key, [&](const Device& d) { return d.node == known.node; }), device);
    uint32_t in_chain = 0;
    uint32_t wanted = 0;
    for (const Device* d = table.first_of(known.account); d != nullptr; d = table.after(*d)) {
      assert_int_equal(d->account_hash, known.account);
      ++in_chain;
    }
    for (const Known& other : list) wanted += other.in && other.account == known.account;
    assert_int_equal(in_chain, wanted);
  }
  assert_int_equal(table.count(), count);
}

}  // namespace

// Hashes of few values: nearly everything collides, and the places at the end of an index wrap around.
static void random_changes_keep_three_indexes_in_step(void**) {
  for (uint64_t seed = 1; seed <= 30; ++seed) {
    Random random(seed);
    std::memset(memory, 0xff, sizeof memory);
    Region region(memory);
    const uint32_t size = static_cast<uint32_t>(random.between(1, devices_max));
    assert_true(DeviceTable::bytes_for(size) <= sizeof memory);
    DeviceTable table(region, size);
    assert_int_equal(region.used(), DeviceTable::bytes_for(size));
    static Known list[devices_max];
    const auto hash = [&random] {
      return static_cast<uint32_t>(random.coin() ? random.below(4) : UINT32_MAX - random.below(4));
    };
    for (uint32_t i = 0; i < size; ++i) {
      NodeId node = node_of(0);
      put_u32(node.bytes, hash());
      put_u32(node.bytes + 8, i);
      list[i] = {.node = node, .key = 0, .account = 0, .in = false};
    }
    const std::span<const Known> all(list, size);
    for (int step = 0; step < 3000; ++step) {
      Known& known = list[random.below(size)];
      if (!known.in) {
        Device device;
        device.node = known.node;
        device.key_hash = known.key = hash();
        device.account_hash = known.account = hash();
        table.insert(device);
        known.in = true;
      } else if (random.below(3) == 0) {
        known.key = random.coin() ? hash() : known.key;
        known.account = random.coin() ? hash() : known.account;
        table.rekey(*table.find(known.node), known.key, known.account);
      } else if (random.coin()) {
        table.remove(*table.find(known.node));
        known.in = false;
      }
      if (step % 100 == 0) expect_agreement(table, all);
    }
    expect_agreement(table, all);
    for (Known& known : list) {
      if (known.in) table.remove(*table.find(known.node));
      known.in = false;
    }
    expect_agreement(table, all);
  }
}

static void a_device_costs_at_most_64_bytes(void**) {
  for (const uint32_t devices : {1000U, 100'000U, 1'000'000U, 10'000'000U}) {
    // Beside the devices: three times eight slots, and rounding.
    assert_true(DeviceTable::bytes_for(devices) <= devices * size_t{63} + 3 * 8 * 4 + 4 * 64);
  }
}

static void removing_moves_the_last_device_into_the_hole(void**) {
  Region region(memory);
  DeviceTable table(region, 3);
  for (uint8_t i = 1; i <= 3; ++i) {
    Device device;
    device.node = node_of(i);
    table.insert(device);
  }
  table.remove(*table.find(node_of(1)));
  assert_int_equal(table.count(), 2);
  assert_true(table.at(0).node == node_of(3) && table.at(1).node == node_of(2));
}

TESTS(index, cmocka_unit_test(random_changes_keep_three_indexes_in_step),
      cmocka_unit_test(a_device_costs_at_most_64_bytes),
      cmocka_unit_test(removing_moves_the_last_device_into_the_hole));
