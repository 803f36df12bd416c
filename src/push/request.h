// One provider request with all its bytes: it lives in a Push, and the HTTP
// core points into it until the stream is closed.
#pragma once

#include <cstdint>

#include "base/arena.h"
#include "base/bytes.h"

namespace tocsin {

struct RequestHeader {
  string_view name;   // lower case, literal
  string_view value;  // in the request's room, or in the section
  bool no_index = false;
};

class Request {
 public:
  static constexpr uint32_t headers_max = 12;
  // Body ≤ 4,096 (APNs, FCM, Web Push), two paths ≤ 220 with a 100-byte token in hex and values ≤ 300, or an
  // endpoint of 1,000 bytes and values ≤ 60.
  static constexpr size_t room_bytes = 4096 + 1088;
  void clear() {
    count = 0;
    origin = {};
    path = {};
    body = {};
    first_path = {};
    scratch = Arena(room);
  }
  // GW_CHECKs the bound: a translator's headers are known when it is written.
  void header(string_view name, string_view value, bool no_index = false);

  string_view origin;  // Web Push: "https://host[:port]"; empty: the section's own
  string_view path;
  ByteView body;
  // Not empty: the request goes to the device's second token, and this is the way to its first.
  string_view first_path;
  bool to_second() const { return !first_path.empty(); }
  uint32_t count = 0;
  RequestHeader headers[headers_max];
  Arena scratch;
  uint8_t room[room_bytes];
};

}  // namespace tocsin
