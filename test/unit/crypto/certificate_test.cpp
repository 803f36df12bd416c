// Our own certificate: what is good, what is refused and in which words, and how it is shown.
#include "crypto/certificate.h"

#include <cstdio>
#include <new>

#include "test/unit/crypto/duet.h"

namespace tocsin::test {
namespace {

alignas(64) uint8_t own_room[96 * 1024];
constexpr UnixTime year_2020{1'577'836'800};
constexpr UnixTime year_2021{1'609'459'200};

// Holds one certificate; its heap must be empty when it ends.
struct Own {
  Own() : heap(own_room, "certificate") {}
  Status load(const char* chain, const char* key) {
    return certificate.load(bytes_of(string_view(chain)), bytes_of(string_view(key)), heap, random);
  }
  Heap heap;
  SeededRandom random{3};
  ClientCertificate certificate;
};

alignas(Own) uint8_t own_place[sizeof(Own)];
Own& fresh() { return *new (own_place) Own; }
void end(Own& own) {
  own.certificate.~ClientCertificate();
  assert_int_equal(own.heap.live(), 0);
  own.heap.~Heap();
}

const char* text_of_both(const char* a, const char* b) {
  static char room[16 * 1024];
  snprintf(room, sizeof room, "Bag Attributes\n    friendlyName: Push\n%s\nKey Attributes: <No Attributes>\n%s", a, b);
  return room;
}

void what_apple_says_in_a_certificate_is_read(void**) {
  Own& own = fresh();
  assert_true(own.load(cert_push_rsa, key_push_rsa).ok());
  assert_true(own.certificate.loaded());
  assert_true(own.certificate.topics() == "org.example.siskin, org.example.siskin.voip");
  assert_true(own.certificate.names_topic("org.example.siskin"));
  assert_true(own.certificate.names_topic("org.example.siskin.voip"));
  for (const char* other : {"", "org", "org.example.sisk", "org.example.siskin.voi", "org.example.other"})
    assert_false(own.certificate.names_topic(other));
  assert_true(own.certificate.begins() == year_2020);
  if (Heap::enforced()) {
    print_message("           RSA-2048: live %zu, peak %zu\n", own.heap.live(), own.heap.peak());
    assert_true(own.heap.peak() < 40 * 1024);
  }
  end(own);
}

void a_certificate_without_topics_says_nothing(void**) {
  Own& own = fresh();
  assert_true(own.load(cert_push_expired, key_push_expired).ok());  // the dates are for others to judge
  assert_true(own.certificate.topics().empty());
  assert_false(own.certificate.names_topic("org.example.siskin"));
  assert_true(own.certificate.ends() == year_2021);
  end(own);
}

void one_file_may_hold_both_between_words(void**) {
  const char* both = text_of_both(cert_push_rsa, key_push_rsa);
  Own& own = fresh();
  assert_true(own.load(both, both).ok());
  uint8_t mark[32];
  std::memcpy(mark, own.certificate.mark(), sizeof mark);
  end(own);
  Own& other = fresh();
  assert_true(other.load(cert_push_ec, key_push_ec).ok());
  assert_memory_not_equal(mark, other.certificate.mark(), sizeof mark);
  end(other);
}

void what_can_not_be_shown_is_refused_in_words(void**) {
  const struct {
    const char* chain;
    const char* key;
    bool about_key;
    const char* problem;
  } rows[] = {
      {"", key_push_ec, false, "it holds no certificate in PEM (-----BEGIN CERTIFICATE-----)"},
      {key_push_ec, key_push_ec, false, "it holds no certificate in PEM (-----BEGIN CERTIFICATE-----)"},
      {"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", key_push_ec, false,
       "a certificate in it can not be read"},
      {"-----BEGIN CERTIFICATE-----\nMIIB", key_push_ec, false, "a certificate in it can not be read"},
      {cert_push_ec, "", true, "it is empty"},
      {cert_push_ec, cert_push_ec, true, "it holds a certificate, but signing needs a private key"},
      {cert_push_ec, encrypted_key, true,
       "it holds a key behind a passphrase: write it without one (openssl pkey -in OLD -out NEW)"},
      {cert_push_ec, key_push_rsa, true, "it is not the key of the certificate: they must be made from one request"},
      {cert_push_ec, key_push_expired, true,
       "it is not the key of the certificate: they must be made from one request"},
      {cert_push_ec, ed25519_key, true, "its PEM text is damaged"},
  };
  for (const auto& row : rows) {
    Own& own = fresh();
    assert_false(own.load(row.chain, row.key).ok());
    if (string_view(own.certificate.problem()) != row.problem) print_error("%s\n", own.certificate.problem());
    assert_string_equal(own.certificate.problem(), row.problem);
    assert_int_equal(own.certificate.about_key(), row.about_key);
    assert_false(own.certificate.loaded());
    end(own);
  }
}

void no_refused_allocation_blames_the_file(void**) {
  if (!Heap::enforced()) return;
  for (uint32_t n = 1;; ++n) {
    Own& own = fresh();
    own.heap.fail_at(n);
    const Status loaded = own.load(cert_push_ec, key_push_ec);
    own.heap.fail_at(0);
    if (!loaded.ok()) assert_string_equal(own.certificate.problem(), "there is no counted memory left to read it");
    end(own);
    if (loaded.ok()) break;
    n += n < 100 ? 0 : n / 20;
    assert_true(n < 1'000'000);
  }
}

// ---- shown ------------------------------------------------------------------

void shake_hands(Duet& duet, Own& own, const char* chain, const char* key, size_t chunk) {
  assert_true(own.load(chain, key).ok());
  const size_t live = own.heap.live();
  duet.chunk = chunk;
  assert_true(duet.connect("api.push.example.org", "h2", true, &own.certificate).ok());
  duet.pump();
  if (duet.client.state() != TlsClient::State::open) print_error("%s\n", duet.client.problem());
  assert_int_equal(duet.client.state(), TlsClient::State::open);
  assert_int_equal(duet.server.state(), TlsServer::State::open);
  assert_true(duet.server.was_shown_certificate());
  duet.client_says(5000);
  duet.server_says(5000);
  if (Heap::enforced()) print_message("           session's peak %zu\n", duet.session_heap.peak());
  duet.client.shut();
  // Nothing of the session stays in the key, and nothing of the key in the session.
  assert_int_equal(own.heap.live(), live);
  assert_int_equal(duet.session_heap.live(), 0);
}

void a_peer_that_asks_is_shown_an_rsa_certificate(void** state) {
  Duet& duet = duet_of(state);
  duet.serve(cert_ec_root, cert_ec_leaf, key_ec_leaf, "h2", TlsServer::Kind::modern, cert_push_root);
  shake_hands(duet, fresh(), cert_push_rsa, key_push_rsa, 1 << 20);
  end(*reinterpret_cast<Own*>(own_place));
}

void a_peer_with_tls_1_2_is_shown_an_rsa_certificate_byte_by_byte(void** state) {
  Duet& duet = duet_of(state);
  duet.serve(cert_rsa_root, chain_rsa, key_rsa_leaf, "h2", TlsServer::Kind::only_1_2, cert_push_root);
  shake_hands(duet, fresh(), cert_push_rsa, key_push_rsa, 1);
  end(*reinterpret_cast<Own*>(own_place));
}

void a_peer_that_asks_is_shown_an_ec_certificate(void** state) {
  Duet& duet = duet_of(state);
  duet.serve(cert_ec_root, cert_ec_leaf, key_ec_leaf, "h2", TlsServer::Kind::modern, cert_push_root);
  shake_hands(duet, fresh(), cert_push_ec, key_push_ec, 7);
  end(*reinterpret_cast<Own*>(own_place));
}

void a_peer_that_does_not_ask_is_shown_nothing(void** state) {
  Duet& duet = duet_of(state);
  duet.serve(cert_ec_root, cert_ec_leaf, key_ec_leaf);
  Own& own = fresh();
  assert_true(own.load(cert_push_rsa, key_push_rsa).ok());
  assert_true(duet.connect("api.push.example.org", "h2", true, &own.certificate).ok());
  duet.pump();
  assert_int_equal(duet.client.state(), TlsClient::State::open);
  assert_false(duet.server.was_shown_certificate());
  duet.client.shut();
  end(own);
}

void who_has_none_shows_none(void** state) {
  Duet& duet = duet_of(state);
  duet.serve(cert_ec_root, cert_ec_leaf, key_ec_leaf, "h2", TlsServer::Kind::modern, cert_push_root);
  assert_true(duet.connect().ok());
  duet.pump();
  assert_int_equal(duet.client.state(), TlsClient::State::open);
  assert_false(duet.server.was_shown_certificate());
}

void no_refused_allocation_crashes_a_handshake_with_our_certificate(void** state) {
  if (!Heap::enforced()) return;
  Duet& duet = duet_of(state);
  duet.serve(cert_ec_root, cert_ec_leaf, key_ec_leaf, "h2", TlsServer::Kind::modern, cert_push_root);
  Own& own = fresh();
  assert_true(own.load(cert_push_rsa, key_push_rsa).ok());
  const size_t live = own.heap.live();
  bool open = false;
  for (uint32_t n = 1; !open; n += n < 100 ? 1 : 1 + n / 10) {
    duet.session_heap.fail_at(n);
    if (duet.connect("api.push.example.org", "h2", true, &own.certificate).ok()) duet.pump();
    duet.session_heap.fail_at(0);
    open = duet.client.state() == TlsClient::State::open;
    if (!open) assert_true(starts_with(duet.client.problem(), "out of counted memory"));
    duet.client.shut();
    assert_int_equal(duet.session_heap.live(), 0);
    assert_int_equal(own.heap.live(), live);
    duet.server.shut();
    assert_true(duet.server.open(duet.identity, "h2", TlsServer::Kind::modern, cert_push_root));
    duet.to_client.clear();
    duet.to_server.clear();
    assert_true(n < 1'000'000);
  }
  end(own);
}

}  // namespace

TESTS(certificate, DUET_TEST(what_apple_says_in_a_certificate_is_read),
      DUET_TEST(a_certificate_without_topics_says_nothing), DUET_TEST(one_file_may_hold_both_between_words),
      DUET_TEST(what_can_not_be_shown_is_refused_in_words), DUET_TEST(no_refused_allocation_blames_the_file),
      DUET_TEST(a_peer_that_asks_is_shown_an_rsa_certificate),
      DUET_TEST(a_peer_with_tls_1_2_is_shown_an_rsa_certificate_byte_by_byte),
      DUET_TEST(a_peer_that_asks_is_shown_an_ec_certificate), DUET_TEST(a_peer_that_does_not_ask_is_shown_nothing),
      DUET_TEST(who_has_none_shows_none), DUET_TEST(no_refused_allocation_crashes_a_handshake_with_our_certificate));

}  // namespace tocsin::test
