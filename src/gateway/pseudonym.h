// How the log calls a device: ten digits of a keyed hash, which `tocsin registry
// dump` prints as well.
#pragma once

#include "base/encode.h"
#include "base/siphash.h"
#include "base/writer.h"
#include "model/node_id.h"

namespace tocsin {

inline void write_pseudonym(Writer& out, const HashKey& key, const NodeId& node) {
  uint8_t hash[8];
  put_u64(hash, siphash(key, node.view()));
  out.hex(ByteView(hash).first(5));
}

}  // namespace tocsin
