#include <new>

#include "base/encode.h"
#include "crypto/crypto.h"
#include "test/support/certs.h"
#include "test/support/tests.h"
#include "test/unit/crypto/duet.h"

namespace tocsin::test {

static constexpr size_t key_fence = 32 * 1024;
alignas(64) static uint8_t key_room[key_fence];

// As in the tests of ES256: static storage, because a failing assert skips destructors.
namespace {
struct RsaDesk {
  RsaDesk() : heap(key_room, "key") {}
  void forget() {
    key.~Rs256Key();
    new (&key) Rs256Key();
  }
  Heap heap;
  SeededRandom random{7};
  Rs256Key key;
};
}  // namespace
alignas(RsaDesk) static uint8_t stage[sizeof(RsaDesk)];
static RsaDesk& desk_of(void** state) { return *static_cast<RsaDesk*>(*state); }

static int setup(void** state) {
  *state = new (stage) RsaDesk();
  return 0;
}
static int teardown(void** state) {
  RsaDesk& desk = desk_of(state);
  desk.forget();
  const bool clean = desk.heap.live() == 0;
  desk.~RsaDesk();
  if (!clean) print_error("the key's heap is not empty without the key\n");
  return clean ? 0 : -1;
}

// Made by: printf sample | openssl dgst -sha256 -sign KEY
static const char* const signature_2048 =
    "3E56DB01A270E572C738C8017340C1F65327F34A9D95C65B76B6493CBA4D84896A49AFC041C8F4C3762C9628D7378B82"
    "B4E2538C45AE2818272F5BE0D3385BF0535E92A1DF2388C0EFA99BDDA441E47B9EF52F91ADC4EED39A227F5B8CB377D9"
    "A735D28217DFBFF6A1FB754E357FBA5066AAC1F3F168943D4B97D289E9EDBFD38F6BD820292C2035B3161F8F0BE1791B"
    "E659C6B114EB07BBCD7EEEEF9BAA7BD4FD0D326EA49E7AC6B6EED000AAEBB4B8CD4E97DF19871D4693557B4C9D8E3450"
    "23A3B29A94E4BA928EEA801AA702E4641EAE33A18DAC4443A867DD70927E079ED48850B06B159678E4561CA3336F83BA"
    "F5228F2B3F5F2A24522F6B2EDCEF0264";
static const char* const signature_4096 =
    "50DA84631A97DEF550BDAF6CBCCDA4E3E75CF57E5CC137886856EA9F7AFA9DC9659DFA80BFB58467BF4000244B9F6059"
    "7B4846B8D1FCDF8321608CA3F187EB38084EE84D0D156CB7310CDC73A12B74331B500CAF669382E6A179358616258A3F"
    "6B2A04FC50292E85B94AC4CE069A2FFAA5A5E3DCFC907C74E1B398D3B60C61D7355F2BC11CA6F66812AA5F8DE91CDB60"
    "0B89A2351948F7E1F305B308A45E09F7C28903BE9D0DD2DEDD85A6BDE2CD4E3EB9BC170EAABF497DC7779F312B6C3373"
    "29E99845FB00F310F4ADBD11EBF1C3E9BEB7B04965CE745FCD05AA2CFE64FD8F3E6B69978B1F88D2F82F59432CD758F1"
    "D96D9FDE0ABFBCC1D27EFBDA842ED18885B4E40C643EBFF1A2EC88ADBA8A7C3FAEE621752419981116CA4C1B36C6B0B0"
    "B62A08EC201ECB8CDB7A1CBA55FFC41E90BCE584C8BE0BFF3FBD3A0CD0520B46CD2D757BE6FF3A7740158E6F26EA7DDC"
    "EE850D08B4FF8A023A9518837B4CAFEA6FFD6219DFB5181B8BA7BAE9EB4213F177607D56BACD23E020E8C087C53560AD"
    "1433C0EFCCB5809736AD1A6BFFC5C0FBDD70E558FF558A500E41651C276983E0316815A888D4FDF1280A345685ECE1FF"
    "B2B3DF0412C9C4C32993C4793E53B83A0C284D0C25BD5A7FF9AA9691B0698A3C6442AD1CBA72E7B8F5CF3086DEA9DC37"
    "E4E97AB201C7D6854423628600BEB4954A471CA02C451AAF3C86652A5018EB34";

static void expect_signature(RsaDesk& desk, const char* pem, const char* hex) {
  uint8_t wanted[Rs256Key::signature_bytes_max];
  uint8_t signature[Rs256Key::signature_bytes_max];
  const Result<size_t> size = decode_hex(hex, wanted);
  assert_true(size.ok());
  assert_true(desk.key.load(bytes_of(pem), desk.heap, desk.random).ok());
  for (int i = 0; i < 3; ++i) {  // the blinding differs, the signature does not
    const Result<size_t> got = desk.key.sign(bytes_of("sample"), signature, desk.random);
    assert_true(got.ok());
    assert_int_equal(got.value(), size.value());
    assert_memory_equal(signature, wanted, size.value());
  }
  if (Heap::enforced()) {
    print_message("           key: live %zu, peak %zu\n", desk.heap.live(), desk.heap.peak());
    assert_true(desk.heap.peak() <= key_fence * 3 / 4);
  }
}

static void signatures_agree_with_openssl(void** state) { expect_signature(desk_of(state), rsa_key, signature_2048); }

static void the_longest_keys_fit_the_fence(void** state) {
  expect_signature(desk_of(state), key_big_leaf, signature_4096);
}

static void signing_for_years_takes_no_more_memory(void** state) {
  RsaDesk& desk = desk_of(state);
  assert_true(desk.key.load(bytes_of(rsa_key), desk.heap, desk.random).ok());
  uint8_t signature[Rs256Key::signature_bytes_max];
  const size_t before = desk.heap.live();
  for (int i = 0; i < 50; ++i) assert_true(desk.key.sign(bytes_of("again"), signature, desk.random).ok());
  assert_int_equal(desk.heap.live(), before);
}

static void expect_refused(RsaDesk& desk, string_view pem, Error error, const char* problem) {
  const Status status = desk.key.load(bytes_of(pem), desk.heap, desk.random);
  assert_string_equal(desk.key.problem(), problem);
  assert_int_equal(status.error(), error);
  assert_false(desk.key.loaded());
  assert_int_equal(desk.heap.live(), 0);
}

static void keys_of_another_kind_are_named(void** state) {
  RsaDesk& desk = desk_of(state);
  expect_refused(desk, "", Error::malformed, "it is empty");
  expect_refused(desk, push_key_1, Error::unsupported, "it holds a key of another kind, but RS256 needs RSA");
  expect_refused(desk, p384_key, Error::unsupported, "it holds a key of another kind, but RS256 needs RSA");
  expect_refused(desk, ed25519_key, Error::malformed, "it holds a key of another kind, but RS256 needs RSA");
  expect_refused(desk, key_weakkey, Error::unsupported, "its RSA key has fewer than 2,048 bits");
  expect_refused(desk, public_key, Error::malformed, "it holds a public key, but signing needs the private one");
}

static void damaged_keys_are_refused_wherever_they_are_cut(void** state) {
  RsaDesk& desk = desk_of(state);
  const string_view whole = rsa_key;
  const size_t end = whole.find("-----END") + string_view("-----END PRIVATE KEY-----").size();
  for (size_t size = 0; size < end; size += 7) {
    assert_false(desk.key.load(bytes_of({rsa_key, size}), desk.heap, desk.random).ok());
    assert_true(desk.key.problem()[0] != '\0');
    assert_int_equal(desk.heap.live(), 0);
  }
}

static void too_little_memory_is_the_problem_that_is_reported(void** state) {
  RsaDesk& desk = desk_of(state);
  if (!Heap::enforced()) return;
  bool loaded = false;
  for (uint32_t n = 1; !loaded; n += n > 60 ? n / 4 : 1) {
    assert_true(n < 100'000);
    desk.heap.fail_at(n);
    const Status status = desk.key.load(bytes_of(rsa_key), desk.heap, desk.random);
    desk.heap.fail_at(0);
    loaded = status.ok();
    if (!loaded) {
      assert_int_equal(status.error(), Error::exhausted);
      assert_string_equal(desk.key.problem(), "there is no counted memory left to read it");
      assert_int_equal(desk.heap.live(), 0);
    }
  }
  uint8_t signature[Rs256Key::signature_bytes_max];
  for (uint32_t i = 1; i < 20; ++i) {
    desk.heap.fail_at(i);
    assert_int_equal(desk.key.sign(bytes_of("x"), signature, desk.random).error(), Error::exhausted);
    desk.heap.fail_at(0);
    assert_true(desk.key.sign(bytes_of("x"), signature, desk.random).ok());  // and it recovers
  }
}

#define DESK_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
TESTS(rs256, DESK_TEST(signatures_agree_with_openssl), DESK_TEST(the_longest_keys_fit_the_fence),
      DESK_TEST(signing_for_years_takes_no_more_memory), DESK_TEST(keys_of_another_kind_are_named),
      DESK_TEST(damaged_keys_are_refused_wherever_they_are_cut),
      DESK_TEST(too_little_memory_is_the_problem_that_is_reported));

}  // namespace tocsin::test
