#include "settings/values.h"

#include "settings/faults.h"

namespace tocsin {

namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return to_lower(c) >= 'a' && to_lower(c) <= 'z'; }

struct Word {
  string_view word;
  uint8_t value;
};

bool read_word(const Reading& reading, std::span<const Word> words, uint8_t& value) {
  for (const Word& w : words) {
    if (w.word != reading.value) continue;
    value = w.value;
    return true;
  }
  write_quoted(*reading.why, reading.value);
  reading.why->text(" is not one of");
  for (const Word& w : words) reading.why->character(' ').text(w.word);
  return false;
}

template <class T>
bool read_enumeration(const Reading& reading, std::span<const Word> words, T& field) {
  uint8_t value = 0;
  if (!read_word(reading, words, value)) return false;
  field = static_cast<T>(value);
  return true;
}

template <class T>
constexpr uint8_t raw(T value) {
  return static_cast<uint8_t>(value);
}

constexpr Word switch_words[] = {{"yes", 1}, {"no", 0}, {"true", 1}, {"false", 0}, {"on", 1}, {"off", 0}};

// Binary units up to G; written back in the largest that fits, for messages.
void write_size(Writer& out, uint64_t bytes) {
  constexpr string_view units[] = {"", "k", "M", "G"};
  size_t unit = 0;
  while (unit < 3 && bytes > 0 && bytes % 1024 == 0) bytes /= 1024, ++unit;
  out.unsigned_number(bytes).text(units[unit]);
}

struct DurationUnit {
  string_view name;
  uint64_t ms;
};
constexpr DurationUnit duration_units[] = {{"d", 86'400'000}, {"h", 3'600'000}, {"m", 60'000}, {"s", 1000}, {"ms", 1}};

void write_duration(Writer& out, uint64_t ms) {
  for (const DurationUnit& unit : duration_units) {
    if (ms == 0 || ms % unit.ms != 0) continue;
    out.unsigned_number(ms / unit.ms).text(unit.name);
    return;
  }
  out.character('0');
}

void write_bound(const Reading& reading, uint64_t bound) {
  if (reading.form == Form::size) return write_size(*reading.why, bound);
  if (reading.form == Form::duration) return write_duration(*reading.why, bound);
  reading.why->unsigned_number(bound);
}

bool in_range(const Reading& reading, uint64_t value) {
  if (value >= reading.min && value <= reading.max) return true;
  write_quoted(*reading.why, reading.value);
  reading.why->text(" is out of range; give ");
  write_bound(reading, reading.min);
  reading.why->text(" to ");
  write_bound(reading, reading.max);
  return false;
}

bool say(const Reading& reading, string_view value, string_view problem) {
  write_quoted(*reading.why, value);
  reading.why->text(problem);
  return false;
}

// Digits and what follows them. What does not fit becomes the largest number, out of every range.
bool split_number(string_view text, uint64_t& number, string_view& unit) {
  size_t digits = 0;
  while (digits < text.size() && is_digit(text[digits])) ++digits;
  if (digits == 0) return false;
  const Result<uint64_t> parsed = parse_number(slice(text, 0, digits));
  number = parsed.ok() ? parsed.value() : UINT64_MAX;
  unit = slice(text, digits);
  return true;
}

// Saturates: the caller's range refuses it.
uint64_t times(uint64_t a, uint64_t b) { return a != 0 && b > UINT64_MAX / a ? UINT64_MAX : a * b; }

bool resolve_path(const Reading& reading, string_view value, Writer& out) {
  constexpr string_view credential = "credential:";
  if (value.empty()) return say(reading, value, " is not a path");
  if (starts_with(value, credential)) {
    const string_view name = slice(value, credential.size());
    if (name.empty() || name.find('/') != string_view::npos || name == "." || name == "..")
      return say(reading, value, " names no credential; give credential:NAME, without slashes");
    if (reading.environment->credentials_directory.empty())
      return say(reading, value, " needs $CREDENTIALS_DIRECTORY, which systemd sets for a unit with LoadCredential=");
    out.text(reading.environment->credentials_directory).character('/').text(name);
    return true;
  }
  if (value[0] != '/') out.text(reading.directory);
  out.text(value);
  return true;
}

bool write_domain(const Reading& reading, string_view value, Writer& out) {
  if (!is_domain(value)) return say(reading, value, " is not a domain such as push.example.org");
  for (char c : value) out.character(to_lower(c));
  return true;
}

bool is_topic(string_view text) {
  for (char c : text)
    if (!is_letter(c) && !is_digit(c) && c != '.' && c != '-' && c != '_') return false;
  return !text.empty();
}

bool is_apple_id(string_view text) {
  for (char c : text)
    if (!(c >= 'A' && c <= 'Z') && !is_digit(c)) return false;
  return text.size() == 10;
}

// RFC 8292 §2.1. It goes into a JWT as it stands; Apple refuses a push whose contact is at localhost, and the others
// would write to nobody.
bool is_contact(const Reading& reading, string_view value) {
  constexpr string_view mail = "mailto:", page = "https://";
  const bool is_mail = starts_with(value, mail);
  const string_view rest = slice(value, is_mail ? mail.size() : page.size());
  const size_t at = rest.rfind('@');
  const string_view host = is_mail ? (at == 0 || at == string_view::npos ? string_view() : slice(rest, at + 1))
                                   : slice(rest, 0, rest.find_first_of(":/?#"));
  bool plain = is_mail || starts_with(value, page);
  for (const char c : value) plain = plain && c > ' ' && c < 0x7f && c != '"' && c != '\\' && c != '<' && c != '>';
  if (!plain || !is_domain(host))
    return say(reading, value, " is not a contact such as mailto:ann@push.example.net or https://example.net/contact");
  if (same_ignoring_case(value, "mailto:ops@example.org"))
    return say(reading, value, " is the sample's; push services write to this address when something is wrong");
  uint8_t room[domain_bytes_max + 1];
  Writer name(room);
  name.character('.');
  for (const char c : host) name.character(to_lower(c));
  for (const string_view nowhere : {".localhost", ".local", ".invalid"})
    if (ends_with(name.view(), nowhere)) return say(reading, value, " reaches nobody from outside; Apple refuses such");
  if (host.find('.') == string_view::npos || parse_ip(host, 0).ok())
    return say(reading, value, " needs a host with a name that the whole internet knows");
  return true;
}

}  // namespace

bool read_value(const Reading& reading, bool& field) { return read_enumeration(reading, switch_words, field); }

bool read_value(const Reading& reading, uint32_t& field) {
  uint64_t number = 0;
  string_view unit;
  const bool is_size = reading.form == Form::size;
  if (!split_number(reading.value, number, unit))
    return say(reading, reading.value, is_size ? " is not a size such as 64k" : " is not a number");
  if (!unit.empty()) {
    if (!is_size) return say(reading, reading.value, " is not a number");
    const char letter = unit.size() == 1 ? to_lower(unit[0]) : '?';
    if (letter != 'k' && letter != 'm' && letter != 'g')
      return say(reading, reading.value, " has no known unit; use k, M or G, or none for bytes");
    number = times(number, letter == 'k' ? 1024 : letter == 'm' ? 1024 * 1024 : 1024 * 1024 * 1024);
  }
  if (!in_range(reading, number)) return false;
  field = static_cast<uint32_t>(number);
  return true;
}

bool read_value(const Reading& reading, Duration& field) {
  uint64_t number = 0;
  string_view unit;
  if (!split_number(reading.value, number, unit)) return say(reading, reading.value, " is not a duration such as 5s");
  uint64_t ms = UINT64_MAX;
  bool known_unit = unit.empty() && number == 0;  // nothing is nothing in every unit
  if (known_unit) ms = 0;
  for (const DurationUnit& known : duration_units) {
    if (known.name != unit) continue;
    known_unit = true;
    ms = times(number, known.ms);
  }
  if (unit.empty() && !known_unit) return say(reading, reading.value, " needs a unit: ms, s, m, h or d");
  if (!known_unit) return say(reading, reading.value, " has no known unit; use ms, s, m, h or d");
  if (!in_range(reading, ms)) return false;
  field = milliseconds(static_cast<int64_t>(ms));
  return true;
}

bool read_value(const Reading& reading, HostPort& field) {
  string_view text = reading.value;
  uint16_t default_port = 5347;
  if (reading.form == Form::endpoint) {
    constexpr string_view scheme = "https://";
    if (!starts_with(text, scheme) || slice(text, scheme.size()).find_first_of("/?#@") != string_view::npos)
      return say(reading, reading.value, " is not of the form https://host or https://host:port, without a path");
    text = slice(text, scheme.size());
    default_port = 443;
  }
  const Result<HostPort> parsed = parse_host_port(text, default_port);
  if (!parsed.ok())
    return say(reading, reading.value, " is not of the form host or host:port; IPv6 with a port is written [::1]:5347");
  field = parsed.value();
  return true;
}

bool read_value(const Reading& reading, Level& field) {
  constexpr Word words[] = {{"error", raw(Level::error)},
                            {"warn", raw(Level::warn)},
                            {"info", raw(Level::info)},
                            {"debug", raw(Level::debug)}};
  return read_enumeration(reading, words, field);
}

bool read_value(const Reading& reading, LogTarget& field) {
  if (reading.value == "stderr" || reading.value == "syslog") {
    field.kind = reading.value == "stderr" ? LogTarget::Kind::standard_error : LogTarget::Kind::syslog;
    field.path.clear();
    return true;
  }
  Reading as_path = reading;
  as_path.form = Form::path;
  if (!read_value(as_path, field.path)) return false;
  field.kind = LogTarget::Kind::file;
  return true;
}

bool read_value(const Reading& reading, Timestamps& field) {
  constexpr uint8_t yes = raw(Timestamps::yes), no = raw(Timestamps::no);
  constexpr Word words[] = {{"auto", raw(Timestamps::automatic)},
                            {"yes", yes},
                            {"no", no},
                            {"true", yes},
                            {"false", no},
                            {"on", yes},
                            {"off", no}};
  return read_enumeration(reading, words, field);
}

bool read_value(const Reading& reading, SecretModes& field) {
  constexpr Word words[] = {{"strict", raw(SecretModes::strict)}, {"warn", raw(SecretModes::warn)}};
  return read_enumeration(reading, words, field);
}

bool read_value(const Reading& reading, ApnsEnvironment& field) {
  constexpr Word words[] = {{"production", raw(ApnsEnvironment::production)},
                            {"sandbox", raw(ApnsEnvironment::sandbox)}};
  return read_enumeration(reading, words, field);
}

bool read_value(const Reading& reading, ApnsPayload& field) {
  constexpr Word words[] = {{"tigase", raw(ApnsPayload::tigase)}, {"wake", raw(ApnsPayload::wake)}};
  return read_enumeration(reading, words, field);
}

bool read_value(const Reading& reading, EmptyPush& field) {
  constexpr Word words[] = {
      {"high", raw(EmptyPush::high)}, {"normal", raw(EmptyPush::normal)}, {"drop", raw(EmptyPush::drop)}};
  return read_enumeration(reading, words, field);
}

bool read_value(const Reading& reading, SectionDialect& field) {
  constexpr Word words[] = {{"p2", raw(SectionDialect::p2)}};
  return read_enumeration(reading, words, field);
}

bool read_value(const Reading& reading, FixedList<AddressRange, private_ranges_max>& field) {
  field.count = 0;
  string_view rest = reading.value;
  bool last = false;
  while (!last) {
    string_view item;
    if (!take_item(reading, rest, item, last)) return false;
    const Result<AddressRange> range = parse_range(item);
    if (!range.ok())
      return say(reading, item, " is not a range such as 192.168.1.0/24 or fd00::/8, without bits behind the prefix");
    AddressRange* added = field.add();
    if (added == nullptr) return say(reading, item, " is one too many for this list");
    *added = range.value();
  }
  return true;
}

bool shape_text(const Reading& reading, string_view value, Writer& shaped) {
  switch (reading.form) {
    case Form::path: return resolve_path(reading, value, shaped);
    case Form::state_path:
      if (value.empty() || ends_with(value, "/")) return say(reading, value, " is not a path");
      break;
    case Form::contact:
      if (value.size() <= contact_bytes_max && !is_contact(reading, value)) return false;
      break;
    case Form::domain:
    case Form::domains: return write_domain(reading, value, shaped);
    case Form::accounts:
      if (value != "*") return write_domain(reading, value, shaped);
      if (trim(reading.value) != "*") return say(reading, value, " stands alone or not at all");
      break;
    case Form::provider_id:
      if (value.empty() || value.find_first_of(" \t") != string_view::npos)
        return say(reading, value, " is not a provider id such as tigase:messenger:apns:1");
      break;
    case Form::module:
      if (value.empty() || value.find_first_of(" \t") != string_view::npos)
        return say(reading, value, " is not a module such as monalProdiOS");
      break;
    case Form::section_name:
      if (!is_section_name(value))
        return say(reading, value,
                   " is not a section's name such as siskin (1 to 32 of a-z, 0-9 and -, without its kind)");
      break;
    case Form::public_url:
      if (!is_public_url(value))
        return say(reading, value, " is not of the form https://host or https://host:port, without a path");
      break;
    case Form::topic:
      if (!is_topic(value)) return say(reading, value, " is not an app's bundle id such as org.example.siskin");
      break;
    case Form::apple_id:
      if (!is_apple_id(value)) return say(reading, value, " is not an id of Apple: ten of A-Z and 0-9");
      break;
    case Form::secret:
      if (value.empty()) {
        reading.why->text("it is empty; give the component's secret from the XMPP server's conf");
        return false;
      }
      break;
    default: break;
  }
  shaped.text(value);
  return true;
}

bool say_too_long(const Reading& reading, size_t bytes_max) {
  reading.why->text("the value is over ").unsigned_number(bytes_max).text(" bytes");
  return false;
}

bool take_item(const Reading& reading, string_view& rest, string_view& item, bool& last) {
  const size_t comma = rest.find(',');
  last = comma == string_view::npos;
  item = trim(slice(rest, 0, comma));
  rest = last ? string_view() : slice(rest, comma + 1);
  if (!item.empty()) return true;
  reading.why->text("the list is empty or has an empty item");
  return false;
}

bool say_list(const Reading& reading, string_view problem, string_view item) { return say(reading, item, problem); }

bool is_domain(string_view text) {
  if (text.size() > 2 && text.front() == '[' && text.back() == ']') {
    const Result<Address> address = parse_ip(slice(text, 1, text.size() - 2), 0);
    return address.ok() && address.value().family == Address::Family::v6;
  }
  if (text.empty() || text.size() > domain_bytes_max) return false;
  size_t label = 0;
  for (size_t i = 0; i <= text.size(); ++i) {
    const char c = i < text.size() ? text[i] : '.';
    if (c == '.') {
      if (label == 0 || label > 63 || text[i - 1] == '-' || text[i - label] == '-') return false;
      label = 0;
      continue;
    }
    // Letters beyond ASCII stay: an XMPP domain may be written in Unicode (RFC 7622 §3.2).
    const bool ascii = static_cast<unsigned char>(c) < 0x80;
    if (ascii && !is_letter(c) && !is_digit(c) && c != '-') return false;
    ++label;
  }
  return true;
}

bool is_section_name(string_view text) {
  for (char c : text)
    if (!(c >= 'a' && c <= 'z') && !is_digit(c) && c != '-') return false;
  return !text.empty() && text.size() <= section_name_bytes_max;
}

string_view directory_of(string_view path) {
  const size_t slash = path.rfind('/');
  return slash == string_view::npos ? string_view() : slice(path, 0, slash + 1);
}

}  // namespace tocsin
