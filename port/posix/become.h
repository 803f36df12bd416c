// `check --as USER`: see what the service will see.
#pragma once

#include "base/bytes.h"

namespace tocsin::posix {

bool is_root();
// Groups and user of an account, for good. nullptr, or a sentence about what failed.
const char* become(string_view user);

}  // namespace tocsin::posix
