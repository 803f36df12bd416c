#include "gateway/upkeep.h"

#include <algorithm>

namespace tocsin {
namespace {

constexpr int64_t day_seconds = 86'400;
constexpr uint32_t devices_a_turn = 256;
constexpr Duration between_turns = milliseconds(1);
// The day of the last accepted push is written once a week.
constexpr int64_t accepted_days_late = 7;

int64_t last_use(const Device& device) {
  const int64_t accepted =
      device.accepted_day == 0 ? 0 : (int64_t{device.accepted_day} + accepted_days_late) * day_seconds;
  return std::max(int64_t{device.refreshed}, accepted);
}

}  // namespace

void Upkeep::tick(Instant now, UnixTime wall) {
  compact(now, wall);
  if (looks()) look(now, wall);
}

Instant Upkeep::due() const { return earlier(registry_.maintenance_due(), looks() ? look_at_ : Instant::never()); }

void Upkeep::compact(Instant now, UnixTime wall) {
  const Maintenance outcome = registry_.maintain(now, wall);
  if (outcome == Maintenance::quiet) return;
  const Compaction& compaction = registry_.compaction();
  if (outcome == Maintenance::compacted) {
    compaction_failed_ = false;
    LogLine(log_, Level::info, "registry_compacted")
        .field("bytes_before", static_cast<int64_t>(compaction.bytes_before()))
        .field("bytes", static_cast<int64_t>(compaction.bytes_written()))
        .field("devices", int64_t{registry_.count()});
  } else if (outcome == Maintenance::damaged) {
    LogLine(log_, Level::error, "registry_damaged")
        .field("offset", static_cast<int64_t>(compaction.problem_offset()))
        .sentence("check",
                  "what was good once can not be read any more: stop the gateway, run `tocsin registry repair`");
  } else if (!compaction_failed_) {
    compaction_failed_ = true;  // once per condition: it is tried again every ten minutes
    LogLine(log_, Level::warn, "compaction_failed").sentence("reason", compaction.problem());
  }
}

bool Upkeep::is_over(const Device& device, int64_t today) const {
  // A day later than it was promised: nobody waits for it.
  if (device.section == endpoint_section_ && endpoint_section_ != Device::no_section)
    return today - int64_t{device.refreshed} > endpoint_expiry_.whole_seconds() + day_seconds;
  return expire_after_ > Duration{} && today - last_use(device) > expire_after_.whole_seconds();
}

// A clock that has run ahead must end nobody: it counts only as far as a day behind the newest use of any device.
void Upkeep::look(Instant now, UnixTime wall) {
  if (!looking_) {
    if (ended_said_ < ended_ && registry_.committed_ticket() >= ended_ticket_) {
      if (!registry_.ticket_failed(ended_ticket_))
        LogLine(log_, Level::info, "expired").field("devices", int64_t{ended_});
      ended_said_ = ended_;
    }
    if (now < look_at_) return;
    looking_ = true;
    left_ = registry_.count();
    ended_ = ended_said_ = 0;
    newest_seen_ = 0;
  }
  const int64_t today = plausible(wall) ? std::min(wall.s, newest_ + day_seconds) : 0;
  for (uint32_t i = 0; i < devices_a_turn && left_ > 0; ++i) {
    const Device* device = registry_.device_at(left_ - 1);
    if (device != nullptr) {
      const int64_t used = last_use(*device);
      newest_seen_ = std::max(newest_seen_, std::min(used, wall.s));
      if (newest_ > 0 && is_over(*device, today)) {
        const Result<Ticket> ticket = registry_.end(device->node, EndReason::expiry, "", wall);
        if (!ticket.ok()) break;  // staging is full: on after the commit
        ended_ticket_ = ticket.value();
        ++ended_;
      }
    }
    --left_;
  }
  look_at_ = now + between_turns;
  if (left_ > 0) return;
  newest_ = newest_seen_;
  looking_ = false;
  look_at_ = now + look_every;
}

}  // namespace tocsin
