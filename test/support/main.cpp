// Runs every group of tests that registered itself, or those that are named: PROGRAM [GROUP…]; or one part of them, to
// be run beside the others: PROGRAM --part 1/2. The exit status says whether all passed.
#include "test/support/tests.h"

#include <cstdio>
#include <cstring>

#include "mem/heap_default.h"

const tocsin::size_t tocsin::heap_gate_default_bytes = size_t{256} << 20;

namespace tocsin::test {

static Group* first_group = nullptr;

Group::Group(const char* group_name, int (*run_group)()) : name(group_name), run(run_group), next(first_group) {
  first_group = this;
}

}  // namespace tocsin::test

int main(int argc, char** argv) {
  int failed = 0;
  int ran = 0;
  unsigned part = 1;
  unsigned parts = 1;
  unsigned position = 0;
  const bool share = argc == 3 && std::strcmp(argv[1], "--part") == 0;
  if (share && (std::sscanf(argv[2], "%u/%u", &part, &parts) != 2 || part < 1 || part > parts)) {
    std::fprintf(stderr, "--part wants N/M, not %s\n", argv[2]);
    return 64;
  }
  for (auto* group = tocsin::test::first_group; group != nullptr; group = group->next) {
    bool wanted = argc < 2 || (share && position++ % parts == part - 1);
    for (int i = 1; i < argc && !share; ++i) wanted = wanted || std::strcmp(argv[i], group->name) == 0;
    if (!wanted) continue;
    ++ran;
    failed += group->run();
  }
  if (ran == 0 && !share) std::fprintf(stderr, "there is no such group\n");
  return failed == 0 && (ran > 0 || share) ? 0 : 1;
}
