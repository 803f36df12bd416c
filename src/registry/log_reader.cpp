#include "registry/log_reader.h"

#include <algorithm>

#include "base/encode.h"
#include "base/writer.h"

namespace tocsin {
namespace {

constexpr size_t header_bytes_max = 256;  // of any format to come
constexpr size_t problem_text_bytes = 96;

// A file that starts like text was never ours, whatever the rest of it is.
bool looks_like_text(ByteView bytes) {
  const ByteView start = bytes.first(std::min<size_t>(bytes.size(), 16));
  return start.size() == 16 && std::all_of(start.begin(), start.end(), [](uint8_t c) {
           return (c >= 0x20 && c < 0x7f) || c == '\n' || c == '\t' || c == '\r';
         });
}

}  // namespace

Result<bool> LogReader::open(FileHeader& header) {
  GW_CHECK(room_.size() >= scratch_bytes_min);
  const Result<ByteView> read = bytes(0, header_bytes_max);
  if (!read.ok()) return read.error();
  const Status decoded = decode(read.value(), header);
  if (decoded.ok()) {
    header_ = header;
    start_ = FileHeader::size;
    return true;
  }
  if (decoded.error() == Error::unsupported) {
    return fail(Error::unsupported, 0, "the registry's format is newer than this program");
  }
  if (looks_like_text(read.value())) return fail(Error::unsupported, 0, "this file is not a registry of tocsin");
  // It is durable before the first batch is written: behind a torn one there is nothing. Whatever else this file is, it
  // is not cut.
  if (size_ > FileHeader::size) return fail(Error::damaged, 0, "the header fails its check");
  following_ = mark_at_ = start_;
  return false;
}

Result<bool> LogReader::next(Record& out) {
  if (following_ == mark_at_) {  // the batch is handed out
    const Result<bool> verified = verify_batch();
    if (!verified.ok() || !verified.value()) return verified;
  }
  at_ = following_;
  const Result<ByteView> read = record(at_);
  if (!read.ok()) return read.error();
  // It was intact a moment ago.
  if (read.value().empty()) return fail(Error::io, at_, "the registry reads differently each time");
  following_ += read.value().size();
  const Status decoded = decode(read.value(), out);
  if (decoded.ok() && out.kind != RecordKind::mark) return true;
  if (decoded.ok() || decoded.error() == Error::malformed) return fail(Error::damaged, at_, "a malformed record");
  uint8_t room[problem_text_bytes];
  Writer what(room);
  what.text("the registry's record kind ")
      .unsigned_number(read.value()[1])
      .text(" version ")
      .unsigned_number(read.value()[0]);
  what.text(" is newer than this program");
  return fail(Error::unsupported, at_, what.view());
}

// Moves to the next batch that is not empty, after all of it was checked.
Result<bool> LogReader::verify_batch() {
  while (start_ < size_) {
    keep_from_ = start_;
    BatchSum sum(header_);
    uint64_t at = start_;
    for (;;) {
      const Result<ByteView> read = record(at);
      if (!read.ok()) return read.error();
      const ByteView bytes = read.value();
      if (bytes.empty()) return torn_or_damaged(at, "a record fails its check");
      if (bytes[1] == static_cast<uint8_t>(RecordKind::mark)) {
        Record record;
        const Status decoded = decode(bytes, record);
        if (!decoded.ok() && decoded.error() == Error::unsupported) {
          return fail(Error::unsupported, at, "the registry's commit marks are newer than this program");
        }
        const CommitMark expected{.number = batches_ + 1,
                                  .start = start_,
                                  .length = static_cast<uint32_t>(at - start_),
                                  .records = sum.records(),
                                  .crc = sum.crc()};
        if (!decoded.ok() || !(record.mark == expected))
          return torn_or_damaged(start_, "a batch does not fit its commit mark");
        break;
      }
      sum.add(bytes);
      at += bytes.size();
    }
    last_ = batches_ == 0 ? 0 : start_;
    ++batches_;
    following_ = start_;
    mark_at_ = at;
    start_ = at + mark_bytes;
    if (following_ != mark_at_) return true;
  }
  return false;
}

// Whatever fails behind the last verified mark belongs to the one batch that was not synced yet, and is a
// torn tail, unless a later mark shows that this batch was synced, or there is more than one batch can be.
Result<bool> LogReader::torn_or_damaged(uint64_t bad, string_view what) {
  const Result<bool> later = size_ - start_ > FileHeader::size + batch_bytes_max ? Result<bool>(true) : later_mark(bad);
  if (!later.ok()) return later.error();
  if (later.value()) return fail(Error::damaged, bad, what);
  following_ = mark_at_ = start_;
  return false;
}

// True when behind from there is the mark of a batch that comes after the one at start_. That batch's own mark
// proves nothing: the blocks of a batch that was not synced land in any order.
Result<bool> LogReader::later_mark(uint64_t from) {
  uint8_t head[record_head_bytes] = {record_version, static_cast<uint8_t>(RecordKind::mark)};
  put_u16(head + 2, mark_payload_bytes);
  keep_from_ = UINT64_MAX;
  for (uint64_t at = from; at + mark_bytes <= size_;) {
    const Result<ByteView> read = bytes(at, room_.size());
    if (!read.ok()) return read.error();
    const ByteView window = read.value();
    if (window.size() < mark_bytes) return false;
    const size_t places = window.size() - mark_bytes + 1;
    for (size_t i = 0; i < places; ++i) {
      if (window[i] != head[0] || std::memcmp(&window[i], head, sizeof head) != 0) continue;
      const ByteView bytes = window.subspan(i, mark_bytes);
      Record record;
      if (!intact(bytes) || !decode(bytes, record).ok()) continue;
      const CommitMark& mark = record.mark;
      // A mark knows its place: one in a block that an older file left behind does not count.
      if (mark.number >= batches_ + 2 && mark.start > start_ && mark.start + mark.length == at + i) return true;
    }
    at += places;
  }
  return false;
}

Result<ByteView> LogReader::record(uint64_t offset) {
  const Result<ByteView> head = bytes(offset, record_head_bytes);
  if (!head.ok()) return head.error();
  if (head.value().size() < record_head_bytes) return ByteView{};
  const size_t size = record_size(head.value().data());
  if (size > room_.size()) return ByteView{};  // no record of ours, or of a version to come, is that long
  const Result<ByteView> all = bytes(offset, size);
  if (!all.ok()) return all.error();
  return intact(all.value()) ? all.value() : ByteView{};
}

Result<ByteView> LogReader::bytes(uint64_t offset, size_t count) {
  if (offset >= size_) return ByteView{};
  count = static_cast<size_t>(std::min<uint64_t>(count, size_ - offset));
  if (offset < room_at_ || offset + count > room_at_ + room_used_) {
    // What is held from keep_from_ on stays when the wanted bytes fit behind it.
    const bool keep = keep_from_ >= room_at_ && keep_from_ <= offset && offset <= room_at_ + room_used_ &&
                      offset + count - keep_from_ <= room_.size();
    const uint64_t from = keep ? keep_from_ : offset;
    size_t kept = 0;
    if (keep) {
      kept = static_cast<size_t>(room_at_ + room_used_ - from);
      std::memmove(room_.data(), room_.data() + (from - room_at_), kept);
    }
    room_at_ = from;
    room_used_ = kept;
    const Bytes rest =
        room_.subspan(kept).first(static_cast<size_t>(std::min<uint64_t>(room_.size() - kept, size_ - from - kept)));
    const Result<size_t> read = journal_.read(from + kept, rest);
    if (!read.ok()) return fail(read.error(), from + kept, "the registry can not be read");
    if (read.value() != rest.size()) return fail(Error::io, from + kept, "the registry is shorter than it says");
    room_used_ += read.value();
  }
  return ByteView(room_).subspan(static_cast<size_t>(offset - room_at_), count);
}

Error LogReader::fail(Error error, uint64_t offset, string_view what) {
  problem_offset_ = offset;
  GW_CHECK(problem_.assign(what));
  return error;
}

}  // namespace tocsin
