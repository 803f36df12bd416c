#include "crypto/key_mbedtls.h"

#include <mbedtls/platform_util.h>
#include <stdlib.h>

namespace tocsin {

// A P-256 key in PEM has 240 to 330 bytes, an RSA-4096 one 3,300; text around it is allowed.
static constexpr size_t pem_bytes_max = 16 * 1024;

// What stands in the way of reading pem at all, by its looks; nullptr: nothing.
const char* odd_looks(string_view pem) {
  const auto has = [pem](string_view words) { return pem.find(words) != string_view::npos; };
  if (pem.empty()) return "it is empty";
  if (pem.size() > pem_bytes_max) return "it is over 16 KiB long, so it is not a PEM key";
  if (has("-----BEGIN ENCRYPTED PRIVATE KEY-----") || has("Proc-Type: 4,ENCRYPTED")) {
    return "it holds a key behind a passphrase: write it without one (openssl pkey -in OLD -out NEW)";
  }
  if (has("PRIVATE KEY-----") && has("-----BEGIN ")) return nullptr;
  if (has("-----BEGIN PUBLIC KEY-----")) return "it holds a public key, but signing needs the private one";
  if (has("-----BEGIN CERTIFICATE-----")) return "it holds a certificate, but signing needs a private key";
  if (pem.front() == '\x30') return "it holds binary (DER), but a PEM key is needed";
  return "it holds no PEM key: the line -----BEGIN PRIVATE KEY----- is missing";
}

int parse_private_key(mbedtls_pk_context& pk, ByteView pem, RandomSource& random) {
  // The library wants a zero behind the text.
  uint8_t* copy = static_cast<uint8_t*>(malloc(pem.size() + 1));
  if (copy == nullptr) return MBEDTLS_ERR_PK_ALLOC_FAILED;
  copy_bytes(copy, pem);
  copy[pem.size()] = 0;
#if MBEDTLS_VERSION_MAJOR >= 3
  const int error = mbedtls_pk_parse_key(&pk, copy, pem.size() + 1, nullptr, 0, fill_from_source, &random);
#else
  (void)random;
  const int error = mbedtls_pk_parse_key(&pk, copy, pem.size() + 1, nullptr, 0);
#endif
  mbedtls_platform_zeroize(copy, pem.size() + 1);
  free(copy);
  return error;
}

}  // namespace tocsin
