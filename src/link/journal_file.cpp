#include "link/journal_file.h"

#include <algorithm>

#include "base/writer.h"

namespace tocsin {
namespace {

template <size_t N>
bool assign_with(FixedText<N>& out, string_view path, string_view ending) {
  uint8_t room[N];
  Writer name(room);
  name.text(path).text(ending);
  return !name.overflowed() && out.assign(name.view());
}

}  // namespace

Status JournalFile::open(string_view path, string_view directory) {
  if (!path_.assign(path) || !assign_with(new_path_, path, ".new") || !assign_with(old_path_, path, ".old") ||
      !directory_.assign(directory))
    return Error::too_long;
  Result<port::Handle> file = storage_.open(path_.c_str(), port::OpenMode::read_write);
  if (!file.ok() && file.error() == Error::not_found) {
    file = storage_.open(path_.c_str(), port::OpenMode::create);
  }
  if (!file.ok()) return file.error();
  // The name that was found may not be durable: whoever created or renamed the file may have been killed before its
  // sync.
  if (const Status synced = storage_.sync_directory(directory_.c_str()); !synced.ok()) {
    storage_.shut(file.value());
    return synced;
  }
  const Result<uint64_t> size = storage_.size(file.value());
  if (!size.ok()) {
    storage_.shut(file.value());
    return size.error();
  }
  file_ = file.value();
  size_ = size.value();
  (void)storage_.remove(new_path_.c_str()).ok();
  return {};
}

void JournalFile::shut() {
  end();
  if (file_ != port::no_handle) storage_.shut(file_);
  file_ = port::no_handle;
}

// ---- batches -----------------------------------------------------------------

Result<size_t> JournalFile::read(uint64_t offset, Bytes room) { return storage_.read_at(file_, offset, room); }

Status JournalFile::cut(uint64_t size) {
  if (const Status cut = storage_.truncate(file_, size); !cut.ok()) return cut;
  size_ = size;
  tail_dirty_ = false;
  return storage_.sync_now(file_);
}

// Written anew, not only synced: after a sync that failed the system believes that there is nothing left to write.
Status JournalFile::renew(uint64_t offset) {
  uint8_t room[4096];
  for (uint64_t at = offset; at < size_;) {
    const Result<size_t> read =
        storage_.read_at(file_, at, Bytes(room).first(std::min<uint64_t>(sizeof room, size_ - at)));
    if (!read.ok() || read.value() == 0) return read.ok() ? Error::io : read.error();
    const Status written = storage_.write_at(file_, at, ByteView(room).first(read.value()));
    // Where overwriting takes room and there is none, a start must be possible all the same: synced it is.
    if (!written.ok() && written.error() == Error::no_space) break;
    if (!written.ok()) return written;
    at += read.value();
  }
  return storage_.sync_now(file_);
}

Status JournalFile::begin_log(ByteView header) {
  GW_CHECK(size_ == 0);
  Status begun = storage_.write_at(file_, 0, header);
  if (begun.ok()) begun = storage_.sync_now(file_);
  if (begun.ok()) {
    size_ = header.size();
    return {};
  }
  // A start must be possible on a full disk: those who are registered then come back when there is room.
  const bool full = begun.error() == Error::no_space;
  const Status cut = storage_.truncate(file_, 0);
  return full ? cut : begun;
}

Status JournalFile::append(ByteView batch) {
  if (under_ != Under::nothing) return Error::busy;
  if (const Status settled = settle_name(); !settled.ok()) return settled;
  if (tail_dirty_) {
    if (const Status cut = storage_.truncate(file_, size_); !cut.ok()) return cut;
  }
  tail_dirty_ = true;  // until the sync says otherwise
  if (const Status written = storage_.write_at(file_, size_, batch); !written.ok()) return fail(written.error());
  if (const Status started = storage_.sync_start(file_); !started.ok()) return fail(started.error());
  appended_ = batch.size();
  under_ = Under::batch;
  return {};
}

// What was refused must not come back after a power cut: the failure is told when the cut is on disk, or can not be.
Status JournalFile::fail(Error error) {
  if (!storage_.truncate(file_, size_).ok() || !storage_.sync_start(file_).ok()) return error;
  failure_ = error;
  under_ = Under::cut;
  return {};
}

bool JournalFile::decided(Status& outcome) {
  if (under_ != Under::batch && under_ != Under::cut) return false;
  if (!storage_.sync_done(outcome)) return false;
  const bool cutting = under_ == Under::cut;
  under_ = Under::nothing;
  if (outcome.ok()) tail_dirty_ = false;
  if (cutting) {
    outcome = failure_;
  } else if (outcome.ok()) {
    size_ += appended_;
  } else {
    if (fail(outcome.error()).ok()) return false;
  }
  return true;
}

// ---- the second file ---------------------------------------------------------

Status JournalFile::begin() {
  if (second_ != port::no_handle) return Error::busy;
  const Status removed = storage_.remove(new_path_.c_str());
  if (!removed.ok() && removed.error() != Error::not_found) return removed;
  const Result<port::Handle> file = storage_.open(new_path_.c_str(), port::OpenMode::create);
  if (!file.ok()) return file.error();
  second_ = file.value();
  second_size_ = 0;
  second_left_ = true;
  return {};
}

Status JournalFile::write(ByteView bytes) {
  if (const Status written = storage_.write_at(second_, second_size_, bytes); !written.ok()) return written;
  second_size_ += bytes.size();
  return {};
}

Status JournalFile::sync() {
  if (under_ != Under::nothing) return Error::busy;
  if (const Status started = storage_.sync_start(second_); !started.ok()) return started;
  under_ = Under::rewrite;
  return {};
}

Status JournalFile::place(bool keep_former) {
  if (under_ != Under::nothing) return Error::busy;
  if (const Status settled = settle_name(); !settled.ok()) return settled;
  (void)storage_.remove(old_path_.c_str()).ok();
  // A second name first, so that there is a good file under the journal's name at every moment.
  if (keep_former) {
    const Status linked = storage_.link(path_.c_str(), old_path_.c_str());
    if (!linked.ok() && linked.error() != Error::denied) return linked;
  }
  if (const Status placed = storage_.replace(new_path_.c_str(), path_.c_str()); !placed.ok()) return placed;
  second_left_ = false;
  name_loose_ = true;
  under_ = Under::place;
  if (!storage_.sync_directory_start(directory_.c_str()).ok()) under_ = Under::nothing;
  return {};
}

bool JournalFile::decided_rewrite(Status& outcome) {
  if (name_loose_ && under_ == Under::nothing) {  // not even started: append() tries again
    outcome = {};
    return true;
  }
  if (under_ != Under::rewrite && under_ != Under::place) return false;
  if (!storage_.sync_done(outcome)) return false;
  if (under_ == Under::place) {
    name_loose_ = !outcome.ok();
    outcome = {};  // the name is there, and both files hold the same: only the next batch must wait for it
  }
  under_ = Under::nothing;
  return true;
}

Status JournalFile::settle_name() {
  if (!name_loose_) return {};
  if (const Status synced = storage_.sync_directory(directory_.c_str()); !synced.ok()) return synced;
  name_loose_ = false;
  return {};
}

void JournalFile::switch_over() {
  const port::Handle former = file_;
  file_ = second_;
  second_ = former;
  size_ = second_size_;
  tail_dirty_ = tail_dirty_ && name_loose_;  // a power cut may bring the former file back
}

Result<size_t> JournalFile::read_former(uint64_t offset, Bytes room) {
  if (second_ == port::no_handle) return Error::not_found;
  return storage_.read_at(second_, offset, room);
}

void JournalFile::end() {
  if (second_left_) (void)storage_.remove(new_path_.c_str()).ok();
  second_left_ = false;
  if (second_ != port::no_handle) storage_.shut_nameless(second_);
  second_ = port::no_handle;
  if (under_ == Under::rewrite) under_ = Under::nothing;
}

}  // namespace tocsin
