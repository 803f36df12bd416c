// Fetches the access token of one section. It takes the place of Publish towards
// an origin of its own: when the token is wanted there is one request, and what comes
// of it goes to the token or, as trouble, to the section that can not send without.
#pragma once

#include "base/log.h"
#include "gateway/request_source.h"
#include "gateway/section.h"
#include "push/fcm_token.h"

namespace tocsin {

class TokenDesk final : public RequestSource, public Credential {
 public:
  // Everything outlives it. publish: whom the section's publishes come from.
  TokenDesk(FcmToken& token, Section& served, RequestSource& publish, RandomSource& random, Heap& json_heap, Log& log);
  TokenDesk(const TokenDesk&) = delete;
  TokenDesk& operator=(const TokenDesk&) = delete;

  // To where tokens are fetched; its credential is this, which signs the one request.
  Lane& lane() { return lane_; }

  // ---- RequestSource
  Instant wanted_at(const Lane& lane) const override;
  Push* next(Lane& lane, Instant now) override;
  void put_back(Push& push) override;
  void over(Push& push, Instant now, UnixTime wall) override;
  void lane_down(Lane& lane, string_view sentence, Instant until, Instant now) override;
  void lane_up(Lane&) override {}                             // that it can be reached says nothing yet
  void lane_refused(Lane&, string_view, Instant) override {}  // only in pools
  void section_paused(uint8_t section, string_view reason, string_view advice, Duration pause, Instant now) override;

  // ---- Credential
  Status keep_fresh(Instant now, UnixTime wall, RandomSource& random) override;
  bool waiting(Instant) const override { return false; }
  bool renew(Instant, UnixTime, RandomSource&) override { return false; }
  string_view authorization() const override { return {}; }  // it is in the request

 private:
  void answered(Instant now, UnixTime wall);
  void trouble(string_view reason, string_view advice, Duration wait, Instant now);
  bool out() const { return push_.place == Push::Place::in_flight; }

  FcmToken& token_;
  RequestSource& publish_;
  RandomSource& random_;
  Heap& json_heap_;
  Log& log_;
  FixedText<56> name_;
  Section& served_;
  Lane lane_;
  Push push_;
  uint8_t answer_[4096];  // a token has up to 2,048 bytes
  bool signed_ = false;   // push_ holds a request that was not sent yet
  Instant signed_at_{};
  Instant retry_at_{};
  uint32_t failures_ = 0;  // in a row
  bool said_ = false;      // that the token could not be renewed, while the old one lasted
};

}  // namespace tocsin
