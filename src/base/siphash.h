// SipHash-2-4 (Aumasson, Bernstein 2012): a keyed 64-bit hash, 40 ns for a JID.
// For pseudonyms, collapse ids and table positions that strangers must not be
// able to choose or invert; not for signatures.
#pragma once

#include <cstdint>

#include "base/bytes.h"

namespace tocsin {

struct HashKey {
  uint8_t bytes[16] = {};
};

uint64_t siphash(const HashKey& key, ByteView in);

}  // namespace tocsin
