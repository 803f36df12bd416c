#include "registry/staging.h"

#include <new>

namespace tocsin {

Staging::Staging(Bytes room) : room_(room) {
  const size_t places = room.size() / alignof(Change);
  end_ = reinterpret_cast<Change*>(room.data() + places * alignof(Change));
}

bool Staging::add(const Record& record, const Change& change) {
  const size_t taken = (static_cast<size_t>(count_) + 1) * sizeof(Change) + alignof(Change);
  if (room_.size() < used_ + mark_bytes + taken) return false;
  const size_t size = encode(record, room_.subspan(used_, room_.size() - used_ - mark_bytes - taken));
  if (size == 0) return false;
  ++count_;
  Change* added = new (end_ - count_) Change(change);
  added->at = static_cast<uint32_t>(used_);
  used_ += size;
  if (!change.unhurried) ++hurried_;
  if (record.kind == RecordKind::registered) ++growth_;
  if (record.kind == RecordKind::ended) --growth_;
  return true;
}

ByteView Staging::record(const Change& change) const {
  const uint8_t* at = room_.data() + change.at;
  return {at, record_size(at)};
}

ByteView Staging::close(uint64_t file_end, uint64_t number, const FileHeader& header) {
  const bool first = file_end == 0;
  start_ = first ? FileHeader::size : file_end;
  if (first) encode(header, room_.data());
  BatchSum sum(header);
  for (uint32_t i = 0; i < count_; ++i) sum.add(record(change(i)));
  Record mark;
  mark.kind = RecordKind::mark;
  mark.mark = {.number = number,
               .start = start_,
               .length = static_cast<uint32_t>(used_ - FileHeader::size),
               .records = sum.records(),
               .crc = sum.crc()};
  const size_t size = encode(mark, room_.subspan(used_));
  GW_CHECK(size == mark_bytes);
  const size_t from = first ? 0 : FileHeader::size;
  return ByteView(room_).subspan(from, used_ + size - from);
}

void Staging::clear() {
  used_ = FileHeader::size;
  count_ = 0;
  growth_ = 0;
  hurried_ = 0;
}

}  // namespace tocsin
