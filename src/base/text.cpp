#include "base/text.h"

namespace tocsin {

string_view slice(string_view text, size_t start, size_t count) {
  if (start >= text.size()) return {text.data() + text.size(), 0};
  const size_t left = text.size() - start;
  return {text.data() + start, count < left ? count : left};
}

bool starts_with(string_view text, string_view prefix) { return text.starts_with(prefix); }

bool ends_with(string_view text, string_view suffix) { return text.ends_with(suffix); }

char to_lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool same_ignoring_case(string_view a, string_view b) {
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); ++i) {
    if (to_lower(a[i]) != to_lower(b[i])) return false;
  }
  return true;
}

static bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

string_view trim(string_view text) {
  size_t start = 0;
  size_t end = text.size();
  while (start < end && is_blank(text[start])) ++start;
  while (end > start && is_blank(text[end - 1])) --end;
  return slice(text, start, end - start);
}

string_view take_until(string_view& text, char separator) {
  const size_t at = text.find(separator);
  const string_view before = slice(text, 0, at);
  text = at == string_view::npos ? slice(text, text.size()) : slice(text, at + 1);
  return before;
}

Result<uint64_t> parse_number(string_view text, uint64_t max) {
  if (text.empty()) return Error::malformed;
  uint64_t value = 0;
  bool over = false;
  for (const char c : text) {
    if (c < '0' || c > '9') return Error::malformed;
    const uint64_t digit = static_cast<uint64_t>(c - '0');
    over = over || value > (UINT64_MAX - digit) / 10;
    if (!over) value = value * 10 + digit;
  }
  if (over || value > max) return Error::too_long;
  return value;
}

size_t utf8_sequence(string_view text) {
  // The table of well-formed byte sequences: RFC 3629 §4. Only the second byte
  // has a range that depends on the first.
  if (text.empty()) return 0;
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(text[i]); };
  const uint8_t lead = byte(0);
  if (lead < 0x80) return 1;
  if (lead < 0xC2 || lead > 0xF4) return 0;
  const size_t size = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  if (text.size() < size) return 0;
  uint8_t low = 0x80;
  uint8_t high = 0xBF;
  if (lead == 0xE0) low = 0xA0;   // overlong
  if (lead == 0xED) high = 0x9F;  // surrogates
  if (lead == 0xF0) low = 0x90;   // overlong
  if (lead == 0xF4) high = 0x8F;  // over U+10FFFF
  if (byte(1) < low || byte(1) > high) return 0;
  for (size_t i = 2; i < size; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
  }
  return size;
}

bool is_utf8(string_view text) {
  size_t i = 0;
  while (i < text.size()) {
    // Plain ASCII, eight bytes at a time.
    uint64_t word;
    while (text.size() - i >= sizeof(word)) {
      std::memcpy(&word, text.data() + i, sizeof(word));
      if ((word & 0x8080808080808080u) != 0) break;
      i += sizeof(word);
    }
    if (i == text.size()) break;
    const size_t size = utf8_sequence({text.data() + i, text.size() - i});
    if (size == 0) return false;
    i += size;
  }
  return true;
}

string_view cut_utf8(string_view text, size_t bytes_max) {
  if (text.size() <= bytes_max) return text;
  // The sequence that the cut would split starts at most three bytes before it.
  // Ill-formed text is cut where it is: there is no sequence to keep whole.
  for (size_t back = 1; back <= 3 && back <= bytes_max; ++back) {
    const size_t size = utf8_sequence(slice(text, bytes_max - back));
    if (size > back) return slice(text, 0, bytes_max - back);
  }
  return slice(text, 0, bytes_max);
}

string_view cut_characters(string_view text, size_t characters_max) {
  size_t at = 0;
  for (size_t i = 0; i < characters_max && at < text.size(); ++i) {
    const size_t size = utf8_sequence(slice(text, at));
    at += size == 0 ? 1 : size;
  }
  return slice(text, 0, at);
}

unsigned edit_distance(string_view a, string_view b) {
  constexpr size_t text_max = 64;
  if (a.size() > text_max || b.size() > text_max) return 255;
  // Three rows of the usual table: a swap of neighbours looks two rows back.
  uint8_t rows[3][text_max + 1];
  for (size_t j = 0; j <= b.size(); ++j) rows[0][j] = static_cast<uint8_t>(j);
  for (size_t i = 1; i <= a.size(); ++i) {
    uint8_t* row = rows[i % 3];
    const uint8_t* above = rows[(i + 2) % 3];
    const uint8_t* two_above = rows[(i + 1) % 3];
    row[0] = static_cast<uint8_t>(i);
    for (size_t j = 1; j <= b.size(); ++j) {
      const char x = to_lower(a[i - 1]);
      const char y = to_lower(b[j - 1]);
      unsigned best = above[j - 1] + (x == y ? 0u : 1u);
      if (above[j] + 1u < best) best = above[j] + 1u;
      if (row[j - 1] + 1u < best) best = row[j - 1] + 1u;
      const bool swapped = i > 1 && j > 1 && x == to_lower(b[j - 2]) && y == to_lower(a[i - 2]);
      if (swapped && two_above[j - 2] + 1u < best) best = two_above[j - 2] + 1u;
      row[j] = static_cast<uint8_t>(best);
    }
  }
  return rows[a.size() % 3][b.size()];
}

}  // namespace tocsin
