// The simulated disk: what a file reads as now, what of it is durable, and the
// list of what lies between. A crash takes the durable state and lets chance
// decide, from a seed, what of the list made it. Several ports may share a disk,
// and a disk outlives the ports of a rebooted gateway.
//
// Strict where file systems differ: bytes are durable by a sync of their file
// only, names by a sync of their directory only (POSIX promises no more).
#pragma once

#include <cstdint>

#include "base/bytes.h"
#include "base/result.h"
#include "base/text.h"
#include "base/time.h"
#include "mem/region.h"
#include "port/port.h"
#include "port/sim/random.h"

namespace tocsin::sim {

class Disk;

// What a crash does to everything that was not synced.
struct Crash {
  enum class Keep : uint8_t {
    none,    // all of it is lost
    all,     // all of it had been written back
    prefix,  // up to a random operation, which is torn
    any,     // parts land or not, in any order
  };
  Keep keep = Keep::any;
  uint32_t tear = 512;   // operations are torn at multiples of so many bytes of the file; 0: never torn
  bool garbage = false;  // lost parts inside the new length read as noise instead of zeros
};
Crash random_crash(Random& random);

// Sees every operation that may change the disk, before it happens: the place to
// copy the disk and crash the copy. number counts from 1.
class DiskWatcher {
 public:
  virtual void operation(const Disk& disk, uint64_t number) = 0;

 protected:
  ~DiskWatcher() = default;
};

// What goes wrong; plain numbers that a test sets at any time.
struct DiskFaults {
  Duration sync_latency{};         // of sync_start, on the virtual clock
  uint64_t capacity = UINT64_MAX;  // bytes of all files together; beyond: a partial write, then Error::no_space
  bool read_only = false;          // everything that changes: Error::read_only
  // The next write_failures writes beyond write_budget bytes are cut there and fail.
  Error write_error = Error::io;
  uint64_t write_budget = 0;
  uint32_t write_failures = 0;
  bool write_lies = false;  // writes that fail have written everything all the same
  Error truncate_error = Error::io;
  uint32_t truncate_failures = 0;
  // Syncs that can not even be started: nothing of them is durable, and all of it is tried again.
  Error sync_start_error = Error::io;
  uint32_t sync_start_failures = 0;
  // The next syncs fail; chance decides what of them is durable, and none of the bytes will
  // be tried again: later syncs succeed without them (Linux does so after EIO). A new size is: it stands in the
  // file system's own journal, and one that can not write that goes on read-only.
  Error sync_error = Error::io;
  uint32_t sync_failures = 0;
  Error open_error = Error::io;  // of open, replace, remove, make_directory, lock
  uint32_t open_failures = 0;
  Error read_error = Error::io;
  uint32_t read_failures = 0;
  // From this operation on nothing changes any more, and everything is Error::io: the
  // power is gone, only nobody has noticed. 0: never. Cleared by a crash.
  uint64_t stop_at = 0;
};

class Disk {
 public:
  using Inode = uint16_t;
  struct Sizes {
    uint64_t file_bytes = 4 << 20;     // of one file; memory is touched only where files are
    uint64_t pending_bytes = 1 << 20;  // unsynced bytes; more of them, and the oldest count as written back
  };
  static constexpr uint32_t inodes_max = 24;
  static constexpr uint32_t path_max = 119;
  static size_t bytes_for(const Sizes& sizes);

  Disk(Region& memory, const Sizes& sizes, uint64_t seed);
  Disk(const Disk&) = delete;
  Disk& operator=(const Disk&) = delete;

  // Both disks must have the same sizes. Costs what is used: a few µs for a small disk.
  void copy_from(const Disk& other);
  // The power fails: locks and open files are gone; see Crash.
  void crash(const Crash& how, Random& random);

  DiskFaults& faults() { return faults_; }
  void watch(DiskWatcher* watcher) { watcher_ = watcher; }
  uint64_t operations() const { return operations_; }
  uint32_t epoch() const { return epoch_; }  // another one after every crash and copy_from: what was open is gone
  uint64_t syncs() const { return syncs_; }  // begun or at once, of files
  uint32_t unsynced() const { return data_count_ + name_count_; }

  // For tests, durable at once and without faults: files as they were installed.
  void put_directory(string_view path);  // with its parents
  void put(string_view path, ByteView content, uint32_t mode = 0600);
  bool has(string_view path) const;
  ByteView content(string_view path) const;          // as it reads now; empty if there is none
  ByteView durable_content(string_view path) const;  // as it would be if everything unsynced were lost

  // As SimStorage calls it; the meaning is that of port::Storage.
  Result<Inode> open(string_view path, port::OpenMode mode);
  void shut(Inode inode);
  Result<port::FileFacts> facts(string_view path) const;
  uint64_t size(Inode inode) const { return inodes_[inode].size; }
  Result<size_t> read_at(Inode inode, uint64_t offset, Bytes room);
  Status write_at(Inode inode, uint64_t offset, ByteView bytes);
  Status truncate(Inode inode, uint64_t size);
  struct Sync {
    Inode inode;
    uint64_t before;  // makes durable what came before this sequence number
  };
  Result<Sync> sync_begin(Inode inode);
  Status sync_end(const Sync& sync);
  Status sync_directory(string_view path);
  Status make_directory(string_view path);
  Status replace(string_view from, string_view to);
  Status link(string_view from, string_view to);
  Status remove(string_view path);
  // Error::busy when somebody holds it. The file is open then, as by open.
  Result<Inode> lock(string_view path, int64_t pid, int64_t* holder);
  void unlock(Inode inode);

 private:
  static constexpr uint32_t names_max = 40;
  static constexpr uint32_t name_operations_max = 64;
  static constexpr uint32_t data_operations_max = 2048;
  static constexpr Inode no_inode = UINT16_MAX;
  using Path = FixedText<path_max>;

  struct Content {
    uint64_t size = 0;
    uint64_t durable_size = 0;
    uint32_t opened = 0;
    int64_t lock_pid = -1;  // -1: not locked
  };
  struct Name {
    Path path;
    Inode inode = no_inode;  // no_inode: a directory
    uint32_t mode = 0;
  };
  // A directory as a list of whole paths.
  struct Names {
    uint32_t count = 0;
    Name list[names_max];
    const Name* find(string_view path) const;
    void set(const Name& name);
    void unset(string_view path);
  };
  struct NameOperation {
    uint64_t sequence;
    Path gone;  // a path that ends, or empty
    Name name;  // a path that begins or changes its file, or empty
  };
  struct DataOperation {
    uint64_t sequence;
    uint64_t offset;  // of a write; the size of a truncation
    uint64_t length;
    uint64_t bytes_at;
    Inode inode;
    bool truncation;
  };

  uint8_t* bytes_of_file(Inode inode, bool durable) const;
  uint64_t used_bytes() const;
  Status begin(bool naming);  // every operation that changes: counts, watches, fails
  Status check_parent(string_view path) const;
  Result<Inode> new_inode();
  void name_operation(const Path& gone, const Name& name);
  void keep_data(Inode inode, uint64_t offset, ByteView bytes, bool truncation);
  void write_back();
  void apply(const DataOperation& operation, bool durable);
  void apply(const NameOperation& operation, Names& names) const;
  void put_bytes(Inode inode, bool durable, uint64_t offset, ByteView bytes);
  void set_size(Inode inode, bool durable, uint64_t size);
  void apply_part(const DataOperation& operation, const Crash& how, Random& random);
  void apply_torn(const DataOperation& operation, const Crash& how, Random& random);
  void drop_data(const Sync& sync);

  Sizes sizes_;
  uint8_t* files_;
  uint8_t* pending_;
  DiskWatcher* watcher_ = nullptr;
  DiskFaults faults_;
  Random random_;
  uint64_t operations_ = 0;
  uint32_t epoch_ = 0;
  uint64_t syncs_ = 0;
  uint64_t sequence_ = 0;
  uint64_t pending_used_ = 0;
  Content inodes_[inodes_max];
  Names names_;
  Names durable_names_;
  uint32_t name_count_ = 0;
  uint32_t data_count_ = 0;
  NameOperation name_operations_[name_operations_max];
  DataOperation data_operations_[data_operations_max];
};

}  // namespace tocsin::sim
