// Process-wide state of the library, made once inside the long-lived heap.
#include <mbedtls/version.h>
#include <time.h>

#include "crypto/crypto.h"

#if MBEDTLS_VERSION_MAJOR >= 3
#include <psa/crypto.h>
#endif

namespace tocsin {

#if MBEDTLS_VERSION_MAJOR >= 3
// TLS 1.3 in mbedTLS 3 keeps its keys in process-wide slots, whose table grows
// by slices (16, 32, ...) that are never given back (MBEDTLS_PSA_KEY_STORE_DYNAMIC).
// Holding so many keys once makes the first two slices here rather than in
// whichever session needs them first.
static constexpr size_t slots_wanted = 48;

static bool make_key_slots() {
  psa_key_attributes_t attributes = PSA_KEY_ATTRIBUTES_INIT;
  psa_set_key_type(&attributes, PSA_KEY_TYPE_RAW_DATA);
  psa_set_key_bits(&attributes, 128);
  const uint8_t nothing[16] = {};
  psa_key_id_t keys[slots_wanted];
  size_t made = 0;
  bool refused = false;
  while (made < slots_wanted && !refused) {
    const psa_status_t status = psa_import_key(&attributes, nothing, sizeof nothing, &keys[made]);
    refused = status == PSA_ERROR_INSUFFICIENT_MEMORY;
    if (status != PSA_SUCCESS) break;  // a static table that is smaller has nothing to grow either
    ++made;
  }
  while (made > 0) psa_destroy_key(keys[--made]);
  return !refused;
}
#endif

Status crypto_start(Heap& long_lived) {
  HeapScope scope(long_lived);
  long_lived.forget_refusals();
  tzset();  // the C library reads the zone at the first gmtime_r, which certificates need
#if MBEDTLS_VERSION_MAJOR >= 3
  if (psa_crypto_init() != PSA_SUCCESS) return long_lived.refused() > 0 ? Error::exhausted : Error::io;
  if (!make_key_slots()) return Error::exhausted;
#endif
  return {};
}

// As the headers say that we were built with: "mbed TLS 2.28.3".
const char* crypto_library() { return MBEDTLS_VERSION_STRING_FULL; }

}  // namespace tocsin
