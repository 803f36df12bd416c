// The other direction: what an application server posts to an endpoint becomes an
// IQ to the client that registered it, and the client's answer the HTTP status that the
// application server gets. Knows of HTTP its status numbers and nothing else.
//
// A post whose outcome somebody waits for has a slot, for 10 s at most. Slots are shared out:
// an endpoint has a few, an account a quarter of them; what comes beyond is sent all the same,
// and accepted without waiting for the client's word. How much that may be is
// bounded by each endpoint's bucket, and by half of the stream's output, so that neither other
// endpoints nor the answers to publishes feel it.
#pragma once

#include <cstdint>

#include "base/list.h"
#include "base/log.h"
#include "base/random.h"
#include "base/siphash.h"
#include "base/text.h"
#include "gateway/endpoint.h"
#include "gateway/job.h"
#include "mem/region.h"
#include "registry/registry.h"

namespace tocsin {

struct RelayTools {
  Registry& registry;
  Outbox& outbox;
  RandomSource& random;
  Log& log;
  string_view domain;  // from whom pushes come
  EndpointRules endpoints{};
};

struct RelayLimits {
  uint32_t waiting = 0;  // slots; 0: UnifiedPush is not offered, and there is no memory for it
  uint32_t body_bytes_max = 4096;
};

class Relay {
 public:
  static constexpr Duration answer_within = seconds(10);
  static constexpr uint32_t waiting_of_endpoint = 8;
  // Pushes to one endpoint: so many at once, and then one each interval.
  static constexpr uint32_t burst = 60;
  static constexpr Duration interval = seconds(1);
  static size_t bytes_for(const RelayLimits& limits);

  Relay(Region& region, const RelayLimits& limits, const RelayTools& tools);
  void set_key(const HashKey& key) { key_ = key; }  // pseudonyms

  // ---- for whoever speaks HTTP
  struct Outcome {
    uint16_t status = 0;       // 201, 400, 404, 413, 429, 500 or 503; 0: not known yet
    uint16_t retry_after = 0;  // seconds, with 429
    uint64_t waiter = 0;       // as given to post()
  };
  // path: as requested, without a query; body is copied. What is not known yet comes through next(), once, within 10 s.
  Outcome post(string_view path, ByteView body, uint64_t waiter, Instant now, UnixTime wall);
  // What became known, in its order; false: nothing for the moment.
  bool next(Outcome& out);
  uint32_t body_bytes_max() const { return limits_.body_bytes_max; }

  // ---- for the gateway
  void heard(const Command& reply, Instant now, UnixTime wall);
  // Where an account with endpoints is: tried once when the client that registered is not there any more.
  void presence(const Command& presence);
  void tick(Instant now);
  Instant due() const;
  void stop(Instant now);  // nothing waits any more

  uint32_t waiting() const { return open_.size(); }

 private:
  static constexpr size_t id_bytes = 16;
  static constexpr uint32_t buckets = 512;
  static constexpr uint32_t ways = 8;  // of these, where one endpoint may be
  static constexpr uint32_t presences = 128;
  static constexpr size_t presence_bytes_max = 511;  // a longer JID is not remembered

  struct Slot {
    bool elsewhere = false;  // sent to another client than the one that registered
    uint16_t status = 0;     // 0: no answer yet
    uint32_t account = 0;    // Device::account_hash
    uint32_t body_bytes = 0;
    uint64_t waiter = 0;
    Instant posted{};
    NodeId node;
    uint8_t parts[2 * endpoint_part_bytes] = {};
    FixedText<id_bytes> id;
    FixedText<jid_bytes_max> to;
    Bytes body;
    ListHook<Slot> hook;
  };
  using SlotList = List<Slot, &Slot::hook>;
  struct Bucket {
    NodeId node;
    Instant full{};  // when all of the burst is there again; in the past: free for another endpoint
  };
  struct Present {
    FixedText<presence_bytes_max> jid;
    uint64_t used = 0;
  };

  const Device* find(string_view path, UnixTime wall) const;
  bool may_wait(const Device& device) const;
  // 0: it may; else after so many seconds.
  uint16_t limit(const NodeId& node, Instant now);
  bool send(string_view id, string_view to, ByteView parts, ByteView body);
  void make_id(FixedText<id_bytes>& id);
  bool try_elsewhere(Slot& slot);
  uint16_t judge(Slot& slot, const Command& reply, UnixTime wall);
  void store_client(const Slot& slot);
  Present* present(string_view account);
  void finish(Slot& slot, uint16_t status, string_view reason, Instant now);
  void log_relay(const NodeId& node, uint16_t status, string_view reason, Duration took);

  RelayTools tools_;
  RelayLimits limits_;
  HashKey key_;
  Bucket* buckets_;
  Present* presences_;
  Bytes stanza_room_;
  Bytes record_room_;
  SlotList free_;
  SlotList open_;       // in the order in which they were posted
  SlotList done_;       // known, and not fetched
  uint64_t clock_ = 0;  // of presences
};

}  // namespace tocsin
