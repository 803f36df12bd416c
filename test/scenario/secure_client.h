// A client with TLS, driven by hand: whatever the gateway says is fed at once. Large: in static storage.
#pragma once

#include "test/scenario/web_client.h"
#include "test/support/certs.h"

namespace tocsin::test {

struct SecureClient final : sim::PeerHandler {
  SecureClient() : heap(heap_room, "client"), roots_heap(roots_room, "roots"), out(out_room), tls(heap, out, random) {}
  class Zeros final : public RandomSource {
   public:
    void fill(Bytes room) override {
      for (uint8_t& byte : room) byte = ++next_;
    }

   private:
    uint8_t next_ = 0;
  };
  void received(sim::Connection&, ByteView in) override {
    uint8_t room[2048];
    for (;;) {
      const auto before = tls.state();
      const Result<size_t> got = tls.read(in, room);
      if (!got.ok()) return;
      GW_CHECK(heard_size + got.value() <= sizeof heard);
      copy_bytes(heard + heard_size, ByteView(room).first(got.value()));
      heard_size += got.value();
      if (got.value() == 0 && tls.state() == before) break;
    }
    flush();
  }
  void closed(sim::Connection&, Error) override { connection = nullptr; }
  void flush() {
    while (connection != nullptr && !out.empty()) {
      const ByteView part = out.front();
      connection->send(part);
      out.pop(part.size());
    }
  }
  void dial(World& w, uint8_t from, const sim::Path& path = {}) {
    GW_CHECK(roots.load(bytes_of(cert_ec_root), roots_heap).ok());
    connection = &w.simulation().network().dial(client_address(from), web_address(443), *this, path);
    GW_CHECK(tls.open(roots, "api.push.example.org", "http/1.1", true).ok());
    flush();
  }
  void end() {
    tls.shut();
    if (connection != nullptr) connection->close();
    connection = nullptr;
  }
  alignas(64) uint8_t heap_room[80 * 1024] = {};
  alignas(64) uint8_t roots_room[64 * 1024] = {};
  uint8_t out_room[20 * 1024] = {};
  Zeros random;
  Heap heap, roots_heap;
  ByteRing out;
  TlsRoots roots;
  TlsClient tls;
  sim::Connection* connection = nullptr;
  size_t heard_size = 0;
  uint8_t heard[4096];
};

}  // namespace tocsin::test
