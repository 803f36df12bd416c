// Appends to bounded bytes. Overflow is remembered and asked once, at the end:
// after it nothing more is written, so that the parts never pair up wrongly.
#pragma once

#include <cstdint>

#include "base/arena.h"
#include "base/bytes.h"

namespace tocsin {

class Writer {
 public:
  explicit Writer(Bytes room) : room_(room) {}
  // Takes room_size bytes from the arena; overflowed at once when it has none.
  Writer(Arena& arena, size_t room_size);

  Writer& text(string_view text);
  Writer& bytes(ByteView bytes) { return text(text_of(bytes)); }
  Writer& character(char c) { return text({&c, 1}); }
  Writer& number(int64_t value);
  Writer& unsigned_number(uint64_t value);
  Writer& hex(ByteView bytes);        // lower case
  Writer& base64(ByteView bytes);     // RFC 4648 §4, padded
  Writer& base64url(ByteView bytes);  // RFC 4648 §5, no padding
  Writer& json(string_view text);  // inside a JSON string: RFC 8259 §7, UTF-8 stays; ill-formed UTF-8 becomes U+FFFD
  Writer& xml(
      string_view text);  // text or attribute value: & < > ' " escaped, characters XML 1.0 forbids become U+FFFD
  Writer& logfmt(string_view text,
                 size_t bytes_max);  // value quoted where needed, controls escaped, cut to bytes_max source bytes

  bool overflowed() const { return overflowed_; }
  size_t size() const { return used_; }
  string_view view() const { return {reinterpret_cast<const char*>(room_.data()), used_}; }
  ByteView written() const { return {room_.data(), used_}; }
  // Back to an earlier size(), also after an overflow.
  void rewind(size_t to) {
    used_ = to;
    overflowed_ = false;
  }
  Bytes room_left() const { return room_.subspan(used_); }

 private:
  Bytes room_;
  size_t used_ = 0;
  bool overflowed_ = false;
};

}  // namespace tocsin
