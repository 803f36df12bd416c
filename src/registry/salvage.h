// What is left of a damaged log: every record that is intact, in the order of
// the file, and the bytes that are lost between them. Pure; writes nothing.
//
// Behind lost bytes it looks at every byte for the next record. A record counts as
// intact when its frame, its CRC and its content are right; `proven` when in addition
// the commit mark of its batch is. The others stand in a batch of which something
// is lost, or behind the last mark: there only their own CRC speaks for them.
#pragma once

#include <cstdint>

#include "base/text.h"
#include "registry/log_reader.h"
#include "registry/log_window.h"
#include "registry/record.h"

namespace tocsin {

class Salvage {
 public:
  static constexpr size_t scratch_bytes_min = 4 * full_record_bytes_max;

  struct Piece {
    enum class Kind : uint8_t {
      record,  // an intact one, never a mark
      loss,    // bytes that are no intact record
      batch,   // a mark, behind losses: what its batch lacks
    };
    Kind kind = Kind::record;
    uint64_t offset = 0;  // of the record, the lost bytes or the mark
    uint64_t length = 0;

    // Of a record; of a loss: how it reads, see `readable`.
    Record record{};
    bool proven = false;

    bool header = false;     // loss: the file's header, and with it the creation id
    bool mark_only = false;  // loss: a commit mark and nothing else; no record is lost by it
    bool readable = false;   // loss: one record, whose fields can still be read, rightly or not
    bool tail = false;       // record, loss: behind the last mark, so it may never have been acknowledged

    // Loss: so many marks are in it, the first of them that of batch `number`. Batch: so many in front of batch
    // `number` have no mark any more, which is not told by a loss.
    uint64_t batches_lost = 0;
    uint64_t number = 0;
    uint32_t records = 0;       // batch: that it had
    uint32_t records_lost = 0;  // batch: of them; 0 when that is not known
  };

  Salvage(Journal& journal, Bytes scratch) : window_(journal, scratch) {}

  // The first call, of a log that is not empty. False: the header is lost (the first piece says so) and header is as
  // new, without creation id; nothing is proven then. Error::unsupported: see problem().
  Result<bool> open(FileHeader& header);
  // The next piece, its views valid until the next call; false: that was all. Error::unsupported: a record of a
  // newer version stands in its place, so that repairing would lose it; see problem().
  Result<bool> next(Piece& out);

  uint64_t size() const { return window_.size(); }
  uint64_t offset() const { return at_; }  // how far it got
  uint64_t unreadable() const { return window_.unreadable(); }
  string_view problem() const { return problem_.view(); }

 private:
  Result<bool> find_tail();
  Result<bool> verify_batch();
  Result<bool> lose(Piece& out);
  Result<uint64_t> resume_after(uint64_t bad);
  Result<uint64_t> own_end(uint64_t bad);
  Result<bool> leads_to(uint64_t from, uint64_t to);
  Result<bool> ours_at(uint64_t offset);
  bool pass_mark(const CommitMark& mark, Piece& out);

  LogWindow window_;
  FileHeader header_;
  bool header_lost_ = false;
  bool header_told_ = false;
  uint64_t at_ = 0;
  uint64_t proven_to_ = 0;  // the mark of the batch that was verified last, and its number
  uint64_t verified_number_ = 0;
  bool boundary_ = true;                  // a batch may begin at at_
  uint64_t tail_ = 0;                     // behind the last mark; size() when what follows is longer than a torn batch
  uint64_t last_number_ = 0;              // of the last mark
  uint64_t last_end_ = FileHeader::size;  // behind it
  uint32_t kept_ = 0;                     // records since
  bool lost_ = false;                     // and anything lost since
  FixedText<127> problem_;
};

}  // namespace tocsin
