// The registry's housekeeping while the gateway works: slices of compaction, and
// the end of devices that nobody has used for `expire_after`, and of endpoints
// that were not registered again in time.
#pragma once

#include "base/log.h"
#include "gateway/endpoint.h"
#include "registry/registry.h"

namespace tocsin {

class Upkeep {
 public:
  // A look at all devices, and the pause between two of them. The first one only learns how the clock stands.
  static constexpr Duration look_every = hours(1);

  // expire_after: 0 is never. Endpoints have an expiry of their own.
  Upkeep(Registry& registry, Log& log, Duration expire_after, const EndpointRules& endpoints)
      : registry_(registry),
        log_(log),
        expire_after_(expire_after),
        endpoint_section_(endpoints.offered ? endpoints.section_number : Device::no_section),
        endpoint_expiry_(endpoints.expiry) {}

  // Once a turn, behind the commit.
  void tick(Instant now, UnixTime wall);
  Instant due() const;

 private:
  void compact(Instant now, UnixTime wall);
  void look(Instant now, UnixTime wall);
  bool looks() const { return expire_after_ > Duration{} || endpoint_section_ != Device::no_section; }
  bool is_over(const Device& device, int64_t today) const;

  Registry& registry_;
  Log& log_;
  Duration expire_after_;
  uint8_t endpoint_section_;  // no_section: none are offered
  Duration endpoint_expiry_;
  Instant look_at_{};
  bool looking_ = false;
  uint32_t left_ = 0;   // devices of this look, from the last to the first
  int64_t newest_ = 0;  // Unix seconds of the newest use of any device, as the last whole look found it
  int64_t newest_seen_ = 0;
  uint32_t ended_ = 0;  // staged in this look
  uint32_t ended_said_ = 0;
  Ticket ended_ticket_ = 0;
  bool compaction_failed_ = false;  // said
};

}  // namespace tocsin
