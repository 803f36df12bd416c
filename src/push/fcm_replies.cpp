// What FCM answers and what it means, in one table.
#include "base/text.h"
#include "push/fcm.h"
#include "push/retry.h"

namespace tocsin {
namespace {

using Kind = Verdict::Kind;

// How long a section rests when only its operator can help.
constexpr Duration pause = minutes(15);
constexpr size_t name_bytes_max = 128;
constexpr Duration quota_wait = seconds(60);  // Google: at least a minute, where there is no Retry-After

struct Meaning {
  Kind kind;
  RetryClass retry_class = RetryClass::never;
  Duration pause{};
  bool reauthorize = false;
  string_view advice = "";  // what the operator should check
};

constexpr Meaning accepted{.kind = Kind::delivered};
constexpr Meaning gone{.kind = Kind::dead};
constexpr Meaning too_large{.kind = Kind::shrink};
constexpr Meaning device_too_often{.kind = Kind::limited, .retry_class = RetryClass::rate};
constexpr Meaning trouble{.kind = Kind::retry, .retry_class = RetryClass::server_busy};

// `suspect`: our own mistakes produce the same words.
constexpr Meaning bad_token{.kind = Kind::suspect,
                            .advice =
                                "check that the app's devices register FCM tokens: this is none, or one of "
                                "another app"};
constexpr Meaning token_of_another_project{
    .kind = Kind::suspect, .advice = "check service_account: the token belongs to another Firebase project"};

constexpr Meaning token_ended{
    .kind = Kind::retry,
    .retry_class = RetryClass::authorization,
    .reauthorize = true,
    .advice = "check service_account: Google refuses the access token that it gave for it a moment ago"};
constexpr Meaning service_off{.kind = Kind::config,
                              .retry_class = RetryClass::authorization,
                              .pause = pause,
                              .advice = "enable the Firebase Cloud Messaging API (V1) in the project's settings"};
constexpr Meaning not_allowed{
    .kind = Kind::config,
    .retry_class = RetryClass::authorization,
    .pause = pause,
    .advice = "check service_account: in its project it needs the role Firebase Cloud Messaging API Admin"};
constexpr Meaning no_project{
    .kind = Kind::config,
    .retry_class = RetryClass::authorization,
    .pause = pause,
    .advice = "check service_account: FCM knows no project of the name that project_id has there"};
constexpr Meaning project_too_often{.kind = Kind::config,
                                    .retry_class = RetryClass::rate_told,
                                    .pause = quota_wait,
                                    .advice = "the project's quota is used up: see FCM's quotas in Google's console"};

constexpr Meaning apns_of_firebase{
    .kind = Kind::refused,
    .advice = "check the APNs key in the Firebase project's settings: without it FCM reaches no iPhone"};
constexpr Meaning our_bug{.kind = Kind::refused, .advice = "this is a bug of tocsin, please report it with this line"};
constexpr Meaning unknown{.kind = Kind::refused,
                          .advice = "tocsin does not know this answer: please report it with this line"};

// Whether the word is an errorCode of FCM, or one that all of Google's services use; any: it does not matter.
enum class Whose : uint8_t { any, fcm, google };
enum class Device : uint8_t { any, yes, no };  // does it complain of the device?

struct Row {
  uint16_t status;
  string_view word;  // "": every one
  Whose whose;
  Device device;
  const Meaning& meaning;
};

// firebase.google.com, "ErrorCode"; the first row that fits.
constexpr Row table[] = {
    {400, "INVALID_ARGUMENT", Whose::fcm, Device::yes, bad_token},
    {400, "INVALID_ARGUMENT", Whose::any, Device::any, our_bug},
    {401, "THIRD_PARTY_AUTH_ERROR", Whose::fcm, Device::any, apns_of_firebase},
    {401, "APNS_AUTH_ERROR", Whose::fcm, Device::any, apns_of_firebase},
    {401, "", Whose::google, Device::any, token_ended},
    {403, "SENDER_ID_MISMATCH", Whose::fcm, Device::any, token_of_another_project},
    {403, "SERVICE_DISABLED", Whose::google, Device::any, service_off},
    {403, "", Whose::google, Device::any, not_allowed},
    {404, "UNREGISTERED", Whose::fcm, Device::any, gone},
    {404, "NOT_FOUND", Whose::fcm, Device::any, gone},
    {404, "", Whose::google, Device::any, no_project},
    {429, "", Whose::any, Device::yes, device_too_often},
    {429, "", Whose::any, Device::any, project_too_often},
    {500, "INTERNAL", Whose::any, Device::any, trouble},
    {503, "UNAVAILABLE", Whose::any, Device::any, trouble},
};

const Meaning& meaning_of(const Reply& reply) {
  if (reply.status == 200) return accepted;
  if (reply.readable && reply.too_big && (reply.status == 400 || reply.status == 413)) return too_large;
  // A page in HTML comes from what stands in front of the service, and says nothing about us or a device.
  if (!reply.readable && reply.status >= 400 && reply.status != 401 && reply.status != 429) return trouble;
  for (const Row& row : table) {
    if (row.status != reply.status || (!row.word.empty() && row.word != reply.reason)) continue;
    if (row.whose != Whose::any && (row.whose == Whose::fcm) != reply.own_word) continue;
    if (row.device != Device::any && (row.device == Device::yes) != reply.about_device) continue;
    return row.meaning;
  }
  if (reply.status == 413) return too_large;
  // Google adds words: what is not in the table is judged by its status, and never ends a device.
  return reply.status >= 500 && reply.status < 600 ? trouble : unknown;
}

string_view words_for(const Reply& reply, const Meaning& meaning) {
  if (&meaning == &our_bug && !reply.field.empty()) return reply.field;
  if (reply.status == 200 || !reply.reason.empty()) return reply.reason;
  switch (reply.status / 100) {
    case 4: return reply.status == 429 ? "429 without a reason" : "4xx without a reason";
    case 5: return "5xx without a reason";
    default: return "an answer that is no answer";
  }
}

bool has_ignoring_case(string_view text, string_view words) {
  for (size_t i = 0; i + words.size() <= text.size(); ++i) {
    if (same_ignoring_case(slice(text, i, words.size()), words)) return true;
  }
  return false;
}

// What the details of one kind complain of.
void read_violations(const JsonValue& detail, Reply& reply, bool& others) {
  for (const char* list : {"fieldViolations", "violations"}) {
    const JsonValue violations = detail[list];
    for (size_t i = 0; i < violations.size(); ++i) {
      const JsonValue each = violations.item(i);
      const string_view field = each["field"].text();
      const string_view description = each["description"].text();
      if (has_ignoring_case(description, "too big")) reply.too_big = true;
      if (list[0] == 'v') {
        if (has_ignoring_case(each["subject"].text(), "device") || has_ignoring_case(description, "device")) {
          reply.about_device = true;
        }
      } else if (field == "message.token") {
        reply.about_device = true;
      } else {
        others = true;
        if (reply.field.empty() && fit_for_log(field)) reply.field = field;
      }
    }
  }
}

// The message's name, for the log alone; a parser for it would cost a tenth of a push.
string_view name_in(string_view body) {
  constexpr string_view key = R"("name")";
  const size_t at = body.find(key);
  if (at == string_view::npos) return {};
  const string_view colon = trim(slice(body, at + key.size()));
  if (!starts_with(colon, ":")) return {};
  const string_view quote = trim(slice(colon, 1));
  if (!starts_with(quote, "\"")) return {};
  const string_view name = slice(quote, 1, slice(quote, 1).find('"'));
  return name.size() <= name_bytes_max ? name : string_view();
}

}  // namespace

// As Google's own libraries do: the errorCode of the first FcmError; else an ErrorInfo's reason, else the status.
void Fcm::read(string_view body, JsonDocument& json, Reply& reply) const {
  reply.reason = reply.ref = reply.field = {};
  reply.readable = reply.own_word = reply.about_device = reply.too_big = false;
  if (reply.status == 200) {
    reply.ref = name_in(body);
    return;
  }
  if (!json.parse(body).ok()) return;
  const JsonValue error = json.root()["error"];
  if (!error.is_object()) return;
  reply.readable = true;
  const string_view message = error["message"].text();
  if (has_ignoring_case(message, "too big")) reply.too_big = true;
  const JsonValue details = error["details"];
  string_view word, info;
  bool others = false;
  for (size_t i = 0; i < details.size(); ++i) {
    const JsonValue detail = details.item(i);
    const string_view type = detail["@type"].text();
    if (ends_with(type, "google.firebase.fcm.v1.FcmError") && word.empty()) word = detail["errorCode"].text();
    if (ends_with(type, "google.rpc.ErrorInfo") && info.empty()) info = detail["reason"].text();
    if (ends_with(type, "google.rpc.BadRequest") || ends_with(type, "google.rpc.QuotaFailure")) {
      read_violations(detail, reply, others);
    }
  }
  if (reply.status == 400 && !others && has_ignoring_case(message, "registration token")) reply.about_device = true;
  if (reply.status == 429 && has_ignoring_case(message, "device")) reply.about_device = true;
  // What is wrong beside the token is our mistake, whatever the token is.
  if (others) reply.about_device = false;
  reply.own_word = !word.empty();
  const string_view said = !word.empty() ? word : !info.empty() ? info : error["status"].text();
  if (fit_for_log(said)) reply.reason = said;
}

Verdict Fcm::judge(const Reply& reply, UnixTime now) const {
  const Meaning& meaning = meaning_of(reply);
  Verdict verdict;
  verdict.kind = meaning.kind;
  verdict.retry_class = meaning.retry_class;
  verdict.pause = meaning.pause;
  verdict.reauthorize = meaning.reauthorize;
  verdict.reason = words_for(reply, meaning);
  verdict.advice = meaning.advice;
  const bool waits = &meaning == &trouble || &meaning == &device_too_often || &meaning == &project_too_often;
  if (!waits) return verdict;
  // A date counts from the provider's own clock where it told that.
  verdict.after = parse_retry_after(reply.retry_after, plausible(reply.date) ? reply.date : now);
  const bool told = verdict.after.us > 0;
  // Trouble keeps its class, which ends after an hour.
  if (told && &meaning != &trouble) verdict.retry_class = RetryClass::rate_told;
  if (told && meaning.pause.us > 0) verdict.pause = verdict.after;
  if (!told && &meaning == &project_too_often) verdict.after = quota_wait;
  return verdict;
}

}  // namespace tocsin
