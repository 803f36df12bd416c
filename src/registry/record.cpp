#include "registry/record.h"

#include "base/check.h"
#include "base/encode.h"

namespace tocsin {
namespace {

constexpr uint8_t magic[8] = {'T', 'O', 'C', 'S', 'I', 'N', 'R', '\n'};

// Appends big-endian fields; too little room is remembered.
class Put {
 public:
  explicit Put(Bytes room) : room_(room) {}
  uint8_t* take(size_t count) {
    if (failed_ || room_.size() - used_ < count) {
      failed_ = true;
      return spare_;
    }
    uint8_t* at = room_.data() + used_;
    used_ += count;
    return at;
  }
  Put& u8(uint8_t v) { return *take(1) = v, *this; }
  Put& u16(uint16_t v) { return put_u16(take(2), v), *this; }
  Put& u32(uint32_t v) { return put_u32(take(4), v), *this; }
  Put& u64(uint64_t v) { return put_u64(take(8), v), *this; }
  Put& time(UnixTime t) { return u64(static_cast<uint64_t>(t.s)); }
  Put& node(const NodeId& node) { return raw(node.view()); }
  Put& raw(ByteView bytes) {
    uint8_t* at = take(bytes.size());
    if (!failed_) copy_bytes(at, bytes);
    return *this;
  }
  Put& long_text(ByteView bytes) { return u16(static_cast<uint16_t>(bytes.size())).raw(bytes); }
  Put& short_text(string_view text) { return u8(static_cast<uint8_t>(text.size())).raw(bytes_of(text)); }
  bool failed() const { return failed_; }
  size_t used() const { return used_; }

 private:
  Bytes room_;
  size_t used_ = 0;
  bool failed_ = false;
  uint8_t spare_[8];
};

// Takes fields off a payload; too few bytes are remembered and read as zeros.
class Take {
 public:
  explicit Take(ByteView bytes) : bytes_(bytes) {}
  ByteView raw(size_t count) {
    if (failed_ || bytes_.size() < count) {
      failed_ = true;
      return {};
    }
    const ByteView part = bytes_.first(count);
    bytes_ = bytes_.subspan(count);
    return part;
  }
  uint8_t u8() {
    return failed_or(raw(1), [](const uint8_t* at) { return *at; });
  }
  uint16_t u16() { return failed_or(raw(2), get_u16); }
  uint32_t u32() { return failed_or(raw(4), get_u32); }
  uint64_t u64() { return failed_or(raw(8), get_u64); }
  UnixTime time() { return {static_cast<int64_t>(u64())}; }
  NodeId node() {
    NodeId node;
    copy_bytes(node.bytes, raw(NodeId::size));
    return node;
  }
  ByteView long_text() { return raw(u16()); }
  string_view short_text() { return text_of(raw(u8())); }
  bool done() const { return !failed_ && bytes_.empty(); }

 private:
  template <class Read>
  auto failed_or(ByteView part, Read read) -> decltype(read(part.data())) {
    return failed_ ? decltype(read(part.data())){0} : read(part.data());
  }
  ByteView bytes_;
  bool failed_ = false;
};

bool is_wide(RecordKind kind) {
  return kind == RecordKind::registered || kind == RecordKind::changed || kind == RecordKind::ended;
}

void put_payload(const Record& record, Put& put) {
  if (record.kind != RecordKind::mark) put.node(record.node);
  switch (record.kind) {
    case RecordKind::registered:
    case RecordKind::changed: {
      const Registration& r = record.registration;
      put.time(r.registered).time(record.time).u32(record.accepted_under).u16(record.accepted_day);
      put.long_text(bytes_of(r.account)).long_text(bytes_of(r.section)).long_text(bytes_of(r.provider));
      put.long_text(r.token).long_text(r.second_token).long_text(r.identity).long_text(bytes_of(r.secret));
      put.long_text(bytes_of(r.channel)).u8(static_cast<uint8_t>(r.dialect));
      return;
    }
    case RecordKind::refreshed:
    case RecordKind::released: put.time(record.time); return;
    case RecordKind::accepted: put.time(record.time).u32(record.accepted_under); return;
    case RecordKind::held: put.time(record.time).short_text(record.word); return;
    case RecordKind::ended:
      put.time(record.time).u8(static_cast<uint8_t>(record.reason)).short_text(record.word);
      put.long_text(bytes_of(record.registration.account)).long_text(bytes_of(record.registration.section));
      return;
    case RecordKind::mark:
      put.u64(record.mark.number).u64(record.mark.start).u32(record.mark.length);
      put.u32(record.mark.records).u32(record.mark.crc);
      return;
  }
}

}  // namespace

bool within_bounds(const Registration& r) {
  return !r.account.empty() && r.account.size() <= account_bytes_max && r.section.size() <= section_bytes_max &&
         r.provider.size() <= provider_bytes_max && !r.token.empty() && r.token.size() <= token_bytes_max &&
         r.second_token.size() <= token_bytes_max && r.identity.size() <= identity_bytes_max &&
         r.secret.size() <= secret_bytes_max && r.channel.size() <= channel_bytes_max;
}

size_t encode(const Record& record, Bytes room) {
  GW_CHECK(!record.full() || within_bounds(record.registration));
  GW_CHECK(record.word.size() <= word_bytes_max && record.registration.account.size() <= account_bytes_max);
  Put put(room);
  uint8_t* head = put.take(record_head_bytes);
  if (put.failed()) return 0;
  put_payload(record, put);
  if (put.failed()) return 0;
  head[0] = is_wide(record.kind) ? record_version_wide : record_version;
  head[1] = static_cast<uint8_t>(record.kind);
  put_u16(head + 2, static_cast<uint16_t>(put.used() - record_head_bytes));
  const uint32_t crc = crc32c(0, ByteView(room).first(put.used()));
  put.u32(crc);
  return put.failed() ? 0 : put.used();
}

size_t full_record_bytes(const Registration& r) {
  return record_frame_bytes + full_fixed_bytes + 8 * 2 + 1 + r.account.size() + r.section.size() + r.provider.size() +
         r.token.size() + r.second_token.size() + r.identity.size() + r.secret.size() + r.channel.size();
}

size_t record_size(const uint8_t* head) { return record_frame_bytes + get_u16(head + 2); }

uint32_t stored_crc(ByteView record) { return get_u32(record.data() + record.size() - 4); }

bool intact(ByteView record) {
  return record.size() >= record_frame_bytes && record.size() == record_size(record.data()) &&
         crc32c(0, record.first(record.size() - 4)) == stored_crc(record);
}

Status decode(ByteView bytes, Record& out) {
  out = Record{};
  out.kind = static_cast<RecordKind>(bytes[1]);
  const bool wide = bytes[0] == record_version_wide && is_wide(out.kind);
  if (bytes[0] != record_version && !wide) return Error::unsupported;
  Take take(bytes.subspan(record_head_bytes, bytes.size() - record_frame_bytes));
  if (out.kind != RecordKind::mark) out.node = take.node();
  switch (out.kind) {
    case RecordKind::registered:
    case RecordKind::changed: {
      Registration& r = out.registration;
      r.node = out.node;
      r.registered = take.time();
      out.time = take.time();
      out.accepted_under = take.u32();
      out.accepted_day = take.u16();
      r.account = text_of(take.long_text());
      r.section = text_of(take.long_text());
      r.provider = text_of(take.long_text());
      r.token = take.long_text();
      r.second_token = take.long_text();
      if (wide) {
        r.identity = take.long_text();
        r.secret = text_of(take.long_text());
        r.channel = text_of(take.long_text());
        const uint8_t dialect = take.u8();
        if (dialect > static_cast<uint8_t>(DialectId::unified_push)) return Error::unsupported;
        r.dialect = static_cast<DialectId>(dialect);
      }
      if (!within_bounds(r)) return Error::malformed;
      break;
    }
    case RecordKind::refreshed:
    case RecordKind::released: out.time = take.time(); break;
    case RecordKind::accepted:
      out.time = take.time();
      out.accepted_under = take.u32();
      break;
    case RecordKind::held:
      out.time = take.time();
      out.word = take.short_text();
      break;
    case RecordKind::ended:
      out.time = take.time();
      out.reason = static_cast<EndReason>(take.u8());
      out.word = take.short_text();
      if (wide) {
        out.registration.account = text_of(take.long_text());
        out.registration.section = text_of(take.long_text());
        if (out.registration.account.size() > account_bytes_max) return Error::malformed;
        if (out.registration.section.size() > section_bytes_max) return Error::malformed;
      }
      break;
    case RecordKind::mark:
      out.mark.number = take.u64();
      out.mark.start = take.u64();
      out.mark.length = take.u32();
      out.mark.records = take.u32();
      out.mark.crc = take.u32();
      break;
    default: return Error::unsupported;
  }
  if (!take.done() || out.word.size() > word_bytes_max) return Error::malformed;
  return {};
}

BatchSum::BatchSum(const FileHeader& header) : crc_(crc32c(0, header.creation_id)) {
  if (header.version == 1) return;
  uint8_t generation[4];
  put_u32(generation, header.generation);
  crc_ = crc32c(crc_, generation);
}

void BatchSum::add(ByteView record) {
  crc_ = crc32c(crc_, record.last(4));
  ++records_;
}

void encode(const FileHeader& header, uint8_t* at) {
  std::memcpy(at, magic, sizeof magic);
  put_u16(at + 8, header.version);
  put_u16(at + 10, FileHeader::size);
  put_u32(at + 12, header.generation);
  std::memcpy(at + 16, header.creation_id, sizeof header.creation_id);
  put_u32(at + 32, crc32c(0, {at, 32}));
}

Status decode(ByteView bytes, FileHeader& out) {
  if (bytes.size() < FileHeader::size || !same(bytes.first(sizeof magic), magic)) return Error::damaged;
  out.version = get_u16(bytes.data() + 8);
  const size_t size = get_u16(bytes.data() + 10);
  out.generation = get_u32(bytes.data() + 12);
  std::memcpy(out.creation_id, bytes.data() + 16, sizeof out.creation_id);
  // A newer format may have a longer header; its CRC is the last field all the same.
  if (size < FileHeader::size || size > bytes.size()) return Error::damaged;
  if (crc32c(0, bytes.first(size - 4)) != get_u32(bytes.data() + size - 4)) return Error::damaged;
  if (out.version == 0 || out.version > FileHeader::newest || size != FileHeader::size) return Error::unsupported;
  return {};
}

}  // namespace tocsin
