// Runs every group of tests that registered itself; the exit status says whether all passed.
#include "test/support/tests.h"

#include "mem/heap_default.h"

const tocsin::size_t tocsin::heap_gate_default_bytes = size_t{256} << 20;

namespace tocsin::test {

static Group* first_group = nullptr;

Group::Group(int (*run_group)()) : run(run_group), next(first_group) { first_group = this; }

}  // namespace tocsin::test

int main() {
  int failed = 0;
  for (auto* group = tocsin::test::first_group; group != nullptr; group = group->next) failed += group->run();
  return failed == 0 ? 0 : 1;
}
