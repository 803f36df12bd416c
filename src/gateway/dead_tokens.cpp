#include "gateway/dead_tokens.h"

#include "base/encode.h"

namespace tocsin {

size_t DeadTokens::bytes_for(uint32_t tokens) {
  return region_rounded(sizeof(Entry) * ((tokens + ways - 1) / ways) * ways);
}

DeadTokens::DeadTokens(Region& region, uint32_t tokens) : entries_(nullptr), buckets_((tokens + ways - 1) / ways) {
  if (buckets_ == 0) return;
  // Zero pages are empty entries: untouched until used.
  entries_ = reinterpret_cast<Entry*>(region.carve(sizeof(Entry) * buckets_ * ways).data());
}

DeadTokens::Entry* DeadTokens::bucket_of(const NodeId& device) const {
  return entries_ + (get_u64(device.bytes) % buckets_) * ways;
}

DeadTokens::Entry* DeadTokens::find(const NodeId& device) const {
  if (buckets_ == 0) return nullptr;
  Entry* const bucket = bucket_of(device);
  for (uint32_t i = 0; i < ways; ++i) {
    if (bucket[i].used && bucket[i].device == device) return &bucket[i];
  }
  return nullptr;
}

DeadTokens::Entry* DeadTokens::entry(const NodeId& device) {
  if (Entry* const known = find(device)) return known;
  if (buckets_ == 0) return nullptr;
  Entry* const bucket = bucket_of(device);
  Entry* soonest = bucket;
  for (uint32_t i = 0; i < ways && soonest->used; ++i) {
    if (!bucket[i].used || bucket[i].until < soonest->until) soonest = &bucket[i];
  }
  *soonest = Entry{.device = device, .used = true};
  return soonest;
}

DeadTokens::State DeadTokens::state(const NodeId& device, Instant now) const {
  const Entry* const known = find(device);
  if (known == nullptr || known->until <= now) return State::unknown;
  return known->held ? State::held : State::dead;
}

void DeadTokens::died(const NodeId& device, Instant now) {
  Entry* const dead = entry(device);
  if (dead == nullptr) return;
  Duration wait = dead_first;
  for (uint8_t i = 0; i < dead->deaths && wait < dead_most; ++i) wait = wait * 2;
  if (wait > dead_most) wait = dead_most;
  if (dead->deaths < UINT8_MAX) ++dead->deaths;
  dead->until = now + wait;
  dead->held = false;
}

void DeadTokens::hold(const NodeId& device, Instant now) {
  Entry* const held = entry(device);
  if (held == nullptr) return;
  held->until = now + held_for;
  held->held = true;
}

void DeadTokens::accepted(const NodeId& device) {
  if (Entry* const known = find(device)) *known = Entry{};
}

}  // namespace tocsin
