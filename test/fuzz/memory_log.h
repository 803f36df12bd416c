// A log in memory for the fuzzed registry: its journal, and the second file that a
// compaction writes. Everything becomes durable at once.
#pragma once

#include "registry/journal.h"

namespace tocsin::fuzz {

class MemoryLog final : public Journal, public Rewrite {
 public:
  static constexpr size_t capacity = 512 * 1024;

  void set(ByteView content);
  Bytes all() { return {bytes_[current_], static_cast<size_t>(size_)}; }
  void resize(size_t size) { size_ = size; }  // what is new is as it was before

  Result<size_t> read(uint64_t offset, Bytes room) override { return read_of(current_, size_, offset, room); }
  uint64_t size() const override { return size_; }
  Status append(ByteView batch) override;
  bool decided(Status& outcome) override;
  Status cut(uint64_t size) override;
  Status renew(uint64_t offset) override;

  Status begin() override;
  Status write(ByteView bytes) override;
  Status sync() override { return {}; }
  Status place(bool) override { return {}; }
  bool decided_rewrite(Status& outcome) override;
  void switch_over() override;
  Result<size_t> read_former(uint64_t offset, Bytes room) override {
    return read_of(1 - current_, second_size_, offset, room);
  }
  void end() override {}

 private:
  Result<size_t> read_of(int which, uint64_t size, uint64_t offset, Bytes room) const;

  uint8_t bytes_[2][capacity];
  int current_ = 0;
  uint64_t size_ = 0;
  uint64_t second_size_ = 0;
  uint64_t appended_ = 0;
};

}  // namespace tocsin::fuzz
