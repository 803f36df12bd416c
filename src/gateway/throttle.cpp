#include "gateway/throttle.h"

#include <new>

namespace tocsin {

size_t Throttle::bytes_for(const Options& options) {
  return region_rounded(sizeof(DeviceState) * ((options.devices + ways - 1) / ways) * ways);
}

Throttle::Throttle(Region& region, const Options& options)
    : options_(options), buckets_((options.devices + ways - 1) / ways) {
  const Bytes room = region.carve(sizeof(DeviceState) * buckets_ * ways);
  entries_ = reinterpret_cast<DeviceState*>(room.data());  // zero pages are empty entries: untouched until used
}

DeviceState* Throttle::bucket_of(const NodeId& node) {
  return entries_ + (siphash(key_, node.view()) % buckets_) * ways;
}

DeviceState* Throttle::find(const NodeId& node) {
  DeviceState* bucket = bucket_of(node);
  for (uint32_t i = 0; i < ways; ++i) {
    if (bucket[i].used && bucket[i].node == node) return &bucket[i];
  }
  return nullptr;
}

DeviceState* Throttle::entry(const NodeId& node, Instant now) {
  if (DeviceState* known = find(node)) {
    known->touched = now;
    return known;
  }
  DeviceState* bucket = bucket_of(node);
  DeviceState* calmest = nullptr;
  for (uint32_t i = 0; i < ways; ++i) {
    DeviceState& device = bucket[i];
    if (!device.used) {
      calmest = &device;
      break;
    }
    const bool bound =
        device.wake != nullptr || device.content != nullptr || device.silent_until > now || device.quiet_until > now;
    if (!bound && (calmest == nullptr || device.touched < calmest->touched)) calmest = &device;
  }
  if (calmest == nullptr) return nullptr;
  *calmest = DeviceState{};
  calmest->node = node;
  calmest->used = true;
  calmest->burst_left = options_.burst;
  calmest->refilled = now;
  calmest->touched = now;
  return calmest;
}

void Throttle::refill(DeviceState& device, Instant now) const {
  const int64_t refills = (now - device.refilled).us / options_.interval.us;
  if (refills <= 0) return;
  device.burst_left = refills >= static_cast<int64_t>(options_.burst - device.burst_left)
                          ? options_.burst
                          : device.burst_left + static_cast<uint32_t>(refills);
  device.refilled = device.refilled + options_.interval * refills;
}

Instant Throttle::leaves_at(DeviceState& device, bool content, Instant now) const {
  const Instant soonest = later(now, device.quiet_until);
  if (options_.interval.us <= 0) return soonest;
  if (!content) return later(soonest, device.next_wake);
  refill(device, now);
  return device.burst_left > 0 ? soonest : later(soonest, device.refilled + options_.interval);
}

void Throttle::count(DeviceState& device, bool content, Instant leaves) const {
  if (!content) {
    device.next_wake = leaves + options_.interval;
  } else if (device.burst_left > 0) {
    --device.burst_left;
  } else {
    device.refilled = device.refilled + options_.interval;  // the next refill is spoken for
  }
}

}  // namespace tocsin
