// Result<T>: a value or the Error that stood in its way. For what the world
// can do to us; [[nodiscard]], so that ignoring one is visible.
#pragma once

#include <cstdint>
#include <new>
#include <type_traits>

#include "base/check.h"

namespace tocsin {

enum class Error : uint8_t {
  none,
  again,        // nothing to read or no room to write now
  closed,       // the other side ended it
  refused,      // connection refused or reset
  unreachable,  // no route, network down
  timed_out,
  too_long,   // over one of our bounds; never silently cut
  malformed,  // not of the expected form
  not_found,
  exists,
  denied,     // permission
  busy,       // held by somebody else, or already under way
  exhausted,  // a pool, table or heap of ours is used up
  no_space,   // disk full
  read_only,
  io,
  damaged,  // stored bytes fail their check
  unsupported,
  untrusted,  // certificate, signature or host name does not verify
};

// A phrase for logs and messages: "permission denied".
const char* describe(Error error);

template <class T>
class [[nodiscard]] Result {
  static_assert(std::is_trivially_destructible_v<T>, "results travel by value and are never cleaned up");

 public:
  Result(const T& value) : value_(value), error_(Error::none) {}
  Result(Error error) : empty_(), error_(error) { GW_CHECK(error != Error::none); }
  bool ok() const { return error_ == Error::none; }
  Error error() const { return error_; }
  const T& value() const {
    GW_CHECK(ok());
    return value_;
  }
  T& value() {
    GW_CHECK(ok());
    return value_;
  }

 private:
  union {
    char empty_;
    T value_;
  };
  Error error_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  Result() : error_(Error::none) {}
  Result(Error error) : error_(error) {}
  bool ok() const { return error_ == Error::none; }
  Error error() const { return error_; }

 private:
  Error error_;
};

using Status = Result<void>;

}  // namespace tocsin
