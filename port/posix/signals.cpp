#include "port/posix/signals.h"

#include <signal.h>

#include <atomic>

#include "base/check.h"

namespace tocsin::posix {
namespace {

enum Flag : unsigned { stop_flag = 1, reopen_flag = 2, user1_flag = 4, user2_flag = 8 };

struct Caught {
  int number;
  unsigned flag;  // 0: ignored
};
constexpr Caught table[] = {
    {SIGTERM, stop_flag},  {SIGINT, stop_flag}, {SIGHUP, reopen_flag}, {SIGUSR1, user1_flag},
    {SIGUSR2, user2_flag}, {SIGPIPE, 0},        {SIGXFSZ, 0},  // so that a file size limit is an error of write(), not
                                                               // our end
};
constexpr unsigned table_size = sizeof table / sizeof table[0];

static_assert(std::atomic<unsigned>::is_always_lock_free && std::atomic<const Wake*>::is_always_lock_free,
              "signal handlers must not take locks");
constinit std::atomic<unsigned> arrived{0};
constinit std::atomic<const Wake*> target{nullptr};
struct sigaction before[table_size];

void on_signal(int number) {
  for (const Caught& row : table) {
    if (row.number == number) arrived.fetch_or(row.flag);
  }
  if (const Wake* wake = target.load()) wake->ring();
}

}  // namespace

void Signals::catch_all() {
  GW_CHECK(target.load() == nullptr);
  target.store(&wake_);
  caught_ = true;
  sigset_t ours;
  sigemptyset(&ours);
  for (unsigned i = 0; i < table_size; ++i) {
    struct sigaction action {};
    action.sa_handler = table[i].flag == 0 ? SIG_IGN : on_signal;
    action.sa_flags = SA_RESTART;
    sigemptyset(&action.sa_mask);
    GW_CHECK(sigaction(table[i].number, &action, &before[i]) == 0);
    sigaddset(&ours, table[i].number);
  }
  // Some supervisors start their children with TERM or HUP blocked.
  GW_CHECK(pthread_sigmask(SIG_UNBLOCK, &ours, nullptr) == 0);
}

Signals::~Signals() {
  if (!caught_) return;
  for (unsigned i = 0; i < table_size; ++i) sigaction(table[i].number, &before[i], nullptr);
  target.store(nullptr);
  arrived.store(0);
}

Signals::Arrived Signals::take() {
  const unsigned flags = arrived.exchange(0);
  return {.stop = (flags & stop_flag) != 0,
          .reopen = (flags & reopen_flag) != 0,
          .user1 = (flags & user1_flag) != 0,
          .user2 = (flags & user2_flag) != 0};
}

}  // namespace tocsin::posix
