#include "gateway/section.h"

namespace tocsin {
namespace {

constexpr Duration success_counts_for = hours(24);

}  // namespace

bool Section::has_module(string_view module) const {
  for (uint32_t i = 0; i < module_count; ++i) {
    if (modules[i] == module) return true;
  }
  return false;
}

void choose_services(std::span<Section> sections) {
  for (Section& section : sections) {
    uint32_t of_its_kind = 0;
    for (const Section& other : sections) of_its_kind += other.kind() == section.kind() && !other.second_choice;
    if (of_its_kind == 1 && !section.second_choice) section.takes_service = true;
  }
}

bool is_undecided(std::span<const Section> sections, string_view kind) {
  bool some = false;
  for (const Section& section : sections) {
    if (section.kind() != kind) continue;
    if (section.takes_service) return false;
    some = true;
  }
  return some;
}

uint32_t Section::jobs() const {
  uint32_t count = 0;
  for (const Lane& lane : lanes) count += lane.jobs;
  return count;
}

uint32_t Section::slow_jobs(Instant now) const {
  uint32_t count = 0;
  for (const Lane& lane : lanes) count += lane.slow(now) ? lane.jobs : 0;
  return count;
}

void Section::note_accepted(const NodeId& node, Instant now) {
  if (!(accepted_node[0] == node)) {
    accepted_node[1] = accepted_node[0];
    accepted_at[1] = accepted_at[0];
    accepted_node[0] = node;
  }
  accepted_at[0] = now;
}

bool Section::another_accepted(const NodeId& node, Instant now) const {
  for (int i = 0; i < 2; ++i) {
    if (accepted_at[i] != Instant{} && !(accepted_node[i] == node) && now - accepted_at[i] <= success_counts_for)
      return true;
  }
  return false;
}

}  // namespace tocsin
