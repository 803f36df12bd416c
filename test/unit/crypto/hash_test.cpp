#include "base/encode.h"
#include "crypto/crypto.h"
#include "test/support/tests.h"

namespace tocsin::test {

static void expect_hex(const uint8_t* bytes, size_t size, const char* hex) {
  uint8_t wanted[64];
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

TESTS(hash, cmocka_unit_test(sha1_agrees_with_the_standard), cmocka_unit_test(sha256_agrees_with_the_standard),
      cmocka_unit_test(hmac_sha256_agrees_with_rfc_4231),
      cmocka_unit_test(hmac_takes_a_key_of_exactly_one_block_as_it_is));

}  // namespace tocsin::test
