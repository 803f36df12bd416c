// The state directory: made at the first start, locked against a second
// gateway before the component stream is opened, home of our own keys and of the
// registry.
#pragma once

#include "base/random.h"
#include "base/siphash.h"
#include "base/text.h"
#include "gateway/endpoint.h"
#include "port/port.h"
#include "settings/settings.h"

namespace tocsin {

struct State {
  HashKey key;               // pseudonyms and collapse ids
  EndpointKey endpoint_key;  // names of UnifiedPush endpoints; only where they are offered
  FixedText<path_bytes_max + 8> lock_path;
  FixedText<path_bytes_max> registry_directory;
  port::Handle lock = port::no_handle;
  int64_t holder = 0;      // pid of the gateway that has the lock, when open_state answered Error::busy
  FixedText<512> problem;  // a sentence after an error
};

// Of a file or a directory: "." of one without a slash.
string_view parent_directory(string_view path);

// Makes the directory if need be, takes the lock and reads or makes the keys. The lock dies with the process.
Status open_state(const Settings& settings, port::Storage& storage, RandomSource& random, State& state);

}  // namespace tocsin
