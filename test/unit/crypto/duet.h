// A TLS client and a server that hear each other, in one process, with the
// client behind its fence. Tests hold one in static storage: see setup.
#pragma once

#include "crypto/crypto.h"
#include "crypto/tls.h"
#include "test/support/certs.h"
#include "test/support/tests.h"
#include "test/support/tls_server.h"

namespace tocsin::test {

// Numbers from a seed (splitmix64).
class SeededRandom : public RandomSource {
 public:
  explicit SeededRandom(uint64_t seed) : state_(seed) {}
  void fill(Bytes room) override;

 private:
  uint64_t state_;
};

inline constexpr size_t session_fence = 64 * 1024;
inline constexpr size_t traffic_max = 256 * 1024;

struct Duet {
  Duet();

  // What stands behind the two ends. Asserts that all of it loads.
  void serve(const char* root_pem, const char* chain_pem, const char* key_pem, string_view server_alpn = "h2",
             TlsServer::Kind kind = TlsServer::Kind::modern, const char* clients_under = nullptr);
  Status connect(string_view host = "api.push.example.org", string_view alpn = "h2", bool require_alpn = true,
                 const ClientCertificate* own = nullptr);
  // Carries bytes both ways in pieces of chunk until nothing moves any more.
  void pump();
  // The same for one way.
  bool carry_to_client();
  bool carry_to_server();
  // One good connection with the EC leaf.
  void be_open();
  // Sends bytes from one end, pumping as room is needed, and asserts that all arrived unchanged.
  void client_says(size_t size);
  void server_says(size_t size);

  Heap session_heap;
  Heap roots_heap;
  SeededRandom client_random{1};
  SeededRandom server_random{2};
  ByteRing to_server;
  ByteRing to_client;
  TlsRoots roots;
  TlsClient client;
  TlsIdentity identity;
  TlsServer server;
  size_t chunk = 1 << 20;
  size_t client_got = 0;  // bytes of client_text
  size_t server_got = 0;
};

// Where decrypted bytes pile up.
extern uint8_t client_text[traffic_max];
extern uint8_t server_text[traffic_max];

// Where crypto_start() was done, once for the whole program.
Heap& long_lived_heap();

int duet_setup(void** state);
int duet_teardown(void** state);
inline Duet& duet_of(void** state) { return *static_cast<Duet*>(*state); }

}  // namespace tocsin::test

#define DUET_TEST(name) cmocka_unit_test_setup_teardown(name, ::tocsin::test::duet_setup, ::tocsin::test::duet_teardown)
