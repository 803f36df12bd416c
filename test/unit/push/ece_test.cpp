#include "push/ece.h"

#include "base/encode.h"
#include "base/writer.h"
#include "crypto/crypto.h"
#include "test/unit/push/curve_desk.h"
#include "test/unit/push/ece_vectors.h"

namespace tocsin::test {
namespace {

template <size_t size>
void read_hex(const char* text, uint8_t (&out)[size]) {
  const Result<size_t> read = decode_hex(text, out);
  assert_true(read.ok());
  assert_int_equal(read.value(), size);
}
template <size_t size>
void read_url(string_view text, uint8_t (&out)[size]) {
  const Result<size_t> read = decode_base64url(text, out);
  assert_true(read.ok());
  assert_int_equal(read.value(), size);
}

EceTools tools() { return {curve_desk().curve, curve_desk().heap}; }

void the_example_of_rfc_8291_comes_out_byte_for_byte(void**) {
  EceChance chance;
  uint8_t keys[ece_keys_bytes];
  read_url("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw", chance.pair.secret);
  read_url("BP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A8",
           chance.pair.point);
  read_url("DGv6ra1nlYgDCS1FRnbzlw", chance.salt);
  uint8_t point[65], auth[16];
  read_url("BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4", point);
  read_url("BTBZMqHH6r4Tts7J_aSIgg", auth);
  copy_bytes(keys, point);
  copy_bytes(keys + 65, auth);
  uint8_t room[200];
  const Result<ByteView> body =
      seal(tools(), keys, chance, bytes_of("When I grow up, I want to be a watermelon"), room, curve_desk().random);
  assert_true(body.ok());
  uint8_t text[300];
  Writer written(text);
  written.base64url(body.value());
  assert_text(
      written.view(),
      "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6P"
      "Bru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN");
}

void messages_of_every_size_are_as_another_implementation_seals_them(void**) {
  static uint8_t plain[ece_plain_bytes_max], room[ece_body_bytes_max];
  for (size_t i = 0; i < sizeof plain; ++i) plain[i] = static_cast<uint8_t>(7 * i % 251);
  for (const EceVector& vector : ece_vectors) {
    EceChance chance;
    uint8_t keys[ece_keys_bytes];
    uint8_t wanted[32], hash[32];
    read_hex(vector.secret, chance.pair.secret);
    assert_true(curve_desk().curve.public_point(chance.pair.secret, chance.pair.point, curve_desk().random).ok());
    read_hex(vector.salt, chance.salt);
    read_hex(vector.keys, keys);
    read_hex(vector.body_sha256, wanted);
    const Result<ByteView> body =
        seal(tools(), keys, chance, ByteView(plain).first(vector.size), room, curve_desk().random);
    assert_true(body.ok());
    assert_int_equal(body.value().size(), vector.size + ece_added_bytes);
    sha256(body.value(), hash);
    assert_memory_equal(hash, wanted, sizeof wanted);
  }
}

void good_keys(uint8_t (&keys)[ece_keys_bytes]) { read_hex(ece_vectors[0].keys, keys); }

void no_two_messages_have_the_same_key_or_salt(void**) {
  Numbers random(9);
  EceChance a, b;
  assert_true(draw(curve_desk().curve, random, a).ok());
  assert_true(draw(curve_desk().curve, random, b).ok());
  assert_memory_not_equal(a.salt, b.salt, sizeof a.salt);
  assert_memory_not_equal(a.pair.point, b.pair.point, sizeof a.pair.point);
}

void what_does_not_fit_is_refused(void**) {
  static uint8_t plain[ece_plain_bytes_max + 1], room[ece_body_bytes_max + 100];
  EceChance chance;
  uint8_t keys[ece_keys_bytes];
  good_keys(keys);
  assert_true(draw(curve_desk().curve, curve_desk().random, chance).ok());
  Numbers& random = curve_desk().random;
  assert_int_equal(seal(tools(), keys, chance, plain, room, random).error(), Error::too_long);
  assert_int_equal(seal(tools(), keys, chance, ByteView(plain).first(10), Bytes(room).first(112), random).error(),
                   Error::too_long);
  assert_true(seal(tools(), keys, chance, ByteView(plain).first(10), Bytes(room).first(113), random).ok());
}

void bad_keys_are_refused(void**) {
  EceChance chance;
  uint8_t keys[ece_keys_bytes];
  good_keys(keys);
  Numbers& random = curve_desk().random;
  assert_true(draw(curve_desk().curve, random, chance).ok());
  uint8_t room[200];
  for (size_t size = 0; size < sizeof keys; ++size) {
    assert_int_equal(seal(tools(), ByteView(keys).first(size), chance, {}, room, random).error(), Error::malformed);
  }
  keys[3] ^= 4;
  assert_int_equal(seal(tools(), keys, chance, {}, room, random).error(), Error::malformed);
}

void a_heap_without_room_for_the_cipher_is_said_to_be_exhausted(void**) {
  if (!Heap::enforced()) skip();
  alignas(64) static uint8_t small_room[1024];
  static Heap small(Bytes(small_room), "cipher");
  EceChance chance;
  uint8_t keys[ece_keys_bytes];
  good_keys(keys);
  Numbers& random = curve_desk().random;
  assert_true(draw(curve_desk().curve, random, chance).ok());
  uint8_t room[200];
  small.fail_at(1);
  assert_int_equal(seal({curve_desk().curve, small}, keys, chance, {}, room, random).error(), Error::exhausted);
  small.fail_at(0);
  assert_true(seal({curve_desk().curve, small}, keys, chance, {}, room, random).ok());
  print_message("           cipher: peak %zu; curve: peak %zu\n", small.peak(), curve_desk().heap.peak());
}

TESTS(ece, cmocka_unit_test(the_example_of_rfc_8291_comes_out_byte_for_byte),
      cmocka_unit_test(messages_of_every_size_are_as_another_implementation_seals_them),
      cmocka_unit_test(no_two_messages_have_the_same_key_or_salt), cmocka_unit_test(what_does_not_fit_is_refused),
      cmocka_unit_test(bad_keys_are_refused),
      cmocka_unit_test(a_heap_without_room_for_the_cipher_is_said_to_be_exhausted));

}  // namespace
}  // namespace tocsin::test
