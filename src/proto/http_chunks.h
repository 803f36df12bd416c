// The chunked transfer coding (RFC 9112 §7.1), reading: framing out, data on. Sizes, extensions and trailers are
// bounded and held to the grammar, for readers that disagree about them see different messages in the same bytes.
#pragma once

#include <cstdint>

#include "base/bytes.h"
#include "proto/http_fields.h"

namespace tocsin {

class HttpChunks {
 public:
  // Nobody sends extensions but to hurt (many tiny chunks with long ones); of all chunks of a body together.
  static constexpr size_t extension_bytes_max = 256;
  static constexpr size_t trailer_bytes_max = 1024;
  static constexpr uint32_t trailers_max = 16;
  static constexpr unsigned size_digits_max = 8;  // leading zeros included

  enum class Found : uint8_t {
    more,               // the whole input was framing
    data,               // data is a part of the body, a view into the input
    end,                // the body is complete, its trailers were read and dropped
    malformed,          // problem() says how
    too_long,           // the body would be over its limit: known before its bytes come
    trailers_too_long,  // extensions or trailers
  };
  struct Step {
    size_t used = 0;
    Found found = Found::more;
    ByteView data{};
  };
  void start(uint64_t body_bytes_max);
  // Uses input up to the first thing found. After anything but more and data the coding is over.
  Step feed(ByteView in);
  const char* problem() const { return problem_; }  // a literal

 private:
  enum class State : uint8_t;
  Found framing(uint8_t byte);
  Found size_line_ended();
  Found refuse(const char* problem);

  State state_{};
  uint64_t body_left_ = 0;   // that the limit allows
  uint64_t chunk_left_ = 0;  // of this chunk
  unsigned digits_ = 0;
  size_t extension_bytes_ = 0;
  HttpFields trailers_;
  uint8_t trailers_room_[128];
  const char* problem_ = "";
};

}  // namespace tocsin
