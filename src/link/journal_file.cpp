#include "link/journal_file.h"

namespace tocsin {

Status JournalFile::open(const char* path, const char* directory) {
  Result<port::Handle> file = storage_.open(path, port::OpenMode::read_write);
  if (!file.ok() && file.error() == Error::not_found) {
    file = storage_.open(path, port::OpenMode::create);
    if (!file.ok()) return file.error();
    if (const Status synced = storage_.sync_directory(directory); !synced.ok()) {
      storage_.shut(file.value());
      return synced;
    }
  }
  if (!file.ok()) return file.error();
  const Result<uint64_t> size = storage_.size(file.value());
  if (!size.ok()) {
    storage_.shut(file.value());
    return size.error();
  }
  file_ = file.value();
  size_ = size.value();
  return {};
}

void JournalFile::shut() {
  if (file_ != port::no_handle) storage_.shut(file_);
  file_ = port::no_handle;
}

Result<size_t> JournalFile::read(uint64_t offset, Bytes room) { return storage_.read_at(file_, offset, room); }

Status JournalFile::cut(uint64_t size) {
  if (const Status cut = storage_.truncate(file_, size); !cut.ok()) return cut;
  size_ = size;
  tail_dirty_ = false;
  return storage_.sync_now(file_);
}

Status JournalFile::append(ByteView batch) {
  if (syncing_) return Error::busy;
  if (tail_dirty_) {
    if (const Status cut = storage_.truncate(file_, size_); !cut.ok()) return cut;
    tail_dirty_ = false;
  }
  tail_dirty_ = true;  // until the sync says otherwise
  if (const Status written = storage_.write_at(file_, size_, batch); !written.ok()) return written;
  if (const Status started = storage_.sync_start(file_); !started.ok()) return started;
  appended_ = batch.size();
  syncing_ = true;
  return {};
}

bool JournalFile::decided(Status& outcome) {
  if (!syncing_ || !storage_.sync_done(outcome)) return false;
  syncing_ = false;
  if (outcome.ok()) {
    size_ += appended_;
    tail_dirty_ = false;
  }
  return true;
}

}  // namespace tocsin
