// The key that Web Push subscriptions are bound to for ever (RFC 8292): a file in
// the state directory, made at the first start. Beside it stands its public half,
// FILE.pub: with the registry it tells a key that is lost or was exchanged, which would
// cost every device that registered with it, from one that was never made.
#pragma once

#include "base/random.h"
#include "base/text.h"
#include "crypto/p256.h"
#include "port/port.h"
#include "settings/settings.h"

namespace tocsin {

inline constexpr string_view vapid_key_name = "vapid.pem";  // in the state directory

struct VapidKeyFile {
  P256Pair pair = {};      // wipe pair.secret when it was handed on
  FixedText<87> text;      // base64url of the public point: what clients subscribe with
  bool made = false;       // there was none
  uint32_t strangers = 0;  // devices that push services accepted under another key
  FixedText<900> problem;  // a sentence after an error, without the name of the file
};

// Room for reading a key, given back afterwards.
inline constexpr size_t vapid_key_heap_bytes = 16 * 1024;

// devices: so many are registered, as far as is known; each depends on its key.
// Error::not_found: there is no key yet, and nothing that depends on one. Error::damaged: the file is no key, FILE.pub
// is another's, or the key is gone while FILE.pub or devices are there.
// Without FILE.pub the key is taken as it is: so an operator brings one along.
Status read_vapid_key(const char* path, port::Storage& storage, Heap& heap, RandomSource& random, uint32_t devices,
                      VapidKeyFile& file);

// The same, and makes key and FILE.pub where nothing depends on one, for nobody else to read. What is made is on disk
// before this returns.
Status open_vapid_key(const char* path, port::Storage& storage, P256& curve, Heap& heap, RandomSource& random,
                      uint32_t devices, VapidKeyFile& file);

}  // namespace tocsin
