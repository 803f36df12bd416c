// The table of everything that may stand in a conf file: a new key is one row.
// The parser, the search for the nearest name and the tests all read this table.
#pragma once

#include <cstdint>
#include <span>

#include "base/bytes.h"
#include "settings/settings.h"
#include "settings/values.h"

namespace tocsin {

enum class SectionKind : uint8_t {
  xmpp,
  state,
  registry,
  limits,
  log,
  process,
  listen,
  metrics,
  unifiedpush,
  webpush,
  apns,  // from here on: those that may repeat
  fcm,
  // Their names are reserved for a later version.
  control,
};

struct SectionRow {
  SectionKind kind;
  string_view name;
  bool named = false;  // [kind NAME], any number of them
  bool later = false;  // reserved: refused with a word of its own
};

// Reads a value into the struct of its section.
using Store = bool (*)(void* section, const Reading& reading);

struct KeyRow {
  SectionKind section;
  string_view name;
  Form form = Form::text;
  Store store = nullptr;  // nullptr: reserved for a later version
  uint64_t min = 0;
  uint64_t max = 0;
};

std::span<const SectionRow> section_rows();  // indexed by kind
std::span<const KeyRow> key_rows();          // those of one section stand together

// nullptr when there is none.
const SectionRow* find_section(string_view name);
const KeyRow* find_key(SectionKind section, string_view name);

// One section of the conf: a kind and, for named ones, which of them.
struct Place {
  SectionKind kind = SectionKind::xmpp;
  uint32_t index = 0;
};

// The place of a provider section, by its number.
Place place_of_section(const Settings& settings, uint32_t number);

// The struct that a place's keys go to.
void* struct_of(Settings& settings, Place place);

// "[apns siskin]" for messages.
void write_section(Writer& out, const Settings& settings, Place place);

}  // namespace tocsin
