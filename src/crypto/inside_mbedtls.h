// What the mbedTLS wrappers of this folder share; nobody else may include it.
#pragma once

#include <mbedtls/version.h>

#include "base/random.h"

#if MBEDTLS_VERSION_MAJOR >= 3
#include <mbedtls/private_access.h>
#define TOCSIN_INSIDE(member) MBEDTLS_PRIVATE(member)
#else
#define TOCSIN_INSIDE(member) member
#endif

namespace tocsin {

// The library's f_rng over a RandomSource, which never fails.
inline int fill_from_source(void* source, unsigned char* out, size_t size) {
  static_cast<RandomSource*>(source)->fill({out, size});
  return 0;
}

}  // namespace tocsin
