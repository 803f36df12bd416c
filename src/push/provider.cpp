#include "push/provider.h"

#include "crypto/crypto.h"

namespace tocsin {

uint32_t fingerprint_of(ByteView text) {
  uint8_t hash[32];
  sha256(text, hash);
  const uint32_t value = get_u32(hash);
  return value == 0 ? 1 : value;  // 0 stands for "never accepted" in a record
}

bool fit_for_log(string_view word) {
  if (word.size() > 64) return false;
  for (const char c : word) {
    if (c < 0x20 || c > 0x7E) return false;
  }
  return true;
}

}  // namespace tocsin
