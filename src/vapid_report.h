// The key of Web Push at the gateway's start and in a check: opened or looked at,
// and what is wrong with it said. Without a good one its section is off, and no other.
#pragma once

#include "base/log.h"
#include "load.h"
#include "wiring.h"

namespace tocsin {

// Behind open_registry, which knows the devices that depend on the key.
void start_web_push(Wiring& wiring, Loader& loader, LoadedFiles& files, Log& log);

// Makes nothing, and reads the registry beside a gateway that may be running. reserve: memory that lives as long as
// the process.
void check_web_push(Wiring& wiring, const Settings& settings, Loader& loader, LoadedFiles& files,
                    port::Storage& storage, Bytes (*reserve)(size_t bytes));

}  // namespace tocsin
