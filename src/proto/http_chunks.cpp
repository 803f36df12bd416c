#include "proto/http_chunks.h"

namespace tocsin {

enum class HttpChunks::State : uint8_t {
  size,
  extension,        // behind ';'
  extension_name,   // at least one byte of it was there
  extension_value,  // behind '='
  extension_token,
  quoted,
  escaped,   // behind '\' in quotes
  unquoted,  // behind the closing quote
  size_end,  // behind the CR of the size's line
  data,
  data_cr,  // behind the chunk's last byte
  data_lf,
  trailers,
  over,
};

namespace {

// Too late for the body, early enough to make somebody believe in another (RFC 9110 §6.5.1 forbids them here).
constexpr string_view forbidden_trailers[] = {"content-length", "transfer-encoding"};

int hex_digit(uint8_t byte) {
  if (byte >= '0' && byte <= '9') return byte - '0';
  const int lower = byte | 0x20;
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

}  // namespace

void HttpChunks::start(uint64_t body_bytes_max) {
  state_ = State::size;
  chunk_left_ = 0;
  digits_ = 0;
  extension_bytes_ = 0;
  problem_ = "";
  body_left_ = body_bytes_max;
}

HttpChunks::Found HttpChunks::refuse(const char* problem) {
  state_ = State::over;
  problem_ = problem;
  return Found::malformed;
}

HttpChunks::Step HttpChunks::feed(ByteView in) {
  size_t used = 0;
  while (used < in.size()) {
    if (state_ == State::data) {
      const ByteView data = in.subspan(used, chunk_left_ < in.size() - used ? chunk_left_ : in.size() - used);
      chunk_left_ -= data.size();
      if (chunk_left_ == 0) state_ = State::data_cr;
      return {used + data.size(), Found::data, data};
    }
    const Found found = framing(in[used++]);
    if (found == Found::more) continue;
    state_ = State::over;
    return {used, found, {}};
  }
  return {used, Found::more, {}};
}

HttpChunks::Found HttpChunks::size_line_ended() {
  if (chunk_left_ == 0) {
    trailers_.start(
        trailers_room_,
        {.bytes_max = trailer_bytes_max, .fields_max = trailers_max, .keep_all = false, .wanted = forbidden_trailers});
    state_ = State::trailers;
    return Found::more;
  }
  if (chunk_left_ > body_left_) {
    problem_ = "the body is too long";
    return Found::too_long;
  }
  body_left_ -= chunk_left_;
  state_ = State::data;
  return Found::more;
}

HttpChunks::Found HttpChunks::framing(uint8_t byte) {
  if (state_ > State::size && state_ < State::size_end && ++extension_bytes_ > extension_bytes_max) {
    problem_ = "too many bytes of chunk extensions";
    return Found::trailers_too_long;
  }
  switch (state_) {
    case State::size: {
      const int digit = hex_digit(byte);
      if (digit >= 0) {
        if (++digits_ > size_digits_max) return refuse("a chunk size of too many digits");
        chunk_left_ = chunk_left_ * 16 + static_cast<unsigned>(digit);
        return Found::more;
      }
      if (digits_ == 0) return refuse("not a chunk size");
      break;  // its line goes on, or ends
    }
    case State::extension:
      if (!is_http_token(byte)) return refuse("not a chunk extension");
      state_ = State::extension_name;
      return Found::more;
    case State::extension_name:
      if (is_http_token(byte)) return Found::more;
      if (byte == '=') {
        state_ = State::extension_value;
        return Found::more;
      }
      break;
    case State::extension_value:
      if (byte != '"' && !is_http_token(byte)) return refuse("not a chunk extension");
      state_ = byte == '"' ? State::quoted : State::extension_token;
      return Found::more;
    case State::extension_token:
      if (is_http_token(byte)) return Found::more;
      break;
    case State::quoted:
    case State::escaped:
      if (!is_http_value(byte)) return refuse("a control character in a chunk extension");
      if (state_ == State::escaped) {
        state_ = State::quoted;
      } else if (byte == '\\') {
        state_ = State::escaped;
      } else if (byte == '"') {
        state_ = State::unquoted;
      }
      return Found::more;
    case State::unquoted: break;
    case State::size_end:
      if (byte != '\n') return refuse("a bare carriage return");
      return size_line_ended();
    case State::data_cr:
      if (byte != '\r') return refuse("a chunk is longer than its size");
      state_ = State::data_lf;
      return Found::more;
    case State::data_lf:
      if (byte != '\n') return refuse("a bare carriage return");
      state_ = State::size;
      digits_ = 0;
      return Found::more;
    case State::trailers:
      switch (trailers_.feed(byte)) {
        case HttpFields::Found::more: return Found::more;
        case HttpFields::Found::end:
          for (const string_view name : forbidden_trailers) {
            if (trailers_.count(name) > 0) return refuse("a length in the trailers");
          }
          return Found::end;
        case HttpFields::Found::malformed: return refuse(trailers_.problem());
        case HttpFields::Found::too_long: problem_ = trailers_.problem(); return Found::trailers_too_long;
      }
      break;
    case State::data:
    case State::over: return refuse("the coding is over");
  }
  // Behind a size or a whole extension.
  if (byte == '\r') {
    state_ = State::size_end;
    return Found::more;
  }
  if (byte != ';') return refuse("not a chunk size");
  state_ = State::extension;
  return Found::more;
}

}  // namespace tocsin
