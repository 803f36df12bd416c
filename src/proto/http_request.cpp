#include "proto/http_request.h"

#include <array>

#include "base/check.h"
#include "base/text.h"
#include "proto/http_framing.h"

namespace tocsin {

enum class HttpRequestReader::State : uint8_t {
  start,       // one empty line may come first (RFC 9112 §2.2)
  blank_line,  // behind its CR
  method,
  target,
  version,
  line_end,  // behind the line's CR
  fields,
};

namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return to_lower(c) >= 'a' && to_lower(c) <= 'z'; }

// What RFC 3986 lets stand in a path and query, and in the other forms of a target.
constexpr std::array<bool, 256> target_bytes = [] {
  std::array<bool, 256> in{};
  for (unsigned c = '0'; c <= '9'; ++c) in[c] = true;
  for (unsigned c = 'a'; c <= 'z'; ++c) in[c] = in[c - 'a' + 'A'] = true;
  for (const char c : string_view("-._~%!$&'()*+,;=:@/?[]")) in[static_cast<uint8_t>(c)] = true;
  return in;
}();

HttpRequest::Method method_of(string_view text) {
  if (text == "GET") return HttpRequest::Method::get;
  if (text == "HEAD") return HttpRequest::Method::head;
  if (text == "POST") return HttpRequest::Method::post;
  return HttpRequest::Method::other;
}

// Those whose requests are read like any other; CONNECT's tunnel would be taken for requests.
bool is_known_method(string_view text) {
  for (const string_view known : {"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"}) {
    if (text == known) return true;
  }
  return false;
}

}  // namespace

bool is_http_host(string_view text) {
  size_t name_size = 0;
  if (!text.empty() && text[0] == '[') {
    name_size = text.find(']');
    if (name_size == string_view::npos || name_size < 3) return false;
    for (const char c : slice(text, 1, name_size - 1)) {
      if (!is_digit(c) && !(to_lower(c) >= 'a' && to_lower(c) <= 'f') && c != ':' && c != '.') return false;
    }
    ++name_size;
  } else {
    while (name_size < text.size() && text[name_size] != ':') {
      const char c = text[name_size++];
      if (!is_digit(c) && !is_letter(c) && c != '-' && c != '.' && c != '_') return false;
    }
    if (name_size == 0) return false;
  }
  if (name_size == text.size()) return true;
  const string_view port = slice(text, name_size + 1);
  return text[name_size] == ':' && port.size() <= 5 && parse_number(port, UINT16_MAX).ok();
}

bool is_http_path(string_view text) {
  for (const char c : text) {
    if (!target_bytes[static_cast<uint8_t>(c)]) return false;
  }
  return starts_with(text, "/");
}

void HttpRequestReader::start(Bytes room, const Limits& limits) {
  GW_CHECK(room.size() >= limits.room_bytes());
  *this = HttpRequestReader();
  room_ = room;
  limits_ = limits;
}

bool HttpRequestReader::refuse(uint16_t status, const char* problem) {
  status_ = status;
  problem_ = problem;
  return false;
}

HttpRequestReader::Found HttpRequestReader::feed(uint8_t byte) {
  if (state_ != State::fields) return line_byte(byte);
  switch (request_.fields.feed(byte)) {
    case HttpFields::Found::more: return Found::more;
    case HttpFields::Found::end: return head_ended();
    case HttpFields::Found::malformed: return refused(400, request_.fields.problem());
    case HttpFields::Found::too_long: return refused(431, request_.fields.problem());
  }
  return Found::refused;
}

HttpRequestReader::Found HttpRequestReader::line_byte(uint8_t byte) {
  switch (state_) {
    case State::start:
      if (byte == '\r' && !blank_line_) {
        blank_line_ = true;
        state_ = State::blank_line;
        return Found::more;
      }
      begun_ = true;
      state_ = State::method;
      [[fallthrough]];
    case State::method:
      if (byte == ' ' && line_size_ > 0) {
        request_.method_text = text_of(room_.first(line_size_));
        request_.method = method_of(request_.method_text);
        target_at_ = line_size_ + 1;
        state_ = State::target;
      } else if (!is_http_token(byte)) {
        return refused(400, "not a method");
      } else if (line_size_ == method_bytes_max) {
        return refused(501, "an unknown method");
      }
      break;
    case State::target:
      if (byte == ' ' && line_size_ > target_at_) {
        version_at_ = line_size_ + 1;
        state_ = State::version;
      } else if (byte == '\r' && line_size_ > target_at_) {
        return refused(400, "no version");
      } else if (!target_bytes[byte]) {
        return refused(400, "a character that no target has");
      }
      break;
    case State::version:
      if (byte == '\r') {
        state_ = State::line_end;
        return Found::more;
      }
      // What is longer than "HTTP/1.1" is none; the rest of the form is looked at when it is complete.
      if (byte <= ' ' || byte >= 0x7F || line_size_ == version_at_ + 8) return refused(400, "not a version");
      break;
    case State::blank_line:
      if (byte != '\n') return refused(400, "a bare carriage return");
      state_ = State::start;
      return Found::more;
    case State::line_end:
      if (byte != '\n') return refused(400, "a bare carriage return");
      return line_ended();
    case State::fields: break;
  }
  if (line_size_ == limits_.line_bytes_max) return refused(414, "the request line is too long");
  room_[line_size_++] = byte;
  return Found::more;
}

HttpRequestReader::Found HttpRequestReader::line_ended() {
  const string_view version = slice(text_of(room_), version_at_, line_size_ - version_at_);
  if (version.size() != 8 || !starts_with(version, "HTTP/") || !is_digit(version[5]) || version[6] != '.' ||
      !is_digit(version[7])) {
    return refused(400, "not a version");
  }
  // HTTP/2's preface, too, is a request line up to here (RFC 9113 §3.4). There is no 1.2, and who says 0.9 has no head.
  if (version[5] != '1' || version[7] > '1') return refused(505, "a version other than HTTP/1.0 and 1.1");
  request_.minor = static_cast<uint8_t>(version[7] - '0');
  if (!is_known_method(request_.method_text)) return refused(501, "an unknown method");
  request_.fields.start(room_.subspan(line_size_),
                        {.bytes_max = limits_.field_bytes_max, .fields_max = limits_.fields_max});
  state_ = State::fields;
  return Found::more;
}

HttpRequestReader::Found HttpRequestReader::head_ended() {
  if (!read_host() || !read_target() || !read_body_length()) return Found::refused;
  request_.close = request_.minor == 0 || request_.fields.lists("connection", "close");
  return Found::head;
}

bool HttpRequestReader::read_host() {
  const unsigned hosts = request_.fields.count("host");
  if (hosts > 1) return refuse(400, "two hosts");
  if (hosts == 0) return request_.minor == 0 || refuse(400, "no host");
  request_.host = request_.fields.value("host");
  return is_http_host(request_.host) || refuse(400, "not a host");
}

bool HttpRequestReader::read_target() {
  string_view target = slice(text_of(room_), target_at_, version_at_ - 1 - target_at_);
  if (target == "*") {
    request_.path = target;
    return request_.method_text == "OPTIONS" || refuse(400, "the target * without OPTIONS");
  }
  if (target[0] != '/') {
    const size_t scheme_size = same_ignoring_case(slice(target, 0, 7), "http://") ? 7 : 8;
    if (scheme_size == 8 && !same_ignoring_case(slice(target, 0, 8), "https://")) return refuse(400, "not a target");
    target = slice(target, scheme_size);
    const size_t host_size = target.find_first_of("/?");
    const string_view host = slice(target, 0, host_size);
    if (!is_http_host(host)) return refuse(400, "not a host in the target");
    // The RFC says to believe the target; who stands before us may have believed the other.
    if (!request_.host.empty() && !same_ignoring_case(host, request_.host)) return refuse(400, "two different hosts");
    request_.host = host;
    target = slice(target, host.size());
  }
  const bool has_query = target.find('?') != string_view::npos;
  request_.path = take_until(target, '?');
  if (request_.path.empty()) request_.path = "/";
  if (has_query) request_.query = target;
  return true;
}

bool HttpRequestReader::read_body_length() {
  const HttpFraming framing = framing_of(request_.fields);
  if (framing.kind == HttpFraming::Kind::malformed) return refuse(400, framing.problem);
  const bool coded = framing.kind == HttpFraming::Kind::chunked || framing.kind == HttpFraming::Kind::unknown_coding;
  // RFC 9112 §6.1: such framing is faulty; a 1.0 proxy in between would not have understood it.
  if (coded && request_.minor == 0) return refuse(400, "a transfer coding in HTTP/1.0");
  if (framing.kind == HttpFraming::Kind::unknown_coding) return refuse(501, framing.problem);
  request_.chunked = framing.kind == HttpFraming::Kind::chunked;
  request_.content_length = framing.length;
  if (request_.minor == 0 || request_.fields.count("expect") == 0) return true;
  if (request_.fields.count("expect") > 1 || !same_ignoring_case(request_.fields.value("expect"), "100-continue")) {
    return refuse(417, "an unknown expectation");
  }
  request_.expects_continue = request_.has_body();
  return true;
}

}  // namespace tocsin
