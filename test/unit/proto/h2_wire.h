// A client and a server on an in-memory wire, for the tests of the HTTP/2 client. They live in
// static storage, so that a failing assert leaves nothing behind: the next start() ends them.
#pragma once

#include <algorithm>
#include <new>

#include "proto/h2_client.h"
#include "test/support/h2_server.h"
#include "test/support/tests.h"

namespace tocsin::test {

struct H2Wire {
  alignas(64) uint8_t heap_room[8 << 20];
  Heap heap;
  explicit H2Wire(size_t fence) : heap(Bytes(heap_room).first(fence), "h2") {}
  H2Client client{heap};
  H2Server server;
  static constexpr unsigned exchanges_max = 1024;
  H2Exchange exchanges[exchanges_max];
  uint8_t answer_rooms[exchanges_max][512];
  uint8_t buffer[64 << 10];

  // One way: everything that wants to leave arrives, in pieces of at most `piece` bytes.
  Status to_server(size_t piece = sizeof(buffer)) {
    for (;;) {
      const Result<size_t> size = client.pull({buffer, piece});
      if (!size.ok()) return size.error();
      if (size.value() == 0) return {};
      server.feed({buffer, size.value()});
    }
  }
  Status to_client(size_t piece = sizeof(buffer)) {
    while (const size_t size = server.pull({buffer, piece})) {
      const Status fed = client.feed({buffer, size});
      if (!fed.ok()) return fed;
    }
    return {};
  }
  // Both ways until nobody has anything to say. False when the client gave up.
  bool settle() {
    while (client.wants_write() || server.wants_write()) {
      if (!to_server().ok() || !to_client().ok()) return false;
    }
    return true;
  }
};

inline H2Wire& wire() {
  alignas(H2Wire) static uint8_t storage[sizeof(H2Wire)];
  return *reinterpret_cast<H2Wire*>(storage);
}

inline bool& wire_made() {
  static bool made = false;
  return made;
}

// A fresh pair, connected, SETTINGS exchanged unless the test wants to see that itself.
inline H2Wire& start(const H2ServerOptions& server = {}, const H2Options& client = {}, bool settled = true,
                     size_t fence = sizeof(H2Wire::heap_room)) {
  H2Wire& w = wire();
  if (wire_made()) w.~H2Wire();
  new (&w) H2Wire(fence);
  wire_made() = true;
  w.server.open(server);
  assert_true(w.client.open(client).ok());
  if (settled) assert_true(w.settle());
  return w;
}

// As an APNs request looks; the path tells which one it was.
inline Status submit(H2Wire& w, unsigned which, string_view body = "{\"aps\":{}}",
                     string_view path = "/3/device/00ff") {
  const H2Header headers[] = {
      {.name = ":method", .value = "POST"},
      {.name = ":scheme", .value = "https"},
      {.name = ":authority", .value = "api.push.example.org"},
      {.name = ":path", .value = path},
      {.name = "authorization", .value = "bearer eyJhbGciOiJFUzI1NiIsImtpZCI6IkFCQ0RFRkdISUoifQ"},
      {.name = "apns-topic", .value = "org.example.chat"},
      {.name = "apns-push-type", .value = "alert"},
      {.name = "apns-priority", .value = "10"},
      {.name = "apns-id", .value = "123e4567-e89b-12d3-a456-426614174000", .no_index = true},
  };
  w.exchanges[which].room = Bytes(w.answer_rooms[which]);
  return w.client.submit(headers, bytes_of(body), w.exchanges[which]);
}

// Three requests at the peer: streams 1, 3 and 5.
inline H2Wire& start_with_three(const H2ServerOptions& options = {}) {
  H2Wire& w = start(options);
  for (unsigned i = 0; i < 3; ++i) assert_true(submit(w, i).ok());
  assert_true(w.settle());
  return w;
}

inline void assert_text(string_view got, string_view wanted) {
  assert_int_equal(got.size(), wanted.size());
  if (!wanted.empty()) assert_memory_equal(got.data(), wanted.data(), wanted.size());
}

// The next ended exchange is this one, with that outcome.
inline void assert_over(H2Wire& w, unsigned which, H2Exchange::Outcome outcome) {
  H2Exchange* over = w.client.next();
  assert_ptr_equal(over, &w.exchanges[which]);
  assert_int_equal(int(over->outcome), int(outcome));
}

// A raw frame (RFC 9113 §4.1) straight into the client, behind what the server said so far.
inline Status raw_frame(H2Wire& w, uint8_t type, uint8_t flags, int32_t stream, string_view payload) {
  static uint8_t frame[9 + (16 << 10)];
  const uint8_t head[9] = {
      uint8_t(payload.size() >> 16), uint8_t(payload.size() >> 8), uint8_t(payload.size()), type,           flags,
      uint8_t(stream >> 24),         uint8_t(stream >> 16),        uint8_t(stream >> 8),    uint8_t(stream)};
  assert_true(payload.size() <= sizeof(frame) - 9);
  std::copy_n(head, 9, frame);
  copy_bytes(frame + 9, bytes_of(payload));
  return w.client.feed({frame, 9 + payload.size()});
}

enum : uint8_t { DATA = 0, HEADERS = 1, SETTINGS = 4, PUSH_PROMISE = 5, PING = 6, GOAWAY = 7, CONTINUATION = 9 };
enum : uint8_t { END_STREAM = 1, END_HEADERS = 4 };

}  // namespace tocsin::test
