#include "registry/registry.h"

#include <algorithm>
#include <new>
#include <utility>

#include "base/writer.h"
#include "registry/inside.h"

namespace tocsin {
namespace {

// One read answers most look-ups: a record with a token of 160 bytes has about 300.
constexpr size_t first_read_bytes = 1024;

static_assert(Registry::record_bytes_max >= full_record_bytes_max);
static_assert(Registry::replay_scratch_bytes >= LogReader::scratch_bytes_min);

}  // namespace

size_t Registry::bytes_for(const Options& options) {
  return region_rounded(sizeof(RegistryInside)) + DeviceTable::bytes_for(options.max_devices) +
         2 * region_rounded(options.staging_bytes) + Compaction::bytes_for();
}

RegistryInside::RegistryInside(Region& region, const Registry::Options& options, Journal& to, Rewrite* second)
    : journal(to),
      devices(region, options.max_devices),
      buffers{Staging(region.carve(options.staging_bytes)), Staging(region.carve(options.staging_bytes))},
      rewrite(second),
      compaction(region, second) {
  // Room for one record of any size, and no longer than what replay takes for a torn batch.
  GW_CHECK(options.staging_bytes >= 2 * full_record_bytes_max && options.staging_bytes <= batch_bytes_max);
  FileHeader fresh;
  std::memcpy(fresh.creation_id, options.creation_id, sizeof fresh.creation_id);
  take_header(fresh);
}

Registry::Registry(Region& region, const Options& options, Journal& journal, Rewrite* rewrite)
    : inside_(new (region.carve(sizeof(RegistryInside)).data()) RegistryInside(region, options, journal, rewrite)) {}

// ---- start -----------------------------------------------------------------

void RegistryInside::take_header(const FileHeader& taken) {
  header = taken;
  hash = DeviceHash(taken.creation_id);
}

Status RegistryInside::replay(Bytes scratch) {
  GW_CHECK(scratch.size() >= Registry::replay_scratch_bytes && devices.count() == 0 && decided == 0);
  if (journal.size() == 0) return begin_log();
  LogReader reader(journal, scratch);
  FileHeader found;
  Result<bool> more = reader.open(found);
  if (more.ok() && more.value()) take_header(found);
  while (more.ok() && more.value()) {
    Record record;
    more = reader.next(record);
    if (!more.ok() || !more.value()) break;
    if (const Status applied = apply(record, reader.offset(), nullptr); !applied.ok()) {
      uint8_t text[128];
      Writer sentence(text);
      sentence.text("the registry holds more than max_devices = ").unsigned_number(devices.capacity()).text(" devices");
      GW_CHECK(problem.assign(sentence.view()));
      return applied;
    }
  }
  if (!more.ok()) {
    damage_offset = reader.problem_offset();
    uint8_t text[191];
    Writer sentence(text);
    sentence.text(reader.problem());
    if (more.error() != Error::damaged) sentence.text(" (byte ").unsigned_number(damage_offset).text(")");
    GW_CHECK(problem.assign(sentence.view()));
    return more.error();
  }
  batches = reader.batches();
  cut_bytes = reader.size() - reader.end();
  // The disk learns of a refresh at most daily: a device may have registered up to a day later than it says.
  for (uint32_t i = 0; i < devices.count(); ++i) {
    Device& device = devices.at(i);
    device.refreshed += std::min(day_seconds, UINT32_MAX - device.refreshed);
  }
  if (cut_bytes > 0) {
    const Status cut = journal.cut(reader.end());
    if (!cut.ok()) GW_CHECK(problem.assign("the torn end of the registry can not be cut off"));
    if (!cut.ok()) return cut;
  }
  if (journal.size() == 0) return begin_log();
  return make_durable(reader.last_batch());
}

// A cut that nobody came to sync may have left the file empty.
Status RegistryInside::begin_log() {
  if (const Status renewed = make_durable(0); !renewed.ok()) return renewed;
  uint8_t bytes[FileHeader::size];
  encode(header, bytes);
  const Status begun = journal.begin_log(bytes);
  if (!begun.ok()) GW_CHECK(problem.assign("the registry's header can not be made durable"));
  return begun;
}

// Whatever was found is what counts from now on.
Status RegistryInside::make_durable(uint64_t last_batch) {
  const Status renewed = journal.renew(last_batch);
  if (!renewed.ok()) GW_CHECK(problem.assign("the last batch of the registry can not be made durable"));
  return renewed;
}

uint8_t RegistryInside::section_number(string_view name) const {
  for (size_t i = 0; i < section_names.size(); ++i) {
    if (section_names[i] == name) return static_cast<uint8_t>(i);
  }
  for (const Registry::FormerName& former : former_names) {
    if (former.name == name) return former.section;
  }
  return Device::no_section;
}

string_view RegistryInside::present_name(string_view name) const {
  const uint8_t number = section_number(name);
  return number == Device::no_section ? name : section_names[number];
}

void Registry::sections(std::span<const string_view> names, std::span<const FormerName> former) {
  GW_CHECK(names.size() < Device::no_section);
  for (const FormerName& each : former) GW_CHECK(each.section < names.size());
  inside_->section_names = names;
  inside_->former_names = former;
}
Status Registry::replay(Bytes scratch) { return inside_->replay(scratch); }
uint64_t Registry::damage_offset() const { return inside_->damage_offset; }
uint64_t Registry::cut_bytes() const { return inside_->cut_bytes; }
const char* Registry::problem() const { return inside_->problem.c_str(); }
uint64_t Registry::strays() const { return inside_->strays; }

// ---- look-ups --------------------------------------------------------------

Status RegistryInside::read_record(const Device& device, Bytes room, Record& out) const {
  const auto read = [&](uint64_t offset, Bytes to) {
    return device.file == current_file ? journal.read(offset, to) : rewrite->read_former(offset, to);
  };
  const uint64_t offset = device.offset();
  const Result<size_t> first = read(offset, room.first(std::min(room.size(), first_read_bytes)));
  if (!first.ok()) return first.error();
  if (first.value() < record_frame_bytes) return Error::damaged;
  const size_t size = record_size(room.data());
  if (size > full_record_bytes_max) return Error::damaged;
  if (size > room.size()) return Error::too_long;
  if (size > first.value()) {
    const size_t missing = size - first.value();
    const Result<size_t> rest = read(offset + first.value(), room.subspan(first.value(), missing));
    if (!rest.ok()) return rest.error();
    if (rest.value() != missing) return Error::damaged;
  }
  const ByteView bytes = ByteView(room).first(size);
  if (!intact(bytes) || !decode(bytes, out).ok()) return Error::damaged;
  return out.full() && out.node == device.node ? Status() : Status(Error::damaged);
}

uint32_t Registry::count() const { return inside_->devices.count(); }
uint32_t Registry::capacity() const { return inside_->devices.capacity(); }
const Device* Registry::find(const NodeId& node) const { return std::as_const(inside_->devices).find(node); }
const Device* Registry::device_at(uint32_t i) const { return i < count() ? &inside_->devices.at(i) : nullptr; }

Status Registry::read(const Device& device, Bytes room, Registration& out) const {
  Record record;
  if (const Status read = inside_->read_record(device, room, record); !read.ok()) return read;
  out = record.registration;
  out.section = inside_->present_name(out.section);
  return {};
}

Status Registry::read_latest(const Device& device, Bytes room, Registration& out) const {
  for (int b = 1; b >= 0; --b) {
    const Staging& batch = inside_->batch(b);
    for (uint32_t i = batch.count(); i-- > 0;) {
      const Change& change = batch.change(i);
      if (!change.full() || !(change.node == device.node)) continue;
      const ByteView bytes = batch.record(change);
      if (bytes.size() > room.size()) return Error::too_long;
      copy_bytes(room.data(), bytes);
      Record record;
      GW_CHECK(decode(ByteView(room).first(bytes.size()), record).ok());
      out = record.registration;
      out.section = inside_->present_name(out.section);
      return {};
    }
  }
  return read(device, room, out);
}

Status Registry::find_device(string_view account, ByteView key, Bytes room, Registration& out, Ticket* staged) const {
  if (staged != nullptr) *staged = 0;
  if (account.size() > account_bytes_max || key.size() > token_bytes_max) return Error::not_found;
  const uint32_t wanted = inside_->hash.of_key(account, key);
  // What is staged speaks first: a device's newest full record, unless its end came after it.
  for (int b = 1; b >= 0; --b) {
    const Staging& batch = inside_->batch(b);
    for (uint32_t i = batch.count(); i-- > 0;) {
      const Change& change = batch.change(i);
      if (!change.full() || change.key_hash != wanted) continue;
      if (inside_->latest_content(change.node) != &change) continue;
      const ByteView bytes = batch.record(change);
      if (bytes.size() > room.size()) return Error::too_long;
      copy_bytes(room.data(), bytes);
      Record record;
      GW_CHECK(decode(ByteView(room).first(bytes.size()), record).ok());
      if (record.registration.account != account || !same(record.registration.key(), key)) continue;
      out = record.registration;
      out.section = inside_->present_name(out.section);
      if (staged != nullptr) *staged = inside_->state(change.node).ticket;
      return {};
    }
  }
  Status trouble;
  const Device* device = inside_->devices.find_key(wanted, [&](const Device& candidate) {
    if (inside_->latest_content(candidate.node) != nullptr) return false;  // ended, or changed to another token
    const Status read = this->read(candidate, room, out);
    if (!read.ok()) trouble = read;
    return read.ok() && out.account == account && same(out.key(), key);
  });
  if (device == nullptr) return trouble.ok() ? Status(Error::not_found) : trouble;
  if (staged != nullptr) *staged = inside_->state(device->node).ticket;
  return {};
}

bool Registry::has_any(string_view account) const {
  return account.size() <= account_bytes_max && inside_->devices.first_of(inside_->hash.of_account(account)) != nullptr;
}

uint32_t Registry::count_of_account(string_view account, const Device** oldest, bool endpoints) const {
  if (oldest != nullptr) *oldest = nullptr;
  if (account.size() > account_bytes_max) return 0;
  const uint32_t hash = inside_->hash.of_account(account);
  uint8_t room[full_record_bytes_max];
  uint32_t found = 0;
  int64_t oldest_use = INT64_MAX;
  for (const Device* device = inside_->devices.first_of(hash); device != nullptr;
       device = inside_->devices.after(*device)) {
    if (inside_->latest_content(device->node) != nullptr) continue;  // counted below, if it stays
    Registration registration;
    const Status read = this->read(*device, room, registration);
    if (read.ok() && (registration.account != account || registration.is_endpoint() != endpoints)) continue;
    ++found;  // one that can not be read counts, but is not offered for replacement
    int64_t use = std::max(int64_t{device->refreshed}, int64_t{device->accepted_day} * day_seconds);
    if (endpoints && device->held) use = INT64_MIN;  // gone
    if (!read.ok() || oldest == nullptr || use >= oldest_use) continue;
    oldest_use = use;
    *oldest = device;
  }
  for (int b = 0; b < 2; ++b) {
    const Staging& batch = inside_->batch(b);
    for (uint32_t i = 0; i < batch.count(); ++i) {
      const Change& change = batch.change(i);
      if (!change.full() || change.account_hash != hash) continue;
      if (inside_->latest_content(change.node) != &change) continue;
      Record record;
      GW_CHECK(decode(batch.record(change), record).ok());
      if (record.registration.account == account && record.registration.is_endpoint() == endpoints) ++found;
    }
  }
  return found;
}

}  // namespace tocsin
