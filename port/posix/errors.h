// What the system's error numbers mean to us: one table for sockets and files.
#pragma once

#include "base/result.h"

namespace tocsin::posix {

// number is an errno; never answers Error::none.
Error error_of(int number);

}  // namespace tocsin::posix
