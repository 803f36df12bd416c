#include <new>

#include "base/encode.h"
#include "base/writer.h"
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

// RFC 7515 A.2: its key as PKCS#8, its signing input and its signature.
static const char* const rfc7515_key =
    "-----BEGIN PRIVATE KEY-----\n"
    "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQCh+BYK4uPJtGXO\n"
    "jS1lYmM2K5J9vinh8CR3/BYlzJChNuOL2TSXxbbqY913EeZ8dCn5VrD7io8ImtxL\n"
    "aYk8wTM/U+3QGbh3hCUv7JFP5IV3aVlL6kKA0ywPVb9ilE8TA5a8bpvfbr3SvaNn\n"
    "juygxmj3AbONv/s4yDQs4v5tJ/reSlpIdJed1LnPmt7Ex1sFhSwsD174pcF1A5L5\n"
    "ROjtZMEQxrZHYJqkeDrrnGya11UxMFBji4NmXG9veoKjlnAqH2QbgtPr8jkiGUkf\n"
    "toaHLFcW9Qr4NY2ai50Xw0Byj3+H2JoY2PyrZ62EWQwuz3WTOTY8BwNNb2BvniHg\n"
    "VFbK5emhAgMBAAECggEAEq5xpGnNCivDflJsRQBXHx1hdR1k6Ulwe2JZD50LpXyW\n"
    "PEAeP88vLNO97IjlA7/GQ5sLKMgvfTeXZx9SE+7YwVol2NXOoAJe46sui395IW/G\n"
    "O+pWJ1O0BkTGoVEn2bKVRUCgu+GjBVaYLU6f3l9kJfFNS3E0QbVdxzubSu3Mkqzj\n"
    "kn439X0M/V51gfpRLI9JYanrC4D4qAdGcopV/0ZHHzQlBjudU2QvXt4ehNYTCBr6\n"
    "XCLQUShb1juUO1ZdiYoFaFQT5Tw8bGUl/x/jTj3ccPDVZFD9pIuhLhBOneufuBiB\n"
    "4cS98l2SR/RQyGWSeWjnczT0QU91p1DhOVRuOopznQKBgQDgHMQQ60imZV1URk0K\n"
    "pLttoLhyt3SmqdEf/kgHePDdtzEafpAu+cS191R2JiuoF2yzWXnwFDcqGigp5BNr\n"
    "0AHQfD8/Lk8l1Mk09jxxCfui5nYooNyac8YFjm3vItzVCVDnEd3BbVWG8qf6deqE\n"
    "lMGAg+C2V0L4oNXnP7LZcPAZRwKBgQC5A8R+CZW2MvRTLLHzwZkUXV866cff7tx6\n"
    "kqa0finGG0KgeqlaZPxgCZnFp7AeAcCMtiynVlJ7vMVgePsLq6XtON4tB5kP9jAP\n"
    "rq3rbAOal78eUH5OcED6eNuCV8ixEu1eWcPNCS/l1OW1EnXUEoEHKl54Xrrz2uNw\n"
    "kgMTP1FZ1wKBgAcCn1dwJKufzBWQxWQp1vsM5fggqPN1qGb5y0MAk3g7/Ls5bkUp\n"
    "5u9SN0Ai3Ya6hNnvWJMb7sXQX6U/zyO2M/hTip7tUeh7CXgwo59dkpN75gJLVds2\n"
    "9+DAncu3KXU4f2Fa+7bLNrur53k8KwPOq2bbuTG69QtV7Jr5MR0AHWKNAoGBAIf/\n"
    "evpitUf+4JYbLpvNXWcY052Mpz22aR84mY3nh3F2LF2mjMJDpTg7FmuyPcVw6EcG\n"
    "yoAe9fa65iNqCq+jdw6PVNGo2hxfjSiZ8IIzHdsPXI89//pMjZcQK9r+CCoRjaZj\n"
    "OYiIDktVWZzmevJuv6WywUqd57LE3Zar3dLSIkx1AoGAIYd7DHOhrWvxkwPQsRM2\n"
    "tOgrjbcrfvtQJipd+DlcxyVuuM9sQLdgjVk2oy26F0EmpScGLq2MowX7fhd/QJQ3\n"
    "ydy5cY7YIBi87w93IKLEdfnbJtoOPLUW0ITrJReOgo1cq9SbsxYawBgfp/gh6A56\n"
    "03k2+ZQwVK0JKSHuLFkuQ3U=\n"
    "-----END PRIVATE KEY-----\n";
static constexpr string_view rfc7515_input =
    "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVl"
    "fQ";
static constexpr string_view rfc7515_signature =
    "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t"
    "1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12j"
    "zDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQ"
    "Ge77Rw";

static void signatures_agree_with_rfc_7515(void** state) {
  RsaDesk& desk = desk_of(state);
  assert_true(desk.key.load(bytes_of(rfc7515_key), desk.heap, desk.random).ok());
  uint8_t signature[Rs256Key::signature_bytes_max];
  const Result<size_t> size = desk.key.sign(bytes_of(rfc7515_input), signature, desk.random);
  assert_true(size.ok());
  uint8_t room[400];
  Writer text(room);
  assert_true(text.base64url(ByteView(signature).first(size.value())).view() == rfc7515_signature);
}

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
TESTS(rs256, DESK_TEST(signatures_agree_with_openssl), DESK_TEST(signatures_agree_with_rfc_7515),
      DESK_TEST(the_longest_keys_fit_the_fence), DESK_TEST(signing_for_years_takes_no_more_memory),
      DESK_TEST(keys_of_another_kind_are_named), DESK_TEST(damaged_keys_are_refused_wherever_they_are_cut),
      DESK_TEST(too_little_memory_is_the_problem_that_is_reported));

}  // namespace tocsin::test
