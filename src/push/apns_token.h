// The provider token (JWT) of one APNs key: one for all connections, re-minted
// only as Apple allows: no more than once every 20 minutes, no less than once an hour.
#pragma once

#include "base/bytes.h"
#include "crypto/crypto.h"
#include "push/credential.h"

namespace tocsin {

class ApnsToken final : public Credential {
 public:
  ApnsToken(const Es256Key& key, string_view key_id, string_view team_id)
      : key_(key), key_id_(key_id), team_id_(team_id) {}

  // Makes sure that a token is there and fresh: minted when there is none, when it is 40 minutes
  // old (monotonic), or when the wall clock stepped by more than 5 minutes against the monotonic one.
  // A step is the only reason to mint within 20 minutes of the last one, and only once: a clock that
  // jumps to and fro must not end in 429 TooManyProviderTokenUpdates.
  // Error::again: the clock was never set (before 2024), nothing is signed. Else the key's error.
  Status keep_fresh(Instant now, UnixTime wall, RandomSource& random) override;
  bool waiting(Instant) const override { return false; }
  // After 403 ExpiredProviderToken: mints anew only if the present one is over 20 minutes old or
  // the clock stepped; false when the rules forbid it.
  bool renew(Instant now, UnixTime wall, RandomSource& random) override;
  // A new token, in the provider's time, unless one was just made out of turn.
  Clock correct_clock(Duration off, Instant now) override;
  Duration clock_off() const override { return off_; }
  // "bearer eyJ…", valid until the next minting; "" before the first.
  string_view authorization() const override { return text_.view(); }
  uint32_t minted() const { return minted_; }

 private:
  Status mint(Instant now, UnixTime wall, RandomSource& random);
  bool stepped(Instant now, UnixTime wall) const;
  bool may_follow_step(Instant now, UnixTime wall) const;
  const Es256Key& key_;
  string_view key_id_;
  string_view team_id_;
  FixedText<320> text_;
  Instant minted_at_{};
  UnixTime minted_wall_{};
  uint32_t minted_ = 0;
  Duration off_{};  // what the provider's clock is ahead of ours, as far as we were told
  Instant corrected_at_ = Instant{} - days(1);
  bool early_ = false;  // the present one came less than 20 minutes after the one before: after a step
};

}  // namespace tocsin
