#include "proto/http_fields.h"

#include <array>

#include "base/check.h"
#include "base/text.h"

namespace tocsin {

namespace {

constexpr std::array<bool, 256> token_bytes = [] {
  std::array<bool, 256> in{};
  for (unsigned c = '0'; c <= '9'; ++c) in[c] = true;
  for (unsigned c = 'a'; c <= 'z'; ++c) in[c] = in[c - 'a' + 'A'] = true;
  for (const char c : string_view("!#$%&'*+-.^_`|~")) in[static_cast<uint8_t>(c)] = true;
  return in;
}();

bool is_blank(uint8_t c) { return c == ' ' || c == '\t'; }

}  // namespace

bool is_http_token(uint8_t byte) { return token_bytes[byte]; }

bool is_http_token(string_view text) {
  for (const char c : text) {
    if (!is_http_token(static_cast<uint8_t>(c))) return false;
  }
  return !text.empty();
}

bool is_http_value(uint8_t byte) { return byte == '\t' || (byte >= ' ' && byte != 0x7F); }

bool is_http_value(string_view text) {
  for (const char c : text) {
    if (!is_http_value(static_cast<uint8_t>(c))) return false;
  }
  return true;
}

bool is_media_type(string_view value, string_view type) {
  return same_ignoring_case(trim(take_until(value, ';')), type);
}

void HttpFields::start(Bytes room, const Options& options) {
  GW_CHECK(options.wanted.size() <= 32);
  *this = HttpFields();
  room_ = room;
  options_ = options;
}

HttpFields::Found HttpFields::refuse(const char* problem) {
  problem_ = problem;
  return Found::malformed;
}

HttpFields::Found HttpFields::keep(uint8_t byte) {
  if (used_ == room_.size()) {
    problem_ = "no room for the fields";
    return Found::too_long;
  }
  room_[used_++] = byte;
  return Found::more;
}

HttpFields::Found HttpFields::name_byte(uint8_t byte) {
  const uint8_t lower = static_cast<uint8_t>(to_lower(static_cast<char>(byte)));
  if (options_.keep_all) return keep(lower);
  for (size_t i = 0; i < options_.wanted.size(); ++i) {
    const string_view wanted = options_.wanted[i];
    if (name_size_ >= wanted.size() || static_cast<uint8_t>(wanted[name_size_]) != lower) alike_ &= ~(1u << i);
  }
  ++name_size_;
  return Found::more;
}

// A name that is wanted is written only now: whether it is shows with its last byte.
HttpFields::Found HttpFields::name_ended() {
  keeping_ = options_.keep_all;
  for (size_t i = 0; i < options_.wanted.size() && !options_.keep_all; ++i) {
    if ((alike_ & (1u << i)) == 0 || options_.wanted[i].size() != name_size_) continue;
    keeping_ = true;
    for (const char c : options_.wanted[i]) {
      if (keep(static_cast<uint8_t>(c)) != Found::more) return Found::too_long;
    }
  }
  if (keeping_ && keep(':') != Found::more) return Found::too_long;
  value_ends_ = used_;
  return Found::more;
}

HttpFields::Found HttpFields::feed(uint8_t byte) {
  if (++bytes_ > options_.bytes_max) {
    problem_ = "too many bytes of fields";
    return Found::too_long;
  }
  switch (state_) {
    case State::line:
      if (byte == '\r') {
        state_ = State::section_end;
        return Found::more;
      }
      if (is_blank(byte)) return refuse("a folded line");
      if (!is_http_token(byte)) return refuse(byte == '\n' ? "a bare line feed" : "not a field's name");
      if (++fields_ > options_.fields_max) {
        problem_ = "too many fields";
        return Found::too_long;
      }
      state_ = State::name;
      name_size_ = 0;
      alike_ = UINT32_MAX;
      return name_byte(byte);
    case State::name:
      if (byte == ':') {
        state_ = State::before_value;
        return name_ended();
      }
      if (is_blank(byte)) return refuse("a blank in or behind a field's name");
      if (!is_http_token(byte)) return refuse("not a field's name");
      return name_byte(byte);
    case State::before_value:
      if (is_blank(byte)) return Found::more;
      state_ = State::value;
      tab_ = false;
      [[fallthrough]];
    case State::value:
      if (byte == '\r') {
        // Legal, but there are readers to whom "5\t" is no length and "chunked\t" no coding.
        if (tab_) return refuse("a tab behind a value");
        state_ = State::line_end;
        return Found::more;
      }
      if (!is_http_value(byte)) return refuse(byte == '\n' ? "a bare line feed" : "a control character in a field");
      tab_ = byte == '\t' || (tab_ && byte == ' ');
      if (!keeping_) return Found::more;
      if (keep(byte) != Found::more) return Found::too_long;
      if (!is_blank(byte)) value_ends_ = used_;
      return Found::more;
    case State::line_end:
      if (byte != '\n') return refuse("a bare carriage return");
      state_ = State::line;
      if (!keeping_) return Found::more;
      used_ = value_ends_;
      if (keep('\n') != Found::more) return Found::too_long;
      lines_ends_ = used_;
      return Found::more;
    case State::section_end:
      if (byte != '\n') return refuse("a bare carriage return");
      state_ = State::line;
      return Found::end;
  }
  return Found::malformed;
}

unsigned HttpFields::count(string_view name) const {
  unsigned found = 0;
  while (value(name, found).data() != nullptr) ++found;
  return found;
}

string_view HttpFields::value(string_view name, unsigned nth) const {
  string_view lines = slice(text_of(room_), 0, lines_ends_);
  while (!lines.empty()) {
    string_view line = take_until(lines, '\n');
    if (take_until(line, ':') == name && nth-- == 0) return line;
  }
  return {};
}

bool HttpFields::lists(string_view name, string_view token) const {
  for (unsigned i = 0;; ++i) {
    string_view list = value(name, i);
    if (list.data() == nullptr) return false;
    while (!list.empty()) {
      if (same_ignoring_case(trim(take_until(list, ',')), token)) return true;
    }
  }
}

}  // namespace tocsin
