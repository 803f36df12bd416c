// The swarm for as long as asked: `make swarm`.
//   swarm [--from SEED] [--seeds N] [--jobs N] [--mutation NAME] [--tell 1]
// Plays the seeds from SEED on, N of them (0: until it is interrupted), on N processes. Prints a line for every seed
// that fails and now and then how far it is; --tell 1: all that happens in the plays. Exit status 1: some failed;
// 64: it was asked for something else.
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <new>

#include "base/text.h"
#include "mem/heap_default.h"
#include "test/swarm/play.h"

const tocsin::size_t tocsin::heap_gate_default_bytes = size_t{16} << 20;

using namespace tocsin;
using namespace tocsin::swarm;

namespace {

using Number = unsigned long long;

constexpr uint64_t jobs_max = 64;
constexpr int seconds_between_lines = 10;

struct Asked {
  uint64_t from = 0;
  uint64_t seeds = 0;
  uint64_t jobs = 1;
  Mutation mutation = Mutation::none;
};

// Told by a worker, read by the one that started it.
struct alignas(64) Told {
  std::atomic<uint64_t> seed;  // that is being played
  std::atomic<uint64_t> plays;
  std::atomic<uint64_t> points;
  std::atomic<uint64_t> failures;
};

volatile sig_atomic_t interrupted = 0;
void interrupt(int) { interrupted = 1; }

void say_failure(const Asked& asked, uint64_t seed, const char* what) {
  const bool planted = asked.mutation != Mutation::none;
  std::printf("seed %llu fails: %s\n    again: make swarm FROM=%llu SEEDS=1%s%s\n", Number{seed}, what, Number{seed},
              planted ? " MUTATION=" : "", planted ? name_of(asked.mutation) : "");
  std::fflush(stdout);
}

// Every so many-th seed, from first on.
[[noreturn]] void work(const Asked& asked, uint64_t first, Told& told) {
  Stage stage;
  for (uint64_t i = first; asked.seeds == 0 || i < asked.seeds; i += asked.jobs) {
    told.seed = asked.from + i;
    const Findings one = stage.play(asked.from + i, asked.mutation);
    if (one.failed) say_failure(asked, asked.from + i, one.what.c_str());
    ++told.plays;
    told.points += one.points;
    told.failures += one.failed ? 1 : 0;
  }
  _exit(0);
}

pid_t start_worker(const Asked& asked, uint64_t first, Told& told) {
  std::fflush(nullptr);
  const pid_t child = fork();
  if (child != 0) return child;
  std::signal(SIGINT, SIG_IGN);
  std::signal(SIGTERM, SIG_DFL);
  work(asked, first, told);
}

bool read_arguments(int count, char** arguments, Asked& asked) {
  for (int i = 1; i + 1 < count; i += 2) {
    const string_view name = arguments[i];
    if (name == "--mutation") {
      for (const Mutation mutation : mutations) {
        if (string_view(name_of(mutation)) == arguments[i + 1]) asked.mutation = mutation;
      }
      if (asked.mutation == Mutation::none) return false;
      continue;
    }
    const Result<uint64_t> number = parse_number(arguments[i + 1], uint64_t{1} << 60);
    if (!number.ok()) return false;
    if (name == "--from") {
      asked.from = number.value();
    } else if (name == "--seeds") {
      asked.seeds = number.value();
    } else if (name == "--tell") {
      if (number.value() == 1) tell_everything();
    } else if (name == "--jobs" && number.value() > 0 && number.value() <= jobs_max) {
      asked.jobs = number.value();
    } else {
      return false;
    }
  }
  return count % 2 == 1;
}

struct Sum {
  uint64_t plays = 0;
  uint64_t points = 0;
  uint64_t failures = 0;
};

Sum sum_of(const Asked& asked, const Told* told) {
  Sum sum;
  for (uint64_t w = 0; w < asked.jobs; ++w) {
    sum.plays += told[w].plays;
    sum.points += told[w].points;
    sum.failures += told[w].failures;
  }
  return sum;
}

void say_sum(const Sum& sum, time_t began) {
  std::printf("%llu seeds, %llu crash points, %llu failed, %lld s\n", Number{sum.plays}, Number{sum.points},
              Number{sum.failures}, static_cast<long long>(std::time(nullptr) - began));
  std::fflush(stdout);
}

int run(const Asked& asked, Told* told) {
  pid_t workers[jobs_max];
  uint64_t alive = 0;
  for (uint64_t w = 0; w < asked.jobs; ++w, ++alive) workers[w] = start_worker(asked, w, told[w]);
  const time_t began = std::time(nullptr);
  time_t said = began;
  while (alive > 0) {
    int status = 0;
    const pid_t ended = waitpid(-1, &status, WNOHANG);
    if (ended <= 0) {
      if (interrupted == 1) {
        for (uint64_t w = 0; w < asked.jobs; ++w) {
          if (workers[w] > 0) kill(workers[w], SIGTERM);
        }
        interrupted = 2;
      }
      const timespec nap{.tv_sec = 0, .tv_nsec = 50'000'000};
      nanosleep(&nap, nullptr);
      if (std::time(nullptr) - said < seconds_between_lines) continue;
      said = std::time(nullptr);
      say_sum(sum_of(asked, told), began);
      continue;
    }
    uint64_t w = 0;
    while (w < asked.jobs && workers[w] != ended) ++w;
    if (w == asked.jobs) continue;
    workers[w] = 0;
    --alive;
    if (status == 0 || interrupted != 0) continue;
    // It was stopped in the middle of a play, by a check of the code itself or by a fault: another one goes on.
    char text[64];
    std::snprintf(text, sizeof text, "the process was stopped, wait status %d", status);
    say_failure(asked, told[w].seed, text);
    ++told[w].plays;
    ++told[w].failures;
    workers[w] = start_worker(asked, told[w].seed - asked.from + asked.jobs, told[w]);
    ++alive;
  }
  const Sum sum = sum_of(asked, told);
  say_sum(sum, began);
  return sum.failures > 0 ? 1 : 0;
}

}  // namespace

int main(int count, char** arguments) {
  Asked asked;
  asked.from = static_cast<uint64_t>(std::time(nullptr)) * 100'000;  // others than the last time
  const long cores = sysconf(_SC_NPROCESSORS_ONLN);
  asked.jobs = cores < 1 ? 1 : cores > 64 ? 64 : static_cast<uint64_t>(cores);
  if (!read_arguments(count, arguments, asked)) {
    std::fprintf(stderr, "swarm [--from SEED] [--seeds N] [--jobs N] [--mutation NAME] [--tell 1]; mutations:\n");
    for (const Mutation mutation : mutations) std::fprintf(stderr, "  %s\n", name_of(mutation));
    return 64;
  }
  std::signal(SIGINT, interrupt);
  std::signal(SIGTERM, interrupt);
  void* shared = mmap(nullptr, sizeof(Told) * jobs_max, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  GW_CHECK(shared != MAP_FAILED);
  std::printf("seeds from %llu on\n", Number{asked.from});
  return run(asked, static_cast<Told*>(shared));
}
