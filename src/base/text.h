// Small work on text, without the standard library's throwing members:
// std::string_view::substr and at are banned by the style check, slice() is
// their replacement.
#pragma once

#include <cstdint>

#include "base/bytes.h"
#include "base/result.h"

namespace tocsin {

// The part of text from start on, at most count bytes; both are clamped.
string_view slice(string_view text, size_t start, size_t count = SIZE_MAX);

bool starts_with(string_view text, string_view prefix);
bool ends_with(string_view text, string_view suffix);
char to_lower(char c);  // ASCII only
bool same_ignoring_case(string_view a, string_view b);
string_view trim(string_view text);  // blanks, tabs, CR and LF on both ends

// Cuts text at the first separator: the part before it is returned, text becomes
// the part behind it (empty when there was none).
string_view take_until(string_view& text, char separator);

// Decimal digits only, no sign, no blanks. Error::malformed, or too_long beyond max.
Result<uint64_t> parse_number(string_view text, uint64_t max = UINT64_MAX);

// True for well-formed UTF-8 (RFC 3629: no surrogates, nothing over U+10FFFF).
bool is_utf8(string_view text);

// Length of the well-formed UTF-8 sequence that text starts with; 0 when there is none.
size_t utf8_sequence(string_view text);

// The longest prefix of at most bytes_max bytes that does not cut a UTF-8 sequence.
string_view cut_utf8(string_view text, size_t bytes_max);

// The first characters of text; a byte that is part of no character counts as one, as it will be
// replaced by one.
string_view cut_characters(string_view text, size_t characters_max);

// Edits (insert, delete, replace, swap of neighbours) from a to b, ASCII case
// ignored, for "did you mean"; texts over 64 bytes count as far away (255).
unsigned edit_distance(string_view a, string_view b);

// Text of at most capacity bytes, by value. assign refuses rather than cuts.
template <size_t capacity>
class FixedText {
 public:
  [[nodiscard]] bool assign(string_view text) {
    if (text.size() > capacity) return false;
    if (!text.empty()) std::memcpy(text_, text.data(), text.size());
    size_ = text.size();
    text_[size_] = '\0';
    return true;
  }
  void clear() {
    size_ = 0;
    text_[0] = '\0';
  }
  string_view view() const { return {text_, size_}; }
  const char* c_str() const { return text_; }
  bool empty() const { return size_ == 0; }

 private:
  char text_[capacity + 1] = {};
  size_t size_ = 0;
};

}  // namespace tocsin
