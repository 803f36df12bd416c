// The registry's journal in one file: append, then an asynchronous sync. After
// a failed write or sync the file is cut back to the last synced byte before
// anything else is written (re-reading proves nothing: the page cache still
// shows what the disk lost), and the failure is told when the cut is durable.
//
// A compaction writes a second file, FILE.new, that is renamed over the first.
#pragma once

#include <cstdint>

#include "base/text.h"
#include "port/port.h"
#include "registry/journal.h"

namespace tocsin {

class JournalFile final : public Journal, public Rewrite {
 public:
  explicit JournalFile(port::Storage& storage) : storage_(storage) {}
  // Opens or creates path (0600), syncs the directory, and removes what a compaction left half done.
  // Error::too_long: of a path that leaves no room for the names beside it.
  Status open(string_view path, string_view directory);
  void shut();

  Result<size_t> read(uint64_t offset, Bytes room) override;
  uint64_t size() const override { return size_; }
  Status append(ByteView batch) override;
  bool decided(Status& outcome) override;
  Status cut(uint64_t size) override;
  Status renew(uint64_t offset) override;
  Status begin_log(ByteView header) override;

  Status begin() override;
  Status write(ByteView bytes) override;
  Status sync() override;
  Status place(bool keep_former) override;
  bool decided_rewrite(Status& outcome) override;
  void switch_over() override;
  Result<size_t> read_former(uint64_t offset, Bytes room) override;
  void end() override;

  // Bytes that were refused may stand in the file all the same: the cut failed as well.
  bool tail_in_doubt() const { return tail_dirty_; }

 private:
  static constexpr size_t path_max = 255 + 4;
  enum class Under : uint8_t { nothing, batch, cut, rewrite, place };
  Status fail(Error error);
  Status settle_name();

  port::Storage& storage_;
  FixedText<path_max> path_;
  FixedText<path_max> new_path_;
  FixedText<path_max> old_path_;
  FixedText<path_max> directory_;
  port::Handle file_ = port::no_handle;
  port::Handle second_ = port::no_handle;  // the new file, or after switch_over() the former one
  uint64_t size_ = 0;                      // durable bytes
  uint64_t second_size_ = 0;
  uint64_t appended_ = 0;  // bytes of the batch that is being synced
  Under under_ = Under::nothing;
  Status failure_;            // while the cut runs: what is told then
  bool tail_dirty_ = false;   // bytes behind size_ may be in the file
  bool name_loose_ = false;   // the new name is not durable: nothing may be acknowledged
  bool second_left_ = false;  // FILE.new exists
};

}  // namespace tocsin
