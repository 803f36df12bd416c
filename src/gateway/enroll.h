// Registering and unregistering devices. Nothing is acknowledged before it is
// durable: an answer that depends on a commit waits in a bounded ring and leaves
// when the journal has decided. Publishes flow meanwhile.
#pragma once

#include <cstdint>

#include "base/log.h"
#include "base/random.h"
#include "base/ring.h"
#include "base/siphash.h"
#include "dialect/command.h"
#include "gateway/access.h"
#include "gateway/endpoint.h"
#include "gateway/job.h"
#include "gateway/refusals.h"
#include "gateway/section.h"
#include "gateway/throttle.h"
#include "registry/registry.h"

namespace tocsin {

struct EnrollTools {
  Registry& registry;
  std::span<Section> sections;
  AccessRules access;
  Throttle& throttle;
  Outbox& outbox;
  RandomSource& random;
  Heap& json_heap;
  Log& log;
  EndpointRules endpoints{};
};

// A registration that ends without a login.
struct Forgotten {
  Ticket ticket = 0;
  NodeId node{};
  uint8_t section = Device::no_section;
};

class Enroll {
 public:
  // Answers that wait for a sync: about 250 registrations; more are answered `wait`.
  static constexpr size_t waiting_bytes = 128 * 1024;

  Enroll(Region& region, uint32_t devices_per_account, const EnrollTools& tools);

  void set_key(const HashKey& key) { key_ = key; }                        // pseudonyms
  void set_endpoint_key(const EndpointKey& key) { endpoint_key_ = key; }  // before the first one registers
  void register_device(const Command& command, Instant now, UnixTime wall);
  void unregister_device(const Command& command, UnixTime now);
  // Ends the registration of account and token, whatever the provider string. Error::not_found: there is none.
  Result<Forgotten> forget(string_view account, string_view token, string_view provider, UnixTime now);
  void forgotten(const Forgotten& device);  // it is durable: the log hears of it
  // A device was turned away, and answered: the log hears of it.
  void say_refused(const Command& command, Refusal refusal, Instant now);
  // UnifiedPush (register_endpoint.cpp).
  void register_endpoint(const Command& command, Instant now, UnixTime wall);
  // The journal decided about a batch: what waited for it is answered.
  void commits_decided();
  // TERM: what waits is answered `wait`.
  void stop();
  uint32_t waiting() const { return waiting_count_; }

  enum class Kind : uint8_t { registered, unregistered };

 private:
  // One answer, now or when its ticket is decided.
  struct Acknowledgement {
    Kind kind{};
    NodeId node{};
    uint8_t section = Device::no_section;
    uint32_t payload = 0;
    bool changed = false;  // something new is durable: worth a log line
    NodeId replaced{};     // the device that ends for this one; all zeros: none
    uint8_t replaced_section = Device::no_section;
    DialectId dialect = DialectId::tigase;
    string_view asked{};   // the command's node
    string_view secret{};  // "" where the dialect knows none
    UnixTime expires{};    // endpoints
  };
  static constexpr size_t secret_size = 24;  // 18 random bytes as base64url
  Section* section_of(const Command& command) const;
  Result<ByteView> read_token(const Section& section, const Command& command, bool to_leave, Arena& scratch) const;
  Result<ByteView> read_second(const Section& section, const Command& command, Arena& scratch) const;
  uint8_t number_of(string_view name) const;  // of a section; Device::no_section: none is called so
  // The device that ends so that the account may have another: replaced is its node, all zeros when none need end.
  // False: it has too many, and the client was told.
  bool make_way(const Command& command, string_view account, Instant now, UnixTime wall, NodeId& replaced,
                uint8_t& section);
  bool make_way_for_endpoint(const Command& command, string_view account, Instant now, UnixTime wall, NodeId& replaced);
  void refuse_ticket(const Command& command, Error error, Instant now);
  Status find_named(const Command& command, string_view account, Registration& known, Ticket& staged);
  void say_full(Instant now);
  void refuse(const Command& command, string_view type, string_view condition, string_view text);
  void refuse_value(const Command& command, string_view field, string_view value, string_view what);
  void refuse_unreadable(const Command& command);
  void refuse_busy(const Command& command);
  void acknowledge(const Acknowledgement& what, const Command& command, Ticket ticket);  // ticket 0: now
  void answer_waiting(Ticket up_to, bool stopping);
  void peek(uint8_t* to, size_t size) const;
  void write_done(Writer& out, const Acknowledgement& what, const IqHead& iq, string_view session);
  void write(const Acknowledgement& what, const IqHead& iq, string_view session, bool stored);
  void log_change(string_view event, string_view why, const NodeId& node, uint8_t section, string_view dialect = {});

  EnrollTools tools_;
  HashKey key_;
  EndpointKey endpoint_key_;
  uint32_t devices_per_account_;
  ByteRing waiting_;
  uint32_t waiting_count_ = 0;
  Instant say_full_after_{};
  Refusals refusals_;
  Bytes record_room_;
  Bytes scratch_room_;
};

}  // namespace tocsin
