#include "base/result.h"

namespace tocsin {

const char* describe(Error error) {
  switch (error) {
    case Error::none: return "no error";
    case Error::again: return "not ready yet";
    case Error::closed: return "closed by the other side";
    case Error::refused: return "connection refused";
    case Error::unreachable: return "network unreachable";
    case Error::timed_out: return "timed out";
    case Error::too_long: return "too long";
    case Error::malformed: return "malformed";
    case Error::not_found: return "not found";
    case Error::exists: return "exists already";
    case Error::denied: return "permission denied";
    case Error::busy: return "busy";
    case Error::exhausted: return "out of counted memory";
    case Error::no_space: return "no space left";
    case Error::read_only: return "read-only";
    case Error::io: return "input/output error";
    case Error::damaged: return "damaged";
    case Error::unsupported: return "not supported";
    case Error::untrusted: return "not trusted";
  }
  return "unknown error";
}

}  // namespace tocsin
