// Writes what is alive into a second file, in slices, while the gateway works.
//
// A walk over the journal from its start to its moving end decides about each
// record from the index as it is at that moment (README.md says why that is
// enough). Then the second file is made durable and takes the journal's name;
// only for that moment commits wait. A second walk, over the new file, tells the
// index where everything stands now; until it is through, both files are read.
#pragma once

#include <cstdint>

#include "base/text.h"
#include "base/time.h"
#include "mem/region.h"
#include "registry/batch.h"
#include "registry/journal.h"

namespace tocsin {

struct RegistryInside;

// What a slice of maintenance brought.
enum class Maintenance : uint8_t {
  quiet,
  compacted,  // the index is on the new file now
  failed,     // given up, tried again later; the journal is as it was
  damaged,    // a record that was good once fails its check; not tried again
};

class Compaction {
 public:
  static constexpr size_t room_bytes = 16 * 1024;  // of what is read in one slice, and of what is written
  // Ends of devices that a compaction keeps, so that "why is this device gone" has an answer.
  static constexpr uint64_t ends_max = 1000;
  static constexpr Duration ends_kept = days(30);
  // The journal is not compacted below this size: a household's grows by some hundred bytes a day.
  static constexpr uint64_t bytes_min = 64 * 1024;

  Compaction(Region& region, Rewrite* rewrite);
  static size_t bytes_for() { return 2 * region_rounded(room_bytes); }

  bool running() const { return stage_ != Stage::idle; }
  // No batch may be started: the one sync of the storage is needed, or the end of the journal must stand still.
  bool holds_commits() const;
  void request() { requested_ = true; }
  Maintenance tick(RegistryInside& in, Instant now, UnixTime wall);
  Instant due() const { return due_; }
  // After failed or damaged: where and why.
  string_view problem() const { return problem_.view(); }
  uint64_t problem_offset() const { return problem_offset_; }
  uint64_t bytes_before() const { return bytes_before_; }
  uint64_t bytes_written() const { return written_; }

 private:
  enum class Stage : uint8_t {
    idle,
    copying,    // slices of the first walk
    syncing,    // what was written so far, before it becomes much
    catching,   // the last slices, while no batch is started
    closing,    // the last sync of the second file
    placing,    // its new name becomes durable
    remapping,  // slices of the second walk
  };
  bool wanted(const RegistryInside& in) const;
  Status begin(RegistryInside& in, UnixTime wall);
  Maintenance step(RegistryInside& in, Instant now);
  // One slice: hands each whole record to take(record, bytes) until the room is done with.
  template <class Take>
  Status walk(RegistryInside& in, uint64_t end, Take&& take);
  Status copy(RegistryInside& in, uint64_t offset, Record& record);
  Status emit(const Record& record);
  Status flush();
  Status remap(RegistryInside& in, uint64_t offset, const Record& record);
  void switch_over(RegistryInside& in);
  Maintenance fail(Status why, Instant now);

  Rewrite* rewrite_;
  Bytes read_room_;
  Bytes write_room_;
  Batch batch_;
  FileHeader header_;
  Stage stage_ = Stage::idle;
  bool requested_ = false;
  bool broken_ = false;
  bool sync_started_ = false;
  Instant due_ = Instant::never();
  Instant retry_after_{};
  UnixTime ends_since_{};
  uint64_t at_ = 0;        // of the walk
  uint64_t snapshot_ = 0;  // the journal's end when the walk began
  uint64_t written_ = 0;   // bytes of the second file
  uint64_t unsynced_ = 0;  // of these
  uint64_t batches_ = 0;   // of the second file
  uint64_t ends_seen_ = 0;
  uint64_t ends_total_ = 0;
  uint64_t ends_written_ = 0;
  uint64_t full_bytes_ = 0;
  uint64_t full_records_ = 0;
  uint64_t bytes_before_ = 0;
  uint64_t problem_offset_ = 0;
  FixedText<127> problem_;
};

}  // namespace tocsin
