// The OAuth access token of one service account (RFC 7523): one for all
// requests of its section, fetched when it is wanted, again before it ends, and after a
// 401. Pure: who makes the connection is link/'s business, when it is tried again gateway/'s.
#pragma once

#include "crypto/crypto.h"
#include "push/credential.h"
#include "push/fcm_account.h"
#include "push/provider.h"

namespace tocsin {

class FcmToken final : public Credential {
 public:
  // Google: "access tokens: 2,048 bytes".
  static constexpr size_t token_bytes_max = 2048;

  FcmToken(const Rs256Key& key, const FcmAccount& account) : key_(key), account_(account) {}

  // ---- towards requests
  // Never waits for a fetch as long as the present one lasts.
  Status keep_fresh(Instant now, UnixTime wall, RandomSource& random) override;
  bool waiting(Instant now) const override { return wanted_ && !usable(now); }
  // Once a minute at most: a token that is refused as soon as it comes is not mended by the next.
  bool renew(Instant now, UnixTime wall, RandomSource& random) override;
  string_view authorization() const override { return text_.view(); }

  // ---- towards the token's endpoint
  bool usable(Instant now) const { return !text_.empty() && now < ends_; }
  bool wanted() const { return wanted_; }
  void give_up() { wanted_ = false; }  // until it is asked for again
  // A signed request for a token. Error::again: the clock was never set.
  Status write_request(UnixTime wall, RandomSource& random, Request& request) const;

  struct Answer {
    bool good = false;
    string_view reason{};  // "invalid_grant"; valid as long as json
    string_view advice{};  // literal, "" when nothing
    Duration after{};      // not good: when it may be tried again; 0 = soon, and later and later
    int64_t skew_s = 0;    // not 0: the clock is so many seconds behind the endpoint's (before: negative)
  };
  // reply: status, retry_after and date.
  Answer read(const Reply& reply, string_view body, JsonDocument& json, Instant now, UnixTime wall);

 private:
  const Rs256Key& key_;
  const FcmAccount& account_;
  FixedText<token_bytes_max + 7> text_;  // "Bearer ya29.…"
  Instant fetched_{};
  Instant renew_at_{};
  Instant ends_{};
  bool wanted_ = false;
  Duration skew_{};  // learnt from an endpoint that refused our time; added to ours
};

}  // namespace tocsin
