// What the tests of the HTTP/1.1 server share: a connection that answers whatever comes, and writes down what that was.
#pragma once

#include "base/writer.h"
#include "proto/http_server.h"

namespace tocsin::test {

inline constexpr size_t http_log_bytes = 96 * 1024;

// One connection at a time, in static storage; another call begins anew.
struct HttpWire {
  explicit HttpWire(const HttpServerOptions& options);
  // Feeds text in pieces of at most `piece` bytes, each in a place of its own that is spoilt afterwards, and answers
  // every request at once: 200 or the status of the refusal.
  void feed(string_view text, size_t piece = SIZE_MAX);
  // The verdict as in test/data/http1/requests.txt, and all that could differ between two ways to feed: heads, bodies,
  // what was sent.
  string_view verdict();
  string_view log() const { return log_.view(); }

  ByteRing out;
  HttpServer server;
  bool streaming = false;  // bodies in parts instead of gathered

 private:
  void handle(const HttpServerEvent& event);
  void answer(uint16_t status, string_view body);
  size_t body_bytes_ = 0;
  Writer words_;
  Writer log_;
};
HttpWire& new_http_wire(const HttpServerOptions& options = {}, bool streaming = false);

struct HttpCase {
  string_view ours, node, h11, note, request;
};
// Every line of the table, unescaped.
void for_each_http_case(void (*visit)(const HttpCase& c));

}  // namespace tocsin::test
