#include "push/vapid.h"

#include "base/check.h"
#include "base/text.h"
#include "crypto/crypto.h"

namespace tocsin {
namespace {

// RFC 8292 §2: at most 24 hours ahead. 18 leave six for a clock of ours that is fast, and a token is reused
// until six are left for one that is slow.
constexpr Duration lives = hours(18);
constexpr Duration reused_until = hours(6);
constexpr Duration tolerance = minutes(5);
constexpr Duration renew_not_before = minutes(1);
// A machine whose clock has no battery starts at the time when it was shut down; who is further off has no time to
// tell.
constexpr Duration off_max = days(366);
constexpr UnixTime spent{1};  // of a token that is to be signed anew: not 0, which says that its place is free

constexpr size_t origin_bytes_max = 8 + 253 + 6;
constexpr string_view scheme = "vapid t=";
constexpr string_view header = R"({"typ":"JWT","alg":"ES256"})";

void hash_origin(string_view origin, uint8_t (&hash)[16]) {
  uint8_t whole[32];
  sha256(bytes_of(origin), whole);
  copy_bytes(hash, ByteView(whole).first(sizeof hash));
}

}  // namespace

Vapid::~Vapid() { wipe(key_.secret); }

void Vapid::set_key(const P256Pair& key) {
  key_ = key;
  Writer text(Bytes(reinterpret_cast<uint8_t*>(public_text_), sizeof public_text_));
  text.base64url(key.point);
  GW_CHECK(text.size() == sizeof public_text_);
  has_key_ = true;
  for (VapidToken& token : table_) token = VapidToken{};
}

Status Vapid::try_key(RandomSource& random) const {
  P256Signature signature;
  const Status made = curve_.sign(key_.secret, bytes_of(header), signature, random);
  if (!made.ok()) return made;
  const Status good = curve_.verify(key_.point, bytes_of(header), signature);
  return good.ok() || good.error() != Error::malformed ? good : Status(Error::damaged);
}

bool Vapid::fresh(const VapidToken& token, UnixTime wall) const {
  const Duration left = token.expires - wall;
  // Over what it was given: the clock was set back since.
  return left >= reused_until && left <= lives + tolerance;
}

VapidToken* Vapid::find(const uint8_t (&hash)[16]) {
  for (VapidToken& token : table_) {
    if (token.expires.s != 0 && same(token.origin, hash)) return &token;
  }
  return nullptr;
}

VapidToken& Vapid::oldest() {
  VapidToken* found = &table_.front();
  for (VapidToken& token : table_) {
    if (token.expires.s == 0) return token;
    if (token.used < found->used) found = &token;
  }
  return *found;
}

// What does not fit overflows out.
void Vapid::write_unsigned(string_view origin, UnixTime expires, Writer& out) const {
  uint8_t room[1024];
  Writer claims(room);
  claims.text(R"({"aud":")").json(origin).text(R"(","exp":)").number(expires.s);
  claims.text(R"(,"sub":")").json(contact_).text(R"("})");
  out.base64url(bytes_of(header)).character('.');
  // Only a contact full of what JSON escapes could be so long; it is then too long for everybody.
  out.base64url(claims.overflowed() ? Bytes(room) : claims.written());
}

Status Vapid::authorization(string_view origin, UnixTime wall, RandomSource& random, Writer& out) {
  GW_CHECK(has_key_ && !table_.empty());
  if (!plausible(wall)) return Error::again;
  if (origin.size() > origin_bytes_max || contact_.size() > contact_bytes_max) return Error::too_long;
  uint8_t hash[16];
  hash_origin(origin, hash);
  VapidToken* token = find(hash);
  const UnixTime there = token == nullptr ? wall : wall + token->off;
  const bool reused = token != nullptr && fresh(*token, there);
  const UnixTime expires = reused ? token->expires : there + lives;

  const size_t begins = out.size();
  out.text(scheme);
  const size_t signed_from = out.size();
  write_unsigned(origin, expires, out);
  if (out.overflowed()) {
    out.rewind(begins);
    return Error::too_long;
  }
  if (!reused) {
    P256Signature signature;
    const Status made = curve_.sign(key_.secret, out.written().subspan(signed_from), signature, random);
    if (!made.ok()) {
      out.rewind(begins);
      return made;
    }
    ++signatures_;
    if (token == nullptr) {
      token = &oldest();
      *token = VapidToken{};
    }
    copy_bytes(token->origin, hash);
    copy_bytes(token->signature, signature);
    token->expires = expires;
    token->signed_at = wall;
  }
  token->used = ++clock_;
  out.character('.').base64url(token->signature).text(", k=").text(public_key());
  if (!out.overflowed()) return {};
  out.rewind(begins);
  return Error::too_long;
}

bool Vapid::renew(string_view origin, UnixTime wall) {
  uint8_t hash[16];
  hash_origin(origin, hash);
  VapidToken* token = find(hash);
  if (token == nullptr) return plausible(wall);
  const Duration age = wall - token->signed_at;
  // A clock that was set back is a reason as well.
  const bool misled = token->off.us != 0 && !token->off_again;  // what it says of the time is not so any more
  if (!misled && age < renew_not_before && age > Duration{} - tolerance) return false;
  if (misled) token->off = {};
  token->off_again = false;
  token->expires = spent;
  return true;
}

Credential::Clock Vapid::correct_clock(string_view origin, Duration off, Instant now) {
  uint8_t hash[16];
  hash_origin(origin, hash);
  VapidToken* token = find(hash);
  if (token == nullptr || off > off_max || off < Duration{} - off_max) return Credential::Clock::no;
  const bool lately = now - token->corrected_at < renew_not_before;
  const Duration news = off - token->off;
  if (token->off.us != 0 && news <= tolerance && news >= Duration{} - tolerance) {
    // What was signed before is answered by then. Later it is not the clock that is refused.
    token->off_again = !lately;
    return lately ? Credential::Clock::known : Credential::Clock::no;
  }
  if (lately) return Credential::Clock::no;  // a clock that says something else each time costs no signature each time
  token->off = off;
  token->corrected_at = now;
  token->off_again = false;
  token->expires = spent;
  return Credential::Clock::learnt;
}

}  // namespace tocsin
