#include "base/encode.h"

#include <array>

namespace tocsin {

namespace {

// Value of each digit, or not_a_digit.
using Digits = std::array<uint8_t, 256>;
constexpr uint8_t not_a_digit = 0xFF;

constexpr Digits make_hex_values() {
  Digits values{};
  for (uint8_t& value : values) value = not_a_digit;
  for (uint8_t i = 0; i < 10; ++i) values['0' + i] = i;
  for (uint8_t i = 0; i < 6; ++i) values['a' + i] = values['A' + i] = static_cast<uint8_t>(10 + i);
  return values;
}

constexpr Digits make_base64_values(char digit_62, char digit_63) {
  Digits values{};
  for (uint8_t& value : values) value = not_a_digit;
  for (uint8_t i = 0; i < 26; ++i) {
    values['A' + i] = i;
    values['a' + i] = static_cast<uint8_t>(26 + i);
  }
  for (uint8_t i = 0; i < 10; ++i) values['0' + i] = static_cast<uint8_t>(52 + i);
  values[static_cast<uint8_t>(digit_62)] = 62;
  values[static_cast<uint8_t>(digit_63)] = 63;
  return values;
}

constexpr Digits hex_values = make_hex_values();
constexpr Digits base64_values = make_base64_values('+', '/');
constexpr Digits base64url_values = make_base64_values('-', '_');

// Decodes digits without padding.
Result<size_t> decode_digits(ByteView text, const Digits& values, Bytes room) {
  const size_t tail = text.size() % 4;
  if (tail == 1) return Error::malformed;
  const size_t size = text.size() / 4 * 3 + (tail == 0 ? 0 : tail - 1);
  // Judged before the size: a text with wrong characters is malformed, however long.
  uint8_t seen = 0;
  for (const uint8_t c : text) seen |= values[c];
  if ((seen & 0xC0) != 0) return Error::malformed;
  if (size > room.size()) return Error::too_long;
  uint8_t* to = room.data();
  size_t i = 0;
  for (; text.size() - i >= 4; i += 4) {
    const uint32_t group = (uint32_t{values[text[i]]} << 18) | (uint32_t{values[text[i + 1]]} << 12) |
                           (uint32_t{values[text[i + 2]]} << 6) | values[text[i + 3]];
    *to++ = static_cast<uint8_t>(group >> 16);
    *to++ = static_cast<uint8_t>(group >> 8);
    *to++ = static_cast<uint8_t>(group);
  }
  if (tail == 0) return size;
  const uint32_t group = (uint32_t{values[text[i]]} << 18) | (uint32_t{values[text[i + 1]]} << 12) |
                         (tail == 3 ? uint32_t{values[text[i + 2]]} << 6 : 0);
  // Left-over bits must be zero (RFC 4648 §3.5): bytes have one spelling only.
  if ((group & (tail == 3 ? 0xFFu : 0xFFFFu)) != 0) return Error::malformed;
  *to++ = static_cast<uint8_t>(group >> 16);
  if (tail == 3) *to++ = static_cast<uint8_t>(group >> 8);
  return size;
}

// Takes away "=" or "==" from a text whose length is a multiple of four.
ByteView without_padding(ByteView text) {
  if (text.empty() || text.back() != '=') return text;
  text = text.first(text.size() - 1);
  return text.back() == '=' ? text.first(text.size() - 1) : text;
}

}  // namespace

Result<size_t> decode_hex(string_view text, Bytes room) {
  if (text.size() % 2 != 0) return Error::malformed;
  const ByteView digits = bytes_of(text);
  uint8_t seen = 0;
  for (const uint8_t c : digits) seen |= hex_values[c];
  if ((seen & 0xF0) != 0) return Error::malformed;
  const size_t size = text.size() / 2;
  if (size > room.size()) return Error::too_long;
  for (size_t i = 0; i < size; ++i) {
    room[i] = static_cast<uint8_t>((hex_values[digits[2 * i]] << 4) | hex_values[digits[2 * i + 1]]);
  }
  return size;
}

Result<size_t> decode_base64(string_view text, Bytes room) {
  if (text.size() % 4 != 0) return Error::malformed;
  return decode_digits(without_padding(bytes_of(text)), base64_values, room);
}

Result<size_t> decode_base64url(string_view text, Bytes room) {
  const bool padded = text.size() % 4 == 0;
  return decode_digits(padded ? without_padding(bytes_of(text)) : bytes_of(text), base64url_values, room);
}

namespace {

// tables[n][b]: what byte b contributes when n more bytes of zero follow it.
// Eight of them, so that eight bytes cost eight look-ups that do not wait for each other.
using CrcTables = std::array<std::array<uint32_t, 256>, 8>;

constexpr CrcTables make_crc_tables() {
  CrcTables tables{};
  for (uint32_t b = 0; b < 256; ++b) {
    uint32_t crc = b;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0x82F63B78u : 0u);
    tables[0][b] = crc;
  }
  for (size_t n = 1; n < 8; ++n) {
    for (size_t b = 0; b < 256; ++b) {
      const uint32_t crc = tables[n - 1][b];
      tables[n][b] = (crc >> 8) ^ tables[0][crc & 0xFF];
    }
  }
  return tables;
}

constexpr CrcTables crc_tables = make_crc_tables();

uint32_t load_little_endian(const uint8_t* at) {
  return at[0] | (uint32_t{at[1]} << 8) | (uint32_t{at[2]} << 16) | (uint32_t{at[3]} << 24);
}

}  // namespace

uint32_t crc32c(uint32_t crc, ByteView bytes) {
  const CrcTables& t = crc_tables;
  const uint8_t* at = bytes.data();
  size_t left = bytes.size();
  crc = ~crc;
  for (; left >= 8; left -= 8, at += 8) {
    const uint32_t low = load_little_endian(at) ^ crc;
    const uint32_t high = load_little_endian(at + 4);
    crc = t[7][low & 0xFF] ^ t[6][(low >> 8) & 0xFF] ^ t[5][(low >> 16) & 0xFF] ^ t[4][low >> 24] ^ t[3][high & 0xFF] ^
          t[2][(high >> 8) & 0xFF] ^ t[1][(high >> 16) & 0xFF] ^ t[0][high >> 24];
  }
  for (; left > 0; --left, ++at) crc = (crc >> 8) ^ t[0][(crc ^ *at) & 0xFF];
  return ~crc;
}

}  // namespace tocsin
