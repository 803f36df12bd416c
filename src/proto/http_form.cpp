#include "proto/http_form.h"

#include "base/encode.h"
#include "base/text.h"

namespace tocsin {

namespace {

// Takes one decoded byte from the front of text; Error::malformed.
Result<uint8_t> take_byte(string_view& text, bool plus_is_blank) {
  char c = text[0];
  size_t used = 1;
  uint8_t byte = static_cast<uint8_t>(c);
  if (c == '%') {
    used = 3;
    if (text.size() < used || !decode_hex(slice(text, 1, 2), {&byte, 1}).ok()) return Error::malformed;
  } else if (c == '+' && plus_is_blank) {
    byte = ' ';
  }
  if (byte == 0) return Error::malformed;
  text = slice(text, used);
  return byte;
}

Result<string_view> decode(string_view text, Bytes room, bool plus_is_blank) {
  size_t used = 0;
  bool fits = true;
  while (!text.empty()) {
    const Result<uint8_t> byte = take_byte(text, plus_is_blank);
    if (!byte.ok()) return byte.error();
    fits = fits && used < room.size();
    if (fits) room[used++] = byte.value();
  }
  if (!fits) return Error::too_long;
  return text_of(room.first(used));
}

// Whether the encoded text stands for plain; Error::malformed.
Result<bool> stands_for(string_view text, string_view plain) {
  bool alike = true;
  size_t size = 0;
  for (; !text.empty(); ++size) {
    const Result<uint8_t> byte = take_byte(text, true);
    if (!byte.ok()) return byte.error();
    alike = alike && size < plain.size() && static_cast<uint8_t>(plain[size]) == byte.value();
  }
  return alike && size == plain.size();
}

}  // namespace

Result<string_view> percent_decode(string_view text, Bytes room) { return decode(text, room, false); }

Result<string_view> form_field(string_view body, string_view name, Bytes room) {
  Result<string_view> found = Error::not_found;
  while (!body.empty()) {
    string_view value = take_until(body, '&');
    const Result<bool> meant = stands_for(take_until(value, '='), name);
    if (!meant.ok()) return meant.error();
    if (!meant.value()) {
      const Result<bool> other = stands_for(value, "");
      if (!other.ok()) return other.error();
      continue;
    }
    if (found.error() != Error::not_found) return Error::exists;
    found = decode(value, room, true);
    if (!found.ok() && found.error() != Error::too_long) return found.error();
  }
  return found;
}

}  // namespace tocsin
