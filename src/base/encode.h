// Decoders for what Writer encodes, and the checksum of stored records.
#pragma once

#include <cstdint>

#include "base/bytes.h"
#include "base/result.h"

namespace tocsin {

// Decodes into room and returns how many bytes; Error::malformed or too_long. Either case.
Result<size_t> decode_hex(string_view text, Bytes room);
// RFC 4648 §4; padding is required.
Result<size_t> decode_base64(string_view text, Bytes room);
// RFC 4648 §5; padding is optional, blanks are not allowed.
Result<size_t> decode_base64url(string_view text, Bytes room);

// CRC-32C (Castagnoli, RFC 3720 §12.1, reflected 0x82F63B78). Start with 0; feed the result to continue.
uint32_t crc32c(uint32_t crc, ByteView bytes);

// Fixed-width integers in stored and hashed bytes are big-endian everywhere.
inline void put_u16(uint8_t* at, uint16_t v) {
  at[0] = static_cast<uint8_t>(v >> 8);
  at[1] = static_cast<uint8_t>(v);
}
inline void put_u32(uint8_t* at, uint32_t v) {
  put_u16(at, static_cast<uint16_t>(v >> 16));
  put_u16(at + 2, static_cast<uint16_t>(v));
}
inline void put_u64(uint8_t* at, uint64_t v) {
  put_u32(at, static_cast<uint32_t>(v >> 32));
  put_u32(at + 4, static_cast<uint32_t>(v));
}
inline uint16_t get_u16(const uint8_t* at) { return static_cast<uint16_t>((at[0] << 8) | at[1]); }
inline uint32_t get_u32(const uint8_t* at) { return (static_cast<uint32_t>(get_u16(at)) << 16) | get_u16(at + 2); }
inline uint64_t get_u64(const uint8_t* at) { return (static_cast<uint64_t>(get_u32(at)) << 32) | get_u32(at + 4); }

}  // namespace tocsin
