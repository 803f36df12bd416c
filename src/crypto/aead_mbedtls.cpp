// One cipher: AES-128-GCM, for Web Push.
#include <mbedtls/gcm.h>

#include "base/check.h"
#include "crypto/crypto.h"

namespace tocsin {

Status aes128gcm_seal(const uint8_t key[16], const uint8_t nonce[12], ByteView plain, Bytes out, Heap& heap) {
  GW_CHECK(out.size() == plain.size() + gcm_tag_bytes);
  HeapScope scope(heap);
  mbedtls_gcm_context context;
  mbedtls_gcm_init(&context);
  const bool good = mbedtls_gcm_setkey(&context, MBEDTLS_CIPHER_ID_AES, key, 128) == 0 &&
                    mbedtls_gcm_crypt_and_tag(&context, MBEDTLS_GCM_ENCRYPT, plain.size(), nonce, 12, nullptr, 0,
                                              plain.data(), out.data(), gcm_tag_bytes, out.data() + plain.size()) == 0;
  mbedtls_gcm_free(&context);
  if (good) return {};
  return Error::exhausted;  // nothing else can fail with a key of this size
}

}  // namespace tocsin
