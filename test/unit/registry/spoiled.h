// A log to be spoiled, and what the salvage of it finds. One at a time, in static memory.
#pragma once

#include "registry/salvage.h"
#include "test/unit/registry/bench.h"

namespace tocsin::test {

constexpr uint32_t pieces_max = 4096;

// Where everything stands in the log before it is spoiled.
struct Place {
  size_t offset;
  size_t size;
  bool mark;
  uint64_t batch;
};

struct Layout {
  Place places[pieces_max];
  uint32_t count;
  size_t size;
};

struct Kept {
  uint64_t offset;
  uint64_t length;
  bool proven;
  bool tail;
};

// What came out.
struct Found {
  Kept kept[pieces_max];
  uint32_t kept_count;
  Salvage::Piece lost[64];  // their records' views are dead
  uint32_t lost_count;
  Salvage::Piece notes[64];
  uint32_t note_count;
  bool header_ok;
  Error error;
  uint64_t unreadable;
};

extern Layout layout;  // of the log that was made last
extern Found found;    // by the last salvage()
inline constexpr size_t spoil_room_bytes = 1 << 20;
extern uint8_t spoiled[spoil_room_bytes];
extern uint8_t salvage_room[1 << 18];

const Place& place_at(size_t offset);
// Batches of one to three records of every kind, some of them long, and one that is empty. Stays as it is while
// the journal is spoiled.
ByteView sample(Bench& b, uint16_t version = FileHeader::newest);
// Records of every size, a mark behind every hundredth and the last.
ByteView long_sample(Bench& b, int records);

void salvage(Journal& journal, size_t scratch_size = 1 << 16);
// Exactly those records come out that no byte of [from, to) belongs to.
void expect_all_but(size_t from, size_t to);
// A new log of what comes out of `from`, as `tocsin registry repair` writes it, into the journal.
void rebuild(Bench& b, ByteView from);

}  // namespace tocsin::test
