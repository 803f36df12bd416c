#include <new>

#include "crypto/tls_server.h"
#include "test/unit/crypto/duet.h"

namespace tocsin::test {

namespace {

Heap& heap() {
  alignas(64) static uint8_t room[TlsServerCertificate::heap_bytes];
  alignas(Heap) static uint8_t place[sizeof(Heap)];
  static Heap* made = nullptr;
  if (made == nullptr) made = new (place) Heap(room, "certificate");
  return *made;
}

Status load(TlsServerCertificate& certificate, const char* chain, const char* key) {
  long_lived_heap();
  static SeededRandom random{3};
  return certificate.load(bytes_of(chain), bytes_of(key), heap(), random);
}

}  // namespace

static void bad_pairs_are_told_in_a_sentence(void**) {
  static const struct {
    const char *chain, *key;
    bool of_key;
    const char* part;
  } cases[] = {
      {"", key_ec_leaf, false, "no PEM certificate"},
      {key_ec_leaf, key_ec_leaf, false, "no PEM certificate"},
      {"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", key_ec_leaf, false, "can not be read"},
      {cert_ec_leaf, "", true, "empty"},
      {cert_ec_leaf, cert_ec_leaf, true, "private key"},
      {cert_ec_leaf, encrypted_key, true, "passphrase"},
      {cert_ec_leaf, key_expired, true, "another key"},
      {cert_ec_leaf, key_rsa_leaf, true, "another key"},
      {cert_weakkey, key_weakkey, true, "under 2048"},
  };
  for (const auto& c : cases) {
    TlsServerCertificate certificate;
    assert_false(load(certificate, c.chain, c.key).ok());
    assert_false(certificate.loaded());
    assert_int_equal(certificate.key_is_wrong(), c.of_key);
    if (string_view(certificate.problem()).find(c.part) == string_view::npos) fail_msg("%s", certificate.problem());
    assert_int_equal(heap().live(), 0);
  }
}

static void a_certificate_says_what_it_covers(void**) {
  TlsServerCertificate certificate;
  assert_true(load(certificate, cert_ec_leaf, key_ec_leaf).ok());
  assert_true(certificate.covers("api.push.example.org"));
  assert_true(certificate.covers("API.push.example.ORG."));
  assert_true(certificate.covers("a.wild.example.org"));
  assert_true(certificate.covers("127.0.0.1"));
  assert_true(certificate.covers("[::1]"));
  assert_false(certificate.covers("push.example.org"));
  assert_false(certificate.covers("a.b.wild.example.org"));
  assert_false(certificate.covers("127.0.0.2"));
  assert_int_equal(certificate.starts(), 1577836800);  // 2020
  assert_int_equal(certificate.ends(), 4733510400);    // 2120
  certificate.unload();
  assert_true(load(certificate, cert_nosan, key_nosan).ok());
  assert_false(certificate.covers("api.push.example.org"));
  certificate.unload();
}

TESTS(tls_server_certificate, cmocka_unit_test(bad_pairs_are_told_in_a_sentence),
      cmocka_unit_test(a_certificate_says_what_it_covers));

}  // namespace tocsin::test
