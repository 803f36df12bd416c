// What the requests of one lane of Web Push are signed with: the VAPID token for the
// origin that the lane serves at the moment.
#pragma once

#include "push/credential.h"
#include "push/endpoint.h"
#include "push/vapid.h"

namespace tocsin {

class OriginToken final : public Credential {
 public:
  // origin: whose text changes when the lane moves on; all outlive this.
  OriginToken(Vapid& vapid, const FixedText<origin_bytes_max>& origin) : vapid_(vapid), origin_(origin) {}
  Status keep_fresh(Instant now, UnixTime wall, RandomSource& random) override;
  bool waiting(Instant) const override { return false; }
  bool renew(Instant, UnixTime wall, RandomSource&) override { return vapid_.renew(origin_.view(), wall); }
  Clock correct_clock(Duration off, Instant now) override { return vapid_.correct_clock(origin_.view(), off, now); }
  string_view authorization() const override { return text_of(ByteView(room_).first(size_)); }

 private:
  Vapid& vapid_;
  const FixedText<origin_bytes_max>& origin_;
  uint8_t room_[Vapid::authorization_bytes_max];
  size_t size_ = 0;
};

}  // namespace tocsin
