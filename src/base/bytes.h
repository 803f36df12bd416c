// Bytes in and out: spans only, never owners. A view lives as long as the call
// that handed it over; whoever wants to keep data copies it into bounds of its own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

namespace tocsin {

using ByteView = std::span<const uint8_t>;
using Bytes = std::span<uint8_t>;
using std::size_t;
using std::string_view;

inline ByteView bytes_of(string_view text) { return {reinterpret_cast<const uint8_t*>(text.data()), text.size()}; }
inline string_view text_of(ByteView bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

inline bool same(ByteView a, ByteView b) {
  return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size()) == 0);
}

// memcpy that allows an empty source with a null pointer.
inline void copy_bytes(uint8_t* to, ByteView from) {
  if (!from.empty()) std::memcpy(to, from.data(), from.size());
}

// Takes as long for the first differing byte as for the last: for secrets and tokens.
inline bool same_in_constant_time(ByteView a, ByteView b) {
  if (a.size() != b.size()) return false;
  uint8_t difference = 0;
  for (size_t i = 0; i < a.size(); ++i) difference = static_cast<uint8_t>(difference | (a[i] ^ b[i]));
  return difference == 0;
}

}  // namespace tocsin
