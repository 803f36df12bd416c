// The one reservation of start-up, carved in the order of the plan. What is
// carved lives until the process ends; pools and heaps are built on regions.
#pragma once

#include "base/bytes.h"
#include "base/check.h"

namespace tocsin {

inline constexpr size_t region_alignment = 64;

constexpr size_t region_rounded(size_t bytes) { return (bytes + region_alignment - 1) & ~(region_alignment - 1); }

class Region {
 public:
  Region() = default;
  // room must start at a multiple of region_alignment.
  explicit Region(Bytes room) : room_(room) {}
  // A part of bytes (rounded up to region_alignment). Running out means that the
  // plan and the wiring disagree, which only we can do wrong.
  Bytes carve(size_t bytes) {
    const size_t rounded = region_rounded(bytes);
    GW_CHECK(rounded <= room_.size() - used_);
    Bytes part = room_.subspan(used_, rounded).first(bytes);
    used_ += rounded;
    return part;
  }
  size_t used() const { return used_; }
  size_t size() const { return room_.size(); }

 private:
  Bytes room_;
  size_t used_ = 0;
};

}  // namespace tocsin
