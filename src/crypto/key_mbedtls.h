// What the wrappers of signing keys share: reading PEM, and words for what is
// no key. Only for this folder.
#pragma once

#include <mbedtls/pk.h>

#include "base/bytes.h"
#include "crypto/inside_mbedtls.h"
#include "mem/heap.h"

namespace tocsin {

// What stands in the way of reading pem at all, by its looks; nullptr: nothing.
const char* odd_looks(string_view pem);
// The library's error; what it takes is of the current heap.
int parse_private_key(mbedtls_pk_context& pk, ByteView pem, RandomSource& random);

inline constexpr const char* no_memory_for_key = "there is no counted memory left to read it";

}  // namespace tocsin
