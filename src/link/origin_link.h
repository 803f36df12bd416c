// Serves a lane: at most one connection that takes requests and one that is
// draining after GOAWAY. It looks names up anew before each connection, tries every
// address, waits between rounds, asks its source for what may leave, and hands back
// what came of it. A lane of a pool it follows from origin to origin, with one
// connection: strangers name those, so every address is judged before it is connected to.
#pragma once

#include <cstdint>

#include "base/address_range.h"
#include "base/log.h"
#include "gateway/lane.h"
#include "gateway/request_source.h"
#include "link/backoff.h"
#include "link/origin_connection.h"

namespace tocsin {

struct OriginOptions {
  const TlsRoots* roots = nullptr;
  H2Options h2;
  const ClientCertificate* certificate = nullptr;  // what we show when we are asked; loaded before the first turn
  Duration idle_close{};  // a connection that had nothing to do for so long is closed; 0 = kept, for days
  OriginConnection::Sizes sizes{};
  bool pooled = false;
  AddressRules rules{};  // of a pool
};

class OriginLink {
 public:
  static constexpr uint32_t connections_of(bool pooled) { return pooled ? 1 : 2; }
  // One heap of each kind for every connection.
  OriginLink(Region& region, Heap* tls_heaps, Heap* h2_heaps, const OriginOptions& options, Lane& lane,
             RequestSource& source, port::Port& port, LinkScratch& scratch, Log& log);

  // ---- a turn
  void want(port::Interest* interests) const;  // two of them
  Instant due(Instant now) const;
  void receive(const port::Interest* ready, Instant now);
  void tick(Instant now);
  void flush(Instant now);  // submits what may leave, then sends
  bool drained() const;     // nothing of ours waits to leave

  // ---- Dispatch
  void cancel(Push& push);
  void reconnect(Instant now);
  void close();

  const OriginConnection& active() const { return connections_[active_]; }

 private:
  static constexpr uint32_t timeouts_max = 2;  // requests without an answer in a row: the connection is stuck
  OriginConnection& connection() { return connections_[active_]; }
  // Of a pool the same: it takes no new ones until the old ones are over.
  OriginConnection& draining() { return connections_[options_.pooled ? 0 : 1 - active_]; }

  // Making a connection: origin_link.cpp.
  void warm_roots();
  void follow();
  void give_way(Instant now);
  void start(Instant now);
  void resolved(const port::Lookup& lookup, Instant now);
  bool addresses_allowed(Instant now);
  void connect_next(Instant now);
  void note_problem(const Address& address, string_view why, bool connected);
  void round_failed(string_view why, Instant now);
  void say_down(string_view why, Instant now);
  void back_off(Instant now);
  void next_after(bool steady, string_view why, Instant now);
  void check_deadlines(Instant now);
  void check_open(Instant now);
  void drain(string_view why, Instant now);
  void ended(OriginConnection& which, Instant now);
  void end(OriginConnection& which, string_view why, Instant now);
  bool idle() const;
  Duration idle_close() const;
  bool forget_active(Instant now);

  // Requests: origin_requests.cpp.
  bool may_sign(Instant now);
  bool waits_for_credential(Instant now) const;
  bool ping(Duration within, Instant now);
  void submit(Instant now);
  void watch_for_stuck(Instant now);
  bool submit_one(Push& push, Instant now);
  Instant next_timeout() const;
  void time_out_requests(Instant now);
  void note_outcome(const Push& push, Instant now);
  bool collect(OriginConnection& from, Instant now);

  OriginOptions options_;
  Lane& lane_;
  uint32_t moves_ = 0;  // of the lane, that it has followed
  RequestSource& source_;
  port::Port& port_;
  Log& log_;
  OriginConnection connections_[2];
  uint8_t active_ = 0;
  bool cold_ = true;  // the roots were not used yet
  bool resolving_ = false;
  uint32_t ticket_ = 0;
  port::Lookup addresses_;
  uint32_t address_ = 0;  // the next to try
  Instant lookup_deadline_ = Instant::never();
  Instant retry_at_{};
  uint32_t failures_ = 0;         // rounds in a row
  FixedText<400> round_problem_;  // the most telling one of this round
  bool round_connected_ = false;  // it came after TCP was connected
  // Of the active connection:
  bool open_ = false;
  bool announced_ = false;  // its SETTINGS came, provider_up was said
  bool answered_ = false;   // something was answered over it
  Instant opened_{};
  bool pinging_ = false;  // requests wait for the answer
  Instant ping_deadline_ = Instant::never();
  Instant stuck_at_ = Instant::never();  // nothing is open on it and it takes nothing
  Instant unanswered_since_{};           // while something is open on it
  uint32_t timeouts_ = 0;                // requests without an answer in a row
  Instant drain_deadline_ = Instant::never();
  const OriginConnection* collecting_ = nullptr;  // whose answers are being handed over
  bool again_ = false;                            // pushes came back after the last submit
  FixedText<300> authority_;
};

}  // namespace tocsin
