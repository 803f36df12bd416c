// Files of a simulated port: handles and syncs; the rest is the Disk's.
#include "base/check.h"
#include "port/sim/sim_port.h"

namespace tocsin::sim {

using port::FileFacts;
using port::Handle;
using port::OpenMode;

// Handles of files start here, so that one of a socket is never taken for one of a file.
static constexpr Handle first_file = 0x4000;

SimStorage::File& SimStorage::of(Handle file) {
  GW_CHECK(file >= first_file && file < first_file + static_cast<Handle>(files_max));
  File& found = files_[file - first_file];
  GW_CHECK(found.open);                     // shut before
  GW_CHECK(found.epoch == disk_->epoch());  // the disk crashed under a living process: kill the port as well
  return found;
}

Result<Handle> SimStorage::keep(Result<Disk::Inode> inode, bool writable, bool locked) {
  dead_ = false;
  if (!inode.ok()) return inode.error();
  for (uint32_t i = 0; i < files_max; ++i) {
    if (files_[i].open) continue;
    files_[i] = {inode.value(), disk_->epoch(), true, writable, locked};
    return first_file + static_cast<Handle>(i);
  }
  if (locked) disk_->unlock(inode.value());
  disk_->shut(inode.value());
  return Error::exhausted;
}

void SimStorage::note(uint64_t what, uint64_t a, uint64_t b) {
  Trace& trace = world_->time().trace();
  trace.add(what << 48 | static_cast<uint64_t>(pid_));
  trace.add(a);
  trace.add(b);
}

Result<Handle> SimStorage::open(const char* path, OpenMode mode) {
  note(1, static_cast<uint64_t>(mode), 0);
  return keep(disk_->open(path, mode), mode != OpenMode::read, false);
}

Result<FileFacts> SimStorage::facts(const char* path) { return disk_->facts(path); }

Result<uint64_t> SimStorage::size(Handle file) { return disk_->size(of(file).inode); }

Result<size_t> SimStorage::read_at(Handle file, uint64_t offset, Bytes room) {
  return disk_->read_at(of(file).inode, offset, room);
}

Status SimStorage::write_at(Handle file, uint64_t offset, ByteView bytes) {
  GW_CHECK(of(file).writable);
  note(2, offset, bytes.size());
  world_->time().trace().add(bytes);
  return disk_->write_at(of(file).inode, offset, bytes);
}

Status SimStorage::truncate(Handle file, uint64_t size) {
  GW_CHECK(of(file).writable);
  note(3, size, 0);
  return disk_->truncate(of(file).inode, size);
}

Status SimStorage::sync_start(Handle file) {
  if (sync_state_ != SyncState::idle) return Error::busy;
  note(4, of(file).inode, 0);
  const Result<Disk::Sync> sync = disk_->sync_begin(of(file).inode);
  if (!sync.ok()) return sync.error();
  sync_ = sync.value();
  sync_names_of_.clear();
  sync_epoch_ = disk_->epoch();
  sync_state_ = SyncState::under_way;
  sync_event_ = world_->after(disk_->faults().sync_latency, *this);
  return {};
}

Status SimStorage::sync_directory_start(const char* path) {
  if (sync_state_ != SyncState::idle) return Error::busy;
  note(9, 0, 0);
  const Result<FileFacts> there = disk_->facts(path);
  if (!there.ok()) return there.error();
  if (!sync_names_of_.assign(path)) return Error::too_long;
  sync_epoch_ = disk_->epoch();
  sync_state_ = SyncState::under_way;
  sync_event_ = world_->after(disk_->faults().sync_latency, *this);
  return {};
}

Status SimStorage::end_sync() {
  return sync_names_of_.empty() ? disk_->sync_end(sync_) : disk_->sync_directory(sync_names_of_.view());
}

void SimStorage::on_event(uint64_t) {
  GW_CHECK(sync_epoch_ == disk_->epoch());  // as in of()
  sync_outcome_ = end_sync();
  note(5, static_cast<uint64_t>(sync_outcome_.error()), 0);
  sync_state_ = SyncState::ended;
  net_->ring();
}

bool SimStorage::sync_done(Status& outcome) {
  if (sync_state_ != SyncState::ended) return false;
  outcome = sync_outcome_;
  sync_state_ = SyncState::idle;
  return true;
}

Status SimStorage::sync_now(Handle file) {
  note(6, of(file).inode, 0);
  const Result<Disk::Sync> sync = disk_->sync_begin(of(file).inode);
  return sync.ok() ? disk_->sync_end(sync.value()) : Status{sync.error()};
}

Status SimStorage::sync_directory(const char* path) { return disk_->sync_directory(path); }

Status SimStorage::make_directory(const char* path) { return disk_->make_directory(path); }

Status SimStorage::replace(const char* from, const char* to) {
  note(7, 0, 0);
  return disk_->replace(from, to);
}

Status SimStorage::link(const char* from, const char* to) {
  note(10, 0, 0);
  return disk_->link(from, to);
}

Status SimStorage::remove(const char* path) {
  note(8, 0, 0);
  return disk_->remove(path);
}

Result<Handle> SimStorage::lock(const char* path, int64_t* holder) {
  return keep(disk_->lock(path, pid_, holder), true, true);
}

void SimStorage::shut(Handle file) {
  if (dead_) return;
  File& found = of(file);
  if (found.locked) disk_->unlock(found.inode);
  disk_->shut(found.inode);
  found.open = false;
}

uint32_t SimStorage::open_files() const {
  uint32_t open = 0;
  for (const File& file : files_) open += file.open ? 1 : 0;
  return open;
}

void SimStorage::end_all(bool power_lost) {
  for (uint32_t i = 0; i < files_max; ++i) {
    if (files_[i].open && files_[i].epoch == disk_->epoch()) shut(first_file + static_cast<Handle>(i));
    files_[i].open = false;
  }
  dead_ = true;
  if (sync_state_ == SyncState::under_way) {
    // The kernel finishes what a killed process began; without power nothing does.
    world_->cancel(sync_event_);
    if (!power_lost && sync_epoch_ == disk_->epoch()) (void)end_sync().ok();
  }
  sync_state_ = SyncState::idle;
}

}  // namespace tocsin::sim
