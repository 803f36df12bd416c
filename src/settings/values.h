// From the text of a value to the field of a struct. Every reader answers false
// and says why in words that follow "KEY: "; the field may hold a part then, and is not used. Pure.
#pragma once

#include <cstdint>
#include <span>

#include "base/bytes.h"
#include "base/writer.h"
#include "settings/settings.h"

namespace tocsin {

// What a text must look like, beyond the type of the field it goes to.
enum class Form : uint8_t {
  words,         // one of a few words (booleans and enumerations)
  number,        // min..max
  size,          // min..max bytes: 64k, 1M
  duration,      // min..max milliseconds: 500ms, 5s, 30d
  text,          // anything, also nothing
  secret,        // anything but nothing; never shown, never on the command line
  path,          // relative to the conf file, or credential:NAME
  state_path,    // relative to the state directory; validate() joins it
  contact,       // where people reach us: mailto: or https:
  ranges,        // a list of IP addresses and ranges
  domain,        // a host name in the sense of RFC 1123 §2.1
  domains,       // a list of them
  accounts,      // a list of them, or * alone
  provider_id,   // no blanks
  module,        // the same
  section_name,  // of a section that was renamed, without its kind
  topic,         // an app's bundle id
  apple_id,      // ten of A-Z and 0-9
  server,        // host, host:port; 5347 by default
  endpoint,      // https://host, https://host:port; 443 by default
  log_target,    // stderr, syslog or a path
  public_url,    // https://host, https://host:port
};

// One value on its way: its text and what its meaning depends on.
struct Reading {
  string_view value;
  Form form = Form::text;
  uint64_t min = 0;
  uint64_t max = 0;
  string_view directory;  // of the conf file, with the last slash; empty: the working directory
  const Environment* environment = nullptr;
  Writer* why = nullptr;
};

bool read_value(const Reading& reading, bool& field);
bool read_value(const Reading& reading, uint32_t& field);
bool read_value(const Reading& reading, Duration& field);
bool read_value(const Reading& reading, HostPort& field);
bool read_value(const Reading& reading, Level& field);
bool read_value(const Reading& reading, LogTarget& field);
bool read_value(const Reading& reading, Timestamps& field);
bool read_value(const Reading& reading, SecretModes& field);
bool read_value(const Reading& reading, ApnsEnvironment& field);
bool read_value(const Reading& reading, ApnsPayload& field);
bool read_value(const Reading& reading, EmptyPush& field);
bool read_value(const Reading& reading, SectionDialect& field);
bool read_value(const Reading& reading, ListenAddresses& field);
bool read_value(const Reading& reading, Forwarders& field);
bool read_value(const Reading& reading, FileMode& field);
bool is_public_url(string_view value);
bool read_value(const Reading& reading, FixedList<AddressRange, private_ranges_max>& field);

// Checks value against the reading's form and writes what is to be stored, which
// may differ (paths are resolved, domains are lower case).
bool shape_text(const Reading& reading, string_view value, Writer& shaped);
bool say_too_long(const Reading& reading, size_t bytes_max);
// Takes the next item of a list by commas; false, with a reason, when it is empty.
bool take_item(const Reading& reading, string_view& rest, string_view& item, bool& last);
bool say_list(const Reading& reading, string_view problem, string_view item);

inline constexpr size_t value_bytes_max = 4096;

template <size_t capacity>
bool read_value(const Reading& reading, FixedText<capacity>& field) {
  uint8_t room[value_bytes_max];
  Writer shaped(room);
  if (!shape_text(reading, reading.value, shaped)) return false;
  if (shaped.overflowed() || !field.assign(shaped.view())) return say_too_long(reading, capacity);
  return true;
}

template <size_t capacity, uint32_t count_max>
bool read_value(const Reading& reading, FixedList<FixedText<capacity>, count_max>& field) {
  field.count = 0;
  string_view rest = reading.value;
  bool last = false;
  while (!last) {
    string_view item;
    if (!take_item(reading, rest, item, last)) return false;
    uint8_t room[value_bytes_max];
    Writer shaped(room);
    if (!shape_text(reading, item, shaped)) return false;
    for (const auto& earlier : field)
      if (earlier.view() == shaped.view()) return say_list(reading, " is named twice", item);
    FixedText<capacity>* added = field.add();
    if (added == nullptr) return say_list(reading, " is one too many for this list", item);
    if (shaped.overflowed() || !added->assign(shaped.view())) return say_too_long(reading, capacity);
  }
  return true;
}

// A host name or an IP literal ([…] around IPv6), as a JID's domain may be.
bool is_domain(string_view text);
bool is_section_name(string_view text);  // [a-z0-9-]{1,32}
// The directory part of a path, with its last slash; empty when there is none.
string_view directory_of(string_view path);

}  // namespace tocsin
