#include "test/unit/crypto/duet.h"

#include <new>

namespace tocsin::test {

uint8_t client_text[traffic_max];
uint8_t server_text[traffic_max];

static uint8_t plain[traffic_max];
alignas(64) static uint8_t session_room[session_fence];
alignas(64) static uint8_t roots_room[256 * 1024];
static uint8_t to_server_room[17 * 1024];
static uint8_t to_client_room[64 * 1024];
alignas(Duet) static uint8_t stage[sizeof(Duet)];

void SeededRandom::fill(Bytes room) {
  for (auto& byte : room) {
    uint64_t z = (state_ += 0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    byte = static_cast<uint8_t>(z >> 56);
  }
}

Duet::Duet()
    : session_heap(session_room, "tls"),
      roots_heap(roots_room, "roots"),
      to_server(to_server_room),
      to_client(to_client_room),
      client(session_heap, to_server, client_random),
      server(to_client, server_random) {}

Heap& long_lived_heap() {
  alignas(64) static uint8_t room[64 * 1024];
  alignas(Heap) static uint8_t place[sizeof(Heap)];
  static Heap* heap = nullptr;
  if (heap == nullptr) {
    heap = new (place) Heap(room, "long-lived");
    assert_true(crypto_start(*heap).ok());
  }
  return *heap;
}

int duet_setup(void** state) {
  long_lived_heap();
  *state = new (stage) Duet();
  return 0;
}

int duet_teardown(void** state) {
  Duet& duet = duet_of(state);
  duet.client.shut();
  const bool clean = duet.session_heap.live() == 0 && duet.session_heap.blocks() == 0;
  duet.~Duet();
  if (!clean) print_error("the session's heap is not empty after shut\n");
  return clean ? 0 : -1;
}

void Duet::serve(const char* root_pem, const char* chain_pem, const char* key_pem, string_view server_alpn,
                 TlsServer::Kind kind, const char* clients_under) {
  assert_true(roots.load(bytes_of(root_pem), roots_heap).ok());
  assert_true(identity.load(chain_pem, key_pem, server_random));
  assert_true(server.open(identity, server_alpn, kind, clients_under));
}

Status Duet::connect(string_view host, string_view alpn, bool require_alpn, const ClientCertificate* own) {
  return client.open(roots, host, alpn, require_alpn, own);
}

bool Duet::carry_to_client() {
  const ByteView waiting = to_client.front();
  if (waiting.empty() || client.state() == TlsClient::State::failed) return false;
  ByteView in = waiting.first(waiting.size() < chunk ? waiting.size() : chunk);
  const size_t size = in.size();
  for (;;) {
    const auto before = client.state();
    const Result<size_t> got = client.read(in, {client_text + client_got, traffic_max - client_got});
    if (!got.ok()) break;
    client_got += got.value();
    if (got.value() == 0 && client.state() == before) break;
  }
  to_client.pop(size - in.size());
  return size > in.size();
}

bool Duet::carry_to_server() {
  const ByteView waiting = to_server.front();
  if (waiting.empty()) return false;
  ByteView in = waiting.first(waiting.size() < chunk ? waiting.size() : chunk);
  const size_t size = in.size();
  for (;;) {
    const auto before = server.state();
    const Result<size_t> got = server.read(in, {server_text + server_got, traffic_max - server_got});
    if (!got.ok()) break;
    server_got += got.value();
    if (got.value() == 0 && server.state() == before) break;
  }
  to_server.pop(size - in.size());
  return size > in.size();
}

void Duet::pump() {
  for (bool moved = true; moved;) {
    moved = carry_to_server();
    moved = carry_to_client() || moved;
  }
}

void Duet::be_open() {
  serve(cert_ec_root, cert_ec_leaf, key_ec_leaf);
  assert_true(connect().ok());
  pump();
  assert_int_equal(client.state(), TlsClient::State::open);
  assert_int_equal(server.state(), TlsServer::State::open);
}

template <class End>
static void say(Duet& duet, End& end, size_t size) {
  SeededRandom(size).fill({plain, size});
  for (ByteView rest(plain, size); !rest.empty();) {
    const Result<size_t> taken = end.write(rest);
    assert_true(taken.ok());
    rest = rest.subspan(taken.value());
    if (taken.value() == 0) duet.pump();
  }
  duet.pump();
}

void Duet::client_says(size_t size) {
  server_got = 0;
  say(*this, client, size);
  assert_int_equal(server_got, size);
  assert_memory_equal(server_text, plain, size);
}

void Duet::server_says(size_t size) {
  client_got = 0;
  say(*this, server, size);
  assert_int_equal(client_got, size);
  assert_memory_equal(client_text, plain, size);
}

}  // namespace tocsin::test
