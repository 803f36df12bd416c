#include "proto/proxy_header.h"

#include "base/encode.h"

namespace tocsin {

namespace {

using Found = ProxyHeader::Found;

constexpr string_view word = "PROXY";
constexpr size_t line_bytes_max = 107;  // proxy-protocol.txt §2.1, with CRLF
constexpr uint8_t signature[] = {0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a};
constexpr size_t fixed_bytes = 16;

ProxyHeader malformed() { return {.found = Found::malformed, .source = {}}; }

bool begins_alike(ByteView in, ByteView with) {
  const size_t size = in.size() < with.size() ? in.size() : with.size();
  return same(in.first(size), with.first(size));
}

// "PROXY TCP4 192.0.2.1 192.0.2.2 56324 443"
ProxyHeader read_words(string_view line, size_t used) {
  ProxyHeader header{.found = Found::header, .used = used, .source = {}};
  string_view rest = line;
  (void)take_until(rest, ' ');
  const string_view family = take_until(rest, ' ');
  if (family == "UNKNOWN") return header;
  const string_view source = take_until(rest, ' ');
  const string_view target = take_until(rest, ' ');
  const Result<uint64_t> port = parse_number(take_until(rest, ' '), 65535);
  const Result<uint64_t> our_port = parse_number(rest, 65535);
  if ((family != "TCP4" && family != "TCP6") || !port.ok() || !our_port.ok()) return malformed();
  const auto kind = family == "TCP4" ? Address::Family::v4 : Address::Family::v6;
  const Result<Address> from = parse_ip(source, static_cast<uint16_t>(port.value()));
  const Result<Address> to = parse_ip(target, 0);
  if (!from.ok() || !to.ok() || from.value().family != kind || to.value().family != kind) return malformed();
  header.has_source = true;
  header.source = from.value();
  return header;
}

ProxyHeader read_line(ByteView in) {
  const string_view text = text_of(in);
  const size_t end = text.find("\r\n");
  if (end == string_view::npos || end + 2 > line_bytes_max)
    return in.size() >= line_bytes_max || end != string_view::npos ? malformed() : ProxyHeader();
  return read_words(slice(text, 0, end), end + 2);
}

ProxyHeader read_binary(ByteView in) {
  if (in.size() < fixed_bytes) return {};
  const size_t used = fixed_bytes + (size_t{in[14]} << 8 | in[15]);
  const uint8_t command = in[12];
  if ((command != 0x20 && command != 0x21) || used > ProxyHeader::bytes_max) return malformed();
  if (in.size() < used) return {};
  ProxyHeader header{.found = Found::header, .used = used, .source = {}};
  const bool v4 = in[13] == 0x11, v6 = in[13] == 0x21;
  if (command == 0x20 || (!v4 && !v6)) return header;
  const size_t ip_bytes = v4 ? 4 : 16;
  if (used < fixed_bytes + 2 * ip_bytes + 4) return malformed();
  header.has_source = true;
  header.source.family = v4 ? Address::Family::v4 : Address::Family::v6;
  copy_bytes(header.source.bytes, in.subspan(fixed_bytes, ip_bytes));
  const ByteView port = in.subspan(fixed_bytes + 2 * ip_bytes, 2);
  header.source.port = static_cast<uint16_t>(port[0] << 8 | port[1]);
  return header;
}

}  // namespace

ProxyHeader read_proxy_header(ByteView in) {
  if (in.empty()) return {};
  if (begins_alike(in, signature)) return in.size() < sizeof signature ? ProxyHeader() : read_binary(in);
  if (!begins_alike(in, bytes_of("PROXY "))) return malformed();
  return in.size() < word.size() + 1 ? ProxyHeader() : read_line(in);
}

}  // namespace tocsin
