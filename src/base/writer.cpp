#include "base/writer.h"

#include <array>

#include "base/text.h"

namespace tocsin {

namespace {

constexpr char hex_digits[] = "0123456789abcdef";
constexpr char base64_digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr char base64url_digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

// What stands for a piece of the source; size 0 means the piece may stay as it is.
struct Piece {
  size_t source = 1;  // bytes of the source that it covers
  size_t size = 0;
  char text[8] = {};
};

Piece instead(string_view text, size_t source = 1) {
  Piece piece{.source = source, .size = text.size()};
  std::memcpy(piece.text, text.data(), text.size());
  return piece;
}

// U+FFFD, once for every byte that belongs to no well-formed sequence.
Piece replacement(size_t source = 1) { return instead("\xEF\xBF\xBD", source); }

Piece unicode_escape(uint8_t c) {
  const char text[6] = {'\\', 'u', '0', '0', hex_digits[c >> 4], hex_digits[c & 15]};
  return instead({text, sizeof(text)});
}

Piece backslash_escape(uint8_t c) {
  switch (c) {
    case '"': return instead("\\\"");
    case '\\': return instead("\\\\");
    case '\b': return instead("\\b");
    case '\f': return instead("\\f");
    case '\n': return instead("\\n");
    case '\r': return instead("\\r");
    case '\t': return instead("\\t");
    default: return unicode_escape(c);
  }
}

// true: the byte needs no second look.
using PlainBytes = std::array<bool, 256>;

constexpr PlainBytes plain_except(const char* special) {
  PlainBytes plain{};
  for (size_t c = 0x20; c < 0x7F; ++c) plain[c] = true;
  for (; *special != '\0'; ++special) plain[static_cast<uint8_t>(*special)] = false;
  return plain;
}

constexpr PlainBytes plain_in_json = plain_except("\"\\");
constexpr PlainBytes plain_in_xml = plain_except("&<>'\"");
constexpr PlainBytes plain_in_logfmt = plain_except("\"\\");
constexpr PlainBytes plain_unquoted = plain_except(" =\"\\");

Piece look_json(string_view rest) {
  const uint8_t c = static_cast<uint8_t>(rest.front());
  if (c >= 0x80) {
    const size_t size = utf8_sequence(rest);
    return size == 0 ? replacement() : Piece{.source = size};
  }
  return c == 0x7F ? Piece{} : backslash_escape(c);
}

Piece look_xml(string_view rest) {
  const uint8_t c = static_cast<uint8_t>(rest.front());
  if (c >= 0x80) {
    const size_t size = utf8_sequence(rest);
    if (size == 0) return replacement();
    // U+FFFE and U+FFFF are no characters of XML 1.0 (§2.2).
    if (starts_with(rest, "\xEF\xBF\xBE") || starts_with(rest, "\xEF\xBF\xBF")) return replacement(size);
    return Piece{.source = size};
  }
  switch (c) {
    case '&': return instead("&amp;");
    case '<': return instead("&lt;");
    case '>': return instead("&gt;");
    case '\'': return instead("&apos;");
    case '"': return instead("&quot;");
    // As references, because attribute normalisation would turn the bare ones
    // into blanks (XML 1.0 §3.3.3) and an id must come back byte for byte.
    case '\t': return instead("&#9;");
    case '\n': return instead("&#10;");
    case '\r': return instead("&#13;");
    case 0x7F: return Piece{};
    default: return replacement();
  }
}

Piece look_logfmt(string_view rest) {
  const uint8_t c = static_cast<uint8_t>(rest.front());
  if (c < 0x80) return backslash_escape(c);
  const size_t size = utf8_sequence(rest);
  if (size == 0) return replacement();
  // U+0080 to U+009F are controls too; U+009B starts a terminal's escape sequence.
  if (c == 0xC2 && static_cast<uint8_t>(rest[1]) < 0xA0) {
    Piece piece = unicode_escape(static_cast<uint8_t>(rest[1]));
    piece.source = size;
    return piece;
  }
  return Piece{.source = size};
}

// Runs that may stay are copied in one go; look judges everything else.
template <Piece (*look)(string_view)>
void write_escaped(Writer& out, const PlainBytes& plain, string_view text) {
  size_t start = 0;
  size_t i = 0;
  while (i < text.size()) {
    if (plain[static_cast<uint8_t>(text[i])]) {
      ++i;
      continue;
    }
    const Piece piece = look(slice(text, i));
    if (piece.size != 0) {
      out.text(slice(text, start, i - start)).text({piece.text, piece.size});
      start = i + piece.source;
    }
    i += piece.source;
  }
  out.text(slice(text, start));
}

// How many of the bytes are taken is the caller's business; at least room for
// the whole was checked by it.
uint8_t* encode_base64(uint8_t* to, ByteView bytes, const char* digits, bool padded) {
  const auto digit = [digits](uint32_t value) { return static_cast<uint8_t>(digits[value & 63]); };
  size_t i = 0;
  for (; bytes.size() - i >= 3; i += 3) {
    const uint32_t group = (uint32_t{bytes[i]} << 16) | (uint32_t{bytes[i + 1]} << 8) | bytes[i + 2];
    *to++ = digit(group >> 18);
    *to++ = digit(group >> 12);
    *to++ = digit(group >> 6);
    *to++ = digit(group);
  }
  const size_t left = bytes.size() - i;
  if (left == 0) return to;
  const uint32_t group = (uint32_t{bytes[i]} << 16) | (left == 2 ? uint32_t{bytes[i + 1]} << 8 : 0);
  *to++ = digit(group >> 18);
  *to++ = digit(group >> 12);
  if (left == 2) *to++ = digit(group >> 6);
  if (padded) *to++ = '=';
  if (padded && left == 1) *to++ = '=';
  return to;
}

}  // namespace

Writer::Writer(Arena& arena, size_t room_size) {
  void* room = arena.take(room_size, 1);
  if (room == nullptr) {
    overflowed_ = true;
  } else {
    room_ = {static_cast<uint8_t*>(room), room_size};
  }
}

Writer& Writer::text(string_view text) {
  if (overflowed_ || text.size() > room_.size() - used_) {
    overflowed_ = true;
    return *this;
  }
  copy_bytes(room_.data() + used_, bytes_of(text));
  used_ += text.size();
  return *this;
}

Writer& Writer::number(int64_t value) {
  if (value >= 0) return unsigned_number(static_cast<uint64_t>(value));
  const size_t before = used_;
  character('-').unsigned_number(uint64_t{0} - static_cast<uint64_t>(value));
  if (overflowed_) used_ = before;  // no lonely sign
  return *this;
}

Writer& Writer::unsigned_number(uint64_t value) {
  char digits[20];  // 18,446,744,073,709,551,615
  size_t start = sizeof(digits);
  do {
    digits[--start] = static_cast<char>('0' + value % 10);
    value /= 10;
  } while (value != 0);
  return text({digits + start, sizeof(digits) - start});
}

Writer& Writer::hex(ByteView bytes) {
  if (overflowed_ || bytes.size() > (room_.size() - used_) / 2) {
    overflowed_ = overflowed_ || !bytes.empty();
    return *this;
  }
  uint8_t* to = room_.data() + used_;
  for (const uint8_t byte : bytes) {
    *to++ = static_cast<uint8_t>(hex_digits[byte >> 4]);
    *to++ = static_cast<uint8_t>(hex_digits[byte & 15]);
  }
  used_ += bytes.size() * 2;
  return *this;
}

Writer& Writer::base64(ByteView bytes) {
  if (overflowed_ || bytes.size() / 3 + (bytes.size() % 3 != 0 ? 1 : 0) > (room_.size() - used_) / 4) {
    overflowed_ = true;
    return *this;
  }
  uint8_t* end = encode_base64(room_.data() + used_, bytes, base64_digits, true);
  used_ = static_cast<size_t>(end - room_.data());
  return *this;
}

Writer& Writer::base64url(ByteView bytes) {
  const size_t tail = bytes.size() % 3;
  const size_t left = room_.size() - used_;
  if (overflowed_ || bytes.size() / 3 > left / 4 || bytes.size() / 3 * 4 + (tail == 0 ? 0 : tail + 1) > left) {
    overflowed_ = true;
    return *this;
  }
  uint8_t* end = encode_base64(room_.data() + used_, bytes, base64url_digits, false);
  used_ = static_cast<size_t>(end - room_.data());
  return *this;
}

Writer& Writer::json(string_view text) {
  write_escaped<look_json>(*this, plain_in_json, text);
  return *this;
}

Writer& Writer::xml(string_view text) {
  write_escaped<look_xml>(*this, plain_in_xml, text);
  return *this;
}

Writer& Writer::logfmt(string_view text, size_t bytes_max) {
  text = cut_utf8(text, bytes_max);
  bool quoted = text.empty();
  for (size_t i = 0; i < text.size() && !quoted; ++i) {
    // Bytes of longer characters need no quotes, but their controls become escapes.
    const uint8_t c = static_cast<uint8_t>(text[i]);
    quoted = !plain_unquoted[c] && (c < 0x80 || (c == 0xC2 && look_logfmt(slice(text, i)).size != 0));
  }
  if (quoted) character('"');
  write_escaped<look_logfmt>(*this, plain_in_logfmt, text);
  if (quoted) character('"');
  return *this;
}

}  // namespace tocsin
