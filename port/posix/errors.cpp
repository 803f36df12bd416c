#include "port/posix/errors.h"

#include <errno.h>

namespace tocsin::posix {

Error error_of(int number) {
  switch (number) {
    case EAGAIN:
#if EWOULDBLOCK != EAGAIN
    case EWOULDBLOCK:
#endif
      return Error::again;
    case EPIPE:
    case ENOTCONN:
    case ESHUTDOWN: return Error::closed;
    case ECONNREFUSED:
    case ECONNRESET:
    case ECONNABORTED: return Error::refused;
    // No IPv6 in the kernel, no source address: not to be reached from here.
    case EAFNOSUPPORT:
    case EADDRNOTAVAIL:
    case ENETUNREACH:
    case ENETDOWN:
    case ENETRESET:
    case EHOSTUNREACH:
    case EHOSTDOWN: return Error::unreachable;
    case ETIMEDOUT: return Error::timed_out;
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM: return Error::exhausted;
    case ENOSPC:
    case EDQUOT:
    case EFBIG: return Error::no_space;
    case EROFS: return Error::read_only;
    // ELOOP: a symbolic link where we never make one.
    case ELOOP:
    case EACCES:
    case EPERM: return Error::denied;
    case ENOENT:
    case ENOTDIR: return Error::not_found;
    case EEXIST: return Error::exists;
    case ENAMETOOLONG: return Error::too_long;
    case EBUSY:
    case ETXTBSY: return Error::busy;
    default: return Error::io;
  }
}

}  // namespace tocsin::posix
