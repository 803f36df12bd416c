// Batches: handed to the journal, then applied to the index or dropped.
#include "registry/inside.h"

namespace tocsin {

static constexpr uint32_t unhurried_max = 64;  // looking up a device goes through what is staged

// ---- applying --------------------------------------------------------------

// Live, RAM's exact times are newer than the record's and stay; while replaying, the record's are all there is.
Status RegistryInside::apply(const Record& record, uint64_t offset, const Change* change) {
  Device* device = devices.find(record.node);
  if (record.full()) {
    const Registration& registration = record.registration;
    const uint32_t key_hash = hash.of_key(registration.account, registration.key());
    const uint32_t account_hash = hash.of_account(registration.account);
    const bool fresh = device == nullptr;
    if (fresh) {
      if (devices.count() == devices.capacity()) return Error::exhausted;
      Device added;
      added.node = record.node;
      added.key_hash = key_hash;
      added.account_hash = account_hash;
      device = &devices.insert(added);
    } else {
      devices.rekey(*device, key_hash, account_hash);
    }
    if (!fresh && device->file != current_file) --former_left;
    device->set_offset(offset, current_file);
    count_full(registration);
    device->section = section_number(registration.section);
    device->held = false;
    device->accepted_under = record.accepted_under;
    device->refreshed_stored = ram_seconds(record.time);
    if (fresh || change == nullptr) {
      device->refreshed = change == nullptr ? device->refreshed_stored : change->refreshed;
      device->accepted_day = record.accepted_day;
    }
    return {};
  }
  if (record.kind == RecordKind::ended) ++ends;
  if (device == nullptr) {
    if (record.kind != RecordKind::ended) ++strays;  // a compaction keeps ends of devices that it does not keep
    return {};
  }
  switch (record.kind) {
    case RecordKind::refreshed:
      device->refreshed_stored = ram_seconds(record.time);
      if (change == nullptr) device->refreshed = device->refreshed_stored;
      device->held = false;
      break;
    case RecordKind::accepted:
      device->accepted_under = record.accepted_under;
      if (change == nullptr) device->accepted_day = day_of(record.time, device->accepted_day);
      break;
    case RecordKind::held: device->held = true; break;
    case RecordKind::released: device->held = false; break;
    case RecordKind::ended:
      if (device->file != current_file) --former_left;
      devices.remove(*device);
      break;
    case RecordKind::registered:
    case RecordKind::changed:
    case RecordKind::mark: GW_CHECK(false);
  }
  return {};
}

void RegistryInside::count_full(const Registration& registration) {
  ++full_records;
  full_bytes += full_record_bytes(registration);
}

void RegistryInside::apply_batch(const Staging& done) {
  for (uint32_t i = 0; i < done.count(); ++i) {
    const Change& change = done.change(i);
    Record record;
    GW_CHECK(decode(done.record(change), record).ok());
    // There is room: add() counted what is staged.
    GW_CHECK(apply(record, done.offset(change), &change).ok());
  }
}

// Takes back what RAM learned at once, newest first.
void RegistryInside::drop(Staging& failed) {
  for (uint32_t i = failed.count(); i-- > 0;) {
    const Change& change = failed.change(i);
    Device* device = devices.find(change.node);
    if (device == nullptr) continue;
    if (change.kind == RecordKind::changed || change.kind == RecordKind::refreshed)
      device->refreshed = change.refreshed_before;
    if (change.kind == RecordKind::accepted) device->accepted_day = change.day_before;
  }
  failed.clear();
}

// ---- batches ---------------------------------------------------------------

bool Registry::anything_staged() const { return !inside_->batch(1).empty(); }
bool Registry::commit_wanted() const {
  const Staging& batch = inside_->batch(1);
  return batch.hurried() > 0 || batch.count() >= unhurried_max;
}
bool Registry::committing() const { return inside_->committing || inside_->compaction.holds_commits(); }
Ticket Registry::committed_ticket() const { return inside_->decided; }

bool Registry::ticket_failed(Ticket ticket) const {
  return ticket >= inside_->failed_from && ticket <= inside_->failed_to;
}

Status Registry::commit() {
  RegistryInside& in = *inside_;
  GW_CHECK(!committing());
  if (!anything_staged()) return {};
  in.staged = 1 - in.staged;
  ++in.next_ticket;
  in.committing = true;
  Staging& batch = in.batch(0);
  const uint64_t end = in.journal.size();
  const ByteView bytes = batch.close(end, in.batches + 1, in.header);
  const Status started = end + bytes.size() > log_bytes_max ? Status(Error::no_space) : in.journal.append(bytes);
  if (!started.ok()) committed(started);
  return started;
}

bool Registry::next_end(uint32_t& from, EndOfDevice& end) const {
  const Staging& batch = inside_->batch(0);
  while (inside_->committing && from < batch.count()) {
    const Change& change = batch.change(from++);
    if (change.kind != RecordKind::ended) continue;
    Record record;
    GW_CHECK(decode(batch.record(change), record).ok());
    const Device* device = find(record.node);
    end = {.node = record.node,
           .section = device == nullptr ? Device::no_section : device->section,
           .reason = record.reason,
           .word = record.word};
    return true;
  }
  return false;
}

void Registry::committed(Status outcome) {
  RegistryInside& in = *inside_;
  GW_CHECK(in.committing);
  in.committing = false;
  const Ticket ticket = in.next_ticket - 1;
  in.decided = ticket;
  Staging& done = in.batch(0);
  if (outcome.ok()) {
    in.apply_batch(done);
    done.clear();
    ++in.batches;
    return;
  }
  in.failed_from = in.failed_to = ticket;
  // What was staged behind the batch may build on it: a refresh of a device that it was to add, a freed place.
  if (anything_staged()) {
    in.drop(in.batch(1));
    in.failed_to = in.decided = in.next_ticket++;
  }
  in.drop(done);
}

// ---- maintenance -----------------------------------------------------------

Maintenance Registry::maintain(Instant now, UnixTime wall) { return inside_->compaction.tick(*inside_, now, wall); }
Instant Registry::maintenance_due() const { return inside_->compaction.due(); }
void Registry::request_compaction() { inside_->compaction.request(); }
const Compaction& Registry::compaction() const { return inside_->compaction; }
uint64_t Registry::log_bytes() const { return inside_->journal.size(); }

}  // namespace tocsin
