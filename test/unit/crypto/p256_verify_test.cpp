// Signatures that are looked at, by each library behind crypto/p256.h.
#include "crypto/p256.h"
#include "test/unit/crypto/duet.h"

namespace tocsin::test {
namespace {

// In static storage, because a failing assert skips destructors.
template <class Library>
void a_signature_is_good_for_its_key_and_message_alone() {
  alignas(64) static uint8_t room[Library::heap_bytes];
  static Heap heap{Bytes(room), "curve"};
  alignas(Library) static uint8_t stage[sizeof(Library)];
  P256& curve = *new (stage) Library;
  SeededRandom entropy(12);
  assert_true(curve.start(heap, entropy).ok());
  P256Pair pair, other;
  P256Signature signature;
  assert_true(curve.make_pair(entropy, pair).ok());
  assert_true(curve.make_pair(entropy, other).ok());
  assert_true(curve.sign(pair.secret, bytes_of("sample"), signature, entropy).ok());
  const size_t before = heap.live();
  const auto error = [&](const P256Point& point, string_view message, const P256Signature& given) {
    return curve.verify(point, bytes_of(message), given).error();
  };
  assert_int_equal(error(pair.point, "sample", signature), Error::none);
  assert_int_equal(error(pair.point, "samples", signature), Error::malformed);
  assert_int_equal(error(other.point, "sample", signature), Error::malformed);
  P256Signature changed = {};
  assert_int_equal(error(pair.point, "sample", changed), Error::malformed);
  std::memset(changed, 0xFF, sizeof changed);
  assert_int_equal(error(pair.point, "sample", changed), Error::malformed);
  for (size_t i = 0; i < sizeof signature; ++i) {
    copy_bytes(changed, signature);
    changed[i] ^= 0x10;
    assert_int_equal(error(pair.point, "sample", changed), Error::malformed);
  }
  P256Point odd;
  copy_bytes(odd, pair.point);
  odd[64] ^= 1;
  assert_int_equal(error(odd, "sample", signature), Error::malformed);
  copy_bytes(odd, pair.point);
  odd[0] = 2;
  assert_int_equal(error(odd, "sample", signature), Error::malformed);
  assert_int_equal(heap.live(), before);
}

void by_mbedtls(void**) { a_signature_is_good_for_its_key_and_message_alone<P256Mbedtls>(); }
void by_the_programs_own_library(void**) { a_signature_is_good_for_its_key_and_message_alone<OwnP256>(); }

TESTS(p256_verify, cmocka_unit_test(by_mbedtls), cmocka_unit_test(by_the_programs_own_library));

}  // namespace
}  // namespace tocsin::test
