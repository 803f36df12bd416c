#include "port/posix/net.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "port/posix/clock.h"
#include "port/posix/errors.h"
#include "port/posix/sockets.h"

namespace tocsin::posix {

using port::Handle;
using port::Interest;
using port::no_handle;

namespace {

bool watched(const Interest& i) { return i.socket != no_handle && (i.read || i.write); }

// Rounded up, so that nobody wakes before the time; in pieces of at most a minute.
int poll_timeout(Instant now, Instant until) {
  if (until <= now) return 0;
  const Duration piece = minutes(1);
  const Duration left = until - now;
  return static_cast<int>(((left < piece ? left : piece).us + 999) / 1000);
}

}  // namespace

Result<Handle> PosixNet::connect(const Address& address) {
  sockaddr_storage to{};
  const socklen_t to_bytes = to_system(address, to);
  const int family = address.family == Address::Family::v4 ? AF_INET : AF_INET6;
  const int socket = ::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);
  if (socket < 0) return error_of(errno);
  wish_for_tcp(socket);
  // EINTR: the connection is made all the same, in the background.
  if (::connect(socket, reinterpret_cast<const sockaddr*>(&to), to_bytes) == 0 || errno == EINPROGRESS ||
      errno == EINTR) {
    return Handle{socket};
  }
  const int why = errno;
  close(socket);
  // EINVAL: a link-local address, which needs an interface that nobody named. EAGAIN: no local port left.
  return why == EINVAL ? Error::unreachable : why == EAGAIN ? Error::exhausted : error_of(why);
}

Status PosixNet::connect_result(Handle socket) {
  int why = 0;
  socklen_t bytes = sizeof why;
  if (getsockopt(socket, SOL_SOCKET, SO_ERROR, &why, &bytes) != 0) return error_of(errno);
  if (why != 0) return error_of(why);
  sockaddr_storage peer{};
  socklen_t peer_bytes = sizeof peer;
  if (getpeername(socket, reinterpret_cast<sockaddr*>(&peer), &peer_bytes) == 0) return {};
  return errno == ENOTCONN ? Error::again : error_of(errno);  // asked before can_write
}

Result<size_t> PosixNet::receive(Handle socket, Bytes room) {
  GW_CHECK(!room.empty());  // 0 bytes would look like the end of the stream
  ssize_t got = 0;
  do got = recv(socket, room.data(), room.size(), 0);
  while (got < 0 && errno == EINTR);
  if (got < 0) return error_of(errno);
  return static_cast<size_t>(got);
}

Result<size_t> PosixNet::send(Handle socket, ByteView bytes) {
  ssize_t taken = 0;
  do taken = ::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  while (taken < 0 && errno == EINTR);
  if (taken < 0) return error_of(errno);
  return static_cast<size_t>(taken);
}

void PosixNet::finish(Handle socket) { (void)shutdown(socket, SHUT_WR); }

void PosixNet::shut(Handle socket) { close(socket); }

void PosixNet::wait(std::span<Interest> interests, Instant until) {
  GW_CHECK(interests.size() <= interests_max);
  pollfd set[1 + interests_max + Resolver::sockets_max];
  for (Interest& i : interests) i.can_read = i.can_write = false;
  bool ended = resolver_.take_ended();  // literals and names in /etc/hosts end while they start
  while (true) {
    size_t count = 0;
    set[count++] = pollfd{.fd = wake_.descriptor(), .events = POLLIN, .revents = 0};
    for (const Interest& i : interests) {
      if (!watched(i)) continue;  // poll() would report hang-ups that nobody asked for
      const int events = (i.read ? POLLIN : 0) | (i.write ? POLLOUT : 0);
      set[count++] = pollfd{.fd = i.socket, .events = static_cast<short>(events), .revents = 0};
    }
    const size_t resolver_first = count;
    count += resolver_.watch(std::span(set).subspan(count));

    const Instant now = monotonic_now();
    const int timeout = ended ? 0 : poll_timeout(now, earlier(until, resolver_.due(now)));
    const int ready = poll(set, static_cast<nfds_t>(count), timeout);
    if (ready < 0) {
      // A signal of ours has rung: the next poll returns at once.
      GW_CHECK(errno == EINTR || errno == EAGAIN || errno == ENOMEM);
      continue;
    }
    if (set[0].revents != 0) {
      wake_.drain();
      ended = true;
    }
    size_t at = 1;
    for (Interest& i : interests) {
      if (!watched(i)) continue;
      const short found = set[at++].revents;
      GW_CHECK((found & POLLNVAL) == 0);  // a handle that was shut
      i.can_read = i.read && (found & (POLLIN | POLLHUP | POLLERR)) != 0;
      i.can_write = i.write && (found & (POLLOUT | POLLHUP | POLLERR)) != 0;
      ended = ended || i.can_read || i.can_write;
    }
    resolver_.process(std::span(set).subspan(resolver_first, count - resolver_first));
    if (resolver_.take_ended()) ended = true;
    if (ended || monotonic_now() >= until) return;
  }
}

}  // namespace tocsin::posix
