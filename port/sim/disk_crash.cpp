// Power failures, copies, and files as tests put them there.
#include <algorithm>
#include <iterator>

#include "base/check.h"
#include "port/sim/disk.h"

namespace tocsin::sim {

Crash random_crash(Random& random) {
  const uint64_t dice = random.below(8);
  Crash how;
  how.keep = dice == 0   ? Crash::Keep::none
             : dice == 1 ? Crash::Keep::all
             : dice < 5  ? Crash::Keep::prefix
                         : Crash::Keep::any;
  constexpr uint32_t tears[] = {512, 512, 4096, 1, 1, 0};
  how.tear = tears[random.below(std::size(tears))];
  how.garbage = random.below(4) == 0;
  return how;
}

size_t Disk::bytes_for(const Sizes& sizes) {
  return region_rounded(static_cast<size_t>(inodes_max * 2 * sizes.file_bytes)) +
         region_rounded(static_cast<size_t>(sizes.pending_bytes));
}

Disk::Disk(Region& memory, const Sizes& sizes, uint64_t seed)
    : sizes_(sizes),
      files_(memory.carve(static_cast<size_t>(inodes_max * 2 * sizes.file_bytes)).data()),
      pending_(memory.carve(static_cast<size_t>(sizes.pending_bytes)).data()),
      random_(seed) {}

void Disk::copy_from(const Disk& other) {
  GW_CHECK(sizes_.file_bytes == other.sizes_.file_bytes && sizes_.pending_bytes == other.sizes_.pending_bytes);
  ++epoch_;
  faults_ = other.faults_;
  random_ = other.random_;
  operations_ = other.operations_;
  syncs_ = other.syncs_;
  sequence_ = other.sequence_;
  pending_used_ = other.pending_used_;
  copy_bytes(pending_, {other.pending_, static_cast<size_t>(pending_used_)});
  for (Inode inode = 0; inode < inodes_max; ++inode) {
    const Content& content = other.inodes_[inode];
    inodes_[inode] = Content{content.size, content.durable_size};  // nobody has opened or locked anything here
    copy_bytes(bytes_of_file(inode, false), {other.bytes_of_file(inode, false), static_cast<size_t>(content.size)});
    copy_bytes(bytes_of_file(inode, true),
               {other.bytes_of_file(inode, true), static_cast<size_t>(content.durable_size)});
  }
  const auto copy_names = [](Names& to, const Names& from) {
    to.count = from.count;
    std::copy_n(from.list, from.count, to.list);
  };
  copy_names(names_, other.names_);
  copy_names(durable_names_, other.durable_names_);
  name_count_ = other.name_count_;
  std::copy_n(other.name_operations_, name_count_, name_operations_);
  data_count_ = other.data_count_;
  std::copy_n(other.data_operations_, data_count_, data_operations_);
}

// The operation reached the disk up to a random point.
void Disk::apply_torn(const DataOperation& operation, const Crash& how, Random& random) {
  if (operation.truncation || how.tear == 0 || operation.length == 0) {
    if (random.coin()) apply(operation, true);
    return;
  }
  const uint64_t end = operation.offset + random.below(operation.length + 1);
  const uint64_t torn = end / how.tear * how.tear;
  DataOperation part = operation;
  part.length = torn > operation.offset ? torn - operation.offset : 0;
  apply(part, true);
}

// Each unit of the operation reached the disk or not; so did the new length.
void Disk::apply_part(const DataOperation& operation, const Crash& how, Random& random) {
  if (operation.truncation || how.tear == 0) {
    if (random.coin()) apply(operation, true);
    return;
  }
  const uint64_t end = operation.offset + operation.length;
  const uint64_t old_size = inodes_[operation.inode].durable_size;
  if (end > old_size && random.coin()) {
    set_size(operation.inode, true, end);
    const uint64_t from = std::max(old_size, operation.offset);
    if (how.garbage) random.fill({bytes_of_file(operation.inode, true) + from, static_cast<size_t>(end - from)});
  }
  // Single bytes land or not in runs: a coin for each would cost too much and show no more.
  const uint64_t unit = how.tear == 1 ? random.between(1, 64) : how.tear;
  for (uint64_t at = operation.offset; at < end;) {
    const uint64_t next = std::min(end, (at / unit + 1) * unit);
    if (random.coin()) {
      DataOperation part = operation;
      part.offset = at;
      part.bytes_at += at - operation.offset;
      part.length = next - at;
      apply(part, true);
    }
    at = next;
  }
}

void Disk::crash(const Crash& how, Random& random) {
  const uint32_t total = data_count_ + name_count_;
  // Journalling file systems keep the order of names; POSIX does not promise it.
  const bool names_in_order = random.coin();
  const uint64_t data_kept = how.keep == Crash::Keep::prefix ? random.below(total + 1) : 0;
  const uint64_t names_kept = random.below(name_count_ + 1);
  uint32_t d = 0;
  uint32_t n = 0;
  for (uint32_t i = 0; i < total; ++i) {
    const bool naming =
        d == data_count_ || (n < name_count_ && name_operations_[n].sequence < data_operations_[d].sequence);
    if (naming) {
      const bool kept = how.keep == Crash::Keep::all || (how.keep == Crash::Keep::prefix && i < data_kept) ||
                        (how.keep == Crash::Keep::any && (names_in_order ? n < names_kept : random.coin()));
      if (kept) apply(name_operations_[n], durable_names_);
      ++n;
      continue;
    }
    const DataOperation& operation = data_operations_[d++];
    if (how.keep == Crash::Keep::all || (how.keep == Crash::Keep::prefix && i < data_kept)) {
      apply(operation, true);
    } else if (how.keep == Crash::Keep::prefix && i == data_kept) {
      apply_torn(operation, how, random);
    } else if (how.keep == Crash::Keep::any) {
      apply_part(operation, how, random);
    }
  }

  // A file whose directory was lost is lost with it; parents stand before children in no order.
  for (bool again = true; again;) {
    again = false;
    for (uint32_t i = 0; i < durable_names_.count; ++i) {
      string_view path = durable_names_.list[i].path.view();
      while (!path.empty() && path.back() != '/') path = slice(path, 0, path.size() - 1);
      if (path.size() <= 1) continue;
      if (durable_names_.find(slice(path, 0, path.size() - 1)) != nullptr) continue;
      durable_names_.unset(durable_names_.list[i].path.view());
      again = true;
      break;
    }
  }

  ++epoch_;
  data_count_ = name_count_ = 0;
  pending_used_ = 0;
  faults_.stop_at = 0;
  names_.count = durable_names_.count;
  std::copy_n(durable_names_.list, durable_names_.count, names_.list);
  for (Inode inode = 0; inode < inodes_max; ++inode) {
    Content& content = inodes_[inode];
    content.opened = 0;
    content.lock_pid = -1;
    content.size = content.durable_size;
    copy_bytes(bytes_of_file(inode, false), {bytes_of_file(inode, true), static_cast<size_t>(content.size)});
  }
}

void Disk::put_directory(string_view path) {
  for (size_t end = 1; end <= path.size(); ++end) {
    if (end < path.size() && path[end] != '/') continue;
    const string_view part = slice(path, 0, end);
    if (part == "/" || part == "." || names_.find(part) != nullptr) continue;
    Name directory{{}, no_inode, 0700};
    GW_CHECK(directory.path.assign(part));
    names_.set(directory);
    durable_names_.set(directory);
  }
}

void Disk::put(string_view path, ByteView content, uint32_t mode) {
  GW_CHECK(content.size() <= sizes_.file_bytes && check_parent(path).ok());
  const Name* known = names_.find(path);
  Name name{{}, known == nullptr ? no_inode : known->inode, mode};
  if (known == nullptr) {
    const Result<Inode> fresh = new_inode();
    GW_CHECK(fresh.ok());
    name.inode = fresh.value();
  }
  GW_CHECK(name.path.assign(path));
  names_.set(name);
  durable_names_.set(name);
  drop_data({name.inode, UINT64_MAX});
  for (const bool durable : {false, true}) {
    set_size(name.inode, durable, 0);
    put_bytes(name.inode, durable, 0, content);
  }
}

bool Disk::has(string_view path) const { return names_.find(path) != nullptr; }

ByteView Disk::content(string_view path) const {
  const Name* name = names_.find(path);
  if (name == nullptr || name->inode == no_inode) return {};
  return {bytes_of_file(name->inode, false), static_cast<size_t>(inodes_[name->inode].size)};
}

ByteView Disk::durable_content(string_view path) const {
  const Name* name = durable_names_.find(path);
  if (name == nullptr || name->inode == no_inode) return {};
  return {bytes_of_file(name->inode, true), static_cast<size_t>(inodes_[name->inode].durable_size)};
}

}  // namespace tocsin::sim
