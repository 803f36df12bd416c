// The key that Web Push subscriptions are bound to for ever (RFC 8292): a file in
// the state directory, made at the first start. Beside it stands its public half,
// FILE.pub: it tells a key that is lost or was exchanged, which would cost every device
// that registered with it, from one that was never made.
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
  FixedText<900> problem;  // a sentence after an error
};

// Room for reading a key, given back afterwards.
inline constexpr size_t vapid_key_heap_bytes = 16 * 1024;

// Error::not_found: there is no key yet. Error::damaged: the file is no key, or FILE.pub is another's.
// Without FILE.pub the key is taken as it is: so an operator brings one along.
Status read_vapid_key(const char* path, port::Storage& storage, Heap& heap, RandomSource& random, VapidKeyFile& file);

// The same, and makes key and FILE.pub where there are none, for nobody else to read. Error::damaged: FILE.pub is
// there but the key is gone. What is made is on disk before this returns.
Status open_vapid_key(const char* path, port::Storage& storage, P256& curve, Heap& heap, RandomSource& random,
                      VapidKeyFile& file);

}  // namespace tocsin
