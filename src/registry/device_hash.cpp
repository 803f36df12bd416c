#include "registry/device_hash.h"

#include "base/check.h"
#include "base/encode.h"

namespace tocsin {

// A key of its own: the creation id stands in the file and may come to have other uses.
DeviceHash::DeviceHash(ByteView creation_id) {
  HashKey id;
  GW_CHECK(creation_id.size() == sizeof id.bytes);
  copy_bytes(id.bytes, creation_id);
  put_u64(key_.bytes, siphash(id, bytes_of("registry index 1")));
  put_u64(key_.bytes + 8, siphash(id, bytes_of("registry index 2")));
}

uint32_t DeviceHash::of_account(string_view account) const {
  GW_CHECK(account.size() <= account_bytes_max);
  uint8_t text[1 + account_bytes_max];
  text[0] = 1;
  copy_bytes(text + 1, bytes_of(account));
  return static_cast<uint32_t>(siphash(key_, ByteView(text).first(1 + account.size())));
}

// The account's length stands in front, so that no other pair makes the same bytes.
uint32_t DeviceHash::of_key(string_view account, ByteView key) const {
  GW_CHECK(account.size() <= account_bytes_max && key.size() <= token_bytes_max);
  uint8_t text[3 + account_bytes_max + token_bytes_max];
  text[0] = 2;
  put_u16(text + 1, static_cast<uint16_t>(account.size()));
  copy_bytes(text + 3, bytes_of(account));
  copy_bytes(text + 3 + account.size(), key);
  return static_cast<uint32_t>(siphash(key_, ByteView(text).first(3 + account.size() + key.size())));
}

}  // namespace tocsin
