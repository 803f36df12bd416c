// The devices in RAM: a dense array and three open-addressing indexes over it, by
// node, by device key and by account. Slots hold 24 bits of device number and 8
// bits of hash, so that a probe rarely touches a device that is not wanted.
#pragma once

#include <cstdint>

#include "mem/region.h"
#include "registry/device.h"

namespace tocsin {

// Linear probing at a load of at most 4/5, deletion by shifting back: no tombstones.
// A value is a device number; its hash is asked of whoever holds the devices.
class SlotIndex {
 public:
  using HashOf = uint32_t (*)(const Device&);
  static constexpr uint32_t slots_for(uint32_t devices) { return devices + devices / 4 + 8; }
  static constexpr uint32_t none = UINT32_MAX;

  SlotIndex(Region& region, uint32_t devices, const Device* table, HashOf hash_of);
  static size_t bytes_for(uint32_t devices) { return region_rounded(sizeof(uint32_t) * slots_for(devices)); }

  // The first device with this hash that accept(device) takes; none.
  template <class Accept>
  uint32_t find(uint32_t hash, Accept&& accept) const {
    for (uint32_t i = home(hash); slots_[i] != 0; i = following(i)) {
      const uint32_t number = number_in(slots_[i]);
      if (tag_in(slots_[i]) == (hash & 0xff) && hash_of_(table_[number]) == hash && accept(table_[number]))
        return number;
    }
    return none;
  }
  void insert(uint32_t hash, uint32_t number);
  void erase(uint32_t hash, uint32_t number);  // its device is still in the table
  void renumber(uint32_t hash, uint32_t from, uint32_t to);

 private:
  static uint32_t number_in(uint32_t slot) { return (slot & 0xffffff) - 1; }
  static uint32_t tag_in(uint32_t slot) { return slot >> 24; }
  static uint32_t slot_of(uint32_t hash, uint32_t number) { return (hash << 24) | (number + 1); }
  uint32_t home(uint32_t hash) const { return static_cast<uint32_t>((uint64_t{hash} * count_) >> 32); }
  uint32_t following(uint32_t i) const { return i + 1 == count_ ? 0 : i + 1; }
  uint32_t place_of(uint32_t hash, uint32_t number) const;

  uint32_t* slots_;
  uint32_t count_;
  const Device* table_;
  HashOf hash_of_;
};

class DeviceTable {
 public:
  static constexpr uint32_t devices_max = 10'000'000;  // a device number + 1 has 24 bits
  static size_t bytes_for(uint32_t devices);

  DeviceTable(Region& region, uint32_t devices);

  uint32_t count() const { return count_; }
  uint32_t capacity() const { return capacity_; }
  const Device& at(uint32_t number) const { return devices_[number]; }
  Device& at(uint32_t number) { return devices_[number]; }

  Device* find(const NodeId& node);
  const Device* find(const NodeId& node) const;
  // Devices with this key hash, until accept(device) takes one. A hash is a hint.
  template <class Accept>
  const Device* find_key(uint32_t key_hash, Accept&& accept) const {
    const uint32_t number = by_key_.find(key_hash, accept);
    return number == SlotIndex::none ? nullptr : &devices_[number];
  }
  // The devices of an account, and now and then one of another account with the same hash.
  const Device* first_of(uint32_t account_hash) const;
  const Device* after(const Device& device) const { return device.next == 0 ? nullptr : &devices_[device.next - 1]; }

  // Node and hashes must be set; the table has room and no such node.
  Device& insert(const Device& device);
  // The last device moves into its place.
  void remove(Device& device);
  void rekey(Device& device, uint32_t key_hash, uint32_t account_hash);

 private:
  static uint32_t node_hash(const Device& device);
  uint32_t number_of(const Device& device) const { return static_cast<uint32_t>(&device - devices_); }
  void link(uint32_t number);
  void unlink(uint32_t number);
  void move(uint32_t from, uint32_t to);

  Device* devices_;
  uint32_t capacity_;
  uint32_t count_ = 0;
  SlotIndex by_node_;
  SlotIndex by_key_;
  SlotIndex by_account_;  // the first of each chain of devices with one account hash
};

// The promise: 64 bytes a device. 48 in the array and three indexes of 4 bytes at a load of 4/5.
static_assert(sizeof(Device) + 3 * sizeof(uint32_t) * 5 / 4 <= 64);
static_assert(DeviceTable::devices_max + 1 < (1 << 24));

}  // namespace tocsin
