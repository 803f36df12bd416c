// Runs every group of tests that registered itself, or those that are named: PROGRAM [GROUP…]. The exit status says
// whether all passed.
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
  for (auto* group = tocsin::test::first_group; group != nullptr; group = group->next) {
    bool wanted = argc < 2;
    for (int i = 1; i < argc; ++i) wanted = wanted || std::strcmp(argv[i], group->name) == 0;
    if (!wanted) continue;
    ++ran;
    failed += group->run();
  }
  if (ran == 0) std::fprintf(stderr, "there is no such group\n");
  return failed == 0 && ran > 0 ? 0 : 1;
}
