// A node: the capability under which a registration receives publishes. 128
// random bits, because no secret protects a Tigase node; 22 characters of base64url on the wire.
#pragma once

#include "base/bytes.h"
#include "base/encode.h"
#include "base/text.h"

namespace tocsin {

struct NodeId {
  static constexpr size_t size = 16;
  static constexpr size_t text_size = 22;
  uint8_t bytes[size] = {};
  ByteView view() const { return {bytes, size}; }
  bool operator==(const NodeId&) const = default;

  // False unless text is exactly what we hand out (canonical base64url of 16 bytes).
  [[nodiscard]] bool parse(string_view text);
};

}  // namespace tocsin
