// The conf file and the overrides of the command line -> Settings. Pure: text in,
// structs and faults out; the caller reads the files.
//
//   ConfParser parser(environment, settings, faults);
//   parser.parse(text, file_name);   // for each -c, in order
//   parser.override(argument);       // for each -o
//   validate(...)                    // settings/validate.h: defaults and what belongs together
//
// A fault never stops the reading: all of them are collected in one run. An
// unknown section costs one fault, not one per key.
#pragma once

#include <cstdint>

#include "base/bytes.h"
#include "settings/faults.h"
#include "settings/origins.h"
#include "settings/settings.h"

namespace tocsin {

inline constexpr size_t line_bytes_max = 4096;

class ConfParser {
 public:
  // All three outlive this.
  ConfParser(const Environment& environment, Settings& settings, Faults& faults)
      : environment_(&environment), settings_(&settings), faults_(&faults) {}

  // file_name is shown in messages, and relative paths start in its directory. It
  // must outlive this; text is not kept.
  void parse(string_view text, string_view file_name);

  // "section.key=value" or "kind/name.key=value". The value stands as it is, without
  // quotes and comments; relative paths start in the working directory. The last of
  // several wins. argument must outlive this.
  void override(string_view argument);

  const Origins& origins() const { return origins_; }

 private:
  bool read_line(string_view line);  // false: what follows is not a text
  void read_section(string_view line);
  void read_key(string_view line);
  bool open_section(string_view kind, string_view name, bool has_name);
  bool find_or_add(const SectionRow& row, string_view name, Place& place);
  template <class List>
  bool find_or_add(List& list, string_view name, Place& place);
  const KeyRow* known_key(string_view name);
  void set(const KeyRow& row, string_view value);
  bool take_value(string_view rest, Writer& value);
  FaultLine fault();

  const Environment* environment_;
  Settings* settings_;
  Faults* faults_;
  Origins origins_;
  string_view directory_;
  uint32_t line_ = 0;
  Place place_;
  bool in_section_ = false;  // place_ is good
  bool skipping_ = false;    // below a header that was refused
};

}  // namespace tocsin
