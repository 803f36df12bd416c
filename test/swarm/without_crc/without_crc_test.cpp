// The planted bug that no storage around the code can plant: records whose checksums
// prove nothing. This program is linked with a crc32c of its own, which always says 0
// and so agrees with itself whatever the bytes are (the linker's -z muldefs: the first
// definition counts); everything else is the code as it ships.
#include "base/encode.h"
#include "test/support/tests.h"
#include "test/swarm/apart.h"

uint32_t tocsin::crc32c(uint32_t, ByteView) { return 0; }

using namespace tocsin;
using namespace tocsin::swarm;

static void a_registry_that_skips_its_checksums_is_found(void**) {
  assert_int_equal(crc32c(0, bytes_of("123456789")), 0);
  Stage stage;
  Findings findings;
  const uint64_t seed = first_failure(stage, Mutation::none, 100, findings);
  assert_true(seed > 0);
  print_message("crc_skipped: seed %llu, %s\n", static_cast<unsigned long long>(seed), findings.what.c_str());
}

TESTS(without_crc, cmocka_unit_test(a_registry_that_skips_its_checksums_is_found));
