// One message for a Web Push subscription, which only its holder can read
// (RFC 8291 over RFC 8188): a single record of `aes128gcm`.
#pragma once

#include "base/bytes.h"
#include "base/random.h"
#include "base/result.h"
#include "crypto/p256.h"

namespace tocsin {

// What a subscription brings, as a registration keeps it: p256dh ‖ auth.
inline constexpr size_t ece_auth_bytes = 16;
inline constexpr size_t ece_keys_bytes = p256_point_bytes + ece_auth_bytes;

// Salt, record size, our public point with its length; then behind the plaintext one byte and the tag.
inline constexpr size_t ece_head_bytes = 16 + 4 + 1 + p256_point_bytes;
inline constexpr size_t ece_added_bytes = ece_head_bytes + 1 + 16;
inline constexpr size_t ece_body_bytes_max = 4096;  // what every push service takes (RFC 8030 §7.2)
inline constexpr size_t ece_plain_bytes_max = ece_body_bytes_max - ece_added_bytes;
static_assert(ece_plain_bytes_max == 3993);  // RFC 8291 §4

// Drawn anew for each message and used for no other.
struct EceChance {
  P256Pair pair;
  uint8_t salt[16];
};
Status draw(P256& curve, RandomSource& entropy, EceChance& chance);

// Where a message is sealed, and with which memory; heap may be the curve's own, as it is empty between calls.
struct EceTools {
  P256& curve;
  Heap& heap;  // 1 KiB for the cipher
};

// Writes plain.size() + ece_added_bytes into room and answers that part of it. Error::too_long: plain is over
// ece_plain_bytes_max or room too small; malformed: keys are no keys (see P256::shared_secret); exhausted.
Result<ByteView> seal(const EceTools& tools, ByteView keys, const EceChance& chance, ByteView plain, Bytes room,
                      RandomSource& random);

}  // namespace tocsin
