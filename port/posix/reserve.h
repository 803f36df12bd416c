// Start-up's one reservation of memory.
#pragma once

#include "base/bytes.h"

namespace tocsin::posix {

// Zeroed memory at a page boundary that lives as long as the process; a page
// that nobody touches costs nothing. Empty when the system has no such room.
Bytes reserve_memory(size_t bytes);

}  // namespace tocsin::posix
