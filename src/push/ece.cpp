#include "push/ece.h"

#include "base/encode.h"
#include "crypto/crypto.h"

namespace tocsin {
namespace {

// With the zero that ends them: it is part of what is hashed.
constexpr char key_info_begins[] = "WebPush: info";
constexpr char cipher_key_info[] = "Content-Encoding: aes128gcm";
constexpr char nonce_info[] = "Content-Encoding: nonce";
// Any number over a message's size says that there is one record; this is the one of the RFC's example.
constexpr uint32_t record_size = ece_body_bytes_max;
constexpr uint8_t last_record = 2;  // the delimiter of RFC 8188 §2

template <size_t size>
ByteView whole(const char (&text)[size]) {
  return {reinterpret_cast<const uint8_t*>(text), size};
}

}  // namespace

Status draw(P256& curve, RandomSource& entropy, EceChance& chance) {
  entropy.fill(chance.salt);
  return curve.make_pair(entropy, chance.pair);
}

Result<ByteView> seal(const EceTools& tools, ByteView keys, const EceChance& chance, ByteView plain, Bytes room,
                      RandomSource& random) {
  if (keys.size() != ece_keys_bytes) return Error::malformed;
  if (plain.size() > ece_plain_bytes_max || plain.size() + ece_added_bytes > room.size()) return Error::too_long;
  P256Point theirs;
  copy_bytes(theirs, keys.first(sizeof theirs));
  const ByteView auth = keys.subspan(sizeof theirs);

  uint8_t shared[32];
  if (const Status agreed = tools.curve.shared_secret(chance.pair.secret, theirs, shared, random); !agreed.ok()) {
    return agreed.error();
  }
  // RFC 8291 §3.4.
  uint8_t key_info[sizeof key_info_begins + 2 * p256_point_bytes];
  copy_bytes(key_info, whole(key_info_begins));
  copy_bytes(key_info + sizeof key_info_begins, theirs);
  copy_bytes(key_info + sizeof key_info_begins + sizeof theirs, chance.pair.point);
  uint8_t extracted[32];
  uint8_t secret[32];
  hmac_sha256(auth, shared, extracted);
  hkdf_expand(extracted, key_info, secret);
  uint8_t key[16];
  uint8_t nonce[12];
  hmac_sha256(chance.salt, secret, extracted);
  hkdf_expand(extracted, whole(cipher_key_info), key);
  hkdf_expand(extracted, whole(nonce_info), nonce);

  const Bytes body = room.first(plain.size() + ece_added_bytes);
  copy_bytes(body.data(), chance.salt);
  put_u32(body.data() + 16, record_size);
  body[20] = p256_point_bytes;
  copy_bytes(body.data() + 21, chance.pair.point);
  const Bytes record = body.subspan(ece_head_bytes);
  copy_bytes(record.data(), plain);
  record[plain.size()] = last_record;
  const Status sealed = aes128gcm_seal(key, nonce, record.first(plain.size() + 1), record, tools.heap);
  for (const Bytes each : {Bytes(shared), Bytes(secret), Bytes(extracted), Bytes(key), Bytes(nonce)}) wipe(each);
  if (!sealed.ok()) return sealed.error();
  return ByteView(body);
}

}  // namespace tocsin
