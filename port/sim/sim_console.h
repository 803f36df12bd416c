// What a gateway logged, for tests to search; and the secrets that must never
// show up in it.
#pragma once

#include <cstdint>

#include "base/text.h"
#include "mem/region.h"
#include "port/port.h"
#include "port/sim/timeline.h"

namespace tocsin::sim {

class SimConsole final : public port::Console {
 public:
  static constexpr uint32_t lines_kept = 1024;  // older ones are forgotten, but counted
  static constexpr uint32_t line_max = 1024;    // LogLine's room; longer ones are a mistake (GW_CHECK)
  static size_t bytes_for() { return region_rounded(lines_kept * sizeof(Line)); }

  SimConsole(Region& memory, Timeline& time)
      : time_(&time), lines_(reinterpret_cast<Line*>(memory.carve(lines_kept * sizeof(Line)).data())) {}
  void log_line(Level level, string_view line) override;
  void reopen() override { ++reopened_; }
  void flush() override {}

  // Among the lines kept.
  bool saw(string_view text) const { return count(text) > 0; }
  uint64_t count(string_view text) const;
  string_view last() const { return total_ == 0 ? string_view{} : line(total_ - 1); }
  string_view last(string_view text) const;  // the newest line with text; empty if there is none
  // number counts from 0 over all lines; must still be kept.
  string_view line(uint64_t number) const;
  uint64_t total() const { return total_; }
  uint64_t count(Level level) const { return levels_[static_cast<size_t>(level)]; }
  uint32_t reopened() const { return reopened_; }
  void clear() { first_ = total_; }       // searches see newer lines only
  void show(bool show) { show_ = show; }  // also on stderr, with the virtual time

  // A line with this text ends the test (GW_CHECK) after showing the line. Empty
  // texts are refused. count_leaks: only count, to test the test.
  void forbid(string_view text);
  void count_leaks() { only_count_ = true; }
  uint64_t leaks() const { return leaks_; }

 private:
  static constexpr uint32_t forbidden_max = 32;
  using Line = FixedText<line_max>;

  Timeline* time_;
  Line* lines_;
  uint64_t total_ = 0;
  uint64_t first_ = 0;
  uint64_t levels_[4] = {};
  uint64_t leaks_ = 0;
  uint32_t reopened_ = 0;
  uint32_t forbidden_count_ = 0;
  bool only_count_ = false;
  bool show_ = false;
  FixedText<255> forbidden_[forbidden_max];
};

}  // namespace tocsin::sim
