#include "test/support/port_contract.h"

#include "test/unit/port_sim/bench.h"

using namespace tocsin;
using namespace tocsin::sim::test;
using tocsin::test::PortContract;

static PortContract contract(void** state) {
  sim::Simulation* world = &bench(state).world;
  bench(state).disk.faults().sync_latency = milliseconds(3);
  return {&bench(state).port.port(), "state", address_of(99),
          [](void* context) { static_cast<sim::Simulation*>(context)->run_for(milliseconds(1)); }, world};
}

#define ON_SIM(name) \
  static void name(void** state) { tocsin::test::contract_##name(contract(state)); }
ON_SIM(files_keep_what_is_written)
ON_SIM(reads_are_short_only_at_the_end)
ON_SIM(truncated_bytes_come_back_as_zeros)
ON_SIM(create_refuses_what_is_there)
ON_SIM(missing_files_are_not_found)
ON_SIM(replace_and_remove_change_names)
ON_SIM(directories_are_made_once)
ON_SIM(an_open_file_survives_its_name)
ON_SIM(one_sync_at_a_time_ends_the_wait)
ON_SIM(a_lock_is_held_by_one)
ON_SIM(literals_are_looked_up)
ON_SIM(lookups_are_bounded)
ON_SIM(a_refused_connection_can_write_and_says_so)
ON_SIM(wait_skips_empty_interests)

TESTS(contract, SIM_TEST(files_keep_what_is_written), SIM_TEST(reads_are_short_only_at_the_end),
      SIM_TEST(truncated_bytes_come_back_as_zeros), SIM_TEST(create_refuses_what_is_there),
      SIM_TEST(missing_files_are_not_found), SIM_TEST(replace_and_remove_change_names),
      SIM_TEST(directories_are_made_once), SIM_TEST(an_open_file_survives_its_name),
      SIM_TEST(one_sync_at_a_time_ends_the_wait), SIM_TEST(a_lock_is_held_by_one), SIM_TEST(literals_are_looked_up),
      SIM_TEST(lookups_are_bounded), SIM_TEST(a_refused_connection_can_write_and_says_so),
      SIM_TEST(wait_skips_empty_interests));
