// The field section of an HTTP/1.1 message (RFC 9112 §5), header or trailer, byte by byte: strict, so that nobody in
// front of or behind us can read another message out of the same bytes. What is kept lies in a room of the caller's.
#pragma once

#include <cstdint>
#include <span>

#include "base/bytes.h"

namespace tocsin {

struct HttpField {
  string_view name;
  string_view value;
};

class HttpFields {
 public:
  struct Options {
    size_t bytes_max = 6144;  // of the section as it came, line ends and blanks included
    uint32_t fields_max = 64;
    bool keep_all = true;
    // Else only these, lower case, at most 32; none: the section is only checked.
    std::span<const string_view> wanted = {};
  };
  enum class Found : uint8_t {
    more,
    end,        // the empty line
    malformed,  // problem() says how
    too_long,   // over a limit, or what is to be kept has no room
  };

  // room: at most bytes_max bytes are kept of a section. room and wanted outlive the fields.
  void start(Bytes room, const Options& options);
  Found feed(uint8_t byte);
  const char* problem() const { return problem_; }  // a literal

  // Of what was kept. Names in lower case; values without blanks around them, bytes from 0x80 on untouched.
  // Views are valid until start().
  unsigned count(string_view name) const;
  // The nth field of that name: no data() when there is none, an empty view when it has no value.
  string_view value(string_view name, unsigned nth = 0) const;
  // True when one of the fields of that name, read as a list by commas, holds the token; any case.
  bool lists(string_view name, string_view token) const;

 private:
  enum class State : uint8_t { line, name, before_value, value, line_end, section_end };
  Found refuse(const char* problem);
  Found keep(uint8_t byte);
  Found name_ended();
  Found name_byte(uint8_t byte);

  Bytes room_;
  Options options_;
  State state_ = State::line;
  size_t bytes_ = 0;
  uint32_t fields_ = 0;
  size_t used_ = 0;        // of room
  size_t value_ends_ = 0;  // used_ behind the value's last byte that is no blank
  size_t lines_ends_ = 0;  // used_ behind the last whole line
  bool keeping_ = false;   // this line
  bool tab_ = false;       // behind the value's last byte that is no blank
  size_t name_size_ = 0;
  uint32_t alike_ = 0;  // bit i: the name so far begins wanted[i]
  const char* problem_ = "";
};

// RFC 9110 §5.6.2: what names and methods are made of.
bool is_http_token(uint8_t byte);
bool is_http_token(string_view text);
// May stand in a field's value: visible, blank, tab, or not ASCII (RFC 9110 §5.5).
bool is_http_value(uint8_t byte);
bool is_http_value(string_view text);

// True for the media type, any case, whatever its parameters: "application/json; charset=utf-8".
bool is_media_type(string_view value, string_view type);

}  // namespace tocsin
