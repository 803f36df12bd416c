#include "settings/listen.h"

#include "settings/faults.h"
#include "settings/values.h"

namespace tocsin {

void write_listen_address(Writer& out, const ListenAddress& address) {
  switch (address.kind) {
    case ListenAddress::Kind::any: out.text("*:").unsigned_number(address.address.port); return;
    case ListenAddress::Kind::ip: return write_address(out, address.address);
    case ListenAddress::Kind::unix_path: out.text("unix:").text(address.path.view()); return;
    case ListenAddress::Kind::systemd: out.text("systemd"); return;
  }
}

Forwarders loopback_only() {
  Forwarders both;
  both.items[both.count++] = parse_range("127.0.0.1").value();
  both.items[both.count++] = parse_range("::1").value();
  return both;
}

namespace {

bool refuse(const Reading& reading, string_view item, string_view problem) {
  write_quoted(*reading.why, item);
  reading.why->text(problem);
  return false;
}

bool read_address(const Reading& reading, string_view item, ListenAddress& out) {
  constexpr string_view unix_prefix = "unix:";
  constexpr string_view forms = " is none of *:443, [::]:443, 127.0.0.1:8085, unix:/run/tocsin/http.sock, systemd";
  out = ListenAddress();
  if (item == "systemd") {
    out.kind = ListenAddress::Kind::systemd;
    return true;
  }
  if (starts_with(item, unix_prefix)) {
    const string_view path = slice(item, unix_prefix.size());
    out.kind = ListenAddress::Kind::unix_path;
    if (!starts_with(path, "/")) return refuse(reading, item, " needs a whole path behind unix:, from / on");
    if (!out.path.assign(path)) return refuse(reading, item, " is too long for a socket's path (107 bytes)");
    return true;
  }
  const size_t colon = item.rfind(':');
  if (colon == string_view::npos) return refuse(reading, item, forms);
  const Result<uint64_t> port = parse_number(slice(item, colon + 1), 65535);
  if (!port.ok() || port.value() == 0) return refuse(reading, item, forms);
  string_view host = slice(item, 0, colon);
  if (host == "*") {
    out.kind = ListenAddress::Kind::any;
    out.address.port = static_cast<uint16_t>(port.value());
    return true;
  }
  const bool brackets = starts_with(host, "[") && ends_with(host, "]");
  if (brackets) host = slice(host, 1, host.size() - 2);
  const Result<Address> address = parse_ip(host, static_cast<uint16_t>(port.value()));
  // A name could mean another machine tomorrow, and IPv6 without brackets hides its port.
  if (!address.ok() || (address.value().family == Address::Family::v6) != brackets) return refuse(reading, item, forms);
  out.address = address.value();
  return true;
}

bool same_place(const ListenAddress& a, const ListenAddress& b) {
  return a.kind == b.kind && a.address == b.address && a.path.view() == b.path.view();
}

}  // namespace

bool read_value(const Reading& reading, ListenAddresses& field) {
  field.count = 0;
  string_view rest = reading.value;
  bool last = false;
  while (!last) {
    string_view item;
    if (!take_item(reading, rest, item, last)) return false;
    ListenAddress address;
    if (!read_address(reading, item, address)) return false;
    for (const ListenAddress& other : field) {
      if (same_place(other, address)) return refuse(reading, item, " is named twice");
    }
    if (field.count == listen_addresses_max) return refuse(reading, item, " is one too many for this list");
    field.items[field.count++] = address;
  }
  return true;
}

bool read_value(const Reading& reading, Forwarders& field) {
  field.count = 0;
  string_view rest = reading.value;
  bool last = false;
  while (!last) {
    string_view item;
    if (!take_item(reading, rest, item, last)) return false;
    const Result<AddressRange> range = parse_range(item);
    if (!range.ok()) return refuse(reading, item, " is not an address or a range such as 192.0.2.0/24");
    if (field.count == forwarders_max) return refuse(reading, item, " is one too many for this list");
    field.items[field.count++] = range.value();
  }
  return true;
}

// Octal, as chmod takes it.
bool read_value(const Reading& reading, FileMode& field) {
  uint32_t bits = 0;
  bool good = reading.value.size() >= 3 && reading.value.size() <= 4;
  for (const char c : reading.value) {
    good = good && c >= '0' && c <= '7';
    bits = bits * 8 + static_cast<uint32_t>(c - '0');
  }
  if (!good || bits > 0777) return refuse(reading, reading.value, " is not a mode such as 0660");
  field.bits = bits;
  return true;
}

bool is_public_url(string_view value) {
  constexpr string_view scheme = "https://";
  if (!starts_with(value, scheme)) return false;
  const string_view host = slice(value, scheme.size());
  return host.find_first_of("/?#@ ") == string_view::npos && parse_host_port(host, 443).ok();
}

}  // namespace tocsin
