#include "registry/compaction.h"

#include <algorithm>

#include "registry/inside.h"

namespace tocsin {
namespace {

// A slice is so much reading; between two of them others have the processor for at least as long.
constexpr Duration between_slices = milliseconds(1);
// Unsynced bytes of the second file: more at once would make a slow disk's last sync, for which commits wait, long.
constexpr uint64_t unsynced_max = 1024 * 1024;
constexpr Duration retry_every = minutes(10);
constexpr uint64_t end_bytes = 128;  // of one kept end, about

static_assert(Compaction::room_bytes >= full_record_bytes_max + mark_bytes);

bool same_content(const Record& a, const Record& b) {
  const Registration& x = a.registration;
  const Registration& y = b.registration;
  return a.node == b.node && x.account == y.account && x.section == y.section && x.provider == y.provider &&
         same(x.token, y.token) && same(x.second_token, y.second_token) && x.registered == y.registered &&
         same(x.identity, y.identity) && x.secret == y.secret && x.channel == y.channel && x.dialect == y.dialect;
}

}  // namespace

Compaction::Compaction(Region& region, Rewrite* rewrite)
    : rewrite_(rewrite),
      read_room_(region.carve(room_bytes)),
      write_room_(region.carve(room_bytes)),
      batch_(write_room_, header_) {}

bool Compaction::holds_commits() const {
  return stage_ == Stage::syncing || stage_ == Stage::catching || stage_ == Stage::closing || stage_ == Stage::placing;
}

// When at least half of the journal is dead. What is alive is estimated: RAM does not know sizes.
bool Compaction::wanted(const RegistryInside& in) const {
  if (requested_) return true;
  const uint64_t size = in.journal.size();
  if (size < bytes_min || in.full_records == 0) return false;
  const uint64_t devices = in.devices.count() * (in.full_bytes / in.full_records);
  const uint64_t ends = std::min(in.ends, ends_max) * end_bytes;
  return size >= 2 * (FileHeader::size + devices + ends);
}

Maintenance Compaction::tick(RegistryInside& in, Instant now, UnixTime wall) {
  if (rewrite_ == nullptr || broken_ || (now < due_ && due_ != Instant::never())) return Maintenance::quiet;
  if (stage_ == Stage::idle) {
    if ((now < retry_after_ && !requested_) || !wanted(in)) return Maintenance::quiet;
    requested_ = false;
    if (in.journal.size() <= FileHeader::size) return Maintenance::quiet;
    if (const Status begun = begin(in, wall); !begun.ok()) return fail(begun, now);
  }
  return step(in, now);
}

Status Compaction::begin(RegistryInside& in, UnixTime wall) {
  header_ = in.header;
  header_.version = FileHeader::newest;
  ++header_.generation;
  batch_ = Batch(write_room_, header_);
  at_ = FileHeader::size;
  snapshot_ = bytes_before_ = in.journal.size();
  ends_since_ = plausible(wall) ? wall - ends_kept : UnixTime{INT64_MIN};
  ends_total_ = in.ends;
  ends_seen_ = ends_written_ = full_bytes_ = full_records_ = batches_ = 0;
  problem_.clear();
  problem_offset_ = 0;
  if (const Status begun = rewrite_->begin(); !begun.ok()) return begun;
  stage_ = Stage::copying;
  uint8_t bytes[FileHeader::size];
  encode(header_, bytes);
  written_ = unsynced_ = sizeof bytes;
  return rewrite_->write(bytes);
}

Maintenance Compaction::step(RegistryInside& in, Instant now) {
  const auto copy_record = [&](uint64_t offset, Record& record) { return copy(in, offset, record); };
  Status outcome;
  due_ = Instant::never();  // a sync or a commit ends the wait
  switch (stage_) {
    case Stage::idle: break;
    case Stage::copying: {
      const uint64_t end = in.journal.size();
      if (at_ < end) outcome = walk(in, end, copy_record);
      if (!outcome.ok()) return fail(outcome, now);
      sync_started_ = false;
      if (unsynced_ >= unsynced_max) {
        stage_ = Stage::syncing;
        return step(in, now);
      }
      if (at_ + room_bytes >= in.journal.size()) stage_ = Stage::catching;
      due_ = now + between_slices;
      break;
    }
    case Stage::catching:
      if (in.committing) break;
      if (at_ < in.journal.size()) {
        outcome = walk(in, in.journal.size(), copy_record);
        if (!outcome.ok()) return fail(outcome, now);
        due_ = now + between_slices;
        break;
      }
      // One more batch, which is empty: nothing in front of it can ever be taken for a torn tail.
      if (!batch_.empty()) outcome = flush();
      if (outcome.ok()) outcome = flush();
      if (!outcome.ok()) return fail(outcome, now);
      stage_ = Stage::closing;
      return step(in, now);
    case Stage::syncing:
    case Stage::closing:
      if (!sync_started_) {
        if (in.committing) break;
        if (const Status started = rewrite_->sync(); !started.ok()) return fail(started, now);
        sync_started_ = true;
        break;
      }
      if (!rewrite_->decided_rewrite(outcome)) break;
      if (!outcome.ok()) return fail(outcome, now);
      unsynced_ = 0;
      if (stage_ == Stage::syncing) {
        stage_ = Stage::copying;
        due_ = now + between_slices;
        break;
      }
      if (const Status placed = rewrite_->place(in.header.version != header_.version); !placed.ok())
        return fail(placed, now);
      stage_ = Stage::placing;
      break;
    case Stage::placing:
      if (!rewrite_->decided_rewrite(outcome)) break;
      switch_over(in);
      stage_ = Stage::remapping;
      due_ = now + between_slices;
      break;
    case Stage::remapping:
      outcome = walk(in, written_, [&](uint64_t offset, Record& record) { return remap(in, offset, record); });
      if (!outcome.ok()) return fail(outcome, now);
      due_ = now + between_slices;
      if (at_ < written_) break;
      if (in.former_left > 0) return fail(Error::damaged, now);
      rewrite_->end();
      stage_ = Stage::idle;
      due_ = Instant::never();
      return Maintenance::compacted;
  }
  return Maintenance::quiet;
}

template <class Take>
Status Compaction::walk(RegistryInside& in, uint64_t end, Take&& take) {
  const size_t wanted = static_cast<size_t>(std::min<uint64_t>(read_room_.size(), end - at_));
  const Result<size_t> read = in.journal.read(at_, read_room_.first(wanted));
  problem_offset_ = at_;
  if (!read.ok()) return read.error();
  const ByteView window = ByteView(read_room_).first(read.value());
  size_t used = 0;
  while (window.size() - used >= record_frame_bytes) {
    const size_t size = record_size(&window[used]);
    if (size > window.size() - used) break;
    const ByteView bytes = window.subspan(used, size);
    problem_offset_ = at_ + used;
    Record record;
    if (!intact(bytes) || !decode(bytes, record).ok()) return Error::damaged;
    if (const Status taken = take(problem_offset_, record); !taken.ok()) return taken;
    used += size;
  }
  if (used == 0) return Error::damaged;
  at_ += used;
  return {};
}

// Records from the snapshot on are applied to the second file in their order, so what a device's copy already knows
// of them does no harm.
Status Compaction::copy(RegistryInside& in, uint64_t offset, Record& record) {
  if (record.kind == RecordKind::mark) return {};
  const Device* device = in.devices.find(record.node);
  const bool since = offset >= snapshot_;
  if (record.full()) {
    if (device == nullptr || device->offset() != offset) return {};
    record.time = UnixTime{int64_t{device->refreshed_stored}};
    record.accepted_under = device->accepted_under;
    record.accepted_day = device->accepted_day;
    return emit(record);
  }
  if (record.kind == RecordKind::ended) {
    const bool newest = ends_total_ - std::min(ends_seen_, ends_total_) <= ends_max;
    if (!since) ++ends_seen_;
    // Of an endpoint that came back this is history. Copied, it would stand behind a record of the same content from
    // before, if the last compaction took that for the newest.
    if (!since && (!newest || record.time < ends_since_ || device != nullptr)) return {};
    ++ends_written_;
    return emit(record);
  }
  // About a full record that is copied or was: of those before the snapshot only the word of a hold is not in RAM.
  if (device == nullptr || device->offset() > offset) return {};
  if (!since && !(record.kind == RecordKind::held && device->held)) return {};
  return emit(record);
}

Status Compaction::emit(const Record& record) {
  if (!batch_.add(record)) {
    if (const Status flushed = flush(); !flushed.ok()) return flushed;
    GW_CHECK(batch_.add(record));
  }
  if (record.full()) {
    ++full_records_;
    full_bytes_ += full_record_bytes(record.registration);
  }
  return {};
}

Status Compaction::flush() {
  const ByteView bytes = batch_.close(written_, ++batches_);
  const Status written = written_ + bytes.size() > log_bytes_max ? Status(Error::no_space) : rewrite_->write(bytes);
  written_ += bytes.size();
  unsynced_ += bytes.size();
  batch_.clear();
  return written;
}

void Compaction::switch_over(RegistryInside& in) {
  rewrite_->switch_over();
  in.current_file = !in.current_file;
  in.former_left = in.devices.count();
  in.header = header_;
  in.batches = batches_;
  in.ends = ends_written_;
  in.full_records = full_records_;
  in.full_bytes = full_bytes_;
  at_ = FileHeader::size;
}

// A device goes over to the new file when the record there says just what its record in the former file says. (One
// that changed while the first walk was under way has two in the new file, of which the first does not.)
Status Compaction::remap(RegistryInside& in, uint64_t offset, const Record& record) {
  if (!record.full()) return {};
  Device* device = in.devices.find(record.node);
  if (device == nullptr || device->file == in.current_file) return {};
  Record former;
  if (const Status read = in.read_record(*device, write_room_, former); !read.ok()) return read;
  if (!same_content(record, former)) return {};
  device->set_offset(offset, in.current_file);
  --in.former_left;
  return {};
}

Maintenance Compaction::fail(Status why, Instant now) {
  (void)problem_.assign(describe(why.error()));
  due_ = Instant::never();
  broken_ = why.error() == Error::damaged;
  if (stage_ == Stage::remapping && !broken_) {
    due_ = now + retry_every;  // both files stay open; on with the same slice
    return Maintenance::failed;
  }
  if (stage_ != Stage::remapping) rewrite_->end();
  stage_ = Stage::idle;
  retry_after_ = now + retry_every;
  return broken_ ? Maintenance::damaged : Maintenance::failed;
}

}  // namespace tocsin
