// What connecting and listening share: options of sockets, and addresses in the system's form.
#pragma once

#include <sys/socket.h>

#include "base/address.h"

namespace tocsin::posix {

// Options are wishes: a socket without one of them still works.
void wish(int socket, int level, int name, int value);
// No delay, keep-alives, and a bound on how long a peer may acknowledge nothing.
void wish_for_tcp(int socket);

socklen_t to_system(const Address& address, sockaddr_storage& out);
// An IPv4 address mapped into IPv6 becomes IPv4 again. Of another family: all zeros.
Address from_system(const sockaddr_storage& address);

}  // namespace tocsin::posix
