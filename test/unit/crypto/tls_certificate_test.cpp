#include "base/text.h"
#include "test/unit/crypto/duet.h"

namespace tocsin::test {

// The sentence that the client has at the end; "" when the connection is open.
static const char* verdict(Duet& duet, string_view host) {
  if (duet.server.state() != TlsServer::State::handshaking || !duet.to_client.empty()) {
    duet.client.shut();
    duet.server.shut();
    duet.to_client.clear();
    duet.to_server.clear();
    assert_true(duet.server.open(duet.identity, "h2"));
  }
  assert_true(duet.connect(host).ok());
  duet.pump();
  const bool open = duet.client.state() == TlsClient::State::open;
  assert_true(open || duet.client.state() == TlsClient::State::failed);
  if (!open) {
    ByteView in;
    uint8_t room[1];
    assert_int_equal(duet.client.read(in, room).error(), Error::untrusted);
    assert_int_not_equal(duet.server.state(), TlsServer::State::open);
  }
  return duet.client.problem();
}

static void expect_fault(void** state, const char* root, const char* chain, const char* key, const char* problem) {
  Duet& duet = duet_of(state);
  duet.serve(root, chain, key);
  assert_string_equal(verdict(duet, "api.push.example.org"), problem);
  assert_int_equal(duet.client.certificate_ends(), 0);
}

static void an_expired_certificate_is_refused(void** state) {
  expect_fault(state, cert_ec_root, cert_expired, key_expired, "the certificate has expired");
}
static void a_certificate_of_the_future_points_at_the_clock(void** state) {
  expect_fault(state, cert_ec_root, cert_future, key_future, "the certificate is not valid yet: check the clock");
}
static void a_certificate_by_an_unknown_root_is_refused(void** state) {
  expect_fault(state, cert_ec_root, cert_unknown, key_unknown, "the certificate is signed by no root of ca_file");
}
static void a_self_signed_certificate_is_refused(void** state) {
  expect_fault(state, cert_ec_root, cert_selfsigned, key_selfsigned,
               "the certificate is self-signed and not in ca_file");
}
static void a_self_signed_certificate_in_ca_file_is_trusted(void** state) {
  Duet& duet = duet_of(state);
  duet.serve(cert_selfsigned, cert_selfsigned, key_selfsigned);
  assert_string_equal(verdict(duet, "localhost"), "");
}
static void a_common_name_counts_for_nothing(void** state) {
  expect_fault(state, cert_ec_root, cert_nosan, key_nosan, "the certificate is not for api.push.example.org");
}
static void a_certificate_for_clients_is_refused(void** state) {
  expect_fault(state, cert_ec_root, cert_clientonly, key_clientonly, "the certificate is not meant for a server");
}
static void a_sha_1_signature_is_refused(void** state) {
  expect_fault(state, cert_ec_root, cert_weakhash, key_weakhash,
               "the certificate is signed with a hash that is too weak (not SHA-256, SHA-384, SHA-512)");
}
static void a_short_rsa_key_is_refused(void** state) {
  expect_fault(state, cert_ec_root, cert_weakkey, key_weakkey,
               "the certificate's key is too weak (RSA under 2048 bits, or another curve than P-256, P-384, P-521)");
}
static void an_expired_root_is_told_apart_from_an_expired_certificate(void** state) {
  expect_fault(state, cert_old_root, cert_old_rooted, key_old_rooted,
               "a certificate above the peer's has expired (its root in ca_file, or an intermediate)");
}

static void a_chain_without_its_intermediate_is_refused(void** state) {
  static char leaf_only[4096];
  const string_view whole = chain_rsa;
  const size_t size = whole.find("-----BEGIN", 10);
  std::memcpy(leaf_only, chain_rsa, size);
  leaf_only[size] = '\0';
  expect_fault(state, cert_rsa_root, leaf_only, key_rsa_leaf, "the certificate is signed by no root of ca_file");
}

static void names_match_exactly_or_by_one_whole_label(void** state) {
  Duet& duet = duet_of(state);
  duet.serve(cert_ec_root, cert_ec_leaf, key_ec_leaf);
  static const char* const good[] = {"api.push.example.org",  "API.Push.Example.ORG",
                                     "api.push.example.org.", "localhost",
                                     "a.wild.example.org",    "xn--bcher-kva.wild.example.org"};
  for (const char* host : good) assert_string_equal(verdict(duet, host), "");
  static const char* const bad[] = {"example.org",         "push.example.org",       "wild.example.org",
                                    ".wild.example.org",   "a.b.wild.example.org",   "evilwild.example.org",
                                    "api.push.example.or", "api.push.example.org.x", "xapi.push.example.org"};
  for (const char* host : bad) {
    const string_view problem = verdict(duet, host);
    assert_true(starts_with(problem, "the certificate is not for "));
    assert_true(ends_with(problem, host));
  }
}

static void a_wildcard_is_one_whole_label_below_a_domain(void** state) {
  Duet& duet = duet_of(state);
  duet.serve(cert_ec_root, cert_wide, key_wide);
  static const char* const bad[] = {"localhost", "example.org", "www.example.org", "a.b.example.org", "127.0.0.1"};
  for (const char* host : bad) {
    const string_view problem = verdict(duet, host);
    assert_true(starts_with(problem, "the certificate is not for "));
    assert_true(ends_with(problem, host));
  }
}

static void addresses_match_only_the_addresses_of_the_certificate(void** state) {
  Duet& duet = duet_of(state);
  duet.serve(cert_ec_root, cert_ec_leaf, key_ec_leaf);
  static const char* const good[] = {"127.0.0.1", "10.0.0.1", "::1", "0:0:0:0:0:0:0:1"};
  for (const char* host : good) {
    assert_string_equal(verdict(duet, host), "");
    assert_true(duet.server.asked_for().empty());  // an address is no server name
    duet.client_says(5);
  }
  static const char* const bad[] = {"127.0.0.2", "10.0.0.10", "::2", "::ffff:127.0.0.1", "7f00:1::"};
  for (const char* host : bad) {
    const string_view problem = verdict(duet, host);
    assert_true(starts_with(problem, "the certificate is not for "));
    assert_true(ends_with(problem, host));
  }
}

static void good_chains_of_every_kind_are_accepted(void** state) {
  static const struct {
    const char* name;
    const char* root;
    const char* chain;
    const char* key;
  } kinds[] = {{"EC P-256", cert_ec_root, cert_ec_leaf, key_ec_leaf},
               {"EC P-384", cert_ec_p384_root, cert_ec_p384_leaf, key_ec_p384_leaf},
               {"RSA-2048 and an intermediate", cert_rsa_root, chain_rsa, key_rsa_leaf},
               {"RSA-4096 and two intermediates", cert_big_root, chain_big, key_big_leaf}};
  static const TlsServer::Kind versions[] = {TlsServer::Kind::only_1_2, TlsServer::Kind::modern};
  for (const auto& kind : kinds) {
    for (const auto version : versions) {
      Duet& duet = duet_of(state);
      duet.serve(kind.root, kind.chain, kind.key, "h2", version);
      assert_true(duet.connect().ok());
      duet.pump();
      assert_string_equal(duet.client.problem(), "");
      assert_int_equal(duet.client.certificate_ends(), 4'733'510'400);  // 2120-01-01
      duet.client_says(20'000);
      duet.server_says(20'000);
      if (Heap::enforced()) {
        print_message("           %s%s: live %zu, peak %zu of %zu; root %zu, peak %zu\n", kind.name,
                      version == TlsServer::Kind::modern ? "" : " (TLS 1.2)", duet.session_heap.live(),
                      duet.session_heap.peak(), duet.session_heap.size(), duet.roots_heap.live(),
                      duet.roots_heap.peak());
      }
      assert_int_equal(duet_teardown(state), 0);
      duet_setup(state);
    }
  }
}

// A bundle with everything in it, in text that does not belong.
static string_view bundle(uint32_t copies_of_rsa) {
  static char text[64 * 1024];
  size_t size = 0;
  const auto add = [&size](const char* part) {
    for (; *part != '\0'; ++part) text[size++] = *part;
  };
  add("# some roots\n-----BEGIN CERTIFICATE-----\nthis is none\n-----END CERTIFICATE-----\n");
  add(cert_ec_root);
  add("-----BEGIN CERTIFICATE-----\nMIIB\n");  // no end
  add(cert_other_root);
  for (uint32_t i = 0; i < copies_of_rsa; ++i) add(cert_rsa_root);
  add("-----BEGIN CERTIFICATE-----\ncut off");
  return {text, size};
}

static void a_bundle_is_read_as_far_as_it_is_good(void** state) {
  Duet& duet = duet_of(state);
  assert_true(duet.roots.load(bytes_of(bundle(1)), duet.roots_heap).ok());
  assert_int_equal(duet.roots.count(), 3);
  assert_int_equal(duet.roots.skipped(), 3);
  assert_true(duet.roots.warm());
  assert_true(duet.identity.load(chain_rsa, key_rsa_leaf, duet.server_random));
  assert_true(duet.server.open(duet.identity, "h2"));
  assert_string_equal(verdict(duet, "localhost"), "");
}

static void many_roots_are_warmed_up_later_but_before_a_session(void** state) {
  Duet& duet = duet_of(state);
  assert_true(duet.roots.load(bytes_of(bundle(20)), duet.roots_heap).ok());
  assert_int_equal(duet.roots.count(), 22);
  assert_false(duet.roots.warm());
  assert_true(duet.roots.warm_up(5).ok());
  assert_false(duet.roots.warm());
  assert_true(duet.identity.load(chain_rsa, key_rsa_leaf, duet.server_random));
  assert_true(duet.server.open(duet.identity, "h2"));
  assert_string_equal(verdict(duet, "localhost"), "");
  assert_true(duet.roots.warm());
  duet.client.shut();
  assert_int_equal(duet.session_heap.live(), 0);  // nothing of the root was kept in the session
}

static void roots_that_hold_no_certificate_are_refused(void** state) {
  Duet& duet = duet_of(state);
  assert_int_equal(duet.connect().error(), Error::untrusted);
  assert_string_equal(duet.client.problem(), "there are no roots to verify a certificate with");
  assert_int_equal(duet.roots.load({}, duet.roots_heap).error(), Error::malformed);
  assert_string_equal(duet.roots.problem(), "it holds no PEM certificate (-----BEGIN CERTIFICATE-----)");
  assert_int_equal(duet.roots.load(bytes_of(push_key_1), duet.roots_heap).error(), Error::malformed);
  assert_int_equal(
      duet.roots.load(bytes_of("-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n"), duet.roots_heap).error(),
      Error::malformed);
  assert_string_equal(duet.roots.problem(), "no certificate in it can be read");
  assert_int_equal(duet.roots_heap.live(), 0);
}

static void roots_that_do_not_fit_are_refused_whole(void** state) {
  Duet& duet = duet_of(state);
  if (!Heap::enforced()) return;
  uint32_t n = 1;
  for (;; n += n < 100 ? 1 : 7) {
    duet.roots_heap.fail_at(n);
    const Status status = duet.roots.load(bytes_of(bundle(1)), duet.roots_heap);
    if (status.ok()) break;
    assert_int_equal(status.error(), Error::exhausted);
    assert_string_equal(duet.roots.problem(), "there is no counted memory left to read it");
    assert_int_equal(duet.roots.count(), 0);
    assert_int_equal(duet.roots_heap.live(), 0);
  }
  assert_true(n > 20);
}

TESTS(tls_certificate, DUET_TEST(an_expired_certificate_is_refused),
      DUET_TEST(a_certificate_of_the_future_points_at_the_clock),
      DUET_TEST(a_certificate_by_an_unknown_root_is_refused), DUET_TEST(a_self_signed_certificate_is_refused),
      DUET_TEST(a_self_signed_certificate_in_ca_file_is_trusted), DUET_TEST(a_common_name_counts_for_nothing),
      DUET_TEST(a_certificate_for_clients_is_refused), DUET_TEST(a_sha_1_signature_is_refused),
      DUET_TEST(a_short_rsa_key_is_refused), DUET_TEST(an_expired_root_is_told_apart_from_an_expired_certificate),
      DUET_TEST(a_chain_without_its_intermediate_is_refused), DUET_TEST(names_match_exactly_or_by_one_whole_label),
      DUET_TEST(a_wildcard_is_one_whole_label_below_a_domain),
      DUET_TEST(addresses_match_only_the_addresses_of_the_certificate),
      DUET_TEST(good_chains_of_every_kind_are_accepted), DUET_TEST(a_bundle_is_read_as_far_as_it_is_good),
      DUET_TEST(many_roots_are_warmed_up_later_but_before_a_session),
      DUET_TEST(roots_that_hold_no_certificate_are_refused), DUET_TEST(roots_that_do_not_fit_are_refused_whole));

}  // namespace tocsin::test
