#include "registry/index.h"

#include "base/encode.h"

namespace tocsin {

// ---- one index -------------------------------------------------------------

// Regions hand out zeros only the first time: a slot must be empty at start.
SlotIndex::SlotIndex(Region& region, uint32_t devices, const Device* table, HashOf hash_of)
    : slots_(reinterpret_cast<uint32_t*>(region.carve(sizeof(uint32_t) * slots_for(devices)).data())),
      count_(slots_for(devices)),
      table_(table),
      hash_of_(hash_of) {
  std::memset(slots_, 0, sizeof(uint32_t) * count_);
}

void SlotIndex::insert(uint32_t hash, uint32_t number) {
  uint32_t i = home(hash);
  while (slots_[i] != 0) i = following(i);
  slots_[i] = slot_of(hash, number);
}

uint32_t SlotIndex::place_of(uint32_t hash, uint32_t number) const {
  uint32_t i = home(hash);
  while (number_in(slots_[i]) != number) {
    GW_CHECK(slots_[i] != 0);
    i = following(i);
  }
  return i;
}

void SlotIndex::erase(uint32_t hash, uint32_t number) {
  uint32_t hole = place_of(hash, number);
  for (uint32_t i = following(hole); slots_[i] != 0; i = following(i)) {
    // A slot may move back into the hole unless its home lies behind the hole.
    const uint32_t start = home(hash_of_(table_[number_in(slots_[i])]));
    const bool behind = hole < i ? start > hole && start <= i : start > hole || start <= i;
    if (behind) continue;
    slots_[hole] = slots_[i];
    hole = i;
  }
  slots_[hole] = 0;
}

void SlotIndex::renumber(uint32_t hash, uint32_t from, uint32_t to) {
  slots_[place_of(hash, from)] = slot_of(hash, to);
}

// ---- the table -------------------------------------------------------------

size_t DeviceTable::bytes_for(uint32_t devices) {
  return region_rounded(sizeof(Device) * devices) + 3 * SlotIndex::bytes_for(devices);
}

DeviceTable::DeviceTable(Region& region, uint32_t devices)
    : devices_(reinterpret_cast<Device*>(region.carve(sizeof(Device) * devices).data())),
      capacity_(devices),
      by_node_(region, devices, devices_, node_hash),
      by_key_(region, devices, devices_, [](const Device& device) { return device.key_hash; }),
      by_account_(region, devices, devices_, [](const Device& device) { return device.account_hash; }) {
  GW_CHECK(devices <= devices_max);
}

// Nodes are random bytes of our own: any of them are a hash.
uint32_t DeviceTable::node_hash(const Device& device) { return get_u32(device.node.bytes); }

const Device* DeviceTable::find(const NodeId& node) const {
  const uint32_t number =
      by_node_.find(get_u32(node.bytes), [&node](const Device& device) { return device.node == node; });
  return number == SlotIndex::none ? nullptr : &devices_[number];
}

Device* DeviceTable::find(const NodeId& node) {
  return const_cast<Device*>(static_cast<const DeviceTable*>(this)->find(node));
}

const Device* DeviceTable::first_of(uint32_t account_hash) const {
  const uint32_t number = by_account_.find(account_hash, [](const Device&) { return true; });
  return number == SlotIndex::none ? nullptr : &devices_[number];
}

Device& DeviceTable::insert(const Device& device) {
  GW_CHECK(count_ < capacity_);
  const uint32_t number = count_++;
  Device& added = *new (&devices_[number]) Device(device);
  by_node_.insert(node_hash(added), number);
  by_key_.insert(added.key_hash, number);
  link(number);
  return added;
}

void DeviceTable::remove(Device& device) {
  const uint32_t number = number_of(device);
  by_node_.erase(node_hash(device), number);
  by_key_.erase(device.key_hash, number);
  unlink(number);
  const uint32_t last = --count_;
  if (number != last) move(last, number);
}

void DeviceTable::rekey(Device& device, uint32_t key_hash, uint32_t account_hash) {
  const uint32_t number = number_of(device);
  if (device.key_hash != key_hash) {
    by_key_.erase(device.key_hash, number);
    device.key_hash = key_hash;
    by_key_.insert(key_hash, number);
  }
  if (device.account_hash != account_hash) {
    unlink(number);
    device.account_hash = account_hash;
    link(number);
  }
}

// A new device stands second in its chain, so that the index keeps pointing to the first.
void DeviceTable::link(uint32_t number) {
  Device& device = devices_[number];
  const Device* first = first_of(device.account_hash);
  if (first == nullptr) {
    device.next = 0;
    by_account_.insert(device.account_hash, number);
  } else {
    device.next = first->next;
    devices_[number_of(*first)].next = (number + 1) & 0xffffff;
  }
}

void DeviceTable::unlink(uint32_t number) {
  const Device& device = devices_[number];
  const Device* at = first_of(device.account_hash);
  GW_CHECK(at != nullptr);
  if (at == &device) {
    if (device.next == 0) {
      by_account_.erase(device.account_hash, number);
    } else {
      by_account_.renumber(device.account_hash, number, device.next - 1);
    }
    return;
  }
  while (at->next != number + 1) {
    at = after(*at);
    GW_CHECK(at != nullptr);
  }
  devices_[number_of(*at)].next = device.next;
}

void DeviceTable::move(uint32_t from, uint32_t to) {
  const Device& device = devices_[from];
  by_node_.renumber(node_hash(device), from, to);
  by_key_.renumber(device.key_hash, from, to);
  const Device* at = first_of(device.account_hash);
  GW_CHECK(at != nullptr);
  if (at == &device) {
    by_account_.renumber(device.account_hash, from, to);
  } else {
    while (at->next != from + 1) {
      at = after(*at);
      GW_CHECK(at != nullptr);
    }
    devices_[number_of(*at)].next = (to + 1) & 0xffffff;
  }
  devices_[to] = device;
}

}  // namespace tocsin
