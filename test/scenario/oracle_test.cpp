// No sequence of transient faults makes a server drop a registration, and the
// dead are dropped: random lives against the models of five servers.
//
//   TOCSIN_ORACLE_SEED=17 build/scenario oracle     replays one seed, with the gateway's log
//   TOCSIN_ORACLE_SEEDS=5000 build/scenario oracle  goes deeper than the usual count, from TOCSIN_ORACLE_FROM on
#include "test/scenario/oracle.h"

#include <cstdio>
#include <cstdlib>

namespace tocsin::test {
namespace {

#ifdef __SANITIZE_ADDRESS__
constexpr uint64_t usual_seeds = 20;
#else
constexpr uint64_t usual_seeds = 32;
#endif
constexpr uint64_t mutant_seeds = 200;  // within so many every mutation is seen

uint64_t number_from(const char* variable, uint64_t usual) {
  const char* text = std::getenv(variable);
  const Result<uint64_t> number = parse_number(text == nullptr ? "" : text);
  return number.ok() ? number.value() : usual;
}

OracleReport life(uint64_t seed, Mutation mutation = Mutation::none, bool show = false) {
  World& w = world();
  w.end();
  w.begin(seed, oracle_conf.extra);
  w.log().show(show);
  return run_oracle(w, seed, mutation);
}

void transient_faults_end_no_registration_and_the_dead_are_dropped(void**) {
  const uint64_t only = number_from("TOCSIN_ORACLE_SEED", 0);
  const uint64_t first = only != 0 ? only : number_from("TOCSIN_ORACLE_FROM", 1);
  const uint64_t last = only != 0 ? only : number_from("TOCSIN_ORACLE_SEEDS", usual_seeds);
  OracleReport sum;
  for (uint64_t seed = first; seed <= last; ++seed) {
    const OracleReport report = life(seed, Mutation::none, only != 0);
    if (!report.complaint.empty()) {
      print_error("seed %llu: %s; to see it again: TOCSIN_ORACLE_SEED=%llu build/scenario oracle\n",
                  static_cast<unsigned long long>(seed), report.complaint.c_str(),
                  static_cast<unsigned long long>(seed));
      fail_here();
    }
    sum.publishes += report.publishes;
    sum.results += report.results;
    sum.waits += report.waits;
    sum.gones += report.gones;
    sum.silences += report.silences;
    sum.deaths += report.deaths;
    sum.restarts += report.restarts;
    sum.held += report.held;
  }
  print_message(
      "%llu lives: %u publishes, %u result, %u wait, %u gone, %u lost with a stream; %u deaths, %u restarts\n",
      static_cast<unsigned long long>(last - first + 1), sum.publishes, sum.results, sum.waits, sum.gones, sum.silences,
      sum.deaths, sum.restarts);
  // A storm in which nothing happens proves nothing.
  assert_true(sum.results > 0);
  if (last - first >= 9) assert_true(sum.waits > 0 && sum.gones > 0 && sum.silences > 0 && sum.restarts > 0);
}

void the_oracle_sees_every_planted_mistake(void**) {
  if (number_from("TOCSIN_ORACLE_SEED", 0) != 0) skip();
  for (uint32_t i = 1; i < mutations_count; ++i) {
    const Mutation mutation = static_cast<Mutation>(i);
    // Every eighth life has all browsers.
    const bool of_browsers = mutation == Mutation::refused_token_is_death || mutation == Mutation::gone_is_trouble;
    const uint64_t step = of_browsers ? 8 : 1;
    uint64_t seed = 0;
    OracleReport report;
    while (seed < mutant_seeds && report.complaint.empty()) report = life(seed += step, mutation);
    print_message("%.*s: seed %llu: %s\n", static_cast<int>(name_of(mutation).size()), name_of(mutation).data(),
                  static_cast<unsigned long long>(seed), report.complaint.c_str());
    assert_false(report.complaint.empty());
  }
}

TESTS(oracle, SCENARIO_WITH(transient_faults_end_no_registration_and_the_dead_are_dropped, oracle_conf),
      SCENARIO_WITH(the_oracle_sees_every_planted_mistake, oracle_conf));

}  // namespace
}  // namespace tocsin::test
