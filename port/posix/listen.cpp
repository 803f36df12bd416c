// Sockets that take connections.
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "port/posix/errors.h"
#include "port/posix/net.h"
#include "port/posix/sockets.h"

namespace tocsin::posix {

using port::Accepted;
using port::Door;
using port::Handle;

namespace {

constexpr int backlog = 128;
constexpr int first_handed = 3;  // sd_listen_fds(3): SD_LISTEN_FDS_START

Result<Handle> bound(int socket, const sockaddr* address, socklen_t bytes) {
  if (bind(socket, address, bytes) == 0 && listen(socket, backlog) == 0) return Handle{socket};
  const int why = errno;
  close(socket);
  return why == EADDRINUSE ? Error::busy : error_of(why);
}

Result<Handle> listen_tcp(const Address& address, bool dual) {
  sockaddr_storage at{};
  const socklen_t bytes = to_system(address, at);
  const bool v6 = address.family == Address::Family::v6;
  const int socket = ::socket(v6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);
  if (socket < 0) return error_of(errno);
  wish(socket, SOL_SOCKET, SO_REUSEADDR, 1);  // connections of an earlier process may linger
  const int only_v6 = dual ? 0 : 1;
  if (v6 && setsockopt(socket, IPPROTO_IPV6, IPV6_V6ONLY, &only_v6, sizeof only_v6) != 0) {
    close(socket);
    return Error::unsupported;
  }
  return bound(socket, reinterpret_cast<const sockaddr*>(&at), bytes);
}

Result<Handle> listen_dual(uint16_t port) {
  Address any{.family = Address::Family::v6, .port = port};
  const Result<Handle> both = listen_tcp(any, true);
  if (both.ok() || (both.error() != Error::unreachable && both.error() != Error::unsupported)) return both;
  any.family = Address::Family::v4;  // the kernel has no IPv6
  return listen_tcp(any, false);
}

int unix_socket() { return ::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0); }

// True when it was a socket at which nobody listened any more, and is gone now.
bool clear_away(const char* path, const sockaddr_un& at) {
  struct stat facts;
  if (lstat(path, &facts) != 0 || !S_ISSOCK(facts.st_mode)) return false;
  const int probe = unix_socket();
  if (probe < 0) return false;
  const bool dead = connect(probe, reinterpret_cast<const sockaddr*>(&at), sizeof at) != 0 && errno == ECONNREFUSED;
  close(probe);
  return dead && unlink(path) == 0;
}

Result<Handle> listen_unix(const Door& door) {
  sockaddr_un at{};
  at.sun_family = AF_UNIX;
  const string_view path = door.path;
  if (path.empty()) return Error::not_found;
  if (path.size() >= sizeof at.sun_path) return Error::too_long;
  std::memcpy(at.sun_path, path.data(), path.size());
  for (bool first = true;; first = false) {
    const int socket = unix_socket();
    if (socket < 0) return error_of(errno);
    // Nobody may connect before the permissions are what they shall be.
    const mode_t before = umask(0777);
    const Result<Handle> made = bound(socket, reinterpret_cast<const sockaddr*>(&at), sizeof at);
    umask(before);
    if (made.ok()) {
      if (chmod(door.path, static_cast<mode_t>(door.mode)) == 0) return made;
      const int why = errno;
      close(socket);
      return error_of(why);
    }
    if (made.error() != Error::busy || !first || !clear_away(door.path, at)) return made;
  }
}

// Handed sockets are ours only if they were meant for this process.
Result<Handle> take_handed(uint32_t index) {
  const char* pid = getenv("LISTEN_PID");
  const char* count = getenv("LISTEN_FDS");
  if (pid == nullptr || count == nullptr) return Error::not_found;
  const Result<uint64_t> whose = parse_number(pid);
  const Result<uint64_t> many = parse_number(count, 64);
  if (!whose.ok() || whose.value() != static_cast<uint64_t>(getpid())) return Error::not_found;
  if (!many.ok() || index >= many.value()) return Error::not_found;
  const int socket = first_handed + static_cast<int>(index);
  int listening = 0;
  socklen_t bytes = sizeof listening;
  if (getsockopt(socket, SOL_SOCKET, SO_ACCEPTCONN, &listening, &bytes) != 0 || listening == 0)
    return Error::unsupported;
  const int flags = fcntl(socket, F_GETFL);
  if (flags < 0 || fcntl(socket, F_SETFL, flags | O_NONBLOCK) != 0 || fcntl(socket, F_SETFD, FD_CLOEXEC) != 0)
    return error_of(errno);
  return Handle{socket};
}

}  // namespace

Result<Handle> PosixNet::listen(const Door& door) {
  switch (door.kind) {
    case Door::Kind::tcp: return listen_tcp(door.address, false);
    case Door::Kind::dual: return listen_dual(door.address.port);
    case Door::Kind::unix_path: return listen_unix(door);
    case Door::Kind::handed: return take_handed(door.index);
  }
  return Error::unsupported;
}

Result<Accepted> PosixNet::accept(Handle listener) {
  sockaddr_storage peer{};
  socklen_t bytes = sizeof peer;
  const int socket = ::accept(listener, reinterpret_cast<sockaddr*>(&peer), &bytes);
  if (socket < 0) {
    // Who hung up while waiting is no trouble of ours (accept(2): errors of the new socket are passed on).
    return error_of(errno) == Error::exhausted ? Error::exhausted : Error::again;
  }
  const int flags = fcntl(socket, F_GETFL);
  if (flags < 0 || fcntl(socket, F_SETFL, flags | O_NONBLOCK) != 0 || fcntl(socket, F_SETFD, FD_CLOEXEC) != 0) {
    close(socket);
    return Error::again;
  }
  if (peer.ss_family != AF_INET && peer.ss_family != AF_INET6)
    return Accepted{.socket = socket, .peer = {}, .local = true};
  wish_for_tcp(socket);
  return Accepted{.socket = socket, .peer = from_system(peer), .local = false};
}

}  // namespace tocsin::posix
