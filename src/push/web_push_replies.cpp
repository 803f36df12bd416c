// What push services answer and what it means, in one table.
#include "base/text.h"
#include "push/retry.h"
#include "push/web_push.h"

namespace tocsin {
namespace {

using Kind = Verdict::Kind;

struct Meaning {
  Kind kind;
  RetryClass retry_class = RetryClass::never;
  bool reauthorize = false;
  string_view advice = "";  // what the operator should check
  uint8_t hold_after_times = 0;
  Duration hold_after{};
};

// No meaning pauses the section: it speaks with many services, of which a stranger may have made one.
constexpr Meaning accepted{.kind = Kind::delivered};
constexpr Meaning gone{.kind = Kind::dead};
constexpr Meaning too_large{.kind = Kind::shrink};
// Where the least there is gets it as well, it is not about the size.
constexpr Meaning refused_itself{
    .kind = Kind::shrink,
    .advice = "the push service refuses the request itself; was the subscription made with another VAPID key?"};
constexpr Meaning too_often{.kind = Kind::limited, .retry_class = RetryClass::rate};
constexpr Meaning trouble{.kind = Kind::retry, .retry_class = RetryClass::origin_busy};
// ntfy says 5xx on purpose while no app listens, so that senders keep the subscription.
constexpr Meaning nobody_listens{.kind = Kind::retry, .retry_class = RetryClass::server_trouble, .hold_after = days(7)};

// `suspect`: a key of ours that was replaced, or a wrong clock, produces the same words.
constexpr Meaning other_key{.kind = Kind::suspect,
                            .advice = "check vapid_key: the subscription was made with another key"};
constexpr Meaning bad_endpoint{.kind = Kind::suspect,
                               .advice = "check vapid_key: the service knows no such subscription under it"};
// Said without a word: the key does not fit, or our clock; the latter a new token may mend.
constexpr Meaning bare_refusal{
    .kind = Kind::suspect, .reauthorize = true, .advice = "check vapid_key and the system's clock"};

constexpr Meaning token_refused{.kind = Kind::retry,
                                .retry_class = RetryClass::authorization,
                                .reauthorize = true,
                                .advice = "check the system's clock and contact: a push service refuses our token"};
constexpr Meaning wrong_clock{.kind = Kind::retry,
                              .retry_class = RetryClass::authorization,
                              .reauthorize = true,
                              .advice = "check the system's clock: the push service has another time"};

constexpr Meaning our_bug{.kind = Kind::refused, .advice = "this is a bug of tocsin, please report it with this line"};
constexpr Meaning not_allowed{
    .kind = Kind::refused, .advice = "the push service forbids it: a server of your own may want a password or a rule"};
constexpr Meaning no_push_service{
    .kind = Kind::refused, .advice = "what the device registered is no push endpoint", .hold_after_times = 3};
constexpr Meaning bad_keys{.kind = Kind::refused,
                           .advice = "the push service can not read what is sealed with this device's keys",
                           .hold_after_times = 3};
constexpr Meaning elsewhere{.kind = Kind::refused,
                            .advice = "the endpoint answers with a redirect, which is never followed"};
constexpr Meaning unknown{.kind = Kind::refused,
                          .advice = "tocsin does not know this answer: please report it with this line",
                          .hold_after = days(5)};

struct Row {
  uint16_t status;
  string_view word;  // "": any
  int64_t number;    // 0: any
  const Meaning& meaning;
  string_view said = "";  // for the log where a number was said
};

constexpr string_view google_other_key = "credentials do not correspond";

// The first row that fits. Words: Apple, Google. Numbers below 1,000 are autopush's errno, above them ntfy's code.
constexpr Row table[] = {
    {400, "VapidPkHashMismatch", 0, other_key},
    {400, "UnauthorizedRegistration", 0, other_key},
    {400, "InvalidRegistration", 0, bad_endpoint},
    {400, "BadDeviceToken", 0, bad_endpoint},
    {400, "ExpiredToken", 0, bad_endpoint},
    {400, "BadTtl", 0, our_bug},
    {400, "BadUrgency", 0, our_bug},
    {400, "BadWebPushTopic", 0, our_bug},
    {400, "BadWebPushRequest", 0, our_bug},
    {400, "", 101, bad_keys, "errno 101"},
    {400, "", 108, our_bug, "errno 108"},
    {400, "", 110, bad_keys, "errno 110"},
    {400, "", 111, our_bug, "errno 111"},
    {400, "", 112, our_bug, "errno 112"},
    {400, "", 113, our_bug, "errno 113"},
    {400, "", 114, our_bug, "errno 114"},
    {400, "", 40009, bad_endpoint, "code 40009"},
    {400, "", 40010, bad_endpoint, "code 40010"},
    // Perhaps that the message is empty, which devices without keys get: once more with the least there is.
    {400, "", 0, refused_itself},
    {401, "", 109, token_refused, "errno 109"},
    {401, "", 40101, not_allowed, "code 40101"},
    {401, "BadJwtToken", 0, token_refused},
    {403, "BadJwtToken", 0, token_refused},
    {403, "BadAuthorizationHeader", 0, token_refused},
    {403, google_other_key, 0, other_key},
    {403, "", 0, not_allowed},
    {404, "", 0, gone},
    {405, "", 0, no_push_service},
    {406, "", 0, too_often},
    {408, "", 0, trouble},
    {410, "", 0, gone},
    {413, "", 0, too_large},
    {415, "", 0, no_push_service},
    {429, "", 0, too_often},
    {507, "", 0, nobody_listens},
};

// A token lives hours: a clock that differs by less is not what was refused.
constexpr Duration clock_differs = hours(1);

bool clock_is_wrong(const Reply& reply, UnixTime now) {
  if (!plausible(reply.date)) return false;
  const Duration difference = now - reply.date;
  return difference > clock_differs || difference < Duration{} - clock_differs;
}

const Row* row_of(const Reply& reply) {
  for (const Row& row : table) {
    if (row.status != reply.status) continue;
    if (!row.word.empty() && row.word != reply.reason) continue;
    if (row.number != 0 && row.number != reply.number) continue;
    return &row;
  }
  return nullptr;
}

const Meaning& meaning_of(const Reply& reply, const Row* row) {
  if (row != nullptr) return row->meaning;
  switch (reply.status / 100) {
    case 2: return accepted;
    case 3: return elsewhere;
    case 5: return trouble;
    default: break;
  }
  // Microsoft says nothing at all where Apple and Mozilla have words; a page is of something in front of the service.
  if (reply.status == 401) return reply.readable ? token_refused : reply.worded ? not_allowed : bare_refusal;
  return unknown;
}

string_view words_for(const Reply& reply, const Row* row) {
  if (row != nullptr && !row->said.empty()) return row->said;
  if (!reply.reason.empty() || reply.status / 100 == 2) return reply.reason;
  switch (reply.status) {
    case 400: return "400 without a reason";
    case 401: return "401 without a reason";
    case 403: return "403 without a reason";
    case 404: return "404 without a reason";
    case 410: return "410 without a reason";
    case 413: return "413 without a reason";
    case 429: return "429 without a reason";
    default: break;
  }
  switch (reply.status / 100) {
    case 3: return "a redirect";
    case 4: return "4xx without a reason";
    case 5: return "5xx without a reason";
    default: return "an answer that is no answer";
  }
}

}  // namespace

// Apple: {"reason":…}; autopush: {"errno":…,"error":…}; ntfy: {"code":…,"error":…}; Google: a sentence or a page.
void WebPush::read(string_view body, JsonDocument& json, Reply& reply) const {
  reply.reason = {};
  reply.number = 0;
  reply.readable = false;
  reply.worded = !trim(body).empty();
  if (reply.status / 100 == 2) return;
  if (json.parse(body).ok()) {
    reply.readable = true;
    const string_view reason = json.text({"reason"});
    const string_view error = json.text({"error"});
    if (!reason.empty() && fit_for_log(reason)) {
      reply.reason = reason;
    } else if (fit_for_log(error)) {
      reply.reason = error;
    }
    reply.number = json.number({"errno"}, 0);
    if (reply.number == 0) reply.number = json.number({"code"}, 0);
    return;
  }
  if (body.find("do not correspond to the credentials used") != string_view::npos) {
    reply.reason = google_other_key;
  } else if (body.find("UnauthorizedRegistration") != string_view::npos) {
    reply.reason = "UnauthorizedRegistration";
  } else if (body.find("InvalidRegistration") != string_view::npos) {
    reply.reason = "InvalidRegistration";
  }
}

Verdict WebPush::judge(const Reply& reply, UnixTime now) const {
  const Row* const row = row_of(reply);
  const Meaning* meaning = &meaning_of(reply, row);
  const bool about_token = meaning == &token_refused || meaning == &bare_refusal;
  if (about_token && clock_is_wrong(reply, now)) meaning = &wrong_clock;
  Verdict verdict;
  if (meaning == &wrong_clock && plausible(now)) verdict.clock_off = reply.date - now;
  verdict.kind = meaning->kind;
  verdict.retry_class = meaning->retry_class;
  verdict.reauthorize = meaning->reauthorize;
  verdict.hold_after_times = meaning->hold_after_times;
  verdict.hold_after = meaning->hold_after;
  verdict.reason = words_for(reply, row);
  verdict.advice = meaning->advice;
  if (meaning == &too_often || meaning == &trouble || meaning == &nobody_listens) {
    // A date counts from the service's own clock where it told that.
    verdict.after = parse_retry_after(reply.retry_after, plausible(reply.date) ? reply.date : now);
    if (verdict.after.us > 0) verdict.retry_class = RetryClass::rate_told;
  }
  return verdict;
}

}  // namespace tocsin
