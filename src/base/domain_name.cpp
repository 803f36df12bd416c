#include "base/domain_name.h"

#include "base/text.h"
#include "base/writer.h"

namespace tocsin {
namespace {

constexpr uint32_t code_points_max = 63;  // a label has at most 63 bytes (RFC 1035 §2.3.4)
constexpr size_t name_bytes_max = 1023;   // RFC 7622 §3.2

// Simple case folding (Unicode CaseFolding, status C) of the letters that domains have. In pairs an even capital
// (odd_capitals: an odd one) stands before its small letter; elsewhere add leads from one to the other. Nothing
// becomes ASCII: a label that is not ASCII stays so.
struct Capitals {
  uint16_t first;
  uint16_t last;
  enum : uint8_t { apart, even_capitals, odd_capitals } order;
  uint16_t add = 0;
};
constexpr Capitals capitals[] = {
    {'A', 'Z', Capitals::apart, 32},
    {0x00C0, 0x00D6, Capitals::apart, 32},  // Latin
    {0x00D8, 0x00DE, Capitals::apart, 32},
    {0x0100, 0x012F, Capitals::even_capitals},
    {0x0132, 0x0137, Capitals::even_capitals},
    {0x0139, 0x0148, Capitals::odd_capitals},
    {0x014A, 0x0177, Capitals::even_capitals},
    {0x0179, 0x017E, Capitals::odd_capitals},
    {0x0218, 0x021B, Capitals::even_capitals},
    {0x0388, 0x038A, Capitals::apart, 37},  // Greek
    {0x0391, 0x03A1, Capitals::apart, 32},
    {0x03A3, 0x03AB, Capitals::apart, 32},
    {0x0400, 0x040F, Capitals::apart, 80},  // Cyrillic
    {0x0410, 0x042F, Capitals::apart, 32},
    {0x0460, 0x0481, Capitals::even_capitals},
    {0x048A, 0x04BF, Capitals::even_capitals},
    {0x04C1, 0x04CE, Capitals::odd_capitals},
    {0x04D0, 0x052F, Capitals::even_capitals},
    {0x1E00, 0x1E95, Capitals::even_capitals},  // Latin again: Vietnamese, Welsh
    {0x1EA0, 0x1EFF, Capitals::even_capitals},
};

uint32_t fold(uint32_t c) {
  switch (c) {
    case 0x0178: return 0x00FF;
    case 0x0386: return 0x03AC;
    case 0x038C: return 0x03CC;
    case 0x038E: return 0x03CD;
    case 0x038F: return 0x03CE;
    case 0x03C2: return 0x03C3;  // final sigma
    case 0x04C0: return 0x04CF;
  }
  for (const Capitals& range : capitals) {
    if (c < range.first || c > range.last) continue;
    if (range.order == Capitals::apart) return c + range.add;
    const bool capital = (c % 2 == 0) == (range.order == Capitals::even_capitals);
    return capital ? c + 1 : c;
  }
  return c;
}

// Decodes well-formed UTF-8 into folded code points; false when it does not fit.
bool decode(string_view label, uint32_t* points, uint32_t* count) {
  *count = 0;
  for (size_t i = 0; i < label.size();) {
    const auto byte = [&](size_t at) { return static_cast<uint32_t>(static_cast<uint8_t>(label[at])); };
    const uint32_t lead = byte(i);
    const uint32_t length = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    uint32_t c = length == 1 ? lead : lead & (0xFFu >> (length + 1));
    for (uint32_t k = 1; k < length; ++k) c = (c << 6) | (byte(i + k) & 0x3F);
    if (*count == code_points_max) return false;
    points[(*count)++] = fold(c);
    i += length;
  }
  return true;
}

// RFC 3492 §6.1 and §6.3 with the parameters of §5.
uint32_t adapt(uint32_t delta, uint32_t points, bool first) {
  delta = first ? delta / 700 : delta / 2;
  delta += delta / points;
  uint32_t k = 0;
  for (; delta > (35 * 26) / 2; k += 36) delta /= 35;
  return k + 36 * delta / (delta + 38);
}

void encode(const uint32_t* points, uint32_t count, Writer& out) {
  uint32_t basic = 0;
  for (uint32_t i = 0; i < count; ++i) {
    if (points[i] >= 0x80) continue;
    out.character(static_cast<char>(points[i]));
    ++basic;
  }
  if (basic > 0) out.character('-');
  uint32_t n = 0x80;
  uint32_t delta = 0;
  uint32_t bias = 72;
  for (uint32_t handled = basic; handled < count; ++delta, ++n) {
    uint32_t next = UINT32_MAX;
    for (uint32_t i = 0; i < count; ++i) {
      if (points[i] >= n && points[i] < next) next = points[i];
    }
    delta += (next - n) * (handled + 1);  // at most 0x10FFFF · 64: no overflow
    n = next;
    for (uint32_t i = 0; i < count; ++i) {
      if (points[i] < n) ++delta;
      if (points[i] != n) continue;
      uint32_t q = delta;
      for (uint32_t k = 36;; k += 36) {
        const uint32_t t = k <= bias ? 1 : k >= bias + 26 ? 26 : k - bias;
        if (q < t) break;
        const uint32_t digit = t + (q - t) % (36 - t);
        out.character(static_cast<char>(digit < 26 ? 'a' + digit : '0' + digit - 26));
        q = (q - t) / (36 - t);
      }
      out.character(static_cast<char>(q < 26 ? 'a' + q : '0' + q - 26));
      bias = adapt(delta, handled + 1, handled == basic);
      delta = 0;
      ++handled;
    }
  }
}

// The name with A-labels, in lower case; the bytes as they are when it is not UTF-8 or too long.
string_view canonical(string_view name, Writer& out) {
  if (name.size() > name_bytes_max || !is_utf8(name)) return name;
  if (ends_with(name, ".")) name = slice(name, 0, name.size() - 1);
  for (string_view rest = name; !rest.empty();) {
    const bool last = rest.find('.') == string_view::npos;
    const string_view label = take_until(rest, '.');
    uint32_t points[code_points_max];
    uint32_t count = 0;
    bool ascii = true;
    for (const char c : label) ascii = ascii && static_cast<uint8_t>(c) < 0x80;
    if (ascii) {
      for (const char c : label) out.character(to_lower(c));
    } else if (decode(label, points, &count)) {
      out.text("xn--");
      encode(points, count, out);
    } else {
      out.text(label);
    }
    if (!last) out.character('.');
  }
  return out.overflowed() ? name : out.view();
}

}  // namespace

bool same_domain(string_view a, string_view b) {
  if (a == b) return !a.empty();
  uint8_t a_room[2 * name_bytes_max];
  uint8_t b_room[2 * name_bytes_max];
  Writer a_out(a_room);
  Writer b_out(b_room);
  const string_view left = canonical(a, a_out);
  return !left.empty() && left == canonical(b, b_out);
}

bool is_subdomain(string_view name, string_view of) {
  uint8_t name_room[2 * name_bytes_max];
  uint8_t of_room[2 * name_bytes_max];
  Writer name_out(name_room);
  Writer of_out(of_room);
  const string_view child = canonical(name, name_out);
  const string_view parent = canonical(of, of_out);
  return !parent.empty() && child.size() > parent.size() + 1 && ends_with(child, parent) &&
         child[child.size() - parent.size() - 1] == '.';
}

}  // namespace tocsin
