// The heap contract over the C library's malloc: nothing is intercepted, a Heap
// is a name and a size, a HeapScope does nothing. For sanitizers and fuzzers,
// which bring a malloc of their own.
#include "mem/heap.h"
#include "mem/heap_default.h"

namespace tocsin {

Heap::Heap(Bytes room, const char* name) : room_(room), name_(name) {}
Heap::~Heap() = default;

// The blocks are the C library's: whoever took them gives them back, or leaks.
void Heap::reset() {}

bool Heap::enforced() { return false; }

HeapScope::HeapScope(Heap& heap) : outer_(&heap) {}
HeapScope::~HeapScope() { outer_ = nullptr; }

HeapFigures default_heap_figures() { return {}; }

}  // namespace tocsin
