// Through which a change becomes durable, and where a compaction writes: the
// whole interface between the registry and whatever keeps its bytes. A file with
// syncs implements both today (link/journal_file); an Authority, such as a
// replicated log, can stand in front of it.
#pragma once

#include <cstdint>

#include "base/bytes.h"
#include "base/result.h"

namespace tocsin {

class Journal {
 public:
  // Bytes that are stored at offset (fewer only at the end); for replay and look-ups.
  virtual Result<size_t> read(uint64_t offset, Bytes room) = 0;
  virtual uint64_t size() const = 0;  // where the next batch goes
  // Starts making batch durable at size(); one at a time. The batch's bytes stay
  // untouched until Registry::committed() is called with the outcome. An error here: nothing was started.
  virtual Status append(ByteView batch) = 0;
  // True once when it is decided what became of the batch.
  virtual bool decided(Status& outcome) = 0;
  // Cuts the tail that replay found behind the last commit mark.
  virtual Status cut(uint64_t size) = 0;
  // Makes durable once more what stands from offset on: the last batch, which replay takes for the truth now. Whoever
  // wrote it may have been killed before its sync, or was told that the sync failed; it can be read all the same.
  virtual Status renew(uint64_t offset) = 0;
  // A new log begins with this, which is durable when the call returns: whatever happens to the first batch, the file
  // is known as ours. Where there is no room for it yet (or no file, as in tests) nothing is written, and it goes with
  // the first batch.
  virtual Status begin_log(ByteView) { return {}; }

 protected:
  ~Journal() = default;
};

// Decides about batches before the local journal gets them, where several gateways share one truth; README.md
// shows how. Reads and sizes are those of the local journal.
class Authority : public Journal {
 public:
  // Once, before anything else; local outlives this.
  virtual void stand_before(Journal& local) = 0;

 protected:
  ~Authority() = default;
};

// A second file that takes the place of the journal's. In the order of its members; whatever fails, end() gives
// the second file up.
class Rewrite {
 public:
  virtual Status begin() = 0;  // an empty second file; what an earlier attempt left behind is gone
  virtual Status write(ByteView bytes) = 0;
  // Starts making what was written durable. No append() is under way, and none is started before decided_rewrite().
  virtual Status sync() = 0;
  // The second file, which is durable, gets the journal's name; durable as well when decided_rewrite() says so. No
  // append() is under way. An error: it did not. keep_former: the former file stays beside it under another name.
  virtual Status place(bool keep_former) = 0;
  // True once when sync() or place() is decided.
  virtual bool decided_rewrite(Status& outcome) = 0;
  // After place(): from now on the journal is the second file, and the former one is only read.
  virtual void switch_over() = 0;
  virtual Result<size_t> read_former(uint64_t offset, Bytes room) = 0;
  virtual void end() = 0;

 protected:
  ~Rewrite() = default;
};

}  // namespace tocsin
