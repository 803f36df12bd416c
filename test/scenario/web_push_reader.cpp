#include "test/scenario/web_push_reader.h"

#include <cstring>
#include <new>

#include "base/encode.h"
#include "base/text.h"
#include "crypto/crypto.h"
#include "crypto/p256.h"
#include "port/sim/random.h"
#include "test/scenario/web_push_words.h"

namespace tocsin::test {
namespace {

constexpr string_view private_key = "q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94";
constexpr size_t body_bytes_max = 4096;

class Chance : public RandomSource {
 public:
  void fill(Bytes room) override { random_.fill(room); }

 private:
  sim::Random random_{17};
};

// Kept for the program's life, as libraries cache in their heaps.
struct Desk {
  alignas(64) uint8_t curve_room[P256Mbedtls::heap_bytes];
  alignas(64) uint8_t cipher_room[16 * 1024];
  Heap curve_heap{Bytes(curve_room), "reader's curve"};
  Heap cipher_heap{Bytes(cipher_room), "reader's cipher"};
  Chance chance;
  P256Mbedtls curve;  // the gateway has the other one
};

Desk& desk() {
  alignas(Desk) static uint8_t room[sizeof(Desk)];
  static bool made = false;
  if (!made) {
    Desk& fresh = *new (room) Desk;
    GW_CHECK(fresh.curve.start(fresh.curve_heap, fresh.chance).ok());
    made = true;
  }
  return *reinterpret_cast<Desk*>(room);
}

// HKDF (RFC 5869) for at most 32 bytes: extract, then one block of expand. info ends in its zero.
void derive(ByteView salt, ByteView secret, ByteView info, Bytes out) {
  uint8_t extracted[32];
  hmac_sha256(salt, secret, extracted);
  uint8_t text[256];
  GW_CHECK(info.size() < sizeof text);
  copy_bytes(text, info);
  text[info.size()] = 1;
  uint8_t block[32];
  hmac_sha256(extracted, ByteView(text).first(info.size() + 1), block);
  copy_bytes(out.data(), ByteView(block).first(out.size()));
}

template <size_t size>
ByteView with_zero(const char (&text)[size]) {
  return {reinterpret_cast<const uint8_t*>(text), size};
}

}  // namespace

Result<string_view> open_message(string_view body, Bytes room) {
  const ByteView whole = bytes_of(body);
  // RFC 8188 §2.1: salt, record size, the sender's key; at least a delimiter and a tag behind them.
  if (whole.size() < 16 + 4 + 1 + 65 + 1 + 16 || whole.size() > body_bytes_max || whole[20] != 65) {
    return Error::malformed;
  }
  const ByteView salt = whole.first(16);
  const ByteView sender = whole.subspan(21, 65);
  const ByteView record = whole.subspan(86);
  if (get_u32(whole.data() + 16) < record.size()) return Error::malformed;  // one record is all (RFC 8291 §4)

  P256Secret own_secret;
  P256Point own_point, sender_point;
  uint8_t own_auth[16];
  GW_CHECK(decode_base64url(private_key, own_secret).ok() && decode_base64url(p256dh, own_point).ok());
  GW_CHECK(decode_base64url(auth, own_auth).ok());
  copy_bytes(sender_point, sender);
  uint8_t shared[32];
  if (!desk().curve.shared_secret(own_secret, sender_point, shared, desk().chance).ok()) return Error::malformed;

  // RFC 8291 §3.4, then RFC 8188 §2.2.
  uint8_t info[14 + 65 + 65];
  copy_bytes(info, with_zero("WebPush: info"));
  copy_bytes(info + 14, own_point);
  copy_bytes(info + 14 + 65, sender);
  uint8_t secret[32], key[16], nonce[12];
  derive(own_auth, shared, info, secret);
  derive(salt, secret, with_zero("Content-Encoding: aes128gcm"), key);
  derive(salt, secret, with_zero("Content-Encoding: nonce"), nonce);

  // The wrapper only seals: what zeros become is the key stream, and the tag is made again.
  static uint8_t plain[body_bytes_max], sealed[body_bytes_max];
  const size_t size = record.size() - gcm_tag_bytes;
  std::memset(plain, 0, size);
  Heap& heap = desk().cipher_heap;
  GW_CHECK(aes128gcm_seal(key, nonce, ByteView(plain).first(size), Bytes(sealed).first(record.size()), heap).ok());
  for (size_t i = 0; i < size; ++i) plain[i] = static_cast<uint8_t>(sealed[i] ^ record[i]);
  GW_CHECK(aes128gcm_seal(key, nonce, ByteView(plain).first(size), Bytes(sealed).first(record.size()), heap).ok());
  if (std::memcmp(sealed, record.data(), record.size()) != 0) return Error::denied;

  // The last record ends in a 2 and any number of zeros.
  size_t end = size;
  while (end > 0 && plain[end - 1] == 0) --end;
  if (end == 0 || plain[end - 1] != 2 || end - 1 > room.size()) return Error::malformed;
  copy_bytes(room.data(), ByteView(plain).first(end - 1));
  return text_of(ByteView(room).first(end - 1));
}

}  // namespace tocsin::test
