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
#include "gateway/job.h"
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
  Log& log;
};

class Enroll {
 public:
  // Answers that wait for a sync: about 250 registrations; more are answered `wait`.
  static constexpr size_t waiting_bytes = 128 * 1024;

  Enroll(Region& region, uint32_t devices_per_account, const EnrollTools& tools);

  void set_key(const HashKey& key) { key_ = key; }  // pseudonyms
  void register_device(const Command& command, UnixTime now);
  void unregister_device(const Command& command, UnixTime now);
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
    NodeId node;
    uint8_t section = 255;
    uint32_t payload = 0;
    bool changed = false;  // something new is durable: worth a log line
  };
  Section* section_of(string_view provider) const;
  void refuse(const Command& command, string_view type, string_view condition, string_view text);
  void refuse_value(const Command& command, string_view field, string_view value, string_view what);
  void acknowledge(const Acknowledgement& what, const Command& command, Ticket ticket);  // ticket 0: now
  void answer_waiting(Ticket up_to, bool stopping);
  void peek(uint8_t* to, size_t size) const;
  void write(const Acknowledgement& what, const IqHead& iq, string_view session, bool stored);
  void log_change(string_view event, string_view why, const NodeId& node, uint8_t section);

  EnrollTools tools_;
  HashKey key_;
  uint32_t devices_per_account_;
  ByteRing waiting_;
  uint32_t waiting_count_ = 0;
  Bytes record_room_;
  Bytes scratch_room_;
};

}  // namespace tocsin
