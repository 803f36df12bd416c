// Staging: every change is a record for the log; what RAM learns at once is noted so that it can be taken back.
#include "registry/inside.h"

namespace tocsin {
namespace {

// Once in so many days an accepted push is written although nothing new is in it.
constexpr uint32_t accepted_write_days = 7;

// Devices take turns: each has its own day of the week, from its random node.
uint32_t accepted_week(const NodeId& node, uint16_t day) {
  return (uint32_t{day} + node.bytes[0]) / accepted_write_days;
}

// What a device's refresh may wait for others: see refresh_unhurried. Who was away for longer may have been dead in
// between, and the time of its return decides whether its provider is believed.
constexpr uint32_t unhurried_seconds = 3 * day_seconds;

uint32_t distance(uint32_t a, uint32_t b) { return a < b ? b - a : a - b; }

}  // namespace

// ---- what is staged --------------------------------------------------------

StagedState RegistryInside::state(const NodeId& node) const {
  StagedState now;
  if (const Device* device = devices.find(node)) {
    now = {.known = true,
           .durable = true,
           .held = device->held,
           .accepted_day = device->accepted_day,
           .refreshed = device->refreshed,
           .refreshed_stored = device->refreshed_stored,
           .accepted_under = device->accepted_under};
  }
  for (int b = 0; b < 2; ++b) {
    const Staging& changes = batch(b);
    for (uint32_t i = 0; i < changes.count(); ++i) {
      const Change& change = changes.change(i);
      if (!(change.node == node)) continue;
      if (!change.unhurried) now.ticket = ticket_of_batch(b);
      Record record;
      GW_CHECK(decode(changes.record(change), record).ok());
      switch (record.kind) {
        case RecordKind::registered:
          now.known = true;
          now.refreshed = change.refreshed;
          [[fallthrough]];
        case RecordKind::changed:
          now.refreshed_stored = ram_seconds(record.time);
          now.accepted_under = record.accepted_under;
          now.held = false;
          break;
        case RecordKind::refreshed:
          now.refreshed_stored = ram_seconds(record.time);
          now.held = false;
          break;
        case RecordKind::accepted: now.accepted_under = record.accepted_under; break;
        case RecordKind::held: now.held = true; break;
        case RecordKind::released: now.held = false; break;
        case RecordKind::ended: now.known = false; break;
        case RecordKind::mark: break;
      }
    }
  }
  return now;
}

const Change* RegistryInside::latest_content(const NodeId& node) const {
  for (int b = 1; b >= 0; --b) {
    const Staging& changes = batch(b);
    for (uint32_t i = changes.count(); i-- > 0;) {
      const Change& change = changes.change(i);
      if ((change.full() || change.kind == RecordKind::ended) && change.node == node) return &change;
    }
  }
  return nullptr;
}

// The newest full record of a node that is there, staged changes included.
bool RegistryInside::content(const NodeId& node, Bytes room, Record& out) const {
  for (int b = 1; b >= 0; --b) {
    const Staging& changes = batch(b);
    for (uint32_t i = changes.count(); i-- > 0;) {
      const Change& change = changes.change(i);
      if (change.full() && change.node == node) return decode(changes.record(change), out).ok();
    }
  }
  const Device* device = devices.find(node);
  return device != nullptr && read_record(*device, room, out).ok();
}

bool RegistryInside::has_key(const NodeId& node, uint32_t key_hash) const {
  if (const Change* change = latest_content(node)) return change->key_hash == key_hash;
  const Device* device = devices.find(node);
  return device != nullptr && device->key_hash == key_hash;
}

// RAM knows of a refresh at once: in the index, or, before the device is in it, in what is going to put it there.
void RegistryInside::set_refreshed(const NodeId& node, uint32_t seconds) {
  if (Device* device = devices.find(node)) device->refreshed = seconds;
  for (int b = 0; b < 2; ++b) {
    Staging& changes = batch(b);
    for (uint32_t i = 0; i < changes.count(); ++i) {
      Change& change = changes.change(i);
      if (change.kind == RecordKind::registered && change.node == node) change.refreshed = seconds;
    }
  }
}

Result<Ticket> RegistryInside::stage(const Record& record, const StagedState& was, bool unhurried) {
  Change change{.node = record.node,
                .key_hash = 0,
                .account_hash = 0,
                .at = 0,
                .refreshed = ram_seconds(record.time),
                .refreshed_before = was.refreshed,
                .day_before = was.accepted_day,
                .kind = record.kind,
                .unhurried = unhurried};
  // Who was told already keeps what RAM knows, whatever becomes of the batch.
  if (unhurried) change.refreshed_before = change.refreshed;
  if (record.full()) {
    change.key_hash = hash.of_key(record.registration.account, record.registration.key());
    change.account_hash = hash.of_account(record.registration.account);
  }
  if (!batch(1).add(record, change)) return Error::busy;
  return next_ticket;
}

// ---- changes ---------------------------------------------------------------

Result<Ticket> Registry::add(const Registration& registration, UnixTime now) {
  RegistryInside& in = *inside_;
  if (!within_bounds(registration)) return Error::too_long;
  if (in.devices.find(registration.node) != nullptr || in.latest_content(registration.node) != nullptr)
    return Error::exists;
  const int64_t devices = int64_t{in.devices.count()} + in.batch(0).growth() + in.batch(1).growth();
  if (devices >= int64_t{in.devices.capacity()}) return Error::exhausted;
  return in.stage(
      {.kind = RecordKind::registered, .node = registration.node, .time = now, .registration = registration}, {});
}

Result<Ticket> Registry::change(const Registration& registration, UnixTime now) {
  RegistryInside& in = *inside_;
  if (!within_bounds(registration)) return Error::too_long;
  const StagedState was = in.state(registration.node);
  if (!was.known) return Error::not_found;
  // Where the key is not the token, what changed is taken for the token.
  const bool same_token = registration.identity.empty() &&
                          in.has_key(registration.node, in.hash.of_key(registration.account, registration.token));
  const Result<Ticket> ticket = in.stage({.kind = RecordKind::changed,
                                          .node = registration.node,
                                          .time = now,
                                          .registration = registration,
                                          .accepted_under = same_token ? was.accepted_under : 0,
                                          .accepted_day = was.accepted_day},
                                         was);
  if (ticket.ok()) in.set_refreshed(registration.node, ram_seconds(now));
  return ticket;
}

Result<Ticket> Registry::clear_second_token(const NodeId& node) {
  RegistryInside& in = *inside_;
  const StagedState was = in.state(node);
  uint8_t room[full_record_bytes_max];
  Record last;
  if (!was.known || !in.content(node, room, last)) return Error::not_found;
  if (was.held || last.registration.second_token.empty()) return Ticket{0};
  Record record{.kind = RecordKind::changed,
                .node = node,
                .time = {int64_t{was.refreshed_stored}},
                .registration = last.registration,
                .accepted_under = was.accepted_under,
                .accepted_day = was.accepted_day};
  record.registration.second_token = {};
  return in.stage(record, was);
}

Result<Ticket> Registry::move_to_section(const NodeId& node, string_view section) {
  RegistryInside& in = *inside_;
  const StagedState was = in.state(node);
  uint8_t room[full_record_bytes_max];
  Record last;
  if (!was.known || !in.content(node, room, last)) return Error::not_found;
  Record record{.kind = RecordKind::changed,
                .node = node,
                .time = {int64_t{was.refreshed_stored}},
                .registration = last.registration,
                .accepted_day = was.accepted_day};
  record.registration.section = section;
  return in.stage(record, was);
}

Result<Ticket> Registry::refresh(const NodeId& node, UnixTime now, bool must_write) {
  return inside_->refresh(node, now, must_write, false);
}

Result<Ticket> Registry::refresh_unhurried(const NodeId& node, UnixTime now) {
  return inside_->refresh(node, now, false, true);
}

Result<Ticket> RegistryInside::refresh(const NodeId& node, UnixTime now, bool must_write, bool unhurried) {
  const StagedState was = state(node);
  if (!was.known) return Error::not_found;
  const uint32_t seconds = ram_seconds(now);
  Result<Ticket> ticket = Ticket{0};
  // Both ways: a clock that was set back must reach the disk as well.
  const uint32_t off = distance(seconds, was.refreshed_stored);
  unhurried = unhurried && !was.held && was.durable && off < unhurried_seconds;
  if (was.held || off >= day_seconds || (must_write && off > 0)) {
    ticket = stage({.kind = RecordKind::refreshed, .node = node, .time = now}, was, unhurried);
    if (ticket.ok() && unhurried) ticket = Ticket{0};
  }
  if (ticket.ok()) set_refreshed(node, seconds);
  return ticket;
}

Result<Ticket> Registry::end(const NodeId& node, EndReason reason, string_view word, UnixTime now) {
  RegistryInside& in = *inside_;
  const StagedState was = in.state(node);
  if (!was.known) return was.ticket == 0 ? Result<Ticket>(Error::not_found) : Result<Ticket>(was.ticket);
  // Whose device it was is written along: after a compaction nothing else knows. What can not be read ends as well.
  uint8_t room[full_record_bytes_max];
  Record last;
  Record ended{
      .kind = RecordKind::ended, .node = node, .time = now, .reason = reason, .word = cut_utf8(word, word_bytes_max)};
  if (in.content(node, room, last)) {
    ended.registration.account = last.registration.account;
    ended.registration.section = last.registration.section;
  }
  return in.stage(ended, was);
}

Result<Ticket> Registry::hold(const NodeId& node, string_view word, UnixTime now) {
  RegistryInside& in = *inside_;
  const StagedState was = in.state(node);
  if (!was.known) return Error::not_found;
  if (was.held) return Ticket{0};
  return in.stage({.kind = RecordKind::held, .node = node, .time = now, .word = cut_utf8(word, word_bytes_max)}, was);
}

Result<Ticket> Registry::release(const NodeId& node, UnixTime now) {
  RegistryInside& in = *inside_;
  const StagedState was = in.state(node);
  if (!was.known) return Error::not_found;
  if (!was.held) return Ticket{0};
  return in.stage({.kind = RecordKind::released, .node = node, .time = now}, was);
}

Result<Ticket> Registry::accepted(const NodeId& node, uint32_t fingerprint, UnixTime now) {
  RegistryInside& in = *inside_;
  const StagedState was = in.state(node);
  Device* device = in.devices.find(node);
  if (!was.known || device == nullptr) return Error::not_found;
  const uint16_t day = day_of(now, was.accepted_day);
  Result<Ticket> ticket = Ticket{0};
  if (was.accepted_under != fingerprint || accepted_week(node, day) != accepted_week(node, was.accepted_day)) {
    ticket = in.stage({.kind = RecordKind::accepted, .node = node, .time = now, .accepted_under = fingerprint}, was,
                      was.accepted_under == fingerprint);
  }
  if (ticket.ok()) device->accepted_day = day;
  return ticket;
}

}  // namespace tocsin
