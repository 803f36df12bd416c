#include "push/endpoint.h"

#include "base/address.h"
#include "base/text.h"
#include "base/writer.h"
#include "model/registration.h"

namespace tocsin {
namespace {

constexpr string_view scheme = "https://";
constexpr uint16_t usual_port = 443;
// A path that was left out, and an IPv6 address like ::1:2:3:4:5:6:7, whose zero is written out.
constexpr size_t spelling_adds = 8;
constexpr size_t name_bytes_max = 253;  // RFC 1035 §2.3.4, without the root's dot
constexpr size_t label_bytes_max = 63;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Visible ASCII without what RFC 3986 has no place for, and what proxies and servers read differently.
bool fits_path(string_view path) {
  for (const char c : path) {
    if (c <= 0x20 || c > 0x7E || string_view("\"<>\\^`{|}#").find(c) != string_view::npos) return false;
  }
  return true;
}

bool fits_label(string_view label) {
  if (label.empty() || label.size() > label_bytes_max || label.front() == '-' || label.back() == '-') return false;
  for (const char c : label) {
    // _ stands in no host's name by the book, and in some on local networks.
    if (!is_digit(c) && !(c >= 'a' && c <= 'z') && c != '-' && c != '_') return false;
  }
  return true;
}

// A last label of digits, or 0x…: some resolvers would read the whole as an address (WHATWG URL, "ends in a number").
bool looks_like_a_number(string_view label) {
  if (starts_with(label, "0x")) return true;
  for (const char c : label) {
    if (!is_digit(c)) return false;
  }
  return true;
}

// In lower case already.
bool fits_name(string_view name) {
  if (name.empty() || name.size() > name_bytes_max || name.back() == '.') return false;
  string_view last;
  for (string_view rest = name; !rest.empty();) {
    last = take_until(rest, '.');
    if (!fits_label(last)) return false;
  }
  if (!looks_like_a_number(last)) return true;
  const Result<Address> address = parse_ip(name, 0);
  return address.ok() && address.value().family == Address::Family::v4;
}

struct Parts {
  string_view host;  // as written, with brackets
  string_view port;  // behind the colon
  bool has_port = false;
  string_view path;  // "" when there is none
};

Result<Parts> split(string_view url) {
  if (url.size() <= scheme.size() || !same_ignoring_case(slice(url, 0, scheme.size()), scheme)) return Error::malformed;
  const string_view rest = slice(url, scheme.size());
  const size_t end = rest.find_first_of("/?");
  Parts parts;
  parts.host = slice(rest, 0, end);
  if (end != string_view::npos) parts.path = slice(rest, end);
  // In front of @ stands a user, and behind it the host that is really meant; \ is a / for some.
  if (parts.host.find_first_of("@\\#%") != string_view::npos || !fits_path(parts.path)) return Error::malformed;
  size_t colon = parts.host.rfind(':');
  if (!parts.host.empty() && parts.host.front() == '[') {
    const size_t bracket = parts.host.find(']');
    if (bracket == string_view::npos) return Error::malformed;
    colon = bracket + 1 < parts.host.size() ? bracket + 1 : string_view::npos;
    if (colon != string_view::npos && parts.host[colon] != ':') return Error::malformed;
  }
  if (colon != string_view::npos) {
    parts.has_port = true;
    parts.port = slice(parts.host, colon + 1);
    parts.host = slice(parts.host, 0, colon);
  }
  return parts;
}

// The host in its one spelling: names in lower case, IPv6 addresses as we write them.
void write_host(Writer& out, string_view host) {
  if (!host.empty() && host.front() == '[' && host.back() == ']') {
    const Result<Address> address = parse_ip(slice(host, 1, host.size() - 2), 0);
    if (!address.ok() || address.value().family != Address::Family::v6) return;
    uint8_t room[64];
    Writer text(room);
    write_address(text, address.value());
    out.text(slice(text.view(), 0, text.size() - 2));  // without its port, :0
    return;
  }
  const size_t from = out.size();
  for (const char c : host) out.character(to_lower(c));
  if (!fits_name(slice(out.view(), from))) out.rewind(from);
}

Result<uint16_t> read_port(const Parts& parts) {
  if (!parts.has_port) return usual_port;
  // No leading zeros: one port, one spelling.
  if (parts.port.empty() || parts.port.front() == '0') return Error::malformed;
  const Result<uint64_t> port = parse_number(parts.port, UINT16_MAX);
  if (!port.ok()) return Error::malformed;
  return static_cast<uint16_t>(port.value());
}

}  // namespace

Result<ByteView> normalise_endpoint(string_view url, bool allow_ports, Arena& scratch) {
  if (url.size() > token_bytes_max) return Error::too_long;
  const Result<Parts> split_url = split(url);
  if (!split_url.ok()) return split_url.error();
  const Parts& parts = split_url.value();
  const Result<uint16_t> port = read_port(parts);
  if (!port.ok()) return port.error();

  Writer out(scratch, url.size() + spelling_adds);
  write_host(out.text(scheme), parts.host);
  if (out.overflowed()) return Error::exhausted;
  if (out.size() == scheme.size()) return Error::malformed;
  if (port.value() != usual_port && !allow_ports) return Error::denied;
  if (port.value() != usual_port) out.character(':').unsigned_number(port.value());
  if (parts.path.empty() || parts.path.front() == '?') out.character('/');
  out.text(parts.path);
  if (out.overflowed()) return Error::exhausted;
  if (out.size() > token_bytes_max) return Error::too_long;
  return out.written();
}

Result<Endpoint> read_endpoint(string_view url) {
  const Result<Parts> split_url = split(url);
  if (!split_url.ok()) return split_url.error();
  const Parts& parts = split_url.value();
  const Result<uint16_t> port = read_port(parts);
  if (!port.ok() || parts.host.empty() || parts.path.empty()) return Error::malformed;
  Endpoint endpoint{.origin = slice(url, 0, url.size() - parts.path.size()),
                    .host = parts.host,
                    .port = port.value(),
                    .path = parts.path};
  if (endpoint.host.front() == '[') endpoint.host = slice(endpoint.host, 1, endpoint.host.size() - 2);
  return endpoint;
}

}  // namespace tocsin
