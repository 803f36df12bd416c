// The listener's certificate and key as files, read when they may have changed; and why a file can not be read.
#pragma once

#include "base/bytes.h"
#include "base/result.h"
#include "base/writer.h"
#include "port/port.h"

namespace tocsin {

inline constexpr size_t listen_key_bytes_max = 8 * 1024;
inline constexpr size_t listen_chain_bytes_max = 24 * 1024;

// Writes what stands in the way of reading path: "no such file", "permission denied: directory /etc/letsencrypt/live
// is 0700 root". Blocks as looking at a few names does.
void write_obstacle(Writer& out, const char* path, Error error, port::Storage& storage);

struct PairFiles {
  ByteView chain;
  ByteView key;
};

// Both into room, which holds secrets afterwards. On an error problem says which and why: "cannot read PATH: …".
Status read_pair(const char* certificate, const char* key, Bytes room, port::Storage& storage, PairFiles& out,
                 Writer& problem);

}  // namespace tocsin
