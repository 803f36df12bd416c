// The memory plan: one table of name, count, bytes each and why. Start-up
// reserves its sum once; `tocsin plan` prints it.
#pragma once

#include <cstdint>

#include "base/bytes.h"
#include "base/check.h"
#include "mem/region.h"

namespace tocsin {

struct PlanRow {
  string_view name;
  uint32_t count = 0;
  size_t bytes_each = 0;
  string_view why;
  bool apart = false;  // a reservation of its own, made before the region
  size_t bytes() const { return region_rounded(bytes_each * count); }
};

class Plan {
 public:
  static constexpr uint32_t rows_max = 48 + 5 * 32;
  void add(string_view name, uint32_t count, size_t bytes_each, string_view why) {
    GW_CHECK(count_ < rows_max);
    rows_[count_++] = PlanRow{name, count, bytes_each, why, false};
  }
  void add_apart(string_view name, uint32_t count, size_t bytes_each, string_view why) {
    add(name, count, bytes_each, why);
    rows_[count_ - 1].apart = true;
  }
  size_t total() const { return region_total() + apart_total(); }
  size_t region_total() const { return sum(false); }  // what wiring carves
  size_t apart_total() const { return sum(true); }
  uint32_t count() const { return count_; }
  const PlanRow& row(uint32_t i) const { return rows_[i]; }

 private:
  size_t sum(bool apart) const {
    size_t bytes = 0;
    for (uint32_t i = 0; i < count_; ++i) bytes += rows_[i].apart == apart ? rows_[i].bytes() : 0;
    return bytes;
  }
  PlanRow rows_[rows_max];
  uint32_t count_ = 0;
};

}  // namespace tocsin
