// Names that /etc/hosts knows (hosts(5)). The file is read anew for each lookup
// and never kept: a router's may list a hundred thousand names to be blocked,
// for which c-ares would want the memory of the whole gateway.
#pragma once

#include "base/text.h"
#include "port/port.h"

namespace tocsin::posix {

// Adds the addresses that the file gives the name, with this port, in the file's
// order; false when there are none or the file can not be read. Case and a final
// dot of the name do not count. Addresses with a zone are left out.
bool find_in_hosts(const char* path, string_view name, uint16_t port, port::Lookup& out);

}  // namespace tocsin::posix
