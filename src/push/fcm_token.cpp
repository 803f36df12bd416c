#include "push/fcm_token.h"

#include "base/encode.h"
#include "push/retry.h"

namespace tocsin {
namespace {

constexpr string_view scheme = "Bearer ";
constexpr string_view form = "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=";
constexpr Duration assertion_lasts = hours(1);       // Google's maximum
constexpr Duration renewed_before_end = minutes(5);  // as Google's own libraries
constexpr Duration renewed_after = minutes(1);
constexpr Duration lasts_unless_told = hours(1);
constexpr Duration lasts_max = days(1);
constexpr Duration skew_from = minutes(1);
constexpr Duration pause = minutes(15);  // when only the operator can help
constexpr size_t claims_bytes_max = 255 + 255 + 200;
constexpr size_t body_bytes_max = 2600;  // form, header and claims in base64url, a signature of 512 bytes

static_assert(form.size() + (130 + claims_bytes_max + Rs256Key::signature_bytes_max) * 4 / 3 + 8 <= body_bytes_max);
static_assert(body_bytes_max + 255 <= Request::room_bytes);

bool far(Duration a, Duration b) { return a - b > skew_from || b - a > skew_from; }

bool is_token(string_view text) {
  for (const char c : text) {
    if (c <= 0x20 || c > 0x7E) return false;
  }
  return !text.empty() && text.size() <= FcmToken::token_bytes_max;
}

}  // namespace

Status FcmToken::keep_fresh(Instant now, UnixTime, RandomSource&) {
  if (usable(now) && now < renew_at_) return {};
  wanted_ = true;
  return usable(now) ? Status() : Status(Error::busy);
}

// Requests that left with the token before this one may be refused late.
bool FcmToken::renew(Instant now, UnixTime, RandomSource&) {
  if (text_.empty()) return wanted_;
  if (now - fetched_ <= renewed_after) return false;
  text_.clear();
  return true;
}

Status FcmToken::write_request(UnixTime wall, RandomSource& random, Request& request) const {
  if (!plausible(wall)) return Error::again;
  const UnixTime issued = wall + skew_;
  uint8_t header_room[130];
  Writer header(header_room);
  header.text(R"({"alg":"RS256","typ":"JWT")");
  if (!account_.key_id.empty()) header.text(R"(,"kid":")").json(account_.key_id.view()).character('"');
  header.character('}');
  uint8_t claims_room[claims_bytes_max];
  Writer claims(claims_room);
  claims.text(R"({"iss":")").json(account_.email.view());
  claims.text(R"(","scope":"https://www.googleapis.com/auth/firebase.messaging","aud":")");
  claims.json(account_.token_uri.view()).text(R"(","iat":)").number(issued.s);
  claims.text(R"(,"exp":)").number((issued + assertion_lasts).s).character('}');
  if (header.overflowed() || claims.overflowed()) return Error::too_long;

  request.clear();
  Writer path(request.scratch, account_.token_path.view().size());
  path.text(account_.token_path.view());
  Writer body(request.scratch, body_bytes_max);
  body.text(form).base64url(header.written()).character('.').base64url(claims.written());
  if (path.overflowed() || body.overflowed()) return Error::too_long;
  uint8_t signature[Rs256Key::signature_bytes_max];
  const Result<size_t> size = key_.sign(body.written().subspan(form.size()), signature, random);
  if (!size.ok()) return size.error();
  body.character('.').base64url(ByteView(signature).first(size.value()));
  if (body.overflowed()) return Error::too_long;
  request.path = path.view();
  request.body = body.written();
  request.header("content-type", "application/x-www-form-urlencoded");
  return {};
}

// RFC 6749 §5: a token, or {"error":…,"error_description":…}.
FcmToken::Answer FcmToken::read(const Reply& reply, string_view body, JsonDocument& json, Instant now, UnixTime wall) {
  const bool readable = json.parse(body).ok();
  const JsonValue root = json.root();
  if (reply.status == 200 && readable) {
    const string_view token = root["access_token"].text();
    const int64_t told = root["expires_in"].number(lasts_unless_told.whole_seconds());
    uint8_t room[scheme.size() + token_bytes_max];
    Writer text(room);
    text.text(scheme).text(token);
    if (!is_token(token) || told <= 0 || !text_.assign(text.view())) {
      return {.reason = "no access token in the answer"};
    }
    const Duration lasts = told > lasts_max.whole_seconds() ? lasts_max : seconds(told);
    fetched_ = now;
    ends_ = now + lasts;
    // A short one is renewed at half of its time.
    renew_at_ = now + (lasts > renewed_before_end * 2 ? lasts - renewed_before_end : lasts / 2);
    wanted_ = false;
    return {.good = true};
  }

  Answer answer;
  const string_view word = readable ? root["error"].text() : string_view();
  const string_view description = readable ? root["error_description"].text() : string_view();
  answer.reason = fit_for_log(word) && !word.empty() ? word : string_view("no access token");
  if (reply.status == 429 || reply.status >= 500 || word.empty()) {
    answer.after = parse_retry_after(reply.retry_after, plausible(reply.date) ? reply.date : wall);
    return answer;
  }
  answer.after = pause;
  const bool clock = word == "invalid_grant" && (description.find("reasonable timeframe") != string_view::npos ||
                                                 description.find("short-lived") != string_view::npos);
  if (clock) {
    answer.after = seconds(60);
    answer.advice = "set the system's clock: Google refuses signatures from another time";
    // Where the endpoint tells its own time, that one is taken from now on; ours may be set meanwhile.
    if (plausible(reply.date)) {
      const Duration skew = reply.date - wall;
      if (far(skew, Duration{})) answer.skew_s = skew.whole_seconds();
      if (far(skew, skew_)) {
        skew_ = skew;
        answer.after = Duration{};
      }
    }
  } else if (word == "invalid_grant" || word == "invalid_client" || word == "unauthorized_client") {
    answer.advice = "check service_account: its key was deleted, or the account, or it is another file";
  } else if (word == "invalid_scope" || word == "unsupported_grant_type" || word == "invalid_request") {
    answer.advice = "this is a bug of tocsin, please report it with this line";
  } else {
    answer.advice = "check service_account: Google gives no access token for it";
  }
  return answer;
}

}  // namespace tocsin
