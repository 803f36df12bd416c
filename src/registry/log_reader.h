// Reads a log from its start and hands out the records of verified batches, one
// by one. Where verification ends it tells a torn tail from damage. Replay uses
// it; so can whatever verifies, dumps, repairs or compacts a log.
#pragma once

#include <cstdint>

#include "base/text.h"
#include "registry/journal.h"
#include "registry/record.h"

namespace tocsin {

// No batch of ours is longer. What is left behind the last verified mark and is longer is no torn batch.
inline constexpr size_t batch_bytes_max = 1024 * 1024;

class LogReader {
 public:
  static constexpr size_t scratch_bytes_min = 2 * full_record_bytes_max;

  // Reads through scratch; batches that fit into it are read once.
  LogReader(Journal& journal, Bytes scratch) : journal_(journal), room_(scratch), size_(journal.size()) {}

  // The first call, of a log that is not empty. As next(); false: the header itself was torn.
  Result<bool> open(FileHeader& header);
  // The next record of a verified batch, no marks; views of out live until the next call. False: no more of
  // them, and what stands from end() on is a torn tail. Error::damaged, Error::unsupported: see problem().
  Result<bool> next(Record& out);

  uint64_t offset() const { return at_; }                                  // of the record that next() gave
  size_t length() const { return static_cast<size_t>(following_ - at_); }  // and its bytes, frame included
  uint64_t end() const { return start_; }                                  // behind the last verified mark
  uint64_t size() const { return size_; }
  uint64_t batches() const { return batches_; }  // verified ones
  // Where the last of them begins: its first record, or the header that was written with it.
  uint64_t last_batch() const { return last_; }
  // Where the log is damaged, or not understood, and how, for people.
  uint64_t problem_offset() const { return problem_offset_; }
  string_view problem() const { return problem_.view(); }

 private:
  // The bytes at offset, at most count, fewer only at the end of the log.
  Result<ByteView> bytes(uint64_t offset, size_t count);
  // The intact record at offset; empty when there is none.
  Result<ByteView> record(uint64_t offset);
  Result<bool> verify_batch();
  Result<bool> torn_or_damaged(uint64_t bad, string_view what);
  Result<bool> later_mark(uint64_t from);
  Error fail(Error error, uint64_t offset, string_view what);

  Journal& journal_;
  Bytes room_;
  uint64_t room_at_ = 0;  // offset of what room_ holds
  size_t room_used_ = 0;
  uint64_t keep_from_ = 0;  // when more is read, what is held from here on stays if it can
  uint64_t size_;
  uint64_t start_ = 0;  // of the batch that is next to be verified
  uint64_t last_ = 0;   // of the one that was verified last
  uint64_t at_ = 0;
  uint64_t following_ = 0;  // the record after it
  uint64_t mark_at_ = 0;    // of the verified batch whose records are handed out
  uint64_t batches_ = 0;
  FileHeader header_;
  uint64_t problem_offset_ = 0;
  FixedText<127> problem_;
};

}  // namespace tocsin
