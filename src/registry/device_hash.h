// Where a device stands in the index: hashes keyed by the file's random id, so
// that nobody can choose accounts or tokens that collide. A hash is only a hint;
// who finds a device by it reads its record.
#pragma once

#include <cstdint>

#include "base/siphash.h"
#include "model/registration.h"

namespace tocsin {

class DeviceHash {
 public:
  DeviceHash() = default;
  explicit DeviceHash(ByteView creation_id);  // 16 bytes

  // At most account_bytes_max and token_bytes_max bytes.
  uint32_t of_account(string_view account) const;
  uint32_t of_key(string_view account, ByteView key) const;

 private:
  HashKey key_;
};

}  // namespace tocsin
