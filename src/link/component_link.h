// The connection to the XMPP server: name lookup, TCP, the XEP-0114 core, and
// reconnecting: first at once, then with jittered growth to a bound.
#pragma once

#include <cstdint>

#include "base/address.h"
#include "base/log.h"
#include "gateway/gateway.h"
#include "gateway/job.h"
#include "mem/heap.h"
#include "port/port.h"
#include "proto/component.h"

namespace tocsin {

struct ComponentLinkOptions {
  HostPort server;
  string_view domain;  // outlives the link, as do secret and ping_to
  string_view secret;
  string_view ping_to;  // whom to ping
  size_t stanza_bytes_max = 64 * 1024;
  uint32_t max_inflight = 64;
};

class ComponentLink final : public Outbox {
 public:
  static constexpr size_t input_bytes = 64 * 1024;
  // One arena holds the longest stanza's text, its elements and its attributes.
  static size_t arena_bytes(size_t stanza_bytes_max) { return 2 * stanza_bytes_max + 256 * 1024; }
  static size_t output_bytes(uint32_t max_inflight) { return 128 * 1024 + size_t{max_inflight} * 1024; }

  ComponentLink(Region& region, Heap& xml_heap, const ComponentLinkOptions& options, port::Port& port, Log& log);

  // Late, because the gateway answers through this link.
  void serve(Gateway& gateway) { gateway_ = &gateway; }

  // ---- a turn
  void want(port::Interest& interest) const;
  Instant due() const;
  void receive(const port::Interest& ready, Instant now);
  void tick(Instant now);
  void flush(Instant now);

  bool send(string_view stanza) override;
  bool roomy(size_t bytes) const override { return stream_.up() && output_.free() >= bytes + output_.capacity() / 2; }
  // TERM: the answers that wait and the stream's end tag still leave, then the server closes;
  // what comes in meanwhile is not looked at. closed() is true when all of that is over.
  void close(Instant now);
  void cut();  // at once
  bool closed() const { return state_ == State::closed; }
  bool up() const { return stream_.up(); }

 private:
  enum class State : uint8_t { waiting, resolving, connecting, streaming, closing, closed };
  void start(Instant now);
  void resolved(const port::Lookup& lookup, Instant now);
  void connect_next(Error last, Instant now);
  void connected(Instant now);
  void take_input(Instant now);
  void discard_input();
  void work(Instant now);  // feeds what was received as long as the gateway can take it
  void drain_events(Instant now);
  void handle(const ComponentEvent& event, Instant now);
  void answer_challenge(string_view stream_id, Instant now);
  void lost(string_view reason, bool conflict, Instant now);
  Duration pause(bool conflict, Instant now);
  void log_lost(string_view reason, bool conflict, Duration wait);
  void hang_up();
  bool may_feed() const;

  ComponentLinkOptions options_;
  port::Port& port_;
  Log& log_;
  Gateway* gateway_ = nullptr;
  Arena arena_;
  ByteRing output_;
  ComponentStream stream_;
  Bytes input_;
  size_t input_start_ = 0;
  size_t input_end_ = 0;
  State state_ = State::waiting;
  port::Handle socket_ = port::no_handle;
  uint32_t ticket_ = 0;
  port::Lookup addresses_;
  uint32_t address_ = 0;
  Instant retry_at_{};
  Instant deadline_ = Instant::never();
  Instant up_since_{};
  bool was_up_ = false;         // the stream that is now, or was last, got through its handshake
  uint32_t failures_ = 0;       // in a row
  uint32_t conflicts_ = 0;      // without a long peace between them
  FixedText<400> last_reason_;  // said once per condition
};

}  // namespace tocsin
