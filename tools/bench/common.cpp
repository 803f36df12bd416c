#include "tools/bench/common.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

namespace tocsin::bench {

static int64_t read_clock(clockid_t clock) {
  timespec time{};
  clock_gettime(clock, &time);
  return int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

int64_t now_ns() { return read_clock(CLOCK_MONOTONIC); }
int64_t cpu_ns() { return read_clock(CLOCK_PROCESS_CPUTIME_ID); }

void die(const char* what) {
  fprintf(stderr, "bench: %s: %s\n", what, strerror(errno));
  exit(1);
}

static sockaddr_in loopback(uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

static void make_quick(int socket) {
  const int on = 1;
  setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  fcntl(socket, F_SETFL, fcntl(socket, F_GETFL) | O_NONBLOCK);
}

int listen_on_loopback(uint16_t* port) {
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  const int on = 1;
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address = loopback(*port);
  if (bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) die("bind");
  if (listen(listener, 16) != 0) die("listen");
  socklen_t size = sizeof address;
  getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size);
  *port = ntohs(address.sin_port);
  return listener;
}

int connect_to_loopback(uint16_t port) {
  const int made = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = loopback(port);
  if (connect(made, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) die("connect");
  make_quick(made);
  return made;
}

int accept_from(int listener) {
  const int made = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
  if (made >= 0) make_quick(made);
  return made;
}

void wait_for(Watch* watches, size_t count, int64_t until_ns) {
  pollfd set[16];
  if (count > 16) die("too many sockets");
  for (size_t i = 0; i < count; ++i) {
    set[i] = {.fd = watches[i].descriptor,
              .events = static_cast<short>(POLLIN | (watches[i].write ? POLLOUT : 0)),
              .revents = 0};
  }
  timespec wait{};
  const timespec* limit = nullptr;
  if (until_ns >= 0) {
    const int64_t left = until_ns - now_ns();
    if (left > 0) wait = {.tv_sec = left / 1'000'000'000, .tv_nsec = left % 1'000'000'000};
    limit = &wait;
  }
  if (ppoll(set, count, limit, nullptr) < 0 && errno != EINTR) die("poll");
  for (size_t i = 0; i < count; ++i) {
    watches[i].can_read = (set[i].revents & (POLLIN | POLLHUP | POLLERR)) != 0;
    watches[i].can_write = (set[i].revents & (POLLOUT | POLLHUP | POLLERR)) != 0;
  }
}

void use_precise_timers() { prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL); }

Buffer::Buffer(size_t bytes) : room_(static_cast<uint8_t*>(malloc(bytes))), bytes_(bytes) {
  if (room_ == nullptr) die("memory");
}

Buffer::~Buffer() { ::free(room_); }

uint8_t* Buffer::space(size_t bytes) {
  if (bytes_ - end_ < bytes) {
    memmove(room_, room_ + start_, size());
    end_ -= start_;
    start_ = 0;
  }
  if (bytes_ - end_ < bytes) {
    errno = ENOBUFS;
    die("a buffer is full");
  }
  return room_ + end_;
}

void Buffer::append(const void* bytes, size_t size) {
  if (size == 0) return;
  memcpy(space(size), bytes, size);
  end_ += size;
}

void Buffer::take(size_t bytes) {
  start_ += bytes;
  if (start_ == end_) start_ = end_ = 0;
}

bool receive_into(int socket, Buffer& buffer, size_t most) {
  const ssize_t got = recv(socket, buffer.space(most), most, 0);
  if (got > 0) buffer.grew(static_cast<size_t>(got));
  return got > 0 || (got < 0 && (errno == EAGAIN || errno == EINTR));
}

bool send_from(int socket, Buffer& buffer) {
  while (!buffer.empty()) {
    const ssize_t sent = send(socket, buffer.data(), buffer.size(), MSG_NOSIGNAL);
    if (sent < 0) return errno == EAGAIN || errno == EINTR;
    buffer.take(static_cast<size_t>(sent));
  }
  return true;
}

void Orders::read() {
  memmove(room_, room_ + taken_, size_ - taken_);
  size_ -= taken_;
  taken_ = 0;
  const ssize_t got = ::read(STDIN_FILENO, room_ + size_, sizeof room_ - size_);
  if (got > 0) {
    size_ += static_cast<size_t>(got);
  } else if (got == 0 || errno != EINTR) {
    over_ = true;
  }
}

bool Orders::next(string_view& line) {
  const string_view all(room_ + taken_, size_ - taken_);
  const size_t end = all.find('\n');
  if (end == string_view::npos) return false;
  line = {all.data(), end};
  taken_ += end + 1;
  return true;
}

string_view word(string_view& line) {
  while (!line.empty() && line.front() == ' ') line.remove_prefix(1);
  const size_t end = line.find(' ') == string_view::npos ? line.size() : line.find(' ');
  const string_view found(line.data(), end);
  line.remove_prefix(end);
  return found;
}

uint64_t number(string_view& line, uint64_t otherwise) {
  const string_view digits = word(line);
  if (digits.empty()) return otherwise;
  uint64_t value = 0;
  for (const char c : digits) value = value * 10 + static_cast<uint64_t>(c - '0');
  return value;
}

}  // namespace tocsin::bench
