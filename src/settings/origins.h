// Where every key and section was set, so that a fault that shows only later
// still names file and line, and a repeated key its first line.
#pragma once

#include <cstdint>

#include "settings/faults.h"
#include "settings/keys.h"

namespace tocsin {

inline constexpr uint32_t conf_files_max = 8;
inline constexpr uint32_t overrides_max = 32;

// A provider section whose name or kind was refused leaves its trace here: the conf does not lack one altogether.
inline constexpr Place refused_section(SectionKind kind) { return {.kind = kind, .index = sections_max - 1}; }

class Origins {
 public:
  struct Origin {
    uint16_t source = 0;  // 0: not set; else one more than the index into sources_
    uint32_t line = 0;    // 0: from the command line
  };

  // name is a conf file's, or the part of an override before '='; it must outlive
  // this. False when there are too many.
  bool add_source(string_view name);
  Where here(uint32_t line) const { return {sources_[sources_used_ - 1], line, line == 0}; }
  // The end of the last conf file: where something is missing.
  Where end() const { return end_; }
  void set_end(Where end) { end_ = end; }

  void set_section(Place place, uint32_t line) { section_of(place) = origin(line); }
  void set_key(Place place, const KeyRow& row, uint32_t line) { key_of(place, row) = origin(line); }

  bool has_section(Place place) const { return section_of(place).source != 0; }
  bool has_key(Place place, string_view name) const { return key_of(place, row_of(place, name)).source != 0; }
  Where section(Place place) const { return where(section_of(place)); }
  Where key(Place place, string_view name) const { return where(key_of(place, row_of(place, name))); }
  // The key's line where it is set, else its section's, else the end of the conf.
  Where nearest(Place place, string_view name) const;

 private:
  // Those that stand once, then so many of each of the two kinds that may repeat.
  static constexpr uint32_t single_max = static_cast<uint32_t>(SectionKind::apns);
  static constexpr uint32_t places_max = single_max + 2 * sections_max;
  static constexpr uint32_t keys_max = 24;  // of one section

  static uint32_t slot(Place place);
  static uint32_t column(const KeyRow& row);
  static const KeyRow& row_of(Place place, string_view name);
  Origin origin(uint32_t line) const { return {.source = static_cast<uint16_t>(sources_used_), .line = line}; }
  Where where(Origin o) const { return o.source == 0 ? end_ : Where{sources_[o.source - 1], o.line, o.line == 0}; }
  Origin& section_of(Place place) { return section_[slot(place)]; }
  const Origin& section_of(Place place) const { return section_[slot(place)]; }
  Origin& key_of(Place place, const KeyRow& row) { return key_[slot(place)][column(row)]; }
  const Origin& key_of(Place place, const KeyRow& row) const { return key_[slot(place)][column(row)]; }

  string_view sources_[conf_files_max + overrides_max];
  uint32_t sources_used_ = 0;
  Where end_;
  Origin section_[places_max];
  Origin key_[places_max][keys_max];
};

}  // namespace tocsin
