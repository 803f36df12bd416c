// Hashes over the library's low-level contexts, which live on the stack: none of
// this allocates, so none of it can be refused. HMAC is built here because the
// library's own (mbedtls_md) takes memory for every call.
#include <mbedtls/platform_util.h>
#include <mbedtls/sha1.h>
#include <mbedtls/sha256.h>
#include <mbedtls/version.h>

#include "base/check.h"
#include "crypto/crypto.h"

namespace tocsin {

#if MBEDTLS_VERSION_MAJOR >= 3
#define TOCSIN_HASH(name) mbedtls_##name
#else
#define TOCSIN_HASH(name) mbedtls_##name##_ret  // 2.28: the plain names are deprecated
#endif

// The functions below fail for want of hardware only, which a software hash does not have.

void sha1(ByteView in, uint8_t out[20]) { GW_CHECK(TOCSIN_HASH(sha1)(in.data(), in.size(), out) == 0); }

void sha256(ByteView in, uint8_t out[32]) { GW_CHECK(TOCSIN_HASH(sha256)(in.data(), in.size(), out, 0) == 0); }

// One pass of RFC 2104: H(padded key XOR fill, text).
static void keyed_sha256(const uint8_t key[64], uint8_t fill, ByteView text, uint8_t out[32]) {
  uint8_t block[64];
  for (size_t i = 0; i < sizeof block; ++i) block[i] = static_cast<uint8_t>(key[i] ^ fill);
  mbedtls_sha256_context context;
  mbedtls_sha256_init(&context);
  int failed = TOCSIN_HASH(sha256_starts)(&context, 0);
  failed |= TOCSIN_HASH(sha256_update)(&context, block, sizeof block);
  failed |= TOCSIN_HASH(sha256_update)(&context, text.data(), text.size());
  failed |= TOCSIN_HASH(sha256_finish)(&context, out);
  mbedtls_sha256_free(&context);
  mbedtls_platform_zeroize(block, sizeof block);
  GW_CHECK(failed == 0);
}

void hmac_sha256(ByteView key, ByteView in, uint8_t out[32]) {
  uint8_t padded[64] = {};
  if (key.size() > sizeof padded) {
    sha256(key, padded);
  } else {
    copy_bytes(padded, key);
  }
  uint8_t inner[32];
  keyed_sha256(padded, 0x36, in, inner);
  keyed_sha256(padded, 0x5c, inner, out);
  mbedtls_platform_zeroize(padded, sizeof padded);
}

void hkdf_expand(const uint8_t (&extracted)[32], ByteView info, Bytes out) {
  GW_CHECK(info.size() <= 256 && out.size() <= 255 * 32);
  uint8_t block[32];
  uint8_t text[32 + 256 + 1];
  size_t before = 0;  // bytes of the last block, of which the first has none
  for (uint8_t count = 1; !out.empty(); ++count) {
    copy_bytes(text, ByteView(block).first(before));
    copy_bytes(text + before, info);
    text[before + info.size()] = count;
    hmac_sha256(extracted, ByteView(text).first(before + info.size() + 1), block);
    before = sizeof block;
    const size_t size = out.size() < sizeof block ? out.size() : sizeof block;
    copy_bytes(out.data(), ByteView(block).first(size));
    out = out.subspan(size);
  }
  wipe(block);
  wipe(text);
}

void wipe(Bytes secret) { mbedtls_platform_zeroize(secret.data(), secret.size()); }

}  // namespace tocsin
