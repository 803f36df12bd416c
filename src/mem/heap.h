// Fenced memory for libraries. A Heap is a bounded piece of the start-up
// reservation; while a HeapScope is open on this thread, every malloc of the
// process draws on it and is refused beyond its end. free and realloc find the
// owner by address, so what was allocated inside may be freed outside.
//
// Two implementations stand behind this contract and the linker chooses:
// port/posix/heap_gate.cpp defines the malloc family of the executable;
// port/libc/heap_libc.cpp leaves malloc to the C library (sanitizer builds,
// fuzzers): there nothing is bounded and enforced() says so.
//
// A library that was refused memory often reports something else ("certificate
// verification failed"): after any library error ask refused() first.
#pragma once

#include <cstdint>

#include "base/bytes.h"
#include "mem/region.h"

namespace tocsin {

class Heap {
 public:
  // room lives as long as the process; name is a literal, for the plan and the log.
  Heap(Bytes room, const char* name);
  Heap(const Heap&) = delete;
  Heap& operator=(const Heap&) = delete;
  ~Heap();

  const char* name() const { return name_; }
  size_t size() const { return room_.size(); }  // the fence
  size_t live() const { return live_; }         // bytes taken now, headers included
  size_t peak() const { return peak_; }
  uint32_t blocks() const { return blocks_; }    // allocations alive now
  uint32_t refused() const { return refused_; }  // since forget_refusals()
  void forget_refusals() { refused_ = 0; }

  // Test aid that costs one comparison: refuse the n-th allocation from now on
  // (1 = the next) and those after it; 0 = off.
  void fail_at(uint32_t n) { fail_at_ = n; }

  // Throws every block away at once: for a session whose owner is gone. Only
  // legal when nothing outside still points in (see the session's wrapper).
  void reset();

  // False where the C library's malloc stands behind the contract.
  static bool enforced();

 private:
  friend struct HeapInside;
  Bytes room_;
  const char* name_;
  size_t live_ = 0;
  size_t peak_ = 0;
  uint32_t blocks_ = 0;
  uint32_t refused_ = 0;
  uint32_t fail_at_ = 0;
  uint32_t index_ = 0;
};

// Library calls between construction and destruction draw on heap. Scopes nest.
class HeapScope {
 public:
  explicit HeapScope(Heap& heap);
  ~HeapScope();
  HeapScope(const HeapScope&) = delete;
  HeapScope& operator=(const HeapScope&) = delete;

 private:
  Heap* outer_;
};

}  // namespace tocsin
