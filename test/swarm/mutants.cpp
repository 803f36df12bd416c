#include "test/swarm/mutants.h"

namespace tocsin::swarm {

using port::Handle;

const char* name_of(Mutation mutation) {
  switch (mutation) {
    case Mutation::none: return "none";
    case Mutation::answer_before_sync: return "answer_before_sync";
    case Mutation::index_before_outcome: return "index_before_outcome";
    case Mutation::no_directory_sync_on_create: return "no_directory_sync_on_create";
    case Mutation::no_directory_sync_on_rename: return "no_directory_sync_on_rename";
    case Mutation::no_directory_sync_at_start: return "no_directory_sync_at_start";
    case Mutation::no_renewal_at_start: return "no_renewal_at_start";
    case Mutation::no_rewrite_at_start: return "no_rewrite_at_start";
    case Mutation::replace_before_sync: return "replace_before_sync";
  }
  return "";
}

Result<Handle> MutantStorage::open(const char* path, port::OpenMode mode) {
  const Result<Handle> file = inner_.open(path, mode);
  if (!file.ok()) return file;
  if (state_.opened) {
    state_.second = file.value();
    state_.starting = false;
  } else {
    state_.created = mode == port::OpenMode::create;
  }
  state_.opened = true;
  return file;
}

// ---- the start ---------------------------------------------------------------

bool MutantStorage::swallows_start() const {
  if (!state_.starting || state_.created) return false;
  return mutation_ == Mutation::no_renewal_at_start;
}

Status MutantStorage::write_at(Handle file, uint64_t offset, ByteView bytes) {
  const bool again = state_.starting && !state_.created && offset < inner_.size(file).value();
  if (again && (swallows_start() || mutation_ == Mutation::no_rewrite_at_start)) return {};
  state_.starting = again;
  return inner_.write_at(file, offset, bytes);
}

Status MutantStorage::sync_now(Handle file) { return swallows_start() ? Status() : inner_.sync_now(file); }

// ---- names -------------------------------------------------------------------

bool MutantStorage::swallows_directory_sync() {
  const bool renamed = state_.renamed;
  state_.renamed = false;
  if (state_.starting) {
    return mutation_ == (state_.created ? Mutation::no_directory_sync_on_create : Mutation::no_directory_sync_at_start);
  }
  return renamed && mutation_ == Mutation::no_directory_sync_on_rename;
}

Status MutantStorage::sync_directory(const char* path) {
  return swallows_directory_sync() ? Status() : inner_.sync_directory(path);
}

Status MutantStorage::sync_directory_start(const char* path) {
  if (!swallows_directory_sync()) return inner_.sync_directory_start(path);
  state_.claimed = true;
  return {};
}

Status MutantStorage::replace(const char* from, const char* to) {
  const Status replaced = inner_.replace(from, to);
  if (!replaced.ok()) return replaced;
  state_.renamed = true;
  if (mutation_ == Mutation::replace_before_sync) return inner_.sync_now(state_.second);
  return {};
}

// ---- bytes -------------------------------------------------------------------

Status MutantStorage::sync_start(Handle file) {
  if (mutation_ == Mutation::replace_before_sync && file == state_.second && !state_.renamed) {
    state_.claimed = true;
    return {};
  }
  if (mutation_ != Mutation::answer_before_sync) return inner_.sync_start(file);
  Status earlier;
  (void)inner_.sync_done(earlier);
  const Status started = inner_.sync_start(file);
  if (!started.ok() && started.error() != Error::busy) return started;
  state_.claimed = true;
  return {};
}

bool MutantStorage::sync_done(Status& outcome) {
  if (mutation_ == Mutation::answer_before_sync || state_.claimed) {
    const bool claimed = state_.claimed;
    state_.claimed = false;
    outcome = {};
    return claimed;
  }
  return inner_.sync_done(outcome);
}

}  // namespace tocsin::swarm
