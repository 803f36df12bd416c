#include "test/unit/registry/bench.h"

#include <new>

#include "base/encode.h"
#include "base/siphash.h"

namespace tocsin::test {

namespace {

alignas(64) uint8_t registry_memory[4 << 20];
alignas(64) uint8_t scratch_memory[1 << 20];
uint8_t journal_memory[MemoryJournal::capacity];
alignas(Bench) uint8_t bench_memory[sizeof(Bench)];

}  // namespace

Result<size_t> MemoryJournal::read(uint64_t offset, Bytes room) {
  ++reads;
  if (read_fails) return Error::io;
  const uint64_t there = size_ + appended_;
  if (offset >= there) return size_t{0};
  const size_t count = room.size() < there - offset ? room.size() : static_cast<size_t>(there - offset);
  std::memcpy(room.data(), bytes + offset, count);
  return count;
}

Status MemoryJournal::append(ByteView batch) {
  ++appends;
  assert_int_equal(appended_, 0);
  if (append_fails) return Error::no_space;
  assert_true(size_ + batch.size() <= capacity);
  std::memcpy(bytes + size_, batch.data(), batch.size());
  appended_ = batch.size();
  return {};
}

Status MemoryJournal::cut(uint64_t size) {
  ++cuts;
  if (cut_fails) return Error::io;
  assert_true(size < size_);
  size_ = size;
  return {};
}

bool MemoryJournal::decided(Status&) { return false; }  // tests say it themselves: decide()

Status MemoryJournal::renew(uint64_t offset) {
  ++renewals;
  renewed_from = offset;
  return renew_fails ? Status(Error::io) : Status();
}

void MemoryJournal::decide(bool ok) {
  if (ok) size_ += appended_;
  appended_ = 0;
}

void MemoryJournal::set(ByteView content) {
  assert_true(content.size() <= capacity);
  if (!content.empty()) std::memmove(bytes, content.data(), content.size());
  size_ = content.size();
  appended_ = 0;
}

Status Bench::try_open(size_t scratch) {
  assert_true(Registry::bytes_for(options) <= memory.size() && scratch <= sizeof scratch_memory);
  // Memory is not clean when a registry gets it.
  std::memset(memory.data(), 0x5a, Registry::bytes_for(options));
  Region region(memory.first(Registry::bytes_for(options)));
  alignas(Registry) static uint8_t place[sizeof(Registry)];
  registry = new (place) Registry(region, options, journal);
  assert_int_equal(region.used(), region.size());
  registry->sections(sections, former);
  return registry->replay(Bytes(scratch_memory).first(scratch));
}

Registry& Bench::open() {
  const Status opened = try_open();
  if (!opened.ok()) print_error("%s: %s\n", describe(opened.error()), registry->problem());
  assert_true(opened.ok());
  assert_int_equal(registry->strays(), 0);
  return *registry;
}

Status Bench::commit(bool ok) {
  assert_true(registry->anything_staged());
  if (const Status started = registry->commit(); !started.ok()) return started;
  journal.decide(ok);
  registry->committed(ok ? Status() : Status(Error::io));
  return {};
}

Registration Bench::registration(unsigned account, unsigned token) {
  Writer name(account_);
  name.text("ann").unsigned_number(account).text("@example.org");
  put_u64(token_, token);
  NodeId node;
  std::memset(node.bytes, 0x22, sizeof node.bytes);
  put_u32(node.bytes, ++nodes_ * 0x9e3779b9);
  return {.node = node,
          .account = name.view(),
          .section = "apns/siskin",
          .provider = "tigase-messenger",
          .token = token_,
          .second_token = {},
          .registered = day_one};
}

NodeId Bench::add(unsigned account, unsigned token, UnixTime now) {
  const Registration wanted = registration(account, token);
  assert_true(registry->add(wanted, now).ok());
  return wanted.node;
}

NodeId Bench::find(unsigned account, unsigned token, Ticket* staged) {
  const Registration wanted = registration(account, token);
  Registration found;
  const Status status = registry->find_device(wanted.account, wanted.token, room, found, staged);
  if (!status.ok()) {
    assert_int_equal(status.error(), Error::not_found);
    return {};
  }
  assert_true(found.account == wanted.account && same(found.token, wanted.token));
  return found.node;
}

const Device& Bench::device(const NodeId& node) {
  const Device* device = registry->find(node);
  assert_non_null(device);
  return *device;
}

uint64_t Bench::digest() {
  uint64_t sum = 0;
  for (uint32_t i = 0; i < registry->count(); ++i) {
    const Device& device = *registry->device_at(i);
    Registration found;
    assert_true(registry->read(device, room, found).ok());
    assert_ptr_equal(registry->find(found.node), &device);
    static uint8_t text[full_record_bytes_max];
    Writer out(text);
    out.bytes(found.node.view())
        .text(found.account)
        .character('\n')
        .text(found.section)
        .character('\n')
        .text(found.provider);
    out.bytes(found.token).character('\n').bytes(found.second_token).number(found.registered.s).character('\n');
    out.number(device.refreshed_stored).character('\n').number(device.accepted_under).number(device.held ? 1 : 0);
    out.number(device.section);
    assert_false(out.overflowed());
    sum += siphash(HashKey{}, out.written());
  }
  return sum;
}

static FileHeader bench_header(uint16_t version) {
  FileHeader header{.version = version};
  std::memset(header.creation_id, 0xc1, sizeof header.creation_id);
  return header;
}

LogWriter& LogWriter::header(uint16_t version) {
  version_ = version;
  const FileHeader header = bench_header(version);
  uint8_t bytes[FileHeader::size];
  encode(header, bytes);
  journal_.set(bytes);
  start_ = sizeof bytes;
  sum_ = BatchSum(header).crc();
  return *this;
}

LogWriter& LogWriter::raw(ByteView bytes) {
  static uint8_t copy[1 << 17];
  copy_bytes(copy, bytes);
  const size_t body = bytes.size() - 4;
  put_u32(copy + body, crc32c(0, ByteView(copy).first(body)));
  sum_ = crc32c(sum_, ByteView(copy).subspan(body, 4));
  ++records_;
  assert_true(journal_.append(ByteView(copy).first(bytes.size())).ok());
  journal_.decide(true);
  return *this;
}

LogWriter& LogWriter::record(const Record& record) {
  static uint8_t bytes[full_record_bytes_max];
  return raw(ByteView(bytes).first(encode(record, bytes)));
}

LogWriter& LogWriter::mark() {
  uint8_t bytes[mark_bytes];
  const uint64_t at = journal_.size();
  Record mark;
  mark.kind = RecordKind::mark;
  mark.mark = {.number = ++number_,
               .start = start_,
               .length = static_cast<uint32_t>(at - start_),
               .records = records_,
               .crc = sum_};
  encode(mark, bytes);
  raw(bytes);
  start_ = journal_.size();
  sum_ = BatchSum(bench_header(version_)).crc();
  records_ = 0;
  return *this;
}

int set_up(void** state) {
  Bench* bench = new (bench_memory) Bench(registry_memory);
  bench->journal.bytes = journal_memory;
  std::memset(bench->options.creation_id, 0xc1, sizeof bench->options.creation_id);
  bench->open();
  *state = bench;
  return 0;
}

NodeId node_of(uint8_t first) {
  NodeId node;
  std::memset(node.bytes, 0x11, sizeof node.bytes);
  node.bytes[0] = first;
  return node;
}

}  // namespace tocsin::test
