#include "port/posix/sockets.h"

#include <netinet/in.h>
#include <netinet/tcp.h>

namespace tocsin::posix {

// A peer that acknowledges nothing for so long is gone; the default is 15 minutes.
[[maybe_unused]] static constexpr int user_timeout_ms = 20'000;

void wish(int socket, int level, int name, int value) { (void)setsockopt(socket, level, name, &value, sizeof value); }

void wish_for_tcp(int socket) {
  wish(socket, IPPROTO_TCP, TCP_NODELAY, 1);
  wish(socket, SOL_SOCKET, SO_KEEPALIVE, 1);
#ifdef TCP_USER_TIMEOUT
  wish(socket, IPPROTO_TCP, TCP_USER_TIMEOUT, user_timeout_ms);
#endif
}

socklen_t to_system(const Address& address, sockaddr_storage& out) {
  if (address.family == Address::Family::v4) {
    sockaddr_in in{};
    in.sin_family = AF_INET;
    in.sin_port = htons(address.port);
    std::memcpy(&in.sin_addr, address.bytes, 4);
    std::memcpy(&out, &in, sizeof in);
    return sizeof in;
  }
  sockaddr_in6 in{};
  in.sin6_family = AF_INET6;
  in.sin6_port = htons(address.port);
  std::memcpy(&in.sin6_addr, address.bytes, 16);
  std::memcpy(&out, &in, sizeof in);
  return sizeof in;
}

Address from_system(const sockaddr_storage& address) {
  Address out;
  if (address.ss_family == AF_INET) {
    sockaddr_in in{};
    std::memcpy(&in, &address, sizeof in);
    std::memcpy(out.bytes, &in.sin_addr, 4);
    out.port = ntohs(in.sin_port);
  } else if (address.ss_family == AF_INET6) {
    sockaddr_in6 in{};
    std::memcpy(&in, &address, sizeof in);
    out.port = ntohs(in.sin6_port);
    if (IN6_IS_ADDR_V4MAPPED(&in.sin6_addr)) {
      std::memcpy(out.bytes, in.sin6_addr.s6_addr + 12, 4);
    } else {
      out.family = Address::Family::v6;
      std::memcpy(out.bytes, &in.sin6_addr, 16);
    }
  }
  return out;
}

}  // namespace tocsin::posix
