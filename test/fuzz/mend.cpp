#include "test/fuzz/mend.h"

#include "base/encode.h"
#include "registry/record.h"

namespace tocsin::fuzz {
namespace {

void put_crc(Bytes record) {
  put_u32(record.data() + record.size() - 4, crc32c(0, ByteView(record).first(record.size() - 4)));
}

void put_mark(Bytes at, uint64_t number, uint64_t start, uint64_t offset, const BatchSum& sum) {
  Record mark;
  mark.kind = RecordKind::mark;
  mark.mark = {.number = number,
               .start = start,
               .length = static_cast<uint32_t>(offset - start),
               .records = sum.records(),
               .crc = sum.crc()};
  (void)encode(mark, at);
}

}  // namespace

size_t mend(Bytes room, size_t size, uint8_t how) {
  if (size < FileHeader::size) return size;
  if ((how & mend_header) != 0) {
    FileHeader header;
    header.version = (room[9] & 1) != 0 ? 1 : 2;
    header.generation = get_u32(&room[12]);
    std::memcpy(header.creation_id, &room[16], sizeof header.creation_id);
    encode(header, room.data());
  }
  FileHeader header;
  if (!decode(ByteView(room).first(size), header).ok()) return size;
  BatchSum sum(header);
  uint64_t number = 1;
  size_t start = FileHeader::size;
  size_t at = start;
  while (size - at >= record_frame_bytes) {
    const size_t length = record_size(&room[at]);
    if (length > size - at) break;
    const Bytes record = room.subspan(at, length);
    const bool mark = record[1] == static_cast<uint8_t>(RecordKind::mark) && length == mark_bytes;
    if (mark && (how & mend_marks) != 0) {
      put_mark(record, number, start, at, sum);
    } else if ((how & mend_records) != 0) {
      put_crc(record);
    }
    at += length;
    if (mark) {
      ++number;
      start = at;
      sum = BatchSum(header);
    } else {
      sum.add(record);
    }
  }
  if ((how & mend_end) == 0 || room.size() - at < mark_bytes) return size;
  put_mark(room.subspan(at, mark_bytes), number, start, at, sum);
  return at + mark_bytes;
}

}  // namespace tocsin::fuzz
