#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test/unit/port_posix/fixture.h"

namespace tocsin::posix::test {
namespace {

using port::OpenMode;

PosixStorage& storage() { return posix().storage(); }

Handle make(const char* name, string_view text = {}) {
  const Handle file = storage().open(path(name), OpenMode::create).value();
  assert_true(storage().write_at(file, 0, bytes_of(text)).ok());
  return file;
}

void expect_text(Handle file, string_view text) {
  uint8_t room[64];
  const size_t got = storage().read_at(file, 0, room).value();
  assert_int_equal(got, text.size());
  assert_memory_equal(room, text.data(), text.size());
}

// Waits like the loop does until the sync is over.
Status sync_outcome() {
  Status outcome;
  const Instant limit = late();
  while (!storage().sync_done(outcome)) {
    assert_true(monotonic_now() < limit);
    posix().net().wait({}, Instant::never());
  }
  return outcome;
}

void written_bytes_are_read_back(void**) {
  const Handle file = make("journal", "hello world");
  expect_text(file, "hello world");
  assert_int_equal(storage().size(file).value(), 11);
  uint8_t room[5];
  assert_int_equal(storage().read_at(file, 6, room).value(), 5);
  assert_memory_equal(room, "world", 5);
  assert_int_equal(storage().read_at(file, 9, room).value(), 2);  // the end
  assert_int_equal(storage().read_at(file, 11, room).value(), 0);
  assert_int_equal(storage().read_at(file, 1 << 20, room).value(), 0);
  assert_true(storage().truncate(file, 5).ok());
  expect_text(file, "hello");
  assert_true(storage().write_at(file, UINT64_MAX - 1, bytes_of("xy")).error() == Error::too_long);
  storage().shut(file);
  const Handle again = storage().open(path("journal"), OpenMode::read_write).value();
  assert_true(storage().write_at(again, 1, bytes_of("u")).ok());
  expect_text(again, "hullo");
  storage().shut(again);
}

void created_files_are_private_and_new(void**) {
  storage().shut(make("key", "secret"));
  assert_true(storage().open(path("key"), OpenMode::create).error() == Error::exists);
  const port::FileFacts facts = storage().facts(path("key")).value();
  assert_int_equal(facts.mode & 077, 0);
  assert_int_equal(facts.size, 6);
  const mode_t mask = umask(0777);
  storage().shut(storage().open(path("conf"), OpenMode::create_for_group).value());
  umask(mask);
  assert_int_equal(storage().facts(path("conf")).value().mode, 0640);
  assert_false(facts.directory);
}

void missing_files_are_not_found(void**) {
  assert_true(storage().open(path("none"), OpenMode::read).error() == Error::not_found);
  assert_true(storage().open(path("none"), OpenMode::read_write).error() == Error::not_found);
  assert_true(storage().facts(path("none")).error() == Error::not_found);
  assert_true(storage().remove(path("none")).error() == Error::not_found);
  assert_true(storage().replace(path("none"), path("other")).error() == Error::not_found);
  assert_true(storage().sync_directory(path("none")).error() == Error::not_found);
}

void symbolic_links_are_followed_for_reading_only(void**) {
  storage().shut(make("real", "text"));
  assert_int_equal(symlink(path("real"), path("link")), 0);
  const Handle file = storage().open(path("link"), OpenMode::read).value();
  expect_text(file, "text");
  storage().shut(file);
  assert_true(storage().open(path("link"), OpenMode::read_write).error() == Error::denied);
  assert_true(storage().open(path("link"), OpenMode::create).error() == Error::exists);
  int64_t holder = 0;
  assert_true(storage().lock(path("link"), &holder).error() == Error::denied);
}

void fifo_does_not_block_an_open(void**) {
  assert_int_equal(mkfifo(path("fifo"), 0600), 0);
  const Handle file = storage().open(path("fifo"), OpenMode::read).value();
  uint8_t room[4];
  assert_true(storage().read_at(file, 0, room).error() == Error::io);
  storage().shut(file);
}

void full_disk_is_told_apart(void**) {
  if (access("/dev/full", W_OK) != 0) skip();
  const Handle file = storage().open("/dev/full", OpenMode::read_write).value();
  assert_true(storage().write_at(file, 0, bytes_of("x")).error() == Error::no_space);
  storage().shut(file);
}

void replace_puts_the_new_file_in_the_old_place(void**) {
  storage().shut(make("old", "old"));
  storage().shut(make("new", "new"));
  assert_true(storage().replace(path("new"), path("old")).ok());
  assert_true(storage().sync_directory(path(".")).ok());
  const Handle file = storage().open(path("old"), OpenMode::read).value();
  expect_text(file, "new");
  storage().shut(file);
  assert_true(storage().facts(path("new")).error() == Error::not_found);
  assert_true(storage().remove(path("old")).ok());
}

void directories_may_be_there_already(void**) {
  assert_true(storage().make_directory(path("state")).ok());
  assert_true(storage().make_directory(path("state")).ok());
  assert_true(storage().facts(path("state")).value().directory);
  storage().shut(make("file"));
  assert_true(storage().make_directory(path("file")).error() == Error::exists);
  assert_true(storage().make_directory(path("none/state")).error() == Error::not_found);
}

void sync_ends_the_wait_and_is_reported_once(void**) {
  const Handle file = make("journal", "record");
  Status outcome;
  assert_false(storage().sync_done(outcome));
  for (int i = 0; i < 20; ++i) {
    assert_true(storage().sync_start(file).ok());
    assert_true(storage().sync_start(file).error() == Error::busy);  // also when it has ended meanwhile
    assert_true(sync_outcome().ok());
    assert_false(storage().sync_done(outcome));
  }
  assert_true(storage().sync_now(file).ok());
  storage().shut(file);
}

void failed_sync_is_reported_once_with_its_error(void**) {
  int pipe_ends[2];
  assert_int_equal(pipe(pipe_ends), 0);
  assert_true(storage().sync_start(pipe_ends[1]).ok());
  assert_true(sync_outcome().error() == Error::io);
  Status outcome;
  assert_false(storage().sync_done(outcome));
  const Handle file = make("journal", "record");
  assert_true(storage().sync_start(file).ok());
  assert_true(sync_outcome().ok());
  storage().shut(file);
  close(pipe_ends[0]);
  close(pipe_ends[1]);
}

void file_shut_during_its_sync_stays_open_until_the_outcome(void**) {
  const Handle file = make("journal", "record");
  assert_true(storage().sync_start(file).ok());
  storage().shut(file);
  assert_int_not_equal(fcntl(file, F_GETFD), -1);
  assert_true(sync_outcome().ok());
  assert_int_equal(fcntl(file, F_GETFD), -1);
}

void port_may_end_while_a_sync_runs(void**) {
  const Handle file = make("journal", "record");
  assert_true(storage().sync_start(file).ok());
  storage().shut(file);  // tear_down destroys the port
}

void nameless_file_is_closed_by_the_thread_sooner_or_later(void**) {
  const Handle early = make("early", "text");
  storage().shut_nameless(early);  // no thread yet
  assert_int_equal(fcntl(early, F_GETFD), -1);
  const Handle file = make("journal", "record");
  const Handle former = make("former", "record");
  const Handle another = make("another", "record");
  assert_true(storage().sync_start(file).ok());
  storage().shut_nameless(former);
  storage().shut_nameless(another);
  assert_true(sync_outcome().ok());
  const Instant limit = late();
  while (fcntl(former, F_GETFD) != -1 || fcntl(another, F_GETFD) != -1) assert_true(monotonic_now() < limit);
  assert_true(storage().sync_start(file).ok());
  storage().shut_nameless(file);  // which the thread is syncing
  assert_int_not_equal(fcntl(file, F_GETFD), -1);
  assert_true(sync_outcome().ok());
  assert_int_equal(fcntl(file, F_GETFD), -1);
  const Handle last = make("last", "record");
  storage().shut_nameless(last);  // tear_down destroys the port
}

void lock_tells_the_holder(void**) {
  int64_t holder = 0;
  const Handle held = storage().lock(path("lock"), &holder).value();
  const pid_t child = fork();
  assert_true(child >= 0);
  if (child == 0) {
    const Result<Handle> tried = storage().lock(path("lock"), &holder);
    _exit(!tried.ok() && tried.error() == Error::busy && holder == getppid() ? 0 : 1);
  }
  int status = -1;
  assert_int_equal(waitpid(child, &status, 0), child);
  assert_int_equal(status, 0);
  storage().shut(held);
  storage().shut(storage().lock(path("lock"), &holder).value());
  assert_int_equal(storage().facts(path("lock")).value().mode & 077, 0);
}

void lock_dies_with_its_process(void**) {
  int ready[2];
  assert_int_equal(pipe(ready), 0);
  const pid_t child = fork();
  assert_true(child >= 0);
  if (child == 0) {
    int64_t nobody = 0;
    const bool locked = storage().lock(path("lock"), &nobody).ok();
    (void)!write(ready[1], locked ? "y" : "n", 1);
    while (true) pause();
  }
  char answer = 0;
  assert_int_equal(read(ready[0], &answer, 1), 1);
  int64_t holder = 0;
  const Result<Handle> refused = storage().lock(path("lock"), &holder);
  kill(child, SIGKILL);
  assert_int_equal(waitpid(child, nullptr, 0), child);
  assert_int_equal(answer, 'y');
  assert_true(refused.error() == Error::busy);
  assert_int_equal(holder, child);
  const Handle ours = storage().lock(path("lock"), &holder).value();
  char expected[24];
  snprintf(expected, sizeof expected, "%d\n", static_cast<int>(getpid()));
  expect_text(ours, expected);
  storage().shut(ours);
  close(ready[0]);
  close(ready[1]);
}

TESTS(posix_storage, POSIX_TEST(written_bytes_are_read_back), POSIX_TEST(created_files_are_private_and_new),
      POSIX_TEST(missing_files_are_not_found), POSIX_TEST(symbolic_links_are_followed_for_reading_only),
      POSIX_TEST(fifo_does_not_block_an_open), POSIX_TEST(full_disk_is_told_apart),
      POSIX_TEST(replace_puts_the_new_file_in_the_old_place), POSIX_TEST(directories_may_be_there_already),
      POSIX_TEST(sync_ends_the_wait_and_is_reported_once), POSIX_TEST(failed_sync_is_reported_once_with_its_error),
      POSIX_TEST(file_shut_during_its_sync_stays_open_until_the_outcome), POSIX_TEST(port_may_end_while_a_sync_runs),
      POSIX_TEST(nameless_file_is_closed_by_the_thread_sooner_or_later), POSIX_TEST(lock_tells_the_holder),
      POSIX_TEST(lock_dies_with_its_process));

}  // namespace
}  // namespace tocsin::posix::test
