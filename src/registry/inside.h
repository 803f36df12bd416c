// The registry's inside: what registry.cpp (start, look-ups), change.cpp (staging)
// and commit.cpp (applying, dropping) share. Nobody else includes this.
#pragma once

#include "registry/compaction.h"
#include "registry/device_hash.h"
#include "registry/index.h"
#include "registry/log_reader.h"
#include "registry/registry.h"
#include "registry/staging.h"

namespace tocsin {

inline constexpr uint32_t day_seconds = 86'400;

// A device as it will be when everything staged is applied.
struct StagedState {
  bool known = false;    // it is there
  bool durable = false;  // the index has it
  bool held = false;
  uint16_t accepted_day = 0;
  uint32_t refreshed = 0;
  uint32_t refreshed_stored = 0;
  uint32_t accepted_under = 0;
  Ticket ticket = 0;  // of its latest staged change
};

struct RegistryInside {
  RegistryInside(Region& region, const Registry::Options& options, Journal& to, Rewrite* rewrite);

  // registry.cpp
  Status replay(Bytes scratch);
  Status make_durable(uint64_t last_batch);
  Status begin_log();
  Status read_record(const Device& device, Bytes room, Record& out) const;
  void take_header(const FileHeader& taken);
  uint8_t section_number(string_view name) const;
  string_view present_name(string_view name) const;

  // change.cpp. Batches in the order they will be applied: the one being committed, then the one being staged.
  Staging& batch(int i) { return i == 0 ? buffers[1 - staged] : buffers[staged]; }
  const Staging& batch(int i) const { return i == 0 ? buffers[1 - staged] : buffers[staged]; }
  Ticket ticket_of_batch(int i) const { return i == 0 ? next_ticket - 1 : next_ticket; }
  StagedState state(const NodeId& node) const;
  // The newest staged change of node that matters to its content: a full record or its end.
  const Change* latest_content(const NodeId& node) const;
  bool content(const NodeId& node, Bytes room, Record& out) const;
  bool has_key(const NodeId& node, uint32_t key_hash) const;  // as of now; a node that is there
  void set_refreshed(const NodeId& node, uint32_t seconds);
  Result<Ticket> stage(const Record& record, const StagedState& was, bool unhurried = false);
  Result<Ticket> refresh(const NodeId& node, UnixTime now, bool must_write, bool unhurried);

  // commit.cpp
  // change: nullptr while replaying.
  Status apply(const Record& record, uint64_t offset, const Change* change);
  void count_full(const Registration& registration);
  void apply_batch(const Staging& done);
  void drop(Staging& failed);

  Journal& journal;
  DeviceTable devices;
  Staging buffers[2];
  int staged = 0;           // the buffer that takes changes
  bool committing = false;  // the other one is with the journal
  Ticket next_ticket = 1;   // of the batch being staged
  Ticket decided = 0;
  Ticket failed_from = 1;  // the last failure: tickets from … to; none yet
  Ticket failed_to = 0;
  uint64_t batches = 0;  // durable ones in the file
  FileHeader header;
  DeviceHash hash;
  std::span<const string_view> section_names;
  std::span<const Registry::FormerName> former_names;
  uint64_t damage_offset = 0;
  uint64_t cut_bytes = 0;
  uint64_t strays = 0;
  // Of the journal's file, for the estimate of what is dead in it.
  uint64_t full_records = 0;
  uint64_t full_bytes = 0;
  uint64_t ends = 0;
  bool current_file = false;  // Device::file of those whose record is in the journal; of others in the former file
  uint32_t former_left = 0;
  Rewrite* rewrite;
  Compaction compaction;
  FixedText<191> problem;
};

// RAM keeps seconds in 32 bits: until 2106.
inline uint32_t ram_seconds(UnixTime t) {
  return t.s < 0 ? 0 : t.s > int64_t{UINT32_MAX} ? UINT32_MAX : static_cast<uint32_t>(t.s);
}
// A clock that was never set says nothing about the day.
inline uint16_t day_of(UnixTime t, uint16_t otherwise) {
  if (!plausible(t)) return otherwise;
  const int64_t day = t.s / day_seconds;
  return day > UINT16_MAX ? UINT16_MAX : static_cast<uint16_t>(day);
}

}  // namespace tocsin
