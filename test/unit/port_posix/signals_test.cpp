// Signals, and the small rest: clocks, entropy, the reservation.
#include <signal.h>

#include "port/posix/reserve.h"
#include "test/unit/port_posix/fixture.h"

namespace tocsin::posix::test {
namespace {

Signals::Arrived after(int number) {
  assert_int_equal(raise(number), 0);
  posix().net().wait({}, Instant::never());
  return posix().signals().take();
}

void every_signal_ends_the_wait_and_is_told_once(void**) {
  posix().signals().catch_all();
  Signals::Arrived a = after(SIGHUP);
  assert_true(a.reopen && !a.stop && !a.user1 && !a.user2);
  a = after(SIGTERM);
  assert_true(a.stop && !a.reopen);
  a = after(SIGINT);
  assert_true(a.stop);
  a = after(SIGUSR1);
  assert_true(a.user1 && !a.user2 && !a.stop);
  a = after(SIGUSR2);
  assert_true(a.user2 && !a.user1);
  a = posix().signals().take();
  assert_false(a.stop || a.reopen || a.user1 || a.user2);
}

void broken_pipe_and_file_size_limit_are_ignored(void**) {
  posix().signals().catch_all();
  raise(SIGPIPE);
  raise(SIGXFSZ);
  const Instant until = soon(5);
  posix().net().wait({}, until);
  assert_true(monotonic_now() >= until);
}

void blocked_signals_are_unblocked(void**) {
  sigset_t term;
  sigemptyset(&term);
  sigaddset(&term, SIGTERM);
  assert_int_equal(sigprocmask(SIG_BLOCK, &term, nullptr), 0);
  posix().signals().catch_all();
  assert_true(after(SIGTERM).stop);
}

void many_signals_are_one_wake(void**) {
  posix().signals().catch_all();
  for (int i = 0; i < 100'000; ++i) raise(SIGUSR1);  // more than a pipe holds
  assert_true(after(SIGHUP).user1);
  const Instant until = soon(5);
  posix().net().wait({}, until);
  assert_true(monotonic_now() >= until);
}

void dispositions_are_given_back(void**) {
  Wake wake;  // closes two descriptors, nothing below asserts between
  struct sigaction found {};
  {
    Signals signals(wake);
    signals.catch_all();
    sigaction(SIGUSR1, nullptr, &found);
  }
  struct sigaction left {};
  sigaction(SIGUSR1, nullptr, &left);
  assert_true(found.sa_handler != SIG_DFL);
  assert_true(left.sa_handler == SIG_DFL);
}

void clocks_go_forward(void**) {
  port::Clock& clock = posix().port().clock;
  const Instant before = clock.now();
  assert_true(before.us >= 0);
  assert_true(clock.now() >= before);
  assert_true(clock.wall().s > 0);
}

void entropy_fills_every_size(void**) {
  static uint8_t room[1025];
  for (size_t size : {0u, 1u, 255u, 256u, 257u, 1024u}) {
    std::memset(room, 0, sizeof room);
    // All bytes of 64 draws being zero at the last place is what a bug looks like.
    uint8_t last = 0;
    for (int i = 0; i < 64; ++i) {
      posix().port().entropy.fill(Bytes(room).first(size));
      if (size > 0) last = static_cast<uint8_t>(last | room[size - 1]);
    }
    assert_true(size == 0 || last != 0);
    assert_int_equal(room[size], 0);
  }
}

void reservations_are_zero_and_whole_pages(void**) {
  const Bytes room = reserve_memory(size_t{3} << 20);
  assert_int_equal(room.size(), size_t{3} << 20);
  assert_int_equal(reinterpret_cast<uintptr_t>(room.data()) % 4096, 0);
  assert_int_equal(room[0] | room[room.size() - 1], 0);
  room[room.size() - 1] = 1;
  assert_true(reserve_memory(0).empty());
  assert_true(reserve_memory(SIZE_MAX / 2).empty());
}

TESTS(posix_signals, POSIX_TEST(every_signal_ends_the_wait_and_is_told_once),
      POSIX_TEST(broken_pipe_and_file_size_limit_are_ignored), POSIX_TEST(blocked_signals_are_unblocked),
      POSIX_TEST(many_signals_are_one_wake), POSIX_TEST(dispositions_are_given_back), POSIX_TEST(clocks_go_forward),
      POSIX_TEST(entropy_fills_every_size), POSIX_TEST(reservations_are_zero_and_whole_pages));

}  // namespace
}  // namespace tocsin::posix::test
