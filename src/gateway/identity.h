// What tells the devices of an account apart where it is not the token: hashes
// of what the client calls its device. They are also all that a p2 client's push
// says, so nothing else of it is kept.
#pragma once

#include "dialect/command.h"
#include "model/notice.h"
#include "model/registration.h"

namespace tocsin {

class Identity {
 public:
  // account: bare JID. Empty for the dialects whose device is its token.
  Identity(const Command& command, string_view account);
  // Of an endpoint: its own name.
  explicit Identity(const NodeId& endpoint);
  ByteView view() const { return ByteView(bytes_).first(size_); }

 private:
  static constexpr size_t hash_bytes = 20;
  static constexpr size_t mark_bytes = 4;
  static_assert(mark_bytes + 2 * hash_bytes <= identity_bytes_max);
  uint8_t bytes_[mark_bytes + 2 * hash_bytes];
  size_t size_ = 0;
};

// True of a normalised token that could be taken for an identity: real ones are not, but APNs tokens may be any bytes.
bool looks_like_identity(ByteView token);

// How the app looks for its account: by the words in which it registered. Views into the registration.
void address(Notice& notice, const Registration& registration);

}  // namespace tocsin
