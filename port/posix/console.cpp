#include "port/posix/console.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "base/calendar.h"
#include "base/writer.h"
#include "port/posix/errors.h"

namespace tocsin::posix {

namespace {

constexpr mode_t mode_log = 0640;
int priority_of(Level level) {
  switch (level) {
    case Level::error: return LOG_ERR;
    case Level::warn: return LOG_WARNING;
    case Level::info: return LOG_INFO;
    case Level::debug: return LOG_DEBUG;
  }
  return LOG_INFO;
}

// O_NONBLOCK: a FIFO without reader must not stop us.
int open_log(const char* path) {
  int file = -1;
  do file = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, mode_log);
  while (file < 0 && errno == EINTR);
  return file;
}

static_assert(PIPE_BUF >= 4096, "what is gathered fits a pipe in one piece");

iovec part(string_view text) { return {const_cast<char*>(text.data()), text.size()}; }

bool takes_now(int descriptor) {
  pollfd p{.fd = descriptor, .events = POLLOUT, .revents = 0};
  return poll(&p, 1, 0) == 1 && (p.revents & POLLOUT) != 0 && (p.revents & (POLLERR | POLLNVAL)) == 0;
}

Status write_all(int descriptor, string_view text) {
  while (!text.empty()) {
    const ssize_t n = write(descriptor, text.data(), text.size());
    if (n >= 0) {
      text = slice(text, static_cast<size_t>(n));
    } else if (errno == EAGAIN) {
      pollfd p{.fd = descriptor, .events = POLLOUT, .revents = 0};
      (void)poll(&p, 1, -1);
    } else if (errno != EINTR) {
      return error_of(errno);
    }
  }
  return {};
}

}  // namespace

bool is_journal_stream(int descriptor, const char* journal_stream) {
  if (journal_stream == nullptr) return false;
  string_view inode_text = journal_stream;
  const Result<uint64_t> device = parse_number(take_until(inode_text, ':'));
  const Result<uint64_t> inode = parse_number(inode_text);
  struct stat s {};
  return device.ok() && inode.ok() && fstat(descriptor, &s) == 0 && s.st_dev == device.value() &&
         s.st_ino == inode.value();
}

PosixConsole::~PosixConsole() {
  flush();
  if (descriptor_ > 2) close(descriptor_);
}

Status PosixConsole::configure(const ConsoleSettings& settings) {
  string_view where = settings.path;
  if (settings.to == To::syslog && where.empty()) where = "/dev/log";
  FixedText<path_bytes_max> path;
  if (where.find('\0') != string_view::npos || (settings.to == To::file && where.empty())) return Error::malformed;
  if (!path.assign(where)) return Error::too_long;
  if (settings.to == To::syslog && where.size() >= sizeof(sockaddr_un::sun_path)) return Error::too_long;
  int next = STDERR_FILENO;
  if (settings.to == To::file) {
    next = open_log(path.c_str());
    if (next < 0) return error_of(errno);
  }
  flush();
  path_ = path;
  // No daemon yet is no error: every line tries again.
  if (settings.to == To::syslog) next = open_syslog();
  if (descriptor_ > 2) close(descriptor_);
  descriptor_ = next;
  learn_descriptor();
  to_ = settings.to;
  torn_ = false;
  journal_ = to_ == To::standard_error && is_journal_stream(STDERR_FILENO, getenv("JOURNAL_STREAM"));
  const bool stamped_by_reader = journal_ || to_ == To::syslog;
  timestamps_ = settings.timestamps == ConsoleSettings::Timestamps::automatic
                    ? !stamped_by_reader
                    : settings.timestamps == ConsoleSettings::Timestamps::yes;
  return {};
}

void PosixConsole::log_line(Level level, string_view line) {
  if ((dropped_ > 0 && !report_dropped()) || !write_line(level, line)) ++dropped_;
  if (!gathering_ || level <= Level::warn) flush();
}

bool PosixConsole::report_dropped() {
  uint8_t room[64];
  Writer text{Bytes(room)};
  text.text("level=warn event=log_dropped lines=").unsigned_number(dropped_);
  if (!write_line(Level::warn, text.view())) return false;
  if (gathered_lines_ > 0) {  // it counts only once it is out
    const uint64_t before = dropped_;
    flush();
    if (dropped_ > before) {
      dropped_ = before;
      return false;
    }
  }
  dropped_ = 0;
  return true;
}

void PosixConsole::stamp(Writer& out) {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  if (now.tv_sec != stamped_second_) {
    uint8_t room[32];
    Writer second{Bytes(room)};
    write_time(second, now.tv_sec);
    stamped_second_ = stamp_.assign(second.view()) ? now.tv_sec : -1;
  }
  out.text("time=").text(stamp_.view()).character('.');
  write_decimal(out, now.tv_nsec / 1'000'000, 3);
  out.text("Z ");
}

bool PosixConsole::write_line(Level level, string_view line) {
  uint8_t time_room[48];
  Writer time{Bytes(time_room)};
  if (timestamps_) stamp(time);
  if (to_ == To::syslog) return write_syslog(level, time.view(), line);
  const char priority[] = {'<', static_cast<char>('0' + priority_of(level)), '>'};
  const size_t bytes = 1 + sizeof priority + time.size() + line.size() + 1;
  if (bytes > gathered_bytes) return false;
  if (gathered_ + bytes > gathered_bytes) flush();
  Writer out{Bytes(reinterpret_cast<uint8_t*>(lines_) + gathered_, gathered_bytes - gathered_)};
  if (gathered_ == 0 && torn_) out.character('\n');
  if (journal_) out.text(string_view(priority, sizeof priority));
  out.text(time.view()).text(line).character('\n');
  gathered_ += out.size();
  ++gathered_lines_;
  return true;
}

void PosixConsole::flush() {
  if (gathered_ == 0) return;
  if (!write_stream(string_view(lines_, gathered_))) dropped_ += gathered_lines_;
  gathered_ = 0;
  gathered_lines_ = 0;
}

// One system call for whole lines, so that those of two processes never mix.
bool PosixConsole::write_stream(string_view text) {
  if (!regular_ && !takes_now(descriptor_)) return false;
  ssize_t taken = 0;
  do taken = write(descriptor_, text.data(), text.size());
  while (taken < 0 && errno == EINTR);
  if (taken > 0) torn_ = static_cast<size_t>(taken) < text.size();
  return taken == static_cast<ssize_t>(text.size());
}

void PosixConsole::learn_descriptor() {
  struct stat facts {};
  regular_ = descriptor_ >= 0 && fstat(descriptor_, &facts) == 0 && S_ISREG(facts.st_mode);
}

// A socket of our own and not syslog(3), which blocks while the daemon is busy
// and may allocate. -1 when nobody listens.
int PosixConsole::open_syslog() const {
  const int s = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (s < 0) return -1;
  sockaddr_un to{};
  to.sun_family = AF_UNIX;
  std::memcpy(to.sun_path, path_.c_str(), path_.view().size() + 1);
  if (connect(s, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0) return s;
  close(s);
  return -1;
}

// RFC 3164 without a time: every receiver adds its own where none stands.
bool PosixConsole::write_syslog(Level level, string_view time, string_view line) {
  uint8_t room[40];
  Writer head{Bytes(room)};
  head.character('<').number(LOG_DAEMON | priority_of(level)).text(">tocsin[").number(getpid()).text("]: ");
  iovec parts[] = {part(head.view()), part(time), part(line)};
  msghdr message{};
  message.msg_iov = parts;
  message.msg_iovlen = sizeof parts / sizeof parts[0];
  for (int attempt = 0; attempt < 2; ++attempt) {
    if (descriptor_ < 0) descriptor_ = open_syslog();
    if (descriptor_ < 0) return false;
    if (sendmsg(descriptor_, &message, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0) return true;
    if (errno == EAGAIN || errno == ENOBUFS || errno == EMSGSIZE) return false;
    close(descriptor_);  // the daemon was started anew
    descriptor_ = -1;
  }
  return false;
}

void PosixConsole::reopen() {
  if (to_ == To::standard_error) return;
  if (to_ == To::syslog) {
    if (descriptor_ >= 0) close(descriptor_);
    descriptor_ = open_syslog();
    return;
  }
  const int next = open_log(path_.c_str());
  if (next < 0) {
    const Error why = error_of(errno);
    uint8_t room[128];
    Writer text{Bytes(room)};
    text.text("level=warn event=log_not_reopened reason=").logfmt(describe(why), 64);
    return log_line(Level::warn, text.view());
  }
  flush();
  close(descriptor_);
  descriptor_ = next;
  learn_descriptor();
  torn_ = false;
}

Status PosixConsole::out(string_view text) { return write_all(STDOUT_FILENO, text); }

Status PosixConsole::err(string_view text) { return write_all(STDERR_FILENO, text); }

bool PosixConsole::err_is_terminal() const { return isatty(STDERR_FILENO) == 1; }

}  // namespace tocsin::posix
