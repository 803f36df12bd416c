#include "test/unit/port_posix/fixture.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <new>

namespace tocsin::posix::test {
namespace {

alignas(64) uint8_t heap_room[Resolver::heap_bytes];
alignas(Heap) uint8_t heap_store[sizeof(Heap)];
alignas(PosixPort) uint8_t port_store[sizeof(PosixPort)];
char directory[256];

}  // namespace

PosixPort& posix() { return *std::launder(reinterpret_cast<PosixPort*>(port_store)); }
Heap& resolver_heap() { return *std::launder(reinterpret_cast<Heap*>(heap_store)); }

const char* path(const char* name) {
  static char paths[8][512];
  static unsigned next = 0;
  char* p = paths[next++ % 8];
  snprintf(p, sizeof paths[0], "%s/%s", directory, name);
  return p;
}

int set_up(void**) {
  const char* parent = getenv("TMPDIR");
  snprintf(directory, sizeof directory, "%s/port-posix-XXXXXX", parent == nullptr ? P_tmpdir : parent);
  if (mkdtemp(directory) == nullptr) return -1;
  auto* heap = new (heap_store) Heap(heap_room, "resolver");
  new (port_store) PosixPort(*heap, {});
  return 0;
}

int tear_down(void**) {
  posix().~PosixPort();
  resolver_heap().~Heap();
  DIR* entries = opendir(directory);
  if (entries == nullptr) return -1;
  while (const dirent* entry = readdir(entries)) {
    if (unlink(path(entry->d_name)) != 0) rmdir(path(entry->d_name));
  }
  closedir(entries);
  return rmdir(directory);
}

}  // namespace tocsin::posix::test
