// The default heap: where malloc goes while no HeapScope is open, that is what
// the C library and the libraries' start-up allocate. It is a reservation of its
// own, bounded like every other heap, and the only one that several threads use.
#pragma once

#include <cstdint>

#include "base/bytes.h"

namespace tocsin {

// Defined by each program, at most 1 GiB: the malloc of port/posix/heap reserves
// that many bytes of address space at the first call, possibly before main().
// Pages are touched only as they are used.
extern const size_t heap_gate_default_bytes;

struct HeapFigures {
  size_t size = 0;
  size_t live = 0;  // bytes taken now, headers included
  size_t peak = 0;
  uint32_t blocks = 0;   // allocations alive now
  uint32_t refused = 0;  // since the start
};

// All zero where the C library's malloc stands behind the contract.
HeapFigures default_heap_figures();

}  // namespace tocsin
