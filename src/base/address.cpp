#include "base/address.h"

#include "base/encode.h"

namespace tocsin {

namespace {

constexpr uint8_t mapped_prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};  // ::ffff:0:0/96

// Four decimal numbers without leading zeros: "010" is 8 to some and 10 to others.
bool parse_v4(string_view text, uint8_t* out) {
  for (int i = 0; i < 4; ++i) {
    const string_view part = take_until(text, '.');
    const Result<uint64_t> number = parse_number(part, 255);
    if (!number.ok() || (part.size() > 1 && part.front() == '0')) return false;
    out[i] = static_cast<uint8_t>(number.value());
    // Behind the last one nothing may stand, not even a dot; before it something must.
    const bool more = part.data() + part.size() != text.data() + text.size();
    if (more != (i < 3)) return false;
  }
  return true;
}

// One to four hexadecimal digits.
bool parse_group(string_view text, uint8_t* out) {
  if (text.empty() || text.size() > 4) return false;
  char padded[4] = {'0', '0', '0', '0'};
  std::memcpy(padded + 4 - text.size(), text.data(), text.size());
  return decode_hex({padded, 4}, {out, 2}).ok();
}

// Groups between colons, the last possibly as an IPv4 address; no "::" in here.
// Answers how many bytes they are, or 17 when they are wrong.
size_t parse_groups(string_view text, bool v4_allowed, uint8_t* out) {
  constexpr size_t wrong = 17;
  size_t used = 0;
  while (true) {
    const size_t colon = text.find(':');
    const string_view group = slice(text, 0, colon);
    if (colon == string_view::npos && v4_allowed && group.find('.') != string_view::npos) {
      return used <= 12 && parse_v4(group, out + used) ? used + 4 : wrong;
    }
    if (used == 16 || !parse_group(group, out + used)) return wrong;
    used += 2;
    if (colon == string_view::npos) return used;
    text = slice(text, colon + 1);
  }
}

bool parse_v6(string_view text, uint8_t* out) {
  const size_t gap = text.find("::");
  if (gap == string_view::npos) return parse_groups(text, true, out) == 16;
  const string_view before = slice(text, 0, gap);
  const string_view after = slice(text, gap + 2);
  uint8_t tail[16];
  const size_t front_size = before.empty() ? 0 : parse_groups(before, false, out);
  const size_t tail_size = after.empty() ? 0 : parse_groups(after, true, tail);
  // "::" stands for one group at least (RFC 4291 §2.2).
  if (front_size + tail_size > 14) return false;
  std::memset(out + front_size, 0, 16 - front_size);
  copy_bytes(out + 16 - tail_size, {tail, tail_size});
  return true;
}

void write_v4(Writer& out, const uint8_t* bytes) {
  for (int i = 0; i < 4; ++i) {
    if (i > 0) out.character('.');
    out.unsigned_number(bytes[i]);
  }
}

// The one recommended spelling: RFC 5952 §4 and §5.
void write_v6(Writer& out, const uint8_t* bytes) {
  if (same({bytes, 12}, mapped_prefix)) {
    out.text("::ffff:");
    return write_v4(out, bytes + 12);
  }
  int gap = -1;
  int gap_size = 1;  // a single zero group is written out
  for (int i = 0; i < 8; ++i) {
    int end = i;
    while (end < 8 && get_u16(bytes + 2 * end) == 0) ++end;
    if (end - i > gap_size) {
      gap = i;
      gap_size = end - i;
    }
  }
  for (int i = 0; i < 8; ++i) {
    if (i == gap) {
      out.text("::");
      i += gap_size - 1;
      continue;
    }
    if (i > 0 && i != gap + gap_size) out.character(':');
    const uint16_t group = get_u16(bytes + 2 * i);
    for (int shift = 12; shift >= 0; shift -= 4) {
      if (shift == 0 || (group >> shift) != 0) out.character("0123456789abcdef"[(group >> shift) & 15]);
    }
  }
}

// Letters, digits, '-' and '_' between dots; whoever writes a last label of
// digits meant an IPv4 address.
bool is_host_name(string_view name) {
  if (ends_with(name, ".")) name = slice(name, 0, name.size() - 1);
  if (name.empty()) return false;
  bool digits_only = false;
  size_t label = 0;
  for (const char c : name) {
    if (c == '.') {
      if (label == 0) return false;
      label = 0;
      continue;
    }
    const bool digit = c >= '0' && c <= '9';
    const char lower = to_lower(c);
    if (!digit && !(lower >= 'a' && lower <= 'z') && c != '-' && c != '_') return false;
    digits_only = digit && (label == 0 || digits_only);
    if (++label > 63) return false;  // RFC 1035 §2.3.4
  }
  return label > 0 && !digits_only;
}

}  // namespace

Result<Address> parse_ip(string_view text, uint16_t port) {
  Address address;
  address.port = port;
  if (parse_v4(text, address.bytes)) return address;
  address = Address{};
  address.family = Address::Family::v6;
  address.port = port;
  if (parse_v6(text, address.bytes)) return address;
  return Error::malformed;
}

bool is_loopback(const Address& address) {
  if (address.family == Address::Family::v4) return address.bytes[0] == 127;
  if (same({address.bytes, 12}, mapped_prefix)) return address.bytes[12] == 127;
  constexpr uint8_t one[16] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
  return same(address.bytes, one);
}

void write_address(Writer& out, const Address& address) {
  if (address.family == Address::Family::v4) {
    write_v4(out, address.bytes);
  } else {
    out.character('[');
    write_v6(out, address.bytes);
    out.character(']');
  }
  out.character(':').unsigned_number(address.port);
}

Result<HostPort> parse_host_port(string_view text, uint16_t default_port) {
  string_view host = text;
  string_view port;
  bool has_port = false;
  bool must_be_v6 = false;
  if (starts_with(text, "[")) {
    const size_t end = text.find(']');
    if (end == string_view::npos) return Error::malformed;
    host = slice(text, 1, end - 1);
    port = slice(text, end + 1);
    must_be_v6 = true;
    has_port = !port.empty();
    if (has_port && port.front() != ':') return Error::malformed;
    port = slice(port, 1);
  } else if (const size_t colon = text.find(':'); colon != string_view::npos) {
    // Two colons without brackets: an IPv6 address and no port.
    must_be_v6 = text.find(':', colon + 1) != string_view::npos;
    has_port = !must_be_v6;
    if (has_port) {
      host = slice(text, 0, colon);
      port = slice(text, colon + 1);
    }
  }
  HostPort out;
  out.port = default_port;
  if (has_port) {
    const Result<uint64_t> number = parse_number(port, UINT16_MAX);
    if (!number.ok() || number.value() == 0) return Error::malformed;
    out.port = static_cast<uint16_t>(number.value());
  }
  const Result<Address> ip = parse_ip(host, out.port);
  const bool is_v6 = ip.ok() && ip.value().family == Address::Family::v6;
  if (must_be_v6 ? !is_v6 : !ip.ok() && !is_host_name(host)) return Error::malformed;
  if (!out.host.assign(host)) return Error::too_long;
  return out;
}

}  // namespace tocsin
