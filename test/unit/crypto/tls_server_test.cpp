#include "crypto/tls_server.h"

#include <new>

#include "base/text.h"
#include "base/writer.h"
#include "test/unit/crypto/duet.h"

namespace tocsin::test {

namespace {

// Our client and our server, each behind its fence.
struct Pair {
  Pair();
  void serve(const char* chain, const char* key) {
    assert_true(certificate.load(bytes_of(chain), bytes_of(key), certificate_heap, server_random).ok());
    assert_true(server.open(certificate, "http/1.1").ok());
  }
  void connect(const char* root, string_view alpn = "http/1.1", bool require = true) {
    assert_true(roots.load(bytes_of(root), roots_heap).ok());
    assert_true(client.open(roots, "api.push.example.org", alpn, require).ok());
  }
  bool to_client(), to_server();
  void pump() {
    for (bool moved = true; moved;) {
      moved = to_server();
      moved = to_client() || moved;
    }
  }
  void be_open(const char* root, const char* chain, const char* key) {
    serve(chain, key);
    connect(root);
    pump();
    assert_int_equal(client.state(), TlsClient::State::open);
    assert_int_equal(server.state(), TlsAcceptor::State::open);
  }

  Heap client_heap, server_heap, roots_heap, certificate_heap;
  SeededRandom client_random{1}, server_random{2};
  ByteRing from_client, from_server;
  TlsRoots roots;
  TlsClient client;
  TlsServerCertificate certificate;
  TlsAcceptor server;
  size_t chunk = 1 << 20;
  uint32_t server_calls = 0;
  size_t client_got = 0, server_got = 0;
  uint8_t client_text[64 * 1024], server_text[64 * 1024];
};

alignas(64) uint8_t client_room[session_fence];
alignas(64) uint8_t server_room[session_fence];
alignas(64) uint8_t roots_room[64 * 1024];
alignas(64) uint8_t certificate_room[TlsServerCertificate::heap_bytes];
uint8_t from_client_room[17 * 1024];
uint8_t from_server_room[17 * 1024];
alignas(Pair) uint8_t stage[sizeof(Pair)];

Pair::Pair()
    : client_heap(client_room, "client"),
      server_heap(server_room, "server"),
      roots_heap(roots_room, "roots"),
      certificate_heap(certificate_room, "certificate"),
      from_client(from_client_room),
      from_server(from_server_room),
      client(client_heap, from_client, client_random),
      server(server_heap, from_server, server_random) {}

bool Pair::to_client() {
  const ByteView waiting = from_server.front();
  if (waiting.empty() || client.state() == TlsClient::State::failed) return false;
  ByteView in = waiting.first(waiting.size() < chunk ? waiting.size() : chunk);
  const size_t size = in.size();
  for (;;) {
    const auto before = client.state();
    const Result<size_t> got = client.read(in, Bytes(client_text).subspan(client_got));
    if (!got.ok()) break;
    client_got += got.value();
    if (got.value() == 0 && client.state() == before) break;
  }
  from_server.pop(size - in.size());
  return size > in.size();
}

bool Pair::to_server() {
  const ByteView waiting = from_client.front();
  if (waiting.empty() || server.state() == TlsAcceptor::State::failed) return false;
  ByteView in = waiting.first(waiting.size() < chunk ? waiting.size() : chunk);
  const size_t size = in.size();
  for (;;) {
    const auto before = server.state();
    ++server_calls;
    const Result<size_t> got = server.read(in, Bytes(server_text).subspan(server_got));
    if (!got.ok()) break;
    server_got += got.value();
    if (got.value() == 0 && server.state() == before && server.thirsty()) break;
  }
  from_client.pop(size - in.size());
  return size > in.size();
}

int begin(void** state) {
  long_lived_heap();
  *state = new (stage) Pair;
  return 0;
}

int end(void** state) {
  Pair& pair = *static_cast<Pair*>(*state);
  pair.client.shut();
  pair.server.shut();
  pair.certificate.unload();
  const bool clean = pair.server_heap.live() == 0 && pair.certificate_heap.live() == 0;
  pair.~Pair();
  if (!clean) print_error("a heap is not empty at the end\n");
  return clean ? 0 : -1;
}

Pair& pair_of(void** state) { return *static_cast<Pair*>(*state); }

void again(void** state) {
  assert_int_equal(end(state), 0);
  begin(state);
}

// A hello of TLS's legacy form, without extensions but a list of curves.
ByteView hello(uint8_t minor, std::initializer_list<uint16_t> suites, Bytes room) {
  uint8_t body_room[256];
  Writer body(body_room);
  const auto u8 = [](Writer& out, size_t value) { out.character(static_cast<char>(value)); };
  const auto u16 = [&](Writer& out, size_t value) {
    u8(out, value >> 8);
    u8(out, value & 0xff);
  };
  u16(body, 0x0300u + minor);
  for (int i = 0; i < 32; ++i) u8(body, 7);
  u8(body, 0);
  u16(body, 2 * suites.size());
  for (const uint16_t suite : suites) u16(body, suite);
  u16(body, 0x0100);  // one compression: none
  u16(body, 22);
  // Hash and signature algorithms, curves, point formats.
  for (const size_t word : {13u, 4u, 2u, 0x0403u, 10u, 4u, 2u, 23u, 11u, 2u}) u16(body, word);
  u16(body, 0x0100);
  Writer out(room);
  u8(out, 22);
  u16(out, 0x0301);
  u16(out, body.size() + 4);
  u8(out, 1);
  u8(out, 0);
  u16(out, body.size());
  out.bytes(body.written());
  assert_false(out.overflowed() || body.overflowed());
  return out.written();
}

void expect_alert(Pair& pair, ByteView in, std::initializer_list<uint8_t> alerts) {
  Result<size_t> got = size_t{0};
  do got = pair.server.read(in, {});
  while (got.ok() && !pair.server.thirsty());
  assert_false(got.ok());
  assert_int_equal(pair.server.state(), TlsAcceptor::State::failed);
  const ByteView out = pair.from_server.front();
  assert_int_equal(out.size(), 7);
  assert_int_equal(out[0], 21);
  assert_int_equal(out[5], 2);
  bool expected = false;
  for (const uint8_t alert : alerts) expected = expected || out[6] == alert;
  assert_true(expected);
}

}  // namespace

static void our_client_and_server_meet_in_any_fragmentation(void** state) {
  static const struct {
    const char *root, *chain, *key;
  } kinds[] = {{cert_ec_root, cert_ec_leaf, key_ec_leaf},
               {cert_ec_p384_root, cert_ec_p384_leaf, key_ec_p384_leaf},
               {cert_rsa_root, chain_rsa, key_rsa_leaf}};
  static const size_t chunks[] = {1, 2, 7, 1 << 20};
  for (const auto& kind : kinds) {
    for (const size_t chunk : chunks) {
      Pair& pair = pair_of(state);
      pair.chunk = chunk;
      pair.be_open(kind.root, kind.chain, kind.key);
      assert_true(pair.client.alpn() == "http/1.1");
      assert_true(starts_with(pair.server.version(), "TLSv1."));
      const size_t live = pair.server_heap.live();
      assert_int_equal(pair.client.write(bytes_of("question")).value(), 8);
      pair.pump();
      assert_int_equal(pair.server_got, 8);
      assert_memory_equal(pair.server_text, "question", 8);
      assert_int_equal(pair.server.write(bytes_of("answer")).value(), 6);
      pair.pump();
      assert_int_equal(pair.client_got, 6);
      assert_memory_equal(pair.client_text, "answer", 6);
      assert_int_equal(pair.server_heap.live(), live);  // data allocate nothing
      pair.client.close_notify();
      pair.pump();
      assert_int_equal(pair.server.state(), TlsAcceptor::State::ended);
      again(state);
    }
  }
}

static void the_largest_chain_fits_its_heaps(void** state) {
  Pair& pair = pair_of(state);
  pair.be_open(cert_big_root, chain_big, key_big_leaf);
  if (Heap::enforced())
    print_message("           session: live %zu, peak %zu; certificate: live %zu, peak %zu\n", pair.server_heap.live(),
                  pair.server_heap.peak(), pair.certificate_heap.live(), pair.certificate_heap.peak());
}

static void a_handshake_leaves_nothing_of_a_session_in_the_certificate(void** state) {
  Pair& pair = pair_of(state);
  pair.serve(chain_rsa, key_rsa_leaf);
  pair.connect(cert_rsa_root);
  const size_t live = pair.certificate_heap.live();
  pair.pump();
  assert_int_equal(pair.server.state(), TlsAcceptor::State::open);
  assert_int_equal(pair.certificate_heap.live(), live);
  pair.server.shut();
  assert_int_equal(pair.server_heap.live(), 0);
}

static void one_call_makes_at_most_one_costly_step(void** state) {
  Pair& pair = pair_of(state);
  pair.serve(cert_ec_leaf, key_ec_leaf);
  pair.connect(cert_ec_root);
  const size_t size = pair.from_client.size();
  ByteView in = pair.from_client.front();
  uint32_t hungry_no_more = 0;
  for (int i = 0; i < 100; ++i) {
    assert_true(pair.server.read(in, {}).ok());
    if (pair.server.thirsty()) break;
    ++hungry_no_more;
  }
  assert_in_range(hungry_no_more, 1, 5);  // the key exchange and the signature are apart from the hello
  pair.from_client.pop(size - in.size());
  pair.pump();
  assert_int_equal(pair.server.state(), TlsAcceptor::State::open);
}

static void more_plaintext_than_room_is_kept(void** state) {
  Pair& pair = pair_of(state);
  pair.be_open(cert_ec_root, cert_ec_leaf, key_ec_leaf);
  assert_int_equal(pair.client.write(bytes_of("abcdef")).value(), 6);
  ByteView in = pair.from_client.front();
  uint8_t room[4];
  assert_int_equal(pair.server.read(in, room).value(), 4);
  assert_true(pair.server.holds_plaintext());
  assert_int_equal(pair.server.read(in, room).value(), 2);
  assert_memory_equal(room, "ef", 2);
  assert_false(pair.server.holds_plaintext());
}

static void a_client_that_speaks_only_http_2_is_refused(void** state) {
  Pair& pair = pair_of(state);
  pair.serve(cert_ec_leaf, key_ec_leaf);
  pair.connect(cert_ec_root, "h2");
  pair.pump();
  assert_int_equal(pair.server.state(), TlsAcceptor::State::failed);
  assert_int_equal(pair.client.state(), TlsClient::State::failed);
}

static void a_client_without_alpn_is_served(void** state) {
  Pair& pair = pair_of(state);
  pair.serve(cert_ec_leaf, key_ec_leaf);
  pair.connect(cert_ec_root, "", false);
  pair.pump();
  assert_int_equal(pair.server.state(), TlsAcceptor::State::open);
}

static void a_good_legacy_hello_is_answered(void** state) {
  Pair& pair = pair_of(state);
  pair.serve(cert_ec_leaf, key_ec_leaf);
  uint8_t room[300];
  ByteView in = hello(3, {0xc02b}, room);  // ECDHE-ECDSA-AES128-GCM: what the next two cases are held against
  do assert_true(pair.server.read(in, {}).ok());
  while (!pair.server.thirsty());
  assert_int_equal(pair.server.state(), TlsAcceptor::State::handshaking);
  assert_int_equal(pair.from_server.front()[0], 22);
}

static void old_versions_are_refused(void** state) {
  static const uint8_t minors[] = {0, 1, 2};  // SSL 3.0, TLS 1.0, TLS 1.1
  for (const uint8_t minor : minors) {
    Pair& pair = pair_of(state);
    pair.serve(cert_ec_leaf, key_ec_leaf);
    uint8_t room[300];
    expect_alert(pair, hello(minor, {0xc02b, 0xc009}, room), {70});
    again(state);
  }
}

static void weak_suites_are_refused(void** state) {
  static const uint16_t suites[] = {
      0xc023, 0xc009, 0xc024,  // CBC with ECDHE
      0x009c, 0x002f, 0x009d,  // static RSA
      0xc0ac,                  // CCM
      0x0005, 0xc007, 0x0000,  // RC4, none
      0xc006, 0xc018,          // no encryption, no authentication
  };
  for (const uint16_t suite : suites) {
    Pair& pair = pair_of(state);
    pair.serve(cert_ec_leaf, key_ec_leaf);
    uint8_t room[300];
    expect_alert(pair, hello(3, {suite}, room), {40, 47, 71});
    again(state);
  }
}

static void what_is_no_tls_fails(void** state) {
  static const string_view words[] = {"GET / HTTP/1.1\r\nHost: push.example.org\r\n\r\n", "PROXY TCP4 1.2.3.4\r\n",
                                      "\x80\x2e\x01\x03\x01 an SSL 2 hello would look like this"};
  for (const string_view word : words) {
    Pair& pair = pair_of(state);
    pair.serve(cert_ec_leaf, key_ec_leaf);
    ByteView in = bytes_of(word);
    assert_false(pair.server.read(in, {}).ok());
    assert_int_equal(pair.server.error(), Error::malformed);
    again(state);
  }
}

static void no_refused_allocation_crashes_a_session(void** state) {
  if (!Heap::enforced()) return;
  for (uint32_t n = 1; n < 20'000; n += n < 100 ? 1 : 1 + n / 10) {
    Pair& pair = pair_of(state);
    assert_true(
        pair.certificate.load(bytes_of(cert_ec_leaf), bytes_of(key_ec_leaf), pair.certificate_heap, pair.server_random)
            .ok());
    pair.server_heap.fail_at(n);
    if (pair.server.open(pair.certificate, "http/1.1").ok()) {
      pair.connect(cert_ec_root);
      pair.pump();
    }
    pair.server_heap.fail_at(0);
    if (pair.server.state() == TlsAcceptor::State::open) return;
    assert_int_equal(pair.server.state(), TlsAcceptor::State::failed);
    assert_int_equal(pair.server.error(), Error::exhausted);
    again(state);
  }
  fail_msg("it never opened");
}

#define PAIR_TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
TESTS(tls_server, PAIR_TEST(our_client_and_server_meet_in_any_fragmentation),
      PAIR_TEST(the_largest_chain_fits_its_heaps),
      PAIR_TEST(a_handshake_leaves_nothing_of_a_session_in_the_certificate),
      PAIR_TEST(one_call_makes_at_most_one_costly_step), PAIR_TEST(more_plaintext_than_room_is_kept),
      PAIR_TEST(a_client_that_speaks_only_http_2_is_refused), PAIR_TEST(a_client_without_alpn_is_served),
      PAIR_TEST(a_good_legacy_hello_is_answered), PAIR_TEST(old_versions_are_refused),
      PAIR_TEST(weak_suites_are_refused), PAIR_TEST(what_is_no_tls_fails),
      PAIR_TEST(no_refused_allocation_crashes_a_session));

}  // namespace tocsin::test
