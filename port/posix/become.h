// To be somebody else than root: `check --as USER` sees what the service will see.
#pragma once

#include "base/bytes.h"

namespace tocsin::posix {

bool is_root();
// Groups and user of an account, for good. nullptr, or a sentence about what failed.
const char* become(string_view user);
// Whether whoever we are now may write there, or read; in a directory: make files, or list them.
bool may(const char* path, bool write);
// Where we are root: the user and the group that a file belongs to, for good, so that what is written beside it
// belongs to them too. nullptr also when there is no such file.
const char* become_owner_of(const char* path);

}  // namespace tocsin::posix
