#include "registry/salvage.h"

#include <algorithm>

#include "base/writer.h"

namespace tocsin {
namespace {

constexpr size_t header_bytes_max = 256;  // of any format to come

// Whether a record of ours may begin so: asked at every byte behind a loss, before anything is summed up.
bool may_begin_record(ByteView head) {
  if (head.size() < record_head_bytes || record_size(head.data()) > full_record_bytes_max) return false;
  const auto kind = static_cast<RecordKind>(head[1]);
  return (head[0] == record_version || head[0] == record_version_wide) &&
         ((kind >= RecordKind::registered && kind <= RecordKind::ended) || kind == RecordKind::mark);
}

bool in_its_place(const CommitMark& mark, uint64_t offset) { return mark.start + mark.length == offset; }

}  // namespace

Result<bool> Salvage::open(FileHeader& header) {
  const Result<ByteView> read = window_.bytes(0, header_bytes_max);
  if (!read.ok()) return read.error();
  const Status decoded = decode(read.value(), header);
  if (!decoded.ok() && decoded.error() == Error::unsupported) {
    GW_CHECK(problem_.assign("the registry's format is newer than this program"));
    return Error::unsupported;
  }
  header_lost_ = !decoded.ok();
  if (header_lost_) header = FileHeader{};
  header_ = header;
  at_ = std::min<uint64_t>(FileHeader::size, size());
  const Result<bool> found = find_tail();
  return found.ok() ? Result<bool>(!header_lost_) : found;
}

// Behind the last mark that stands in its place, unless more follows than one batch can be.
Result<bool> Salvage::find_tail() {
  uint64_t from = FileHeader::size;
  constexpr uint64_t reach = FileHeader::size + batch_bytes_max + mark_bytes;
  if (size() > from + reach) from = size() - reach;
  tail_ = from == FileHeader::size ? from : size();
  for (uint64_t at = from; at + mark_bytes <= size(); ++at) {
    const Result<ByteView> head = window_.bytes(at, record_head_bytes);
    if (!head.ok()) return head.error();
    if (head.value()[1] != static_cast<uint8_t>(RecordKind::mark) || !may_begin_record(head.value())) continue;
    const Result<ByteView> read = window_.record(at);
    if (!read.ok()) return read.error();
    Record record;
    if (read.value().empty() || !decode(read.value(), record).ok() || !in_its_place(record.mark, at)) continue;
    tail_ = at + mark_bytes;
    at += mark_bytes - 1;
  }
  return true;
}

Result<bool> Salvage::next(Piece& out) {
  for (;;) {
    out = Piece{};
    if (header_lost_ && !header_told_) {
      header_told_ = true;
      out.kind = Piece::Kind::loss;
      out.length = std::min<uint64_t>(FileHeader::size, size());
      out.header = true;
      return true;
    }
    if (at_ >= size()) return false;
    if (boundary_) {
      const Result<bool> verified = verify_batch();
      if (!verified.ok()) return verified.error();
    }
    const Result<ByteView> read = window_.record(at_);
    if (!read.ok()) return read.error();
    const ByteView bytes = read.value();
    if (bytes.empty()) return lose(out);
    const Status decoded = decode(bytes, out.record);
    if (!decoded.ok() && decoded.error() == Error::unsupported) {
      uint8_t room[96];
      Writer what(room);
      what.text("the registry's record kind ").unsigned_number(bytes[1]).text(" version ").unsigned_number(bytes[0]);
      what.text(" is newer than this program");
      GW_CHECK(problem_.assign(what.view()));
      return Error::unsupported;
    }
    if (!decoded.ok()) return lose(out);
    out.offset = at_;
    out.length = bytes.size();
    at_ += bytes.size();
    if (out.record.kind != RecordKind::mark) {
      out.proven = out.offset < proven_to_ && !header_lost_;
      out.tail = out.offset >= tail_;
      ++kept_;
      return true;
    }
    boundary_ = true;
    // A mark from elsewhere says nothing about this place.
    if (in_its_place(out.record.mark, out.offset) && pass_mark(out.record.mark, out)) return true;
  }
}

// Whether out, a mark, is worth telling: something is missing in front of it.
bool Salvage::pass_mark(const CommitMark& mark, Piece& out) {
  if (mark.number <= last_number_) return false;
  out.kind = Piece::Kind::batch;
  out.number = mark.number;
  out.batches_lost = mark.number - last_number_ - 1;
  out.records = mark.records;
  const bool whole_known = out.batches_lost == 0 && mark.start == last_end_;
  if (whole_known && mark.records > kept_) out.records_lost = mark.records - kept_;
  const bool told = lost_ || out.batches_lost > 0;
  last_number_ = mark.number;
  last_end_ = out.offset + out.length;
  kept_ = 0;
  lost_ = false;
  return told;
}

// From at_ to a mark that fits everything in front of it; of a file without header: all but the sum.
Result<bool> Salvage::verify_batch() {
  boundary_ = false;
  BatchSum sum(header_);
  for (uint64_t at = at_; at - at_ <= batch_bytes_max;) {
    const Result<ByteView> read = window_.record(at);
    if (!read.ok()) return read.error();
    Record record;
    if (read.value().empty() || !decode(read.value(), record).ok()) return false;
    if (record.kind == RecordKind::mark) {
      const CommitMark& mark = record.mark;
      const bool fits = in_its_place(mark, at) && mark.start == at_ && mark.records == sum.records() &&
                        mark.number > last_number_ && (header_lost_ || mark.crc == sum.crc());
      if (!fits) return false;
      proven_to_ = at;
      verified_number_ = mark.number;
      return true;
    }
    sum.add(read.value());
    at += read.value().size();
  }
  return false;
}

Result<bool> Salvage::lose(Piece& out) {
  const uint64_t bad = at_;
  const Result<uint64_t> end = resume_after(bad);
  if (!end.ok()) return end.error();
  out = Piece{};
  out.kind = Piece::Kind::loss;
  out.offset = bad;
  out.length = end.value() - bad;
  out.tail = bad >= tail_;
  lost_ = true;
  at_ = end.value();
  const Result<bool> verified = verify_batch();
  if (!verified.ok()) return verified.error();
  if (verified.value()) {
    // A batch begins behind the loss, so what is lost ends with a mark.
    out.batches_lost = verified_number_ - last_number_ - 1;
    out.number = last_number_ + 1;
    out.mark_only = out.batches_lost == 1 && out.length == mark_bytes;
    last_number_ = verified_number_ - 1;
    last_end_ = at_;
    kept_ = 0;
    lost_ = false;
  }
  if (out.mark_only) return true;
  // One record whose length is right, perhaps with its batch's mark behind it?
  const Result<ByteView> head = window_.bytes(bad, record_head_bytes);
  if (!head.ok()) return head.error();
  if (!may_begin_record(head.value())) return true;
  const size_t size = record_size(head.value().data());
  if (bad + size != at_ && !(out.batches_lost == 1 && bad + size + mark_bytes == at_)) return true;
  const Result<ByteView> all = window_.bytes(bad, size);
  if (!all.ok()) return all.error();
  out.readable = decode(all.value(), out.record).ok() && out.record.kind != RecordKind::mark;
  return true;
}

// Where the next record stands. What a token or an account holds may look like a record; so one within the bounds of
// the damaged record itself counts only if it leads to their end.
Result<uint64_t> Salvage::resume_after(uint64_t bad) {
  const Result<uint64_t> own = own_end(bad);
  if (!own.ok()) return own;
  const uint64_t limit = own.value() != 0 ? own.value() : size();
  for (uint64_t at = bad + 1; at < limit; ++at) {
    const Result<bool> ours = ours_at(at);
    if (!ours.ok()) return ours.error();
    if (!ours.value()) continue;
    const Result<bool> leads = own.value() == 0 ? Result<bool>(true) : leads_to(at, limit);
    if (!leads.ok()) return leads.error();
    if (leads.value()) return at;
  }
  return limit;
}

// The end of the record at bad by its own length; 0 when nothing of ours, nor the log's end, stands there.
Result<uint64_t> Salvage::own_end(uint64_t bad) {
  const Result<ByteView> head = window_.bytes(bad, record_head_bytes);
  if (!head.ok()) return head.error();
  if (head.value().size() < record_head_bytes) return uint64_t{0};
  const size_t length = record_size(head.value().data());
  if (length > full_record_bytes_max || bad + length > size()) return uint64_t{0};
  const uint64_t end = bad + length;
  if (end == size()) return end;
  const Result<bool> ours = ours_at(end);
  if (!ours.ok()) return ours.error();
  return ours.value() ? end : 0;
}

Result<bool> Salvage::leads_to(uint64_t from, uint64_t to) {
  uint64_t at = from;
  while (at < to) {
    const Result<ByteView> read = window_.record(at);
    if (!read.ok()) return read.error();
    if (read.value().empty()) return false;
    at += read.value().size();
  }
  return at == to;
}

Result<bool> Salvage::ours_at(uint64_t offset) {
  const Result<ByteView> head = window_.bytes(offset, record_head_bytes);
  if (!head.ok()) return head.error();
  if (!may_begin_record(head.value())) return false;
  const Result<ByteView> read = window_.record(offset);
  if (!read.ok()) return read.error();
  Record record;
  if (read.value().empty() || !decode(read.value(), record).ok()) return false;
  return record.kind != RecordKind::mark || in_its_place(record.mark, offset);
}

}  // namespace tocsin
