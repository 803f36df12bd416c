// How long the body of an HTTP/1.1 message is, by its fields (RFC 9112 §6). Here messages are smuggled: whatever two
// readers could answer differently is malformed, even where the RFC allows to mend it.
#pragma once

#include <cstdint>

#include "proto/http_fields.h"

namespace tocsin {

struct HttpFraming {
  enum class Kind : uint8_t {
    none,  // neither field: no body in a request, all until the end of the connection in a response
    length,
    chunked,
    unknown_coding,  // transfer codings of good form beside, or instead of, one chunked at the end
    malformed,       // problem says how
  };
  Kind kind = Kind::none;
  uint64_t length = 0;  // UINT64_MAX: more than fits
  const char* problem = "";
};

HttpFraming framing_of(const HttpFields& fields);

}  // namespace tocsin
