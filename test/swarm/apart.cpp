#include "test/swarm/apart.h"

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <new>

#include "base/writer.h"

namespace tocsin::swarm {

Findings play_apart(Stage& stage, uint64_t seed, Mutation mutation) {
  void* shared = mmap(nullptr, sizeof(Findings), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  GW_CHECK(shared != MAP_FAILED);
  Findings& told = *new (shared) Findings;
  std::fflush(nullptr);
  const pid_t child = fork();
  GW_CHECK(child >= 0);
  if (child == 0) {
    told = stage.play(seed, mutation);
    _exit(0);
  }
  int status = 0;
  GW_CHECK(waitpid(child, &status, 0) == child);
  Findings findings = told;
  munmap(shared, sizeof(Findings));
  if (status != 0) {
    uint8_t text[100];
    Writer sentence(text);
    sentence.text("the process was stopped, ").text(WIFSIGNALED(status) ? "by signal " : "with exit status ");
    sentence.number(WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
    findings.failed = true;
    GW_CHECK(findings.what.assign(sentence.view()));
  }
  return findings;
}

uint64_t first_failure(Stage& stage, Mutation mutation, uint64_t seeds, Findings& findings) {
  for (uint64_t seed = 1; seed <= seeds; ++seed) {
    findings = play_apart(stage, seed, mutation);
    if (findings.failed) return seed;
  }
  return 0;
}

}  // namespace tocsin::swarm
