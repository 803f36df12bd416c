// A registry on a journal in memory that fails on request. One bench at a time,
// in static memory; it is as new for every test.
#pragma once

#include "base/text.h"
#include "base/writer.h"
#include "port/sim/random.h"
#include "registry/record.h"
#include "registry/registry.h"
#include "test/support/tests.h"

namespace tocsin::test {

// What was appended lies behind size() until decide() says what became of it.
class MemoryJournal final : public Journal {
 public:
  static constexpr size_t capacity = 8 << 20;

  Result<size_t> read(uint64_t offset, Bytes room) override;
  uint64_t size() const override { return size_; }
  Status append(ByteView batch) override;
  Status cut(uint64_t size) override;
  bool decided(Status& outcome) override;
  Status renew(uint64_t offset) override;

  void decide(bool ok);
  Bytes all() { return {bytes, static_cast<size_t>(size_)}; }
  void set(ByteView content);

  bool append_fails = false;
  bool read_fails = false;
  bool cut_fails = false;
  bool renew_fails = false;
  uint32_t appends = 0;
  uint32_t reads = 0;
  uint32_t cuts = 0;
  uint32_t renewals = 0;
  uint64_t renewed_from = 0;
  uint8_t* bytes = nullptr;

 private:
  uint64_t size_ = 0;
  size_t appended_ = 0;
};

inline constexpr UnixTime day_one{1'750'000'000};  // 2025-06-15

struct Bench {
  explicit Bench(Bytes room_for_registry) : memory(room_for_registry) {}
  Bench(const Bench&) = delete;

  Bytes memory;
  MemoryJournal journal;
  Registry* registry = nullptr;
  Registry::Options options{.max_devices = 1000};
  string_view sections[2] = {"apns/siskin", "apns/monal"};
  std::span<const Registry::FormerName> former;
  uint8_t room[Registry::record_bytes_max];

  Status try_open(size_t scratch = Registry::replay_scratch_bytes);  // a new registry on the journal as it is
  Registry& open();                                                  // which must work
  Status commit(bool ok = true);                                     // what is staged, through to the outcome
  // Adds (and does not commit) ann<account>@example.org's device with this token.
  NodeId add(unsigned account, unsigned token, UnixTime now = day_one);
  Registration registration(unsigned account, unsigned token);              // a new node each time
  NodeId find(unsigned account, unsigned token, Ticket* staged = nullptr);  // all zeros: not found
  const Device& device(const NodeId& node);
  // A number for all that the disk knows of all devices, in whichever order.
  uint64_t digest();

 private:
  uint8_t account_[64];
  uint8_t token_[8];
  uint32_t nodes_ = 0;
};

int set_up(void** state);
inline Bench& bench(void** state) { return *static_cast<Bench*>(*state); }
NodeId node_of(uint8_t first);  // first, and the rest 0x11

// A log written by hand into a journal, batch by batch.
class LogWriter {
 public:
  explicit LogWriter(MemoryJournal& journal) : journal_(journal) {}
  LogWriter& header(uint16_t version = FileHeader::newest);
  LogWriter& record(const Record& record);
  LogWriter& raw(ByteView bytes);  // a record of our own making: its CRC is set here
  LogWriter& mark();               // of what came since the last one

 private:
  MemoryJournal& journal_;
  uint16_t version_ = FileHeader::newest;
  uint64_t start_ = 0;
  uint64_t number_ = 0;
  uint32_t sum_ = 0;
  uint32_t records_ = 0;
};

inline bool is_none(const NodeId& node) { return node == NodeId{}; }

}  // namespace tocsin::test

#define BENCH_TEST(name) cmocka_unit_test_setup(name, ::tocsin::test::set_up)
