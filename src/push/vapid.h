// Who we are, for push services (VAPID, RFC 8292): one JWT for each origin, signed
// with the key that subscriptions are bound to, reused for up to 12 hours.
#pragma once

#include <span>

#include "base/bytes.h"
#include "base/random.h"
#include "base/result.h"
#include "base/time.h"
#include "base/writer.h"
#include "crypto/p256.h"
#include "push/credential.h"

namespace tocsin {

// What is kept of a JWT; the rest is written anew from the origin.
struct VapidToken {
  uint8_t origin[16] = {};  // SHA-256, cut
  UnixTime expires{};       // 0: free
  UnixTime signed_at{};
  uint64_t used = 0;
  Duration off{};  // what the origin says that its clock is ahead of ours
  Instant corrected_at = Instant{} - days(1);
  bool off_again = false;  // it said the same when it refused what was signed in its time
  P256Signature signature = {};
};

class Vapid {
 public:
  // Of authorization(): an origin of 253 + 14 bytes and a contact of 255 make 960.
  static constexpr size_t authorization_bytes_max = 1024;
  static constexpr size_t contact_bytes_max = 255;

  // contact: mailto: or https:, for the people of a push service. All outlive this.
  Vapid(std::span<VapidToken> table, P256& curve, string_view contact)
      : table_(table), curve_(curve), contact_(contact) {}
  ~Vapid();
  // Forgets every token. The key must be one of P256::make_pair or a loaded Es256Key.
  void set_key(const P256Pair& key);
  // Signs once and looks at the signature with the public half that clients subscribe with: for a check of key and
  // curve. Error::damaged: the halves are not of one key.
  Status try_key(RandomSource& random) const;

  // "vapid t=…, k=…", the value of the header `authorization` for requests to this origin, into out.
  // Error::again: the clock was never set, nothing is signed; too_long: out or an origin over its bound.
  Status authorization(string_view origin, UnixTime wall, RandomSource& random, Writer& out);
  // After an origin refused it: true when the next authorization() will be another one, which is so
  // once a minute at most: an origin that refuses everything must not cost a signature each time.
  bool renew(string_view origin, UnixTime wall);
  // An origin that refused a token says that its clock is so far ahead of ours: its next one is signed in that time.
  // Anybody may run an origin, so its word counts for itself alone, until a token is refused without it.
  Credential::Clock correct_clock(string_view origin, Duration off, Instant now);
  // base64url of the public point: what clients subscribe with. "" before set_key().
  string_view public_key() const { return {public_text_, has_key_ ? sizeof public_text_ : 0}; }
  bool has_key() const { return has_key_; }
  uint32_t signatures() const { return signatures_; }

 private:
  VapidToken* find(const uint8_t (&hash)[16]);
  VapidToken& oldest();
  bool fresh(const VapidToken& token, UnixTime wall) const;
  void write_unsigned(string_view origin, UnixTime expires, Writer& out) const;

  std::span<VapidToken> table_;
  P256& curve_;
  string_view contact_;
  P256Pair key_ = {};
  char public_text_[87] = {};
  bool has_key_ = false;
  uint32_t signatures_ = 0;
  uint64_t clock_ = 0;  // counts uses
};

}  // namespace tocsin
