#include "registry/survey.h"

#include "base/encode.h"
#include "registry/inside.h"

namespace tocsin {
namespace {

constexpr uint32_t slots_for(uint32_t nodes) { return nodes + nodes / 4 + 8; }

}  // namespace

size_t Survey::bytes_for(uint32_t nodes) {
  return region_rounded(size_t{nodes} * sizeof(Surveyed)) + region_rounded(size_t{slots_for(nodes)} * sizeof(uint32_t));
}

Survey::Survey(Region& region, uint32_t nodes)
    : nodes_(reinterpret_cast<Surveyed*>(region.carve(size_t{nodes} * sizeof(Surveyed)).data())),
      slots_(reinterpret_cast<uint32_t*>(region.carve(size_t{slots_for(nodes)} * sizeof(uint32_t)).data())),
      capacity_(nodes),
      slot_count_(slots_for(nodes)) {
  std::memset(slots_, 0, size_t{slot_count_} * sizeof(uint32_t));
}

// Nodes are random; their first bytes are as good as a hash.
uint32_t Survey::home(const NodeId& node) const {
  return static_cast<uint32_t>((uint64_t{get_u32(node.bytes)} * slot_count_) >> 32);
}

Surveyed* Survey::find(const NodeId& node) const {
  for (uint32_t i = home(node); slots_[i] != 0; i = i + 1 == slot_count_ ? 0 : i + 1) {
    if (nodes_[slots_[i] - 1].node == node) return &nodes_[slots_[i] - 1];
  }
  return nullptr;
}

Surveyed* Survey::insert(const NodeId& node) {
  if (count_ == capacity_) return nullptr;
  uint32_t i = home(node);
  while (slots_[i] != 0) i = i + 1 == slot_count_ ? 0 : i + 1;
  Surveyed* added = new (&nodes_[count_]) Surveyed;
  added->node = node;
  slots_[i] = ++count_;
  return added;
}

void Survey::set_state(Surveyed& node, Surveyed::State state, uint64_t word_at, size_t word_bytes) {
  if (node.state == Surveyed::State::held) --held_;
  if (state == Surveyed::State::held) ++held_;
  live_bytes_ -= node.word_bytes;
  node.state = state;
  node.word_at = word_at;
  node.word_bytes = static_cast<uint16_t>(word_bytes);
  live_bytes_ += node.word_bytes;
}

Status Survey::take(const Record& record, uint64_t offset, size_t bytes) {
  Surveyed* node = find(record.node);
  const bool there = node != nullptr && node->state != Surveyed::State::ended;
  if (record.full()) {
    if (!there) {
      // One that comes again after its end is there, as it is for the gateway.
      if (node == nullptr) node = insert(record.node);
      if (node == nullptr) return Error::exhausted;
      node->full_bytes = 0;
      ++devices_;
    }
    live_bytes_ += bytes;
    live_bytes_ -= node->full_bytes;
    node->full_at = offset;
    node->full_bytes = static_cast<uint16_t>(bytes);
    node->refreshed = ram_seconds(record.time);
    node->accepted_under = record.accepted_under;
    node->accepted_day = record.accepted_day;
    set_state(*node, Surveyed::State::there, 0, 0);
    return {};
  }
  if (record.kind == RecordKind::ended) {
    if (node == nullptr) node = insert(record.node);
    if (node == nullptr) return Error::exhausted;
    if (there) {
      --devices_;
      live_bytes_ -= node->full_bytes;
    }
    set_state(*node, Surveyed::State::ended, offset, bytes);
    return {};
  }
  if (!there) {
    ++strays_;
    return {};
  }
  switch (record.kind) {
    case RecordKind::refreshed:
      node->refreshed = ram_seconds(record.time);
      set_state(*node, Surveyed::State::there, 0, 0);
      break;
    case RecordKind::accepted:
      node->accepted_under = record.accepted_under;
      node->accepted_day = day_of(record.time, node->accepted_day);
      break;
    case RecordKind::held: set_state(*node, Surveyed::State::held, offset, bytes); break;
    case RecordKind::released: set_state(*node, Surveyed::State::there, 0, 0); break;
    case RecordKind::registered:
    case RecordKind::changed:
    case RecordKind::ended:
    case RecordKind::mark: GW_CHECK(false);
  }
  return {};
}

}  // namespace tocsin
