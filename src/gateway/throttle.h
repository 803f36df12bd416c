// What a device may get, in a bounded table: pushes with content by a bucket of
// device_burst that refills one per device_interval, wake-ups one per
// device_interval, everything later when the provider said so. An entry lives
// while it limits something; a full neighbourhood forgets the calmest device,
// which errs on the side of sending.
#pragma once

#include <cstdint>

#include "base/siphash.h"
#include "base/time.h"
#include "gateway/job.h"
#include "mem/region.h"

namespace tocsin {

struct DeviceState {
  NodeId node;
  bool used = false;
  uint8_t rate_level = 0;  // how often in a row the provider said 429
  uint8_t refusals = 0;    // in a row, of those that end in holding the device …
  uint32_t burst_left = 0;
  Instant refilled{};       // when burst_left was right
  Instant next_wake{};      // no wake-up before
  Instant quiet_until{};    // provider's 429: nothing before
  Instant silent_until{};   // a 410 that was not honoured: nothing, publishers get `wait`
  Instant refused_since{};  // … and when they began
  Ticket ending = 0;        // until this change is decided its end is being made durable: send nothing
  Push* wake = nullptr;     // content-free push that has not left yet
  Push* content = nullptr;  // limited push with content that has not left yet
  Instant touched{};
};

class Throttle {
 public:
  struct Options {
    uint32_t devices = 1024;  // entries; rounded up to a multiple of 8
    uint32_t burst = 10;
    Duration interval = seconds(5);  // 0: no limit of ours
  };
  static size_t bytes_for(const Options& options);
  Throttle(Region& region, const Options& options);
  void set_key(const HashKey& key) { key_ = key; }  // before the first entry

  // The entry of a device, made if need be; nullptr when all eight of its neighbourhood
  // hold pushes or silences (the caller then sends without limit).
  DeviceState* entry(const NodeId& node, Instant now);
  DeviceState* find(const NodeId& node);  // nullptr: nothing limits it
  // When a push may leave: now, or later. It counts only when it is kept: count() says so.
  Instant leaves_at(DeviceState& device, bool content, Instant now) const;
  void count(DeviceState& device, bool content, Instant leaves) const;

 private:
  static constexpr uint32_t ways = 8;
  DeviceState* bucket_of(const NodeId& node);
  void refill(DeviceState& device, Instant now) const;
  Options options_;
  HashKey key_;
  DeviceState* entries_;
  uint32_t buckets_;
};

}  // namespace tocsin
