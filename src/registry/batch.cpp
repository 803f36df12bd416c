#include "registry/batch.h"

#include "base/check.h"

namespace tocsin {

bool Batch::add(const Record& record) {
  const size_t size = encode(record, room_.subspan(used_, room_.size() - used_ - mark_bytes));
  if (size == 0) return false;
  sum_.add(ByteView(room_).subspan(used_, size));
  used_ += size;
  return true;
}

ByteView Batch::close(uint64_t start, uint64_t number) {
  Record mark;
  mark.kind = RecordKind::mark;
  mark.mark = {.number = number,
               .start = start,
               .length = static_cast<uint32_t>(used_),
               .records = sum_.records(),
               .crc = sum_.crc()};
  const size_t size = encode(mark, room_.subspan(used_));
  GW_CHECK(size == mark_bytes);
  return ByteView(room_).first(used_ + size);
}

void Batch::clear() {
  used_ = 0;
  sum_ = BatchSum(header_);
}

}  // namespace tocsin
