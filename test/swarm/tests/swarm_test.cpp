// The registry and its journal file on a disk that loses power at every turn.
#include <cstdlib>

#include "test/support/tests.h"
#include "test/swarm/apart.h"

using namespace tocsin;
using namespace tocsin::swarm;

namespace {

using Number = unsigned long long;

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define __SANITIZE_ADDRESS__ 1
#endif
#endif
#ifdef __SANITIZE_ADDRESS__
constexpr uint64_t points_wanted = 20'000;  // ten times as slow
#else
constexpr uint64_t points_wanted = 200'000;
#endif
constexpr uint64_t seeds_per_mutation = 100;

}  // namespace

static void a_crash_at_any_moment_keeps_what_was_acknowledged_and_nothing_else(void**) {
  Stage stage;
  const char* asked = std::getenv("TOCSIN_SWARM_POINTS");
  const uint64_t wanted = asked == nullptr ? points_wanted : std::strtoull(asked, nullptr, 10);
  Findings all;
  uint64_t seed = 0;
  while (all.points < wanted) {
    const Findings one = stage.play(++seed);
    if (one.failed) {
      print_error("seed %llu: %s\n  again: make swarm FROM=%llu SEEDS=1\n", Number{seed}, one.what.c_str(),
                  Number{seed});
    }
    assert_false(one.failed);
    all.add(one);
  }
  print_message("%llu crash points in %llu plays: %llu torn tails cut, %llu batches in doubt and kept\n",
                Number{all.points}, Number{seed}, Number{all.cut_tails}, Number{all.in_doubt});
  print_message(
      "%llu batches acknowledged, %llu refused, %llu compactions and %llu that failed, %llu restarts, "
      "%llu crashed copies that lived on\n",
      Number{all.acknowledged}, Number{all.refused}, Number{all.compactions}, Number{all.failed_compactions},
      Number{all.restarts}, Number{all.second_lives});
  // The run was one: all of it happened, and often.
  assert_true(all.cut_tails > wanted / 50 && all.in_doubt > wanted / 20 && all.acknowledged > wanted / 100);
  assert_true(all.refused > wanted / 200 && all.compactions > wanted / 1000 && all.failed_compactions > wanted / 4000);
  assert_true(all.restarts > wanted / 400 && all.second_lives > wanted / 200);
}

static void a_seed_plays_the_same_again(void**) {
  Stage stage;
  for (uint64_t seed = 1; seed <= 10; ++seed) {
    const Findings first = stage.play(seed);
    const Findings other = stage.play(seed + 1000);
    const Findings again = stage.play(seed);
    const Findings apart = play_apart(stage, seed, Mutation::none);
    assert_true(first.points == again.points && first.trace == again.trace);
    assert_true(first.points == apart.points && first.trace == apart.trace);
    assert_true(first.trace != other.trace);
  }
}

// So does one that fails, to the word.
static void a_failing_seed_fails_the_same_again(void**) {
  Stage stage;
  Findings first;
  const uint64_t seed = first_failure(stage, Mutation::answer_before_sync, seeds_per_mutation, first);
  assert_true(seed > 0);
  const Findings again = play_apart(stage, seed, Mutation::answer_before_sync);
  assert_true(again.failed);
  assert_string_equal(first.what.c_str(), again.what.c_str());
  assert_true(first.points == again.points && first.trace == again.trace);
}

static void every_planted_bug_is_found(void**) {
  Stage stage;
  bool all = true;
  for (const Mutation mutation : mutations) {
    Findings findings;
    const uint64_t seed = first_failure(stage, mutation, seeds_per_mutation, findings);
    if (seed == 0) print_error("%s: not found by %llu seeds\n", name_of(mutation), Number{seeds_per_mutation});
    if (seed > 0) print_message("%s: seed %llu, %s\n", name_of(mutation), Number{seed}, findings.what.c_str());
    all &= seed > 0;
  }
  assert_true(all);
}

TESTS(swarm, cmocka_unit_test(a_crash_at_any_moment_keeps_what_was_acknowledged_and_nothing_else),
      cmocka_unit_test(a_seed_plays_the_same_again), cmocka_unit_test(a_failing_seed_fails_the_same_again),
      cmocka_unit_test(every_planted_bug_is_found));
