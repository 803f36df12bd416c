#include "model/node_id.h"

namespace tocsin {

bool NodeId::parse(string_view text) {
  if (text.size() != text_size) return false;
  // 22 digits carry 132 bits: the last four are zero in what we hand out, so that a node has one spelling.
  if (string_view("AQgw").find(text.back()) == string_view::npos) return false;
  uint8_t decoded[size];
  const Result<size_t> count = decode_base64url(text, decoded);
  if (!count.ok() || count.value() != size) return false;
  std::memcpy(bytes, decoded, size);
  return true;
}

}  // namespace tocsin
