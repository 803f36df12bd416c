#include "test/support/port_contract.h"
#include "test/unit/port_posix/fixture.h"

using namespace tocsin;
using namespace tocsin::posix::test;
using tocsin::test::PortContract;

// Port 1 (tcpmux) of the loopback: nobody has listened there for decades.
static PortContract contract() {
  return {&posix::test::posix().port(),
          path("."),
          {.family = Address::Family::v4, .bytes = {127, 0, 0, 1}, .port = 1},
          nullptr,
          nullptr};
}

#define ON_POSIX(name) \
  static void name(void**) { tocsin::test::contract_##name(contract()); }
ON_POSIX(files_keep_what_is_written)
ON_POSIX(reads_are_short_only_at_the_end)
ON_POSIX(truncated_bytes_come_back_as_zeros)
ON_POSIX(create_refuses_what_is_there)
ON_POSIX(missing_files_are_not_found)
ON_POSIX(replace_and_remove_change_names)
ON_POSIX(directories_are_made_once)
ON_POSIX(an_open_file_survives_its_name)
ON_POSIX(one_sync_at_a_time_ends_the_wait)
ON_POSIX(a_lock_is_held_by_one)
ON_POSIX(literals_are_looked_up)
ON_POSIX(lookups_are_bounded)
ON_POSIX(a_refused_connection_can_write_and_says_so)
ON_POSIX(wait_skips_empty_interests)

TESTS(contract, POSIX_TEST(files_keep_what_is_written), POSIX_TEST(reads_are_short_only_at_the_end),
      POSIX_TEST(truncated_bytes_come_back_as_zeros), POSIX_TEST(create_refuses_what_is_there),
      POSIX_TEST(missing_files_are_not_found), POSIX_TEST(replace_and_remove_change_names),
      POSIX_TEST(directories_are_made_once), POSIX_TEST(an_open_file_survives_its_name),
      POSIX_TEST(one_sync_at_a_time_ends_the_wait), POSIX_TEST(a_lock_is_held_by_one),
      POSIX_TEST(literals_are_looked_up), POSIX_TEST(lookups_are_bounded),
      POSIX_TEST(a_refused_connection_can_write_and_says_so), POSIX_TEST(wait_skips_empty_interests));
