#include "push/apns_token.h"

#include "base/writer.h"

namespace tocsin {
namespace {

// Apple: renewed no more than once every 20 minutes and no less than once every 60; libraries that are
// known to work take 30 to 50.
constexpr Duration renew_at = minutes(40);
constexpr Duration renew_not_before = minutes(20);
// NTP steps at boot are hours or decades; what a slewing clock drifts in 40 minutes is seconds.
constexpr Duration step_from = minutes(5);
constexpr Duration answered_within = seconds(30);  // what was signed before is answered by then, or given up

constexpr string_view scheme = "bearer ";  // lower case, as in Apple's text

}  // namespace

Status ApnsToken::keep_fresh(Instant now, UnixTime wall, RandomSource& random) {
  if (!plausible(wall)) return Error::again;
  if (text_.empty() || now - minted_at_ >= renew_at || may_follow_step(now, wall)) return mint(now, wall, random);
  return {};
}

bool ApnsToken::renew(Instant now, UnixTime wall, RandomSource& random) {
  if (!plausible(wall)) return false;
  const bool allowed = text_.empty() || now - minted_at_ > renew_not_before || may_follow_step(now, wall);
  return allowed && mint(now, wall, random).ok();
}

// Who was told, and is refused all the same, has another trouble.
Credential::Clock ApnsToken::correct_clock(Duration off, Instant now) {
  const Duration news = off - off_;
  if (news <= step_from && Duration{} - news <= step_from) {
    return now - corrected_at_ <= answered_within ? Clock::known : Clock::no;
  }
  if (early_ && now - minted_at_ <= renew_not_before) return Clock::no;
  off_ = off;
  corrected_at_ = now;
  text_.clear();
  return Clock::learnt;
}

bool ApnsToken::may_follow_step(Instant now, UnixTime wall) const {
  return stepped(now, wall) && (!early_ || now - minted_at_ > renew_not_before);
}

bool ApnsToken::stepped(Instant now, UnixTime wall) const {
  if (text_.empty()) return false;
  const Duration difference = (wall - minted_wall_) - (now - minted_at_);
  return difference > step_from || difference < Duration{} - step_from;
}

Status ApnsToken::mint(Instant now, UnixTime wall, RandomSource& random) {
  uint8_t header_room[96];
  Writer header(header_room);
  header.text(R"({"alg":"ES256","kid":")").json(key_id_).text(R"("})");
  if (stepped(now, wall)) off_ = {};  // it was set meanwhile; if it is wrong again, we shall hear of it
  uint8_t claims_room[96];
  Writer claims(claims_room);
  claims.text(R"({"iss":")").json(team_id_).text(R"(","iat":)").number((wall + off_).s).character('}');
  if (header.overflowed() || claims.overflowed()) return Error::too_long;

  uint8_t room[320];
  Writer token(room);
  token.text(scheme).base64url(header.written()).character('.').base64url(claims.written());
  if (token.overflowed()) return Error::too_long;
  uint8_t signature[64];
  if (const Status signing = key_.sign(token.written().subspan(scheme.size()), signature, random); !signing.ok()) {
    return signing;
  }
  token.character('.').base64url(signature);
  if (token.overflowed() || !text_.assign(token.view())) return Error::too_long;
  early_ = minted_ > 0 && now - minted_at_ <= renew_not_before;
  minted_at_ = now;
  minted_wall_ = wall;
  ++minted_;
  return {};
}

}  // namespace tocsin
