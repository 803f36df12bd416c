#include "port/posix/reserve.h"

#include <sys/mman.h>

namespace tocsin::posix {

Bytes reserve_memory(size_t bytes) {
  if (bytes == 0) return {};
  void* at = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (at == MAP_FAILED) return {};
#ifdef MADV_NOHUGEPAGE
  // With huge pages one touched byte costs 2 MiB. A kernel without them refuses, which is as good.
  (void)madvise(at, bytes, MADV_NOHUGEPAGE);
#endif
  return {static_cast<uint8_t*>(at), bytes};
}

}  // namespace tocsin::posix
