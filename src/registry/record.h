// The records of the log as bytes, and back: pure. README.md shows them byte by byte.
#pragma once

#include <cstdint>

#include "base/bytes.h"
#include "base/result.h"
#include "model/registration.h"
#include "registry/device.h"

namespace tocsin {

enum class RecordKind : uint8_t {
  registered = 1,  // a new device; a full record, as is `changed`
  changed = 2,     // the device from now on; releases a hold
  refreshed = 3,   // registered again with the same content; releases a hold
  accepted = 4,    // a push was accepted under a configuration
  held = 5,
  released = 6,
  ended = 7,
  mark = 0x80,  // ends a batch; outside of the numbers that new kinds will take
};

// Ends a batch and proves all of it.
struct CommitMark {
  uint64_t number = 0;   // batches of this file count from 1 without gaps
  uint64_t start = 0;    // offset of the batch's first record
  uint32_t length = 0;   // bytes from there to this mark
  uint32_t records = 0;  // without this mark
  uint32_t crc = 0;      // see BatchSum
  bool operator==(const CommitMark&) const = default;
};

// One record of any kind; what a kind does not have stays as it is here.
struct Record {
  RecordKind kind{};
  NodeId node;                  // all but marks
  UnixTime time{};              // when it happened; full records: of the registration that wrote it
  Registration registration{};  // full records; its node is `node`. Ended: account and section, if it has them
  uint32_t accepted_under = 0;  // full records, accepted
  uint16_t accepted_day = 0;    // full records
  EndReason reason{};           // ended
  string_view word{};           // held, ended: the provider's reason
  CommitMark mark{};            // marks
  bool full() const { return kind == RecordKind::registered || kind == RecordKind::changed; }
};

// Of the layouts that are written. Full records and ends have version 2; version 1 of these knew less and is read.
inline constexpr uint8_t record_version = 1;
inline constexpr uint8_t record_version_wide = 2;
inline constexpr size_t record_head_bytes = 4;  // version, kind, length of the payload
inline constexpr size_t record_frame_bytes = record_head_bytes + 4;
inline constexpr size_t word_bytes_max = 64;
inline constexpr size_t full_fixed_bytes = 16 + 8 + 8 + 4 + 2;
inline constexpr size_t full_record_bytes_max = record_frame_bytes + full_fixed_bytes + 8 * 2 + 1 + account_bytes_max +
                                                section_bytes_max + provider_bytes_max + 2 * token_bytes_max +
                                                identity_bytes_max + secret_bytes_max + channel_bytes_max;
inline constexpr size_t mark_payload_bytes = 8 + 8 + 4 + 4 + 4;
inline constexpr size_t mark_bytes = record_frame_bytes + mark_payload_bytes;

// True when every part is within its bounds (account and token not empty).
bool within_bounds(const Registration& registration);
// How many bytes were written; 0: room is too small. A full record's parts must be within bounds, words too.
size_t encode(const Record& record, Bytes room);
size_t full_record_bytes(const Registration& registration);  // of its full record
// Whole size of the record whose first record_head_bytes are here.
size_t record_size(const uint8_t* head);
// True when the record's CRC is right; record is all of it.
bool intact(ByteView record);
uint32_t stored_crc(ByteView record);
// Reads an intact record; views of out point into it. Error::unsupported: a newer version or
// kind; Error::malformed: no program of ours wrote this.
Status decode(ByteView record, Record& out);

// What stands before the first batch.
struct FileHeader {
  static constexpr size_t size = 8 + 2 + 2 + 4 + 16 + 4;
  static constexpr uint16_t newest = 2;  // 1 is read: its batch sums do not know the generation
  uint16_t version = newest;
  uint32_t generation = 0;  // counts compactions
  uint8_t creation_id[16] = {};
};
void encode(const FileHeader& header, uint8_t* at);  // FileHeader::size bytes
// Error::damaged: these are not the bytes of a header. Error::unsupported: a newer format.
Status decode(ByteView bytes, FileHeader& out);

// The sum over a batch that its mark carries: CRC-32C over the file's creation id, its generation (from format
// version 2 on: blocks of a former generation's file prove nothing) and the records' CRCs in their order. (A CRC over
// whole records with their CRCs inside would hardly depend on the records.)
class BatchSum {
 public:
  explicit BatchSum(const FileHeader& header);
  void add(ByteView record);
  uint32_t crc() const { return crc_; }
  uint32_t records() const { return records_; }

 private:
  uint32_t crc_;
  uint32_t records_ = 0;
};

}  // namespace tocsin
