#include "mem/block_heap.h"

#include <bit>
#include <cstddef>
#include <new>

#include "base/check.h"

namespace tocsin {

// Lies 8 bytes before a multiple of 16, so that payloads are aligned. Sizes are
// of whole blocks and multiples of 16; the lowest bit marks a free one.
struct BlockHeap::Block {
  static constexpr uint32_t free_bit = 1;
  uint32_t size_and_free;
  uint32_t previous_size;  // of the block in front, 0 for the first
  // Where the payload of a taken block starts, a free one is in a list:
  uint32_t next;
  uint32_t link;  // where the offset of this block is written: a list's head or the next of another block

  uint32_t size() const { return size_and_free & ~free_bit; }
  bool is_free() const { return (size_and_free & free_bit) != 0; }
};

inline BlockHeap::Block* BlockHeap::at(uint32_t offset) {
  return reinterpret_cast<Block*>(reinterpret_cast<uint8_t*>(this) + offset);
}

inline const BlockHeap::Block* BlockHeap::at(uint32_t offset) const {
  return reinterpret_cast<const Block*>(reinterpret_cast<const uint8_t*>(this) + offset);
}

inline uint32_t& BlockHeap::link_at(uint32_t offset) {
  return *reinterpret_cast<uint32_t*>(reinterpret_cast<uint8_t*>(this) + offset);
}

inline uint32_t BlockHeap::offset_of(const void* payload) const {
  const size_t offset = reinterpret_cast<uintptr_t>(payload) - reinterpret_cast<uintptr_t>(this) - overhead;
  GW_CHECK(offset >= first_ && offset < end_ && (offset - first_) % alignment_min == 0);
  return static_cast<uint32_t>(offset);
}

inline uint32_t BlockHeap::class_of(uint32_t size) {
  const uint32_t log = 31 - static_cast<uint32_t>(std::countl_zero(size | 256));
  return (log - 8) * steps + (size >> (log - 4));
}

// The block that a request needs; 0 when no room can have it.
inline uint32_t BlockHeap::rounded(size_t size) {
  if (size > room_max) return 0;
  const size_t block = (size + overhead + alignment_min - 1) & ~(alignment_min - 1);
  return static_cast<uint32_t>(block);
}

BlockHeap* BlockHeap::start(Bytes room) {
  const uintptr_t base = reinterpret_cast<uintptr_t>(room.data());
  const size_t skip = (alignment_min - base % alignment_min) % alignment_min;
  if (room.size() < skip || room.size() - skip < 256) return nullptr;
  GW_CHECK(room.size() - skip <= room_max);
  const uint32_t size = static_cast<uint32_t>(room.size() - skip);
  const uint32_t levels = class_of(size) / steps + 1;
  const uint32_t lists_end = static_cast<uint32_t>(sizeof(BlockHeap) + levels * steps * sizeof(uint32_t));
  const size_t header_end = (lists_end + overhead + alignment_min - 1) & ~(alignment_min - 1);
  const uint32_t first = static_cast<uint32_t>(header_end - overhead);
  if (first + 2 * alignment_min > size) return nullptr;

  auto* heap = new (room.data() + skip) BlockHeap;
  heap->first_ = first;
  heap->end_ = first + (size - first) / 16 * 16;
  heap->levels_ = levels;
  std::memset(heap->heads(), 0, levels * steps * sizeof(uint32_t));
  Block* block = heap->at(first);
  block->size_and_free = heap->end_ - first;
  block->previous_size = 0;
  heap->set_free(first, heap->end_ - first);
  return heap;
}

// A free block of at least size bytes, 0 for none.
inline uint32_t BlockHeap::find(uint32_t size) const {
  const uint32_t own = class_of(size);
  if (own >= levels_ * steps) return 0;
  // The block given back last to the request's own class often has the very size.
  // Of the larger classes every block fits; the smallest such class comes first.
  const uint32_t head = heads()[own];
  const uint32_t start = own + (at(head)->size() < size ? 1 : 0);
  const uint32_t here = start / steps;
  const uint32_t mask = ~0u << (start % steps);
  const bool in_level = (step_maps_[here] & mask) != 0;
  const uint32_t levels = in_level ? 1u << here : level_map_ & (~1u << here);
  if (levels != 0) {
    const uint32_t level = static_cast<uint32_t>(std::countr_zero(levels));
    const uint32_t lists = step_maps_[level] & (in_level ? mask : ~0u);
    return heads()[level * steps + static_cast<uint32_t>(std::countr_zero(lists))];
  }

  // Nearly full: look a little further into the own class, whose blocks may fit or not.
  uint32_t candidate = head;
  for (int looks = 0; candidate != 0 && looks < 16; ++looks) {
    if (at(candidate)->size() >= size) return candidate;
    candidate = at(candidate)->next;
  }
  return 0;
}

// Brings the bitmaps up to date with a list that changed.
inline void BlockHeap::note_list(uint32_t list) {
  const uint32_t level = list / steps;
  const uint32_t step = list % steps;
  const uint32_t lists = (step_maps_[level] & ~(1u << step)) | (heads()[list] != 0 ? 1u << step : 0);
  step_maps_[level] = lists;
  level_map_ = (level_map_ & ~(1u << level)) | (lists != 0 ? 1u << level : 0);
}

inline void BlockHeap::insert(uint32_t offset) {
  Block* block = at(offset);
  const uint32_t list = class_of(block->size());
  const uint32_t head = static_cast<uint32_t>(sizeof(BlockHeap) + list * sizeof(uint32_t));
  const uint32_t next = heads()[list];
  block->next = next;
  block->link = head;
  at(next)->link = static_cast<uint32_t>(offset + offsetof(Block, next));
  heads()[list] = offset;
  step_maps_[list / steps] |= 1u << (list % steps);
  level_map_ |= 1u << (list / steps);
}

inline void BlockHeap::remove(uint32_t offset) {
  const Block* block = at(offset);
  link_at(block->link) = block->next;
  at(block->next)->link = block->link;
  note_list(class_of(block->size()));
}

// Marks size bytes at offset as one free block and lists it; previous_size is right already.
inline void BlockHeap::set_free(uint32_t offset, uint32_t size) {
  at(offset)->size_and_free = size | Block::free_bit;
  if (offset + size < end_) at(offset + size)->previous_size = size;
  insert(offset);
}

// The free block at from ends where it did but starts at to from now on, with
// size bytes. Mostly its list stays the same, and so does its place in it.
inline void BlockHeap::move(uint32_t from, uint32_t to, uint32_t size) {
  const Block old = *at(from);
  if (class_of(old.size()) != class_of(size)) {
    remove(from);
    return set_free(to, size);
  }
  Block* block = at(to);
  block->size_and_free = size | Block::free_bit;
  block->next = old.next;
  block->link = old.link;
  link_at(old.link) = to;
  at(old.next)->link = static_cast<uint32_t>(to + offsetof(Block, next));
  if (to + size < end_) at(to + size)->previous_size = size;
}

// Makes a taken block size bytes long; what is left over goes to the free block behind it.
inline void BlockHeap::trim(uint32_t offset, uint32_t size) {
  Block* block = at(offset);
  const uint32_t left = block->size() - size;
  if (left == 0) return;
  const uint32_t behind = offset + block->size();
  if (behind < end_ && at(behind)->is_free()) {
    move(behind, offset + size, at(behind)->size() + left);
  } else {
    set_free(offset + size, left);
  }
  block->size_and_free = size;
  at(offset + size)->previous_size = size;
}

void* BlockHeap::take(size_t size, size_t alignment) {
  const uint32_t wanted = rounded(size);
  if (wanted == 0) return nullptr;
  if (alignment > alignment_min) return take_aligned(wanted, alignment);
  const uint32_t offset = find(wanted);
  if (offset == 0) return nullptr;
  Block* block = at(offset);
  const uint32_t left = block->size() - wanted;
  if (left == 0) {
    remove(offset);
  } else {
    move(offset, offset + wanted, left);
    at(offset + wanted)->previous_size = wanted;
  }
  block->size_and_free = wanted;
  return reinterpret_cast<uint8_t*>(block) + overhead;
}

// Up to alignment bytes have to be skipped in front; they stay a free block.
void* BlockHeap::take_aligned(uint32_t wanted, size_t alignment) {
  if (alignment > room_max) return nullptr;
  uint32_t offset = find(wanted + static_cast<uint32_t>(alignment));
  if (offset == 0) return nullptr;
  const uintptr_t payload = reinterpret_cast<uintptr_t>(at(offset)) + overhead;
  const uint32_t skip = static_cast<uint32_t>((alignment - payload % alignment) % alignment);
  const uint32_t rest = at(offset)->size() - skip;
  remove(offset);
  if (skip != 0) {
    set_free(offset, skip);
    offset += skip;
  }
  at(offset)->size_and_free = rest;
  trim(offset, wanted);  // something is always left over, so what stands behind learns its new neighbour
  return reinterpret_cast<uint8_t*>(at(offset)) + overhead;
}

void BlockHeap::give(void* payload) {
  const uint32_t offset = offset_of(payload);
  const Block* block = at(offset);
  const uint32_t size = block->size();
  // Given twice, or written over: going on would hand out memory that is in use.
  GW_CHECK(!block->is_free() && size >= alignment_min && size <= end_ - offset);
  const uint32_t behind = offset + size;
  uint32_t size_behind = 0;
  if (behind < end_) {
    GW_CHECK(at(behind)->previous_size == size);
    if (at(behind)->is_free()) size_behind = at(behind)->size();
  }
  if (block->previous_size != 0) {
    const uint32_t front = offset - block->previous_size;
    GW_CHECK(at(front)->size() == block->previous_size);
    if (at(front)->is_free()) {
      if (size_behind != 0) remove(behind);
      return move(front, front, block->previous_size + size + size_behind);
    }
  }
  if (size_behind != 0) return move(behind, offset, size + size_behind);
  set_free(offset, size);
}

bool BlockHeap::resize(void* payload, size_t size) {
  const uint32_t wanted = rounded(size);
  if (wanted == 0) return false;
  const uint32_t offset = offset_of(payload);
  Block* block = at(offset);
  GW_CHECK(!block->is_free());
  const uint32_t before = block->size();
  if (wanted > before) {
    const uint32_t behind = offset + before;
    if (behind >= end_ || !at(behind)->is_free() || at(behind)->size() < wanted - before) return false;
    const uint32_t merged = before + at(behind)->size();
    remove(behind);
    block->size_and_free = merged;
    if (offset + merged < end_) at(offset + merged)->previous_size = merged;
  }
  trim(offset, wanted);
  return true;
}

size_t BlockHeap::block_bytes(const void* payload) {
  uint32_t size;
  std::memcpy(&size, static_cast<const uint8_t*>(payload) - overhead, sizeof(size));
  return size & ~Block::free_bit;
}

bool BlockHeap::sound() const {
  uint32_t free_seen = 0;
  uint32_t previous_size = 0;
  bool previous_free = false;
  uint32_t offset = first_;
  while (offset < end_) {
    const Block* block = at(offset);
    const uint32_t size = block->size();
    if (size < alignment_min || size % alignment_min != 0 || size > end_ - offset) return false;
    if (block->previous_size != previous_size || (previous_free && block->is_free())) return false;
    previous_free = block->is_free();
    previous_size = size;
    if (previous_free) ++free_seen;
    offset += size;
  }
  uint32_t listed = 0;
  for (uint32_t list = 0; list < levels_ * steps; ++list) {
    const bool marked = (step_maps_[list / steps] >> (list % steps) & 1) != 0;
    if (marked != (heads()[list] != 0)) return false;
    if (marked && (level_map_ >> (list / steps) & 1) == 0) return false;
    uint32_t link = static_cast<uint32_t>(sizeof(BlockHeap) + list * sizeof(uint32_t));
    for (uint32_t item = heads()[list]; item != 0; item = at(item)->next) {
      if (!at(item)->is_free() || class_of(at(item)->size()) != list || at(item)->link != link) return false;
      link = static_cast<uint32_t>(item + offsetof(Block, next));
      if (++listed > free_seen) return false;
    }
  }
  for (uint32_t level = 0; level < levels_; ++level) {
    if ((level_map_ >> level & 1) != 0 && step_maps_[level] == 0) return false;
  }
  return listed == free_seen;
}

uint32_t BlockHeap::free_blocks() const {
  uint32_t count = 0;
  for (uint32_t offset = first_; offset < end_; offset += at(offset)->size()) count += at(offset)->is_free() ? 1 : 0;
  return count;
}

}  // namespace tocsin
