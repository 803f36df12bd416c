#include "base/address_range.h"

#include "base/encode.h"

namespace tocsin {
namespace {

constexpr uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
constexpr uint8_t nat64[12] = {0, 0x64, 0xff, 0x9b};

struct V4Row {
  uint32_t base;
  uint8_t bits;
  const char* word;
};

// IANA IPv4 Special-Purpose Address Registry, what is not "globally reachable" there, and multicast.
constexpr V4Row v4_rows[] = {
    {0x00000000, 8, "this network"},    // RFC 791 §3.2: reaches ourselves on Linux
    {0x0a000000, 8, "private"},         // RFC 1918
    {0x64400000, 10, "shared"},         // RFC 6598: carrier-grade NAT
    {0x7f000000, 8, "loopback"},        // RFC 1122 §3.2.1.3
    {0xa9fe0000, 16, "link-local"},     // RFC 3927: metadata services of clouds
    {0xac100000, 12, "private"},        // RFC 1918
    {0xc0000000, 24, "special"},        // RFC 6890 §2.1
    {0xc0000200, 24, "documentation"},  // RFC 5737
    {0xc0586300, 24, "relay"},          // RFC 7526: 6to4 anycast, deprecated
    {0xc0a80000, 16, "private"},        // RFC 1918
    {0xc6120000, 15, "benchmarking"},   // RFC 2544
    {0xc6336400, 24, "documentation"},  // RFC 5737
    {0xcb007100, 24, "documentation"},  // RFC 5737
    {0xe0000000, 4, "multicast"},       // RFC 5771
    {0xf0000000, 4, "reserved"},        // RFC 1112 §4, with the broadcast address
};

const char* not_public_v4(uint32_t address) {
  for (const V4Row& row : v4_rows) {
    if ((address ^ row.base) >> (32 - row.bits) == 0) return row.word;
  }
  return nullptr;
}

struct V6Row {
  uint16_t groups[3];
  uint8_t bits;
  const char* word;
};

// Of 2000::/3, which alone is global unicast (RFC 4291 §2.4).
constexpr V6Row v6_rows[] = {
    {{0x2001, 0x0000, 0}, 23, "special"},        // RFC 2928: Teredo, benchmarking, ORCHID …
    {{0x2001, 0x0db8, 0}, 32, "documentation"},  // RFC 3849
    {{0x2002, 0x0000, 0}, 16, "6to4"},           // RFC 3056: carries an IPv4 address, private ones too
    {{0x3fff, 0x0000, 0}, 20, "documentation"},  // RFC 9637
};

bool same_bits(const uint8_t* a, const uint8_t* b, uint32_t bits) {
  if (std::memcmp(a, b, bits / 8) != 0) return false;
  const uint32_t rest = bits % 8;
  return rest == 0 || ((a[bits / 8] ^ b[bits / 8]) >> (8 - rest)) == 0;
}

// The IPv4 address that a v6 one carries; nullptr: none.
const uint8_t* inner_v4(const uint8_t* v6) {
  if (std::memcmp(v6, mapped, sizeof mapped) == 0 || std::memcmp(v6, nat64, sizeof nat64) == 0) return v6 + 12;
  return nullptr;
}

}  // namespace

bool AddressRange::contains(const Address& address) const {
  if (address.family == base.family) {
    if (same_bits(address.bytes, base.bytes, bits)) return true;
    if (base.family == Address::Family::v6) return false;
  }
  if (base.family == Address::Family::v6 || address.family == Address::Family::v4) return false;
  const uint8_t* inner = inner_v4(address.bytes);
  return inner != nullptr && same_bits(inner, base.bytes, bits);
}

Result<AddressRange> parse_range(string_view text) {
  const size_t slash = text.find('/');
  const Result<Address> base = parse_ip(slice(text, 0, slash), 0);
  if (!base.ok()) return base.error();
  const uint32_t most = base.value().family == Address::Family::v4 ? 32 : 128;
  AddressRange range{.base = base.value(), .bits = static_cast<uint8_t>(most)};
  if (slash == string_view::npos) return range;
  const string_view number = slice(text, slash + 1);
  const Result<uint64_t> bits = parse_number(number, most);
  if (!bits.ok() || (number.size() > 1 && number.front() == '0')) return Error::malformed;
  range.bits = static_cast<uint8_t>(bits.value());
  for (uint32_t bit = range.bits; bit < most; ++bit) {
    if ((range.base.bytes[bit / 8] >> (7 - bit % 8) & 1) != 0) return Error::malformed;
  }
  return range;
}

const char* not_public(const Address& address) {
  if (address.family == Address::Family::v4) return not_public_v4(get_u32(address.bytes));
  const uint8_t* bytes = address.bytes;
  if (const uint8_t* inner = inner_v4(bytes)) return not_public_v4(get_u32(inner));
  if (is_loopback(address)) return "loopback";
  if (bytes[0] == 0xff) return "multicast";
  if (bytes[0] == 0xfe && (bytes[1] & 0xc0) == 0x80) return "link-local";
  if ((bytes[0] & 0xfe) == 0xfc) return "private";  // RFC 4193
  if ((bytes[0] & 0xe0) != 0x20) return "reserved";
  for (const V6Row& row : v6_rows) {
    uint8_t base[6];
    for (int i = 0; i < 3; ++i) put_u16(base + 2 * i, row.groups[i]);
    if (same_bits(bytes, base, row.bits)) return row.word;
  }
  return nullptr;
}

const char* AddressRules::refusal(const Address& address) const {
  for (const AddressRange& range : allowed) {
    if (range.contains(address)) return nullptr;
  }
  if (const char* word = not_public(address)) return word;
  return address.port == 443 ? nullptr : "at another port than 443";
}

}  // namespace tocsin
