#include "base/encode.h"
#include "crypto/crypto.h"
#include "test/support/tests.h"

namespace tocsin::test {

static void expect_hex(const uint8_t* bytes, size_t size, const char* hex) {
  uint8_t wanted[96];
  const Result<size_t> decoded = decode_hex(hex, wanted);
  assert_true(decoded.ok());
  assert_int_equal(decoded.value(), size);
  assert_memory_equal(bytes, wanted, size);
}

// FIPS 180-4 examples and the empty text.
static void sha1_agrees_with_the_standard(void**) {
  uint8_t out[20];
  sha1({}, out);
  expect_hex(out, 20, "da39a3ee5e6b4b0d3255bfef95601890afd80709");
  sha1(bytes_of("abc"), out);
  expect_hex(out, 20, "a9993e364706816aba3e25717850c26c9cd0d89d");
}

static void sha256_agrees_with_the_standard(void**) {
  uint8_t out[32];
  sha256({}, out);
  expect_hex(out, 32, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  sha256(bytes_of("abc"), out);
  expect_hex(out, 32, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  sha256(bytes_of("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"), out);
  expect_hex(out, 32, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

// RFC 4231, section 4: test cases 1, 2, 3, 6 and 7.
static void hmac_sha256_agrees_with_rfc_4231(void**) {
  uint8_t key[131];
  uint8_t out[32];
  std::memset(key, 0x0b, 20);
  hmac_sha256({key, 20}, bytes_of("Hi There"), out);
  expect_hex(out, 32, "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  hmac_sha256(bytes_of("Jefe"), bytes_of("what do ya want for nothing?"), out);
  expect_hex(out, 32, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  uint8_t text[50];
  std::memset(key, 0xaa, sizeof key);
  std::memset(text, 0xdd, sizeof text);
  hmac_sha256({key, 20}, text, out);
  expect_hex(out, 32, "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe");
  hmac_sha256(key, bytes_of("Test Using Larger Than Block-Size Key - Hash Key First"), out);
  expect_hex(out, 32, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
  hmac_sha256(key,
              bytes_of("This is a test using a larger than block-size key and a larger than block-size data. "
                       "The key needs to be hashed before being used by the HMAC algorithm."),
              out);
  expect_hex(out, 32, "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2");
}

static void hmac_takes_a_key_of_exactly_one_block_as_it_is(void**) {
  uint8_t key[64];
  uint8_t longer[65] = {};
  std::memset(key, 'k', sizeof key);
  std::memcpy(longer, key, sizeof key);
  uint8_t a[32];
  uint8_t b[32];
  hmac_sha256(key, {}, a);
  expect_hex(a, 32, "83026a325aaee70e36cfe607536aa1054104ad1077c36134810d4ccded1ccd3b");
  hmac_sha256(longer, {}, b);  // longer keys are hashed first
  assert_memory_not_equal(a, b, 32);
}

// 1 … 2 … 3: the number that the RFC's bytes count up from.
static void fill_counting(Bytes room, uint8_t from) {
  for (size_t i = 0; i < room.size(); ++i) room[i] = static_cast<uint8_t>(from + i);
}

static void hkdf(ByteView salt, ByteView secret, ByteView info, Bytes out) {
  uint8_t extracted[32];
  hmac_sha256(salt, secret, extracted);
  hkdf_expand(extracted, info, out);
}

static void hkdf_agrees_with_rfc_5869(void**) {
  uint8_t salt[80], secret[80], info[80], out[82];
  std::memset(secret, 0x0b, 22);
  fill_counting(Bytes(salt).first(13), 0);
  fill_counting(Bytes(info).first(10), 0xf0);
  hkdf(ByteView(salt).first(13), ByteView(secret).first(22), ByteView(info).first(10), Bytes(out).first(42));
  expect_hex(out, 42, "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865");
  hkdf({}, ByteView(secret).first(22), {}, Bytes(out).first(42));
  expect_hex(out, 42, "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8");
  fill_counting(secret, 0);
  fill_counting(salt, 0x60);
  fill_counting(info, 0xb0);
  hkdf(salt, secret, info, out);
  expect_hex(out, 82,
             "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e590e09"
             "da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87");
}

static void hkdf_fills_what_it_is_asked_for(void**) {
  uint8_t whole[96], part[96];
  hkdf(bytes_of("salt"), bytes_of("secret"), bytes_of("info"), whole);
  for (size_t size = 0; size <= sizeof part; ++size) {
    std::memset(part, 0xEE, sizeof part);
    hkdf(bytes_of("salt"), bytes_of("secret"), bytes_of("info"), Bytes(part).first(size));
    assert_true(same(ByteView(part).first(size), ByteView(whole).first(size)));
    if (size < sizeof part) assert_int_equal(part[size], 0xEE);
  }
}

static void gcm_agrees_with_its_specification(void**) {
  alignas(64) static uint8_t room[1024];
  static Heap heap(Bytes(room), "cipher");
  uint8_t key[16] = {}, nonce[12] = {}, text[32] = {};
  assert_true(aes128gcm_seal(key, nonce, {}, Bytes(text).first(16), heap).ok());
  expect_hex(text, 16, "58e2fccefa7e3061367f1d57a4e7455a");
  std::memset(text, 0, sizeof text);
  // In place.
  assert_true(aes128gcm_seal(key, nonce, ByteView(text).first(16), text, heap).ok());
  expect_hex(text, 32, "0388dace60b6a392f328c2b971b2fe78ab6e47d42cec13bdf53a67b21257bddf");
  assert_int_equal(heap.live(), 0);
  if (!Heap::enforced()) return;
  for (uint32_t n = 1;; ++n) {
    heap.fail_at(n);
    const Status sealed = aes128gcm_seal(key, nonce, {}, Bytes(text).first(16), heap);
    heap.fail_at(0);
    assert_int_equal(heap.live(), 0);
    if (sealed.ok()) break;
    assert_int_equal(sealed.error(), Error::exhausted);
  }
  print_message("           gcm: peak %zu\n", heap.peak());
}

TESTS(hash, cmocka_unit_test(sha1_agrees_with_the_standard), cmocka_unit_test(sha256_agrees_with_the_standard),
      cmocka_unit_test(hmac_sha256_agrees_with_rfc_4231),
      cmocka_unit_test(hmac_takes_a_key_of_exactly_one_block_as_it_is), cmocka_unit_test(hkdf_agrees_with_rfc_5869),
      cmocka_unit_test(hkdf_fills_what_it_is_asked_for), cmocka_unit_test(gcm_agrees_with_its_specification));

}  // namespace tocsin::test
