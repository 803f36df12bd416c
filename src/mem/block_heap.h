// An allocator over one room of bytes, and nothing else: no system calls, no
// locks, no globals. Two-level segregated lists of free blocks (Masmano and
// others, "TLSF", ECRTS 2004) find a well-fitting block in a bounded number of
// steps; neighbours that are free are merged at once, so that a room whose
// blocks all came back is one block again.
//
// The object itself lies at the start of the room it hands out, and the room
// is written to only as far as blocks were ever taken from it: untouched pages
// of a big room stay untouched.
#pragma once

#include <cstdint>

#include "base/bytes.h"

namespace tocsin {

class BlockHeap {
 public:
  static constexpr size_t alignment_min = 16;  // of every payload
  static constexpr size_t overhead = 8;        // bytes of a block in front of its payload
  static constexpr size_t room_max = size_t{1} << 30;

  // Makes a heap at the start of room, empty, whatever the bytes were before.
  // nullptr when the room is too small for a single block.
  static BlockHeap* start(Bytes room);

  // At least size bytes (one for none), or nullptr when there is no such block.
  // alignment is a power of two.
  [[nodiscard]] void* take(size_t size, size_t alignment = alignment_min);
  void give(void* payload);
  // Makes the block size bytes long where it is: always when it shrinks, and when
  // the block behind it is free and large enough. False, and nothing changed, else.
  [[nodiscard]] bool resize(void* payload, size_t size);

  // What a taken block costs the room, header included, and what its owner may use.
  static size_t block_bytes(const void* payload);
  static size_t usable_bytes(const void* payload) { return block_bytes(payload) - overhead; }

  // The most that blocks can cost together: the room without this object.
  size_t capacity() const { return end_ - first_; }

  // Test aid: walks the room; false when headers, lists and bitmaps contradict each other.
  bool sound() const;
  // Test aid: how many free blocks there are.
  uint32_t free_blocks() const;

 private:
  struct Block;

  // Second level: sixteen equal steps from each power of two to the next. First
  // level 0 holds the sizes below 256 exactly, level 23 ends at room_max.
  static constexpr uint32_t steps = 16;
  static constexpr uint32_t levels_max = 24;
  static uint32_t class_of(uint32_t size);
  static uint32_t rounded(size_t size);

  BlockHeap() = default;
  uint32_t* heads() { return reinterpret_cast<uint32_t*>(this + 1); }
  const uint32_t* heads() const { return reinterpret_cast<const uint32_t*>(this + 1); }
  Block* at(uint32_t offset);
  const Block* at(uint32_t offset) const;
  uint32_t& link_at(uint32_t offset);
  uint32_t offset_of(const void* payload) const;
  void* take_aligned(uint32_t wanted, size_t alignment);
  uint32_t find(uint32_t size) const;
  void insert(uint32_t offset);
  void remove(uint32_t offset);
  void note_list(uint32_t list);
  void move(uint32_t from, uint32_t to, uint32_t size);
  void set_free(uint32_t offset, uint32_t size);
  void trim(uint32_t offset, uint32_t size);

  // All places are offsets from this object. Offset 0, "no block", is these
  // sixteen bytes: a block of size 0 whose link may be written to, so that the
  // lists need no branches for their ends (they would be mispredicted most of the time).
  [[maybe_unused]] uint32_t no_block_[4] = {};
  uint32_t first_ = 0;
  uint32_t end_ = 0;
  uint32_t levels_ = 0;
  uint32_t level_map_ = 0;                   // bit n: level n has a non-empty list
  uint32_t step_maps_[levels_max + 1] = {};  // bit n: list n of that level is not empty
  // The lists' heads follow: levels_ * steps offsets.
};

}  // namespace tocsin
