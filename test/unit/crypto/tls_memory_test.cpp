#include "base/text.h"
#include "test/unit/crypto/duet.h"

namespace tocsin::test {

// One try with the n-th allocation of the session refused; true when it opened all the same.
static bool opens_with(Duet& duet, uint32_t n) {
  duet.session_heap.fail_at(n);
  if (duet.connect().ok()) duet.pump();
  duet.session_heap.fail_at(0);
  const bool open = duet.client.state() == TlsClient::State::open;
  if (!open) {
    assert_int_equal(duet.client.state(), TlsClient::State::failed);
    assert_true(starts_with(duet.client.problem(), "out of counted memory"));
    ByteView in;
    uint8_t room[1];
    assert_int_equal(duet.client.read(in, room).error(), Error::exhausted);
  }
  duet.client.shut();
  assert_int_equal(duet.session_heap.live(), 0);
  assert_int_equal(duet.session_heap.blocks(), 0);
  duet.server.shut();
  assert_true(duet.server.open(duet.identity, "h2"));
  duet.to_client.clear();
  duet.to_server.clear();
  return open;
}

// Every one of the first allocations, where each is a different one, and then steps: most
// of some ten thousand are the same few inside the arithmetic.
static void fail_everywhere(Duet& duet) {
  uint32_t n = 1;
  while (!opens_with(duet, n)) {
    n += n < 200 ? 1 : 1 + n / 20;
    assert_true(n < 1'000'000);
  }
  print_message("           opens with %u allocations\n", n);
}

static void no_refused_allocation_crashes_an_ec_handshake(void** state) {
  Duet& duet = duet_of(state);
  if (!Heap::enforced()) return;
  duet.serve(cert_ec_root, cert_ec_leaf, key_ec_leaf);
  fail_everywhere(duet);
}

static void no_refused_allocation_crashes_an_rsa_handshake(void** state) {
  Duet& duet = duet_of(state);
  if (!Heap::enforced()) return;
  duet.serve(cert_rsa_root, chain_rsa, key_rsa_leaf);
  fail_everywhere(duet);
}

static void no_refused_allocation_hides_a_bad_certificate(void** state) {
  Duet& duet = duet_of(state);
  if (!Heap::enforced()) return;
  duet.serve(cert_ec_root, cert_unknown, key_unknown);
  for (uint32_t n = 1; n < 2000; n += n < 100 ? 1 : 1 + n / 20) {
    duet.session_heap.fail_at(n);
    if (duet.connect().ok()) duet.pump();
    duet.session_heap.fail_at(0);
    assert_int_equal(duet.client.state(), TlsClient::State::failed);
    duet.client.shut();
    assert_int_equal(duet.session_heap.live(), 0);
    duet.server.shut();
    assert_true(duet.server.open(duet.identity, "h2"));
    duet.to_client.clear();
    duet.to_server.clear();
  }
}

static void the_library_starts_in_the_long_lived_heap(void**) {
  Heap& heap = long_lived_heap();
  const size_t live = heap.live();
  assert_true(crypto_start(heap).ok());  // again does no harm
  assert_int_equal(heap.live(), live);
  if (Heap::enforced()) print_message("           %s: live %zu, peak %zu\n", crypto_library(), live, heap.peak());
  assert_true(string_view(crypto_library()).find("TLS") != string_view::npos);
}

TESTS(tls_memory, DUET_TEST(the_library_starts_in_the_long_lived_heap),
      DUET_TEST(no_refused_allocation_crashes_an_ec_handshake),
      DUET_TEST(no_refused_allocation_crashes_an_rsa_handshake),
      DUET_TEST(no_refused_allocation_hides_a_bad_certificate));

}  // namespace tocsin::test
