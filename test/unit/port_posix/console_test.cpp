#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "test/unit/port_posix/fixture.h"

namespace tocsin::posix::test {
namespace {

using To = ConsoleSettings::To;
using Timestamps = ConsoleSettings::Timestamps;

PosixConsole& console() { return posix().console(); }

// All of the file, as a string of static storage.
const char* text_in(const char* name) {
  static char text[8192];
  const int file = open(path(name), O_RDONLY | O_CLOEXEC);
  assert_true(file >= 0);
  const ssize_t got = read(file, text, sizeof text - 1);
  close(file);
  assert_true(got >= 0);
  text[got] = '\0';
  return text;
}

// Puts another descriptor in the place of stderr; -1 puts the first one back.
void set_stderr(int descriptor) {
  static int real = -1;
  if (real < 0) real = dup(2);
  dup2(descriptor < 0 ? real : descriptor, 2);
}

void log_to_file(const char* name, Timestamps timestamps = Timestamps::no) {
  assert_true(console().configure({.to = To::file, .path = path(name), .timestamps = timestamps}).ok());
}

void lines_are_appended_to_the_file(void**) {
  log_to_file("log");
  console().log_line(Level::info, "level=info event=ready");
  log_to_file("log");
  console().log_line(Level::warn, "level=warn event=stopping");
  assert_string_equal(text_in("log"), "level=info event=ready\nlevel=warn event=stopping\n");
  struct stat s {};
  assert_int_equal(stat(path("log"), &s), 0);
  assert_int_equal(s.st_mode & 0137, 0);
}

void rotated_file_is_reopened(void**) {
  log_to_file("log");
  console().log_line(Level::info, "one");
  assert_int_equal(rename(path("log"), path("log.1")), 0);
  console().log_line(Level::info, "two");
  console().reopen();
  console().log_line(Level::info, "three");
  assert_string_equal(text_in("log.1"), "one\ntwo\n");
  assert_string_equal(text_in("log"), "three\n");
}

void gathered_lines_leave_with_flush_and_ahead_of_a_warning(void**) {
  log_to_file("log");
  console().gather();
  console().log_line(Level::info, "one");
  console().log_line(Level::info, "two");
  assert_string_equal(text_in("log"), "");
  console().flush();
  assert_string_equal(text_in("log"), "one\ntwo\n");
  console().log_line(Level::info, "three");
  console().log_line(Level::warn, "four");
  assert_string_equal(text_in("log"), "one\ntwo\nthree\nfour\n");
  for (int i = 0; i < 1000; ++i) console().log_line(Level::info, "a line of some length, as they come");
  console().flush();
  assert_int_equal(strlen(text_in("log")), 8191);  // as much as text_in reads: what does not fit leaves earlier
}

void reopen_that_fails_keeps_the_old_file(void**) {
  log_to_file("log");
  assert_int_equal(rename(path("log"), path("log.1")), 0);
  assert_int_equal(mkdir(path("log"), 0700), 0);
  console().reopen();
  console().log_line(Level::info, "still here");
  assert_non_null(strstr(text_in("log.1"), "event=log_not_reopened"));
  assert_non_null(strstr(text_in("log.1"), "\nstill here\n"));
}

void impossible_files_are_refused_and_change_nothing(void**) {
  log_to_file("log");
  static char endless[PosixConsole::path_bytes_max + 2];
  std::memset(endless, 'a', sizeof endless - 1);
  assert_true(console().configure({.to = To::file, .path = path("none/log")}).error() == Error::not_found);
  assert_true(console().configure({.to = To::file, .path = endless}).error() == Error::too_long);
  assert_true(console().configure({.to = To::file}).error() == Error::malformed);
  console().log_line(Level::info, "still here");
  assert_string_equal(text_in("log"), "still here\n");
}

void time_stands_in_front_where_wanted(void**) {
  const int64_t before = posix().port().clock.wall().s;
  log_to_file("log", Timestamps::automatic);
  console().log_line(Level::info, "level=info event=ready");
  const char* text = text_in("log");
  int year, month, day, hour, minute, second, ms, end = 0;
  assert_int_equal(sscanf(text, "time=%4d-%2d-%2dT%2d:%2d:%2d.%3dZ level=info%n", &year, &month, &day, &hour, &minute,
                          &second, &ms, &end),
                   7);
  assert_int_equal(end, 40);
  tm parts{};
  parts.tm_year = year - 1900;
  parts.tm_mon = month - 1;
  parts.tm_mday = day;
  parts.tm_hour = hour;
  parts.tm_min = minute;
  parts.tm_sec = second;
  const int64_t written = timegm(&parts);
  assert_true(written >= before);
  assert_true(written <= posix().port().clock.wall().s);
}

void journal_gets_priorities_and_no_time(void**) {
  const int file = open(path("stderr"), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  struct stat s {};
  assert_int_equal(fstat(file, &s), 0);
  char stream[64];
  snprintf(stream, sizeof stream, "%llu:%llu", static_cast<unsigned long long>(s.st_dev),
           static_cast<unsigned long long>(s.st_ino));
  setenv("JOURNAL_STREAM", stream, 1);
  set_stderr(file);
  const bool configured = console().configure({}).ok();
  console().log_line(Level::error, "level=error event=one");
  console().log_line(Level::warn, "level=warn event=two");
  console().log_line(Level::info, "level=info event=three");
  console().log_line(Level::debug, "level=debug event=four");
  set_stderr(-1);
  unsetenv("JOURNAL_STREAM");
  close(file);
  assert_true(configured);
  assert_string_equal(text_in("stderr"),
                      "<3>level=error event=one\n<4>level=warn event=two\n<6>level=info event=three\n<7>level=debug "
                      "event=four\n");
}

void only_the_named_stream_is_the_journal(void**) {
  for (const char* stream : {"", ":", "1:", ":1", "0:0", "x:y", "1:2:3", "99999999999999999999:1"}) {
    assert_false(is_journal_stream(2, stream));
  }
  assert_false(is_journal_stream(2, nullptr));
  assert_false(is_journal_stream(-1, "1:1"));
}

// Reads what is in the pipe without waiting.
size_t drain(int descriptor, char* room, size_t room_bytes) {
  size_t got = 0;
  while (got < room_bytes) {
    const ssize_t n = read(descriptor, room + got, room_bytes - got);
    if (n <= 0) break;
    got += static_cast<size_t>(n);
  }
  return got;
}

void full_pipe_drops_lines_and_reports_them_later(void**) {
  int ends[2];
  assert_int_equal(pipe(ends), 0);
  assert_int_equal(fcntl(ends[0], F_SETFL, O_NONBLOCK), 0);  // the writing end blocks, as an inherited stderr does
  set_stderr(ends[1]);
  const bool configured = console().configure({.timestamps = Timestamps::no}).ok();
  for (int i = 0; i < 100'000; ++i) console().log_line(Level::info, "level=info event=a_line_of_some_length");
  static char text[1 << 20];
  const size_t first = drain(ends[0], text, sizeof text);
  console().log_line(Level::info, "after");
  const size_t second = drain(ends[0], text, sizeof text - 1);
  set_stderr(-1);
  close(ends[0]);
  close(ends[1]);
  assert_true(configured);
  const size_t line = strlen("level=info event=a_line_of_some_length\n");
  assert_int_equal(first % line, 0);
  char expected[128];
  snprintf(expected, sizeof expected, "level=warn event=log_dropped lines=%zu\nafter\n", 100'000 - first / line);
  text[second] = '\0';
  assert_string_equal(text, expected);
}

void reader_that_is_gone_costs_nothing(void**) {
  int ends[2];
  assert_int_equal(pipe(ends), 0);
  close(ends[0]);
  set_stderr(ends[1]);
  (void)console().configure({.timestamps = Timestamps::no}).ok();
  console().log_line(Level::info, "level=info event=lost");  // and no SIGPIPE
  set_stderr(-1);
  close(ends[1]);
  console().log_line(Level::info, "level=info event=console_test");
}

void line_that_could_block_is_dropped(void**) {
  log_to_file("log");
  static char line[PIPE_BUF];
  std::memset(line, 'a', sizeof line);
  console().log_line(Level::info, {line, sizeof line});
  console().log_line(Level::info, "next");
  assert_string_equal(text_in("log"), "level=warn event=log_dropped lines=1\nnext\n");
}

int listen_as_syslog(const char* name) {
  const int s = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  sockaddr_un at{};
  at.sun_family = AF_UNIX;
  assert_true(strlen(path(name)) < sizeof at.sun_path);
  strcpy(at.sun_path, path(name));
  assert_int_equal(bind(s, reinterpret_cast<sockaddr*>(&at), sizeof at), 0);
  return s;
}

void expect_datagram(int socket, const char* priority, const char* line) {
  char text[512] = {};
  assert_true(recv(socket, text, sizeof text - 1, 0) > 0);
  char expected[512];
  snprintf(expected, sizeof expected, "<%s>tocsin[%d]: %s", priority, static_cast<int>(getpid()), line);
  assert_string_equal(text, expected);
}

void syslog_survives_its_daemon(void**) {
  assert_true(console().configure({.to = To::syslog, .path = path("syslog")}).ok());
  console().log_line(Level::info, "before anybody listens");
  int daemon = listen_as_syslog("syslog");
  console().log_line(Level::error, "level=error event=one");
  expect_datagram(daemon, "28", "level=warn event=log_dropped lines=1");
  expect_datagram(daemon, "27", "level=error event=one");
  close(daemon);
  unlink(path("syslog"));
  daemon = listen_as_syslog("syslog");
  console().log_line(Level::info, "level=info event=two");
  expect_datagram(daemon, "30", "level=info event=two");
  console().reopen();
  console().log_line(Level::debug, "level=debug event=three");
  expect_datagram(daemon, "31", "level=debug event=three");
  close(daemon);
}

void busy_syslog_daemon_drops_lines(void**) {
  const int daemon = listen_as_syslog("syslog");
  assert_true(console().configure({.to = To::syslog, .path = path("syslog")}).ok());
  for (int i = 0; i < 10'000; ++i) console().log_line(Level::info, "level=info event=many");
  char text[512];
  while (recv(daemon, text, sizeof text, 0) > 0) {
  }
  console().log_line(Level::info, "level=info event=after");
  const ssize_t got = recv(daemon, text, sizeof text - 1, 0);
  assert_true(got > 0);
  text[got] = '\0';
  assert_non_null(strstr(text, "event=log_dropped"));
  close(daemon);
}

TESTS(posix_console, POSIX_TEST(lines_are_appended_to_the_file),
      POSIX_TEST(gathered_lines_leave_with_flush_and_ahead_of_a_warning), POSIX_TEST(rotated_file_is_reopened),
      POSIX_TEST(reopen_that_fails_keeps_the_old_file), POSIX_TEST(impossible_files_are_refused_and_change_nothing),
      POSIX_TEST(time_stands_in_front_where_wanted), POSIX_TEST(journal_gets_priorities_and_no_time),
      POSIX_TEST(only_the_named_stream_is_the_journal), POSIX_TEST(full_pipe_drops_lines_and_reports_them_later),
      POSIX_TEST(reader_that_is_gone_costs_nothing), POSIX_TEST(line_that_could_block_is_dropped),
      POSIX_TEST(syslog_survives_its_daemon), POSIX_TEST(busy_syslog_daemon_drops_lines));

}  // namespace
}  // namespace tocsin::posix::test
