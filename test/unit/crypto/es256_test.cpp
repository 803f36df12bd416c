#include <new>

#include "base/encode.h"
#include "crypto/crypto.h"
#include "test/support/certs.h"
#include "test/support/tests.h"
#include "test/unit/crypto/duet.h"

namespace tocsin::test {

static constexpr size_t key_fence = 16 * 1024;
alignas(64) static uint8_t key_room[key_fence];

// A key with its heap, in static storage because a failing assert skips destructors.
struct Desk {
  Desk() : heap(key_room, "key") {}
  void forget() {
    key.~Es256Key();
    new (&key) Es256Key();
  }
  Heap heap;
  SeededRandom random{7};
  Es256Key key;
};
alignas(Desk) static uint8_t stage[sizeof(Desk)];
static Desk& desk_of(void** state) { return *static_cast<Desk*>(*state); }

static int setup(void** state) {
  *state = new (stage) Desk();
  return 0;
}
static int teardown(void** state) {
  Desk& desk = desk_of(state);
  desk.forget();
  const bool clean = desk.heap.live() == 0;
  desk.~Desk();
  if (!clean) print_error("the key's heap is not empty without the key\n");
  return clean ? 0 : -1;
}

static void expect_signature(Desk& desk, const char* message, const char* hex) {
  uint8_t wanted[64];
  uint8_t signature[64];
  assert_true(decode_hex(hex, wanted).ok());
  assert_true(desk.key.sign(bytes_of(message), signature, desk.random).ok());
  assert_memory_equal(signature, wanted, sizeof wanted);
}

static void signatures_agree_with_rfc_6979(void** state) {
  Desk& desk = desk_of(state);
  assert_true(desk.key.load(bytes_of(rfc6979_key), desk.heap, desk.random).ok());
  expect_signature(desk, "sample",
                   "EFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716"
                   "F7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8");
  expect_signature(desk, "test",
                   "F1ABB023518351CD71D881567B1EA663ED3EFCF6C5132B354F28D3B0B7D38367"
                   "019F4113742A2B14BD25926B49C649155F267E60D3814B4C0CC84250E46F0083");
  uint8_t point[65];
  uint8_t wanted[65];
  desk.key.public_point(point);
  assert_true(decode_hex("0460FED4BA255A9D31C961EB74C6356D68C049B8923B61FA6CE669622E60F29FB6"
                         "7903FE1008B8BC99A41AE9E95628BC64F2F1B20C2D7E9F5177A3C294D4462299",
                         wanted)
                  .ok());
  assert_memory_equal(point, wanted, sizeof wanted);
}

static void pkcs8_and_sec1_hold_the_same_key(void** state) {
  Desk& desk = desk_of(state);
  uint8_t a[64];
  uint8_t b[64];
  assert_true(desk.key.load(bytes_of(push_key_1), desk.heap, desk.random).ok());
  assert_string_equal(desk.key.problem(), "");
  assert_true(desk.key.sign(bytes_of("x"), a, desk.random).ok());
  desk.forget();
  assert_true(desk.key.load(bytes_of(sec1_key), desk.heap, desk.random).ok());
  assert_true(desk.key.sign(bytes_of("x"), b, desk.random).ok());
  assert_memory_equal(a, b, sizeof a);
  desk.forget();
  assert_true(desk.key.load(bytes_of(push_key_2), desk.heap, desk.random).ok());
  assert_true(desk.key.sign(bytes_of("x"), b, desk.random).ok());
  assert_memory_not_equal(a, b, sizeof a);
}

static void text_around_a_key_and_dos_line_ends_are_allowed(void** state) {
  Desk& desk = desk_of(state);
  static char text[2048];
  size_t size = 0;
  for (const char* c = "Bag Attributes\n"; *c != 0; ++c) text[size++] = *c;
  for (const char* c = push_key_1; *c != 0; ++c) {
    if (*c == '\n') text[size++] = '\r';
    text[size++] = *c;
  }
  assert_true(desk.key.load(bytes_of({text, size}), desk.heap, desk.random).ok());
}

static void signing_leaves_nothing_behind(void** state) {
  Desk& desk = desk_of(state);
  assert_true(desk.key.load(bytes_of(push_key_1), desk.heap, desk.random).ok());
  const size_t before = desk.heap.live();
  uint8_t signature[64];
  for (int i = 0; i < 10; ++i) assert_true(desk.key.sign(bytes_of("again"), signature, desk.random).ok());
  assert_int_equal(desk.heap.live(), before);
  if (Heap::enforced()) {
    print_message("           key: live %zu, peak %zu\n", desk.heap.live(), desk.heap.peak());
  }
}

static void expect_refused(Desk& desk, string_view pem, Error error, const char* problem) {
  const Status status = desk.key.load(bytes_of(pem), desk.heap, desk.random);
  assert_string_equal(desk.key.problem(), problem);
  assert_int_equal(status.error(), error);
  assert_false(desk.key.loaded());
  assert_int_equal(desk.heap.live(), 0);
}

static void files_that_hold_something_else_are_named(void** state) {
  Desk& desk = desk_of(state);
  expect_refused(desk, "", Error::malformed, "it is empty");
  expect_refused(desk, rsa_key, Error::unsupported, "it holds an RSA key, but ES256 needs EC P-256");
  expect_refused(desk, p384_key, Error::unsupported, "it holds an EC key on another curve, but ES256 needs EC P-256");
  expect_refused(desk, ed25519_key, Error::malformed, "it holds a key of another kind, but ES256 needs EC P-256");
  const char* passphrase = "it holds a key behind a passphrase: write it without one (openssl pkey -in OLD -out NEW)";
  expect_refused(desk, encrypted_key, Error::malformed, passphrase);
  expect_refused(desk, encrypted_sec1_key, Error::malformed, passphrase);
  expect_refused(desk, public_key, Error::malformed, "it holds a public key, but signing needs the private one");
  expect_refused(desk, cert_ec_leaf, Error::malformed, "it holds a certificate, but signing needs a private key");
  expect_refused(desk, mixed_key, Error::malformed, "its private and public halves do not belong together");
  expect_refused(desk, "\x30\x81\x87\x02\x01", Error::malformed, "it holds binary (DER), but a PEM key is needed");
  expect_refused(desk, "key = value\n", Error::malformed,
                 "it holds no PEM key: the line -----BEGIN PRIVATE KEY----- is missing");
}

static void damaged_keys_are_refused_wherever_they_are_cut(void** state) {
  Desk& desk = desk_of(state);
  const string_view whole = push_key_1;
  const size_t end = whole.find("-----END") + string_view("-----END PRIVATE KEY-----").size();
  for (size_t size = 0; size < end; ++size) {
    assert_false(desk.key.load(bytes_of({push_key_1, size}), desk.heap, desk.random).ok());
    assert_true(desk.key.problem()[0] != '\0');
    assert_int_equal(desk.heap.live(), 0);
  }
  assert_true(desk.key.load(bytes_of({push_key_1, end}), desk.heap, desk.random).ok());
}

static void damaged_letters_never_crash(void** state) {
  Desk& desk = desk_of(state);
  static char text[1024];
  const size_t size = std::strlen(push_key_1);
  for (size_t i = 0; i < size; ++i) {
    std::memcpy(text, push_key_1, size);
    text[i] = text[i] == 'A' ? 'B' : 'A';
    const Status status = desk.key.load(bytes_of({text, size}), desk.heap, desk.random);
    assert_true(status.ok() == desk.key.loaded());
    desk.forget();
    assert_int_equal(desk.heap.live(), 0);
  }
}

static void too_little_memory_is_the_problem_that_is_reported(void** state) {
  Desk& desk = desk_of(state);
  if (!Heap::enforced()) return;
  bool loaded = false;
  uint32_t n = 1;
  for (; !loaded; ++n) {
    assert_true(n < 100'000);
    desk.heap.fail_at(n);
    const Status status = desk.key.load(bytes_of(push_key_1), desk.heap, desk.random);
    loaded = status.ok();
    if (!loaded) {
      assert_int_equal(status.error(), Error::exhausted);
      assert_string_equal(desk.key.problem(), "there is no counted memory left to read it");
      assert_int_equal(desk.heap.live(), 0);
    }
    if (n > 200) n += 12;  // every single one would take a minute
  }
  uint8_t signature[64];
  const size_t before = desk.heap.live();
  for (uint32_t i = 1; i < 50; ++i) {
    desk.heap.fail_at(i);
    assert_int_equal(desk.key.sign(bytes_of("x"), signature, desk.random).error(), Error::exhausted);
    desk.heap.fail_at(0);
    assert_int_equal(desk.heap.live(), before);
  }
}

#define DESK_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
TESTS(es256, DESK_TEST(signatures_agree_with_rfc_6979), DESK_TEST(pkcs8_and_sec1_hold_the_same_key),
      DESK_TEST(text_around_a_key_and_dos_line_ends_are_allowed), DESK_TEST(signing_leaves_nothing_behind),
      DESK_TEST(files_that_hold_something_else_are_named), DESK_TEST(damaged_keys_are_refused_wherever_they_are_cut),
      DESK_TEST(damaged_letters_never_crash), DESK_TEST(too_little_memory_is_the_problem_that_is_reported));

}  // namespace tocsin::test
