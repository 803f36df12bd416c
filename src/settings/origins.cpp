#include "settings/origins.h"

namespace tocsin {

bool Origins::add_source(string_view name) {
  if (sources_used_ == conf_files_max + overrides_max) return false;
  sources_[sources_used_++] = name;
  return true;
}

Where Origins::nearest(Place place, string_view name) const {
  if (has_key(place, name)) return key(place, name);
  return section(place);
}

uint32_t Origins::slot(Place place) {
  const uint32_t kind = static_cast<uint32_t>(place.kind);
  if (kind < single_max) return kind;
  const uint32_t index = single_max + (kind - single_max) * sections_max + place.index;
  GW_CHECK(place.index < sections_max && index < places_max);
  return index;
}

// The rows of one section stand together in the table.
uint32_t Origins::column(const KeyRow& row) {
  const KeyRow* first = &row;
  while (first > key_rows().data() && first[-1].section == row.section) --first;
  const uint32_t index = static_cast<uint32_t>(&row - first);
  GW_CHECK(index < keys_max);
  return index;
}

const KeyRow& Origins::row_of(Place place, string_view name) {
  const KeyRow* row = find_key(place.kind, name);
  GW_CHECK(row != nullptr);
  return *row;
}

}  // namespace tocsin
