// What the simulated provider says, in Apple's and Google's words.
#include "base/check.h"
#include "base/encode.h"
#include "test/scenario/fake_provider.h"

namespace tocsin::test {

string_view FakeProvider::device_of(const H2Request& request) const {
  if (speech_ != Speech::fcm) return request.path();
  string_view body = request.body_text();
  constexpr string_view mark = "\"token\":\"";
  const size_t at = body.find(mark);
  if (at == string_view::npos) return {};
  body = slice(body, at + mark.size());
  return take_until(body, '"');
}

void FakeProvider::write_answer_body(Writer& body, const Rule& rule) {
  const string_view reason = rule.reason.view();
  const bool whole = starts_with(reason, "{") || starts_with(reason, "<");
  if (speech_ == Speech::web_push) {
    body.text(reason);
  } else if (speech_ == Speech::apns) {
    if (rule.status == 200) return;
    body.text("{\"reason\":\"").text(reason).text("\"");
    if (rule.timestamp_ms != 0) body.text(",\"timestamp\":").number(rule.timestamp_ms);
    body.text("}");
  } else if (whole) {
    body.text(reason);
  } else if (speech_ == Speech::fcm) {
    if (rule.status == 200) {
      body.text("{\"name\":\"projects/chat-example/messages/0:").unsigned_number(requests_).text("\"}");
      return;
    }
    body.text("{\"error\":{\"code\":").unsigned_number(rule.status);
    body.text(",\"message\":\"The registration token is bad\",\"status\":\"SAID_BELOW\",\"details\":[{\"@type\":");
    body.text("\"type.googleapis.com/google.firebase.fcm.v1.FcmError\",\"errorCode\":\"").text(reason).text("\"}]}}");
  } else if (rule.status == 200) {
    body.text("{\"access_token\":\"ya29.").unsigned_number(++tokens_).text("\",\"expires_in\":");
    body.number(token_lasts_.whole_seconds()).text(",\"token_type\":\"Bearer\"}");
  } else {
    body.text("{\"error\":\"").text(reason).text("\",\"error_description\":\"");
    body.text(rule.status == 400 && tells_time_ ? "Token must be in a reasonable timeframe" : "No.").text("\"}");
  }
}

// RFC 8292 §2, as autopush reads it.
bool FakeProvider::out_of_time(const SeenRequest& seen) const {
  string_view token = seen.authorization.view();
  take_until(token, '.');
  uint8_t room[512];
  const Result<size_t> size = decode_base64url(take_until(token, '.'), room);
  GW_CHECK(size.ok());
  string_view claims = text_of(ByteView(room).first(size.value()));
  constexpr string_view mark = "\"exp\":";
  claims = slice(claims, claims.find(mark) + mark.size());
  const UnixTime ends{static_cast<int64_t>(parse_number(take_until(claims, ','), UINT32_MAX).value())};
  return ends <= world_.wall() || ends - world_.wall() > hours(24);
}

// "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110 §5.6.7).
void FakeProvider::write_date(Writer& out, UnixTime at) {
  constexpr string_view weekdays = "ThuFriSatSunMonTueWed";  // 1970 began on a Thursday
  constexpr string_view months = "JanFebMarAprMayJunJulAugSepOctNovDec";
  const int64_t day = at.s / 86'400;
  // Civil from days, after Howard Hinnant: years begin in March.
  const int64_t z = day + 719'468, era = z / 146'097, of_era = z - era * 146'097;
  const int64_t year_of_era = (of_era - of_era / 1460 + of_era / 36'524 - of_era / 146'096) / 365;
  const int64_t of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const int64_t month = (5 * of_year + 2) / 153;
  const int64_t date = of_year - (153 * month + 2) / 5 + 1;
  const int64_t real_month = month < 10 ? month + 2 : month - 10;
  const auto two = [&out](int64_t n) {
    out.character(static_cast<char>('0' + n / 10)).character(static_cast<char>('0' + n % 10));
  };
  out.text(slice(weekdays, static_cast<size_t>(day % 7) * 3, 3)).text(", ");
  two(date);
  out.text(" ").text(slice(months, static_cast<size_t>(real_month) * 3, 3)).text(" ");
  out.number(year_of_era + era * 400 + (real_month < 2 ? 1 : 0)).text(" ");
  two(at.s % 86'400 / 3600);
  out.text(":");
  two(at.s % 3600 / 60);
  out.text(":");
  two(at.s % 60);
  out.text(" GMT");
}

}  // namespace tocsin::test
