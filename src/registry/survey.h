// What a whole log says of every device it ever named, the ended ones included: for
// tools that look at a file. Fed record by record; keeps where to read the rest.
#pragma once

#include <cstdint>

#include "mem/region.h"
#include "registry/record.h"

namespace tocsin {

// One node of the log.
struct Surveyed {
  enum class State : uint8_t { there, held, ended };
  NodeId node;
  uint64_t full_at = 0;  // the newest full record; 0: the log has none (of one that ended)
  uint64_t word_at = 0;  // held: the record that says so; ended: the end
  uint32_t refreshed = 0;
  uint32_t accepted_under = 0;
  uint16_t accepted_day = 0;
  uint16_t full_bytes = 0;
  uint16_t word_bytes = 0;
  State state = State::there;
};

class Survey {
 public:
  // nodes: at least as many as the log has full records and ends.
  static size_t bytes_for(uint32_t nodes);
  Survey(Region& region, uint32_t nodes);

  // The next record of the log, no marks. Records that speak of a device that was never registered, or has ended,
  // say nothing and are counted; an end may stand alone (a compaction keeps it). Error::exhausted: more nodes than
  // were announced.
  Status take(const Record& record, uint64_t offset, size_t bytes);

  uint32_t count() const { return count_; }
  const Surveyed& at(uint32_t i) const { return nodes_[i]; }  // in the order of their first record
  uint32_t devices() const { return devices_; }               // that are there, held or not
  uint32_t held() const { return held_; }
  uint32_t ended() const { return count_ - devices_; }
  uint64_t strays() const { return strays_; }
  // Of the newest full records of devices that are there, what holds them, and ends.
  uint64_t live_bytes() const { return live_bytes_; }

 private:
  Surveyed* find(const NodeId& node) const;
  Surveyed* insert(const NodeId& node);
  void set_state(Surveyed& node, Surveyed::State state, uint64_t word_at, size_t word_bytes);
  uint32_t home(const NodeId& node) const;

  Surveyed* nodes_;
  uint32_t* slots_;  // 1 + number of a node; 0: free
  uint32_t capacity_;
  uint32_t slot_count_;
  uint32_t count_ = 0;
  uint32_t devices_ = 0;
  uint32_t held_ = 0;
  uint64_t strays_ = 0;
  uint64_t live_bytes_ = 0;
};

static_assert(sizeof(Surveyed) == 48);

}  // namespace tocsin
