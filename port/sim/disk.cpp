// Files and names as they read now, and the list of what is not durable yet.
// Crashes, copies and what tests put there: disk_crash.cpp.
#include "port/sim/disk.h"

#include <algorithm>
#include <new>

#include "base/check.h"
#include "base/writer.h"

namespace tocsin::sim {

// "a/b/c" -> "a/b"; "" is the working directory, which is always there, as "/" is.
static string_view parent_of(string_view path) {
  size_t end = path.size();
  while (end > 0 && path[end - 1] != '/') --end;
  if (end == 1) return "/";
  return slice(path, 0, end == 0 ? 0 : end - 1);
}

static bool always_there(string_view directory) { return directory.empty() || directory == "/" || directory == "."; }

// ---- names -----------------------------------------------------------------

const Disk::Name* Disk::Names::find(string_view path) const {
  for (uint32_t i = 0; i < count; ++i) {
    if (list[i].path.view() == path) return &list[i];
  }
  return nullptr;
}

void Disk::Names::set(const Name& name) {
  unset(name.path.view());
  GW_CHECK(count < names_max);
  list[count++] = name;
}

void Disk::Names::unset(string_view path) {
  const Name* name = find(path);
  if (name == nullptr) return;
  list[name - list] = list[count - 1];
  --count;
}

Status Disk::check_parent(string_view path) const {
  if (path.empty() || path.size() > path_max) return path.empty() ? Error::not_found : Error::too_long;
  const string_view parent = parent_of(path);
  if (always_there(parent)) return {};
  const Name* name = names_.find(parent);
  if (name == nullptr || name->inode != no_inode) return Error::not_found;
  return {};
}

void Disk::name_operation(const Path& gone, const Name& name) {
  if (name_count_ == name_operations_max) write_back();
  NameOperation& operation = name_operations_[name_count_++];
  operation = {sequence_++, gone, name};
  apply(operation, names_);
}

void Disk::apply(const NameOperation& operation, Names& names) const {
  if (!operation.gone.empty()) names.unset(operation.gone.view());
  if (!operation.name.path.empty()) names.set(operation.name);
}

Result<Disk::Inode> Disk::new_inode() {
  for (Inode inode = 0; inode < inodes_max; ++inode) {
    bool used = inodes_[inode].opened > 0;
    for (uint32_t i = 0; i < names_.count; ++i) used |= names_.list[i].inode == inode;
    for (uint32_t i = 0; i < durable_names_.count; ++i) used |= durable_names_.list[i].inode == inode;
    for (uint32_t i = 0; i < name_count_; ++i) {
      used |= !name_operations_[i].name.path.empty() && name_operations_[i].name.inode == inode;
    }
    if (used) continue;
    drop_data({inode, UINT64_MAX});
    inodes_[inode] = Content{};
    return inode;
  }
  return Error::no_space;
}

Status Disk::begin(bool naming) {
  ++operations_;
  if (watcher_ != nullptr) watcher_->operation(*this, operations_);
  if (faults_.stop_at > 0 && operations_ >= faults_.stop_at) return Error::io;
  if (faults_.read_only) return Error::read_only;
  if (naming && faults_.open_failures > 0) {
    --faults_.open_failures;
    return faults_.open_error;
  }
  return {};
}

Result<Disk::Inode> Disk::open(string_view path, port::OpenMode mode) {
  if (mode == port::OpenMode::create || mode == port::OpenMode::create_for_group) {
    const Status ready = begin(true);
    if (!ready.ok()) return ready.error();
    const Status parent = check_parent(path);
    if (!parent.ok()) return parent.error();
    if (names_.find(path) != nullptr) return Error::exists;
    if (names_.count == names_max) return Error::no_space;
    const Result<Inode> inode = new_inode();
    if (!inode.ok()) return inode.error();
    Name name{{}, inode.value(), mode == port::OpenMode::create ? 0600u : 0640u};
    GW_CHECK(name.path.assign(path));
    name_operation({}, name);
    ++inodes_[inode.value()].opened;
    return inode;
  }
  if (faults_.open_failures > 0) {
    --faults_.open_failures;
    return faults_.open_error;
  }
  const Name* name = names_.find(path);
  if (name == nullptr) return Error::not_found;
  if (name->inode == no_inode) return Error::unsupported;
  if (mode == port::OpenMode::read_write && faults_.read_only) return Error::read_only;
  ++inodes_[name->inode].opened;
  return name->inode;
}

void Disk::shut(Inode inode) {
  GW_CHECK(inode < inodes_max && inodes_[inode].opened > 0);
  --inodes_[inode].opened;
}

Result<port::FileFacts> Disk::facts(string_view path) const {
  if (always_there(path)) return port::FileFacts{0, 0755, true};
  const Name* name = names_.find(path);
  if (name == nullptr) return Error::not_found;
  if (name->inode == no_inode) return port::FileFacts{0, name->mode, true};
  return port::FileFacts{inodes_[name->inode].size, name->mode, false};
}

Status Disk::make_directory(string_view path) {
  const Status ready = begin(true);
  if (!ready.ok()) return ready;
  if (always_there(path)) return {};
  const Status parent = check_parent(path);
  if (!parent.ok()) return parent;
  const Name* name = names_.find(path);
  if (name != nullptr) return name->inode == no_inode ? Status{} : Status{Error::exists};
  if (names_.count == names_max) return Error::no_space;
  Name directory{{}, no_inode, 0700};
  GW_CHECK(directory.path.assign(path));
  name_operation({}, directory);
  return {};
}

Status Disk::replace(string_view from, string_view to) {
  const Status ready = begin(true);
  if (!ready.ok()) return ready;
  const Status parent = check_parent(to);
  if (!parent.ok()) return parent;
  const Name* source = names_.find(from);
  if (source == nullptr || source->inode == no_inode) return source == nullptr ? Error::not_found : Error::unsupported;
  const Name* target = names_.find(to);
  if (target != nullptr && target->inode == no_inode) return Error::unsupported;
  if (from == to) return {};
  const Path gone = source->path;
  Name name = *source;
  GW_CHECK(name.path.assign(to));
  name_operation(gone, name);
  return {};
}

Status Disk::link(string_view from, string_view to) {
  const Status ready = begin(true);
  if (!ready.ok()) return ready;
  const Status parent = check_parent(to);
  if (!parent.ok()) return parent;
  const Name* source = names_.find(from);
  if (source == nullptr || source->inode == no_inode) return source == nullptr ? Error::not_found : Error::denied;
  if (names_.find(to) != nullptr) return Error::exists;
  Name name = *source;
  GW_CHECK(name.path.assign(to));
  name_operation({}, name);
  return {};
}

Status Disk::remove(string_view path) {
  const Status ready = begin(true);
  if (!ready.ok()) return ready;
  const Name* name = names_.find(path);
  if (name == nullptr) return Error::not_found;
  if (name->inode == no_inode) return Error::unsupported;
  const Path gone = name->path;
  name_operation(gone, {});
  return {};
}

Status Disk::sync_directory(string_view path) {
  const Status ready = begin(false);
  if (!ready.ok()) return ready;
  if (faults_.sync_failures > 0) {
    --faults_.sync_failures;
    return faults_.sync_error;
  }
  const Result<port::FileFacts> there = facts(path);
  if (!there.ok()) return there.error();
  uint32_t kept = 0;
  for (uint32_t i = 0; i < name_count_; ++i) {
    const NameOperation& operation = name_operations_[i];
    const string_view name = operation.name.path.empty() ? operation.gone.view() : operation.name.path.view();
    if (parent_of(name) == path || (path == "." && parent_of(name).empty())) {
      apply(operation, durable_names_);
    } else {
      name_operations_[kept++] = operation;
    }
  }
  name_count_ = kept;
  return {};
}

Result<Disk::Inode> Disk::lock(string_view path, int64_t pid, int64_t* holder) {
  *holder = 0;
  Result<Inode> inode = open(path, port::OpenMode::read_write);
  if (!inode.ok() && inode.error() == Error::not_found) inode = open(path, port::OpenMode::create);
  if (!inode.ok()) return inode;
  Content& content = inodes_[inode.value()];
  if (content.lock_pid >= 0) {
    *holder = content.lock_pid;
    shut(inode.value());
    return Error::busy;
  }
  uint8_t room[24];
  Writer text(room);
  text.number(pid).character('\n');
  Status written = truncate(inode.value(), 0);
  if (written.ok()) written = write_at(inode.value(), 0, text.written());
  if (!written.ok()) {
    shut(inode.value());
    return written.error();
  }
  content.lock_pid = pid;
  return inode;
}

void Disk::unlock(Inode inode) { inodes_[inode].lock_pid = -1; }

// ---- bytes -----------------------------------------------------------------

uint8_t* Disk::bytes_of_file(Inode inode, bool durable) const {
  return files_ + (size_t{inode} * 2 + (durable ? 1 : 0)) * sizes_.file_bytes;
}

uint64_t Disk::used_bytes() const {
  uint64_t used = 0;
  for (Inode inode = 0; inode < inodes_max; ++inode) {
    bool counts = inodes_[inode].opened > 0;
    for (uint32_t i = 0; i < names_.count; ++i) counts |= names_.list[i].inode == inode;
    if (counts) used += inodes_[inode].size;
  }
  return used;
}

void Disk::set_size(Inode inode, bool durable, uint64_t size) {
  uint64_t& now = durable ? inodes_[inode].durable_size : inodes_[inode].size;
  if (size > now) std::memset(bytes_of_file(inode, durable) + now, 0, size - now);
  now = size;
}

void Disk::put_bytes(Inode inode, bool durable, uint64_t offset, ByteView bytes) {
  if (bytes.empty()) return;
  const uint64_t size = durable ? inodes_[inode].durable_size : inodes_[inode].size;
  if (offset + bytes.size() > size) set_size(inode, durable, offset + bytes.size());
  copy_bytes(bytes_of_file(inode, durable) + offset, bytes);
}

void Disk::apply(const DataOperation& operation, bool durable) {
  if (operation.truncation) return set_size(operation.inode, durable, operation.offset);
  put_bytes(operation.inode, durable, operation.offset, {pending_ + operation.bytes_at, operation.length});
}

void Disk::keep_data(Inode inode, uint64_t offset, ByteView bytes, bool truncation) {
  if (data_count_ == data_operations_max || pending_used_ + bytes.size() > sizes_.pending_bytes) write_back();
  DataOperation operation{sequence_++, offset, bytes.size(), pending_used_, inode, truncation};
  if (bytes.size() > sizes_.pending_bytes) {  // larger than all we remember: on the disk at once
    put_bytes(inode, false, offset, bytes);
    return put_bytes(inode, true, offset, bytes);
  }
  copy_bytes(pending_ + pending_used_, bytes);
  pending_used_ += bytes.size();
  data_operations_[data_count_++] = operation;
  apply(operation, false);
}

void Disk::write_back() {
  for (uint32_t i = 0; i < data_count_; ++i) apply(data_operations_[i], true);
  for (uint32_t i = 0; i < name_count_; ++i) apply(name_operations_[i], durable_names_);
  data_count_ = name_count_ = 0;
  pending_used_ = 0;
}

Result<size_t> Disk::read_at(Inode inode, uint64_t offset, Bytes room) {
  if (faults_.stop_at > 0 && operations_ >= faults_.stop_at) return Error::io;
  if (faults_.read_failures > 0) {
    --faults_.read_failures;
    return faults_.read_error;
  }
  const uint64_t size = inodes_[inode].size;
  if (offset >= size) return size_t{0};
  const size_t part = static_cast<size_t>(std::min<uint64_t>(room.size(), size - offset));
  copy_bytes(room.data(), {bytes_of_file(inode, false) + offset, part});
  return part;
}

Status Disk::write_at(Inode inode, uint64_t offset, ByteView bytes) {
  const Status ready = begin(false);
  if (!ready.ok()) return ready;
  uint64_t part = bytes.size();
  Status outcome;
  if (faults_.write_failures > 0) {
    if (part > faults_.write_budget) {
      if (!faults_.write_lies) part = faults_.write_budget;
      --faults_.write_failures;
      outcome = faults_.write_error;
    }
    faults_.write_budget -= std::min(faults_.write_budget, part);
  }
  const uint64_t size = inodes_[inode].size;
  uint64_t limit = sizes_.file_bytes;
  if (faults_.capacity != UINT64_MAX) {
    const uint64_t used = used_bytes();
    limit = std::min(limit, size + (faults_.capacity > used ? faults_.capacity - used : 0));
  }
  if (part > 0 && (offset > limit || part > limit - offset)) {
    part = offset > limit ? 0 : limit - offset;
    outcome = Error::no_space;
  }
  if (part > 0) keep_data(inode, offset, bytes.first(static_cast<size_t>(part)), false);
  return outcome;
}

Status Disk::truncate(Inode inode, uint64_t size) {
  const Status ready = begin(false);
  if (!ready.ok()) return ready;
  if (faults_.truncate_failures > 0) {
    --faults_.truncate_failures;
    return faults_.truncate_error;
  }
  if (size > sizes_.file_bytes) return Error::no_space;
  if (size != inodes_[inode].size) keep_data(inode, size, {}, true);
  return {};
}

Result<Disk::Sync> Disk::sync_begin(Inode inode) {
  const Status ready = begin(false);
  if (!ready.ok()) return ready.error();
  if (faults_.sync_start_failures > 0) {
    --faults_.sync_start_failures;
    return faults_.sync_start_error;
  }
  ++syncs_;
  return Sync{inode, sequence_};
}

Status Disk::sync_end(const Sync& sync) {
  if (faults_.stop_at > 0 && operations_ >= faults_.stop_at) return Error::io;
  const bool fails = faults_.sync_failures > 0;
  uint32_t kept = 0;
  for (uint32_t i = 0; i < data_count_; ++i) {
    const DataOperation& operation = data_operations_[i];
    const bool meant = operation.inode == sync.inode && operation.sequence < sync.before;
    const bool applied = meant && (!fails || random_.coin());
    if (applied) apply(operation, true);
    if (!meant || (!applied && operation.truncation)) data_operations_[kept++] = operation;
  }
  data_count_ = kept;
  if (kept == 0) pending_used_ = 0;
  if (!fails) return {};
  --faults_.sync_failures;
  return faults_.sync_error;
}

void Disk::drop_data(const Sync& sync) {
  uint32_t kept = 0;
  for (uint32_t i = 0; i < data_count_; ++i) {
    const DataOperation& operation = data_operations_[i];
    if (operation.inode == sync.inode && operation.sequence < sync.before) continue;
    data_operations_[kept++] = operation;
  }
  data_count_ = kept;
  if (kept == 0) pending_used_ = 0;
}

}  // namespace tocsin::sim
