// What APNs answers and what it means, in one table.
#include "base/text.h"
#include "push/apns.h"
#include "push/retry.h"

namespace tocsin {
namespace {

using Kind = Verdict::Kind;

// How long a section rests when only its operator can help; the rhythm in which Apple takes new tokens.
constexpr Duration pause = minutes(20);

// Apple takes tokens from an hour back to some minutes ahead; less is the way of the answer.
constexpr Duration clock_off_from = minutes(5);

struct Meaning {
  Kind kind;
  RetryClass retry_class = RetryClass::never;
  Duration after{};
  Duration pause{};
  bool reconnect = false;
  bool reauthorize = false;
  bool environment = false;
  bool clock = false;
  string_view advice = "";  // what the operator should check
};

constexpr Meaning accepted{.kind = Kind::delivered};
constexpr Meaning gone{.kind = Kind::dead};
constexpr Meaning too_large{.kind = Kind::shrink};
constexpr Meaning device_too_often{.kind = Kind::limited, .retry_class = RetryClass::device_rate};

// `suspect`: our own mistakes produce the same words.
constexpr Meaning bad_token{
    .kind = Kind::suspect,
    .environment = true,
    .advice = "check environment and topic: the token may belong to the other environment or to another app"};
constexpr Meaning token_of_another_app{.kind = Kind::suspect,
                                       .advice = "check topic: the token belongs to another app"};

constexpr Meaning bad_topic{
    .kind = Kind::config,
    .retry_class = RetryClass::authorization,
    .pause = pause,
    .advice = "check topic: it must be the app's bundle id, and the key must be allowed to push to it"};
// Not minted anew: minting again and again turns this into 429 for the whole address.
constexpr Meaning bad_key{.kind = Kind::config,
                          .retry_class = RetryClass::authorization,
                          .pause = pause,
                          .clock = true,  // a token from the future
                          .advice = "check key, key_id and team_id: an APNs key of that team that was not revoked"};
constexpr Meaning key_of_other_environment{.kind = Kind::config,
                                           .retry_class = RetryClass::authorization,
                                           .pause = pause,
                                           .advice = "check environment: the key is for the other one"};
constexpr Meaning bad_certificate{
    .kind = Kind::config,
    .retry_class = RetryClass::authorization,
    .pause = pause,
    .reconnect = true,
    .advice = "check the certificate: it must be valid, and be for this environment and this app"};

// The connection is wedged after it, so a new token alone does not help.
constexpr Meaning token_too_old{
    .kind = Kind::retry,
    .retry_class = RetryClass::authorization,
    .reconnect = true,
    .reauthorize = true,
    .clock = true,
    .advice = "check the system's clock: Apple takes a token for an hour from the time that it names"};
constexpr Meaning key_of_another_connection{
    .kind = Kind::retry,
    .retry_class = RetryClass::authorization,
    .reconnect = true,
    .advice = "check key_id: the key is not the one that this connection began with"};
// Seen with a clean rhythm of 50 minutes too: the token is kept, only a new connection ends it.
constexpr Meaning token_too_new{
    .kind = Kind::retry,
    .retry_class = RetryClass::rate_told,
    .after = seconds(60),
    .reconnect = true,
    .advice = "check whether others push with the same key: a token may change once in 20 minutes"};

constexpr Meaning trouble{.kind = Kind::retry, .retry_class = RetryClass::server_trouble};
constexpr Meaning going_down{.kind = Kind::retry, .retry_class = RetryClass::shutting_down, .reconnect = true};
constexpr Meaning idle{.kind = Kind::retry, .retry_class = RetryClass::unprocessed, .reconnect = true};

constexpr Meaning our_bug{.kind = Kind::refused, .advice = "this is a bug of tocsin, please report it with this line"};
constexpr Meaning forbidden{.kind = Kind::refused,
                            .advice = "check in Apple's developer account what the key may do: not this"};
constexpr Meaning unknown{.kind = Kind::refused,
                          .advice = "tocsin does not know this answer: please report it with this line"};

struct Row {
  uint16_t status;
  string_view reason;
  const Meaning& meaning;
};

// Apple, "Handling notification responses from APNs"; its reasons about broadcast channels are not for us.
constexpr Row table[] = {
    {400, "BadDeviceToken", bad_token},
    {400, "DeviceTokenNotForTopic", token_of_another_app},
    {400, "TopicDisallowed", bad_topic},
    {400, "BadTopic", bad_topic},
    {400, "MissingTopic", bad_topic},
    {400, "BadCollapseId", our_bug},
    {400, "BadExpirationDate", our_bug},
    {400, "BadMessageId", our_bug},
    {400, "BadPriority", our_bug},
    {400, "InvalidPushType", our_bug},
    {400, "DuplicateHeaders", our_bug},
    {400, "MissingDeviceToken", our_bug},
    {400, "PayloadEmpty", our_bug},
    {400, "IdleTimeout", idle},
    {403, "ExpiredProviderToken", token_too_old},
    {403, "InvalidProviderToken", bad_key},
    {403, "MissingProviderToken", our_bug},
    {403, "UnrelatedKeyIdInToken", key_of_another_connection},
    {403, "BadEnvironmentKeyIdInToken", key_of_other_environment},
    {403, "BadCertificate", bad_certificate},
    {403, "BadCertificateEnvironment", bad_certificate},
    {403, "Forbidden", forbidden},
    {404, "BadPath", our_bug},
    {405, "MethodNotAllowed", our_bug},
    {410, "Unregistered", gone},
    {410, "ExpiredToken", gone},
    {413, "PayloadTooLarge", too_large},
    {429, "TooManyProviderTokenUpdates", token_too_new},
    {429, "TooManyRequests", device_too_often},
    {500, "InternalServerError", trouble},
    {503, "ServiceUnavailable", trouble},
    {503, "Shutdown", going_down},
};

constexpr bool every_reason_once() {
  for (const Row& a : table) {
    for (const Row& b : table) {
      if (&a != &b && a.reason == b.reason) return false;
    }
  }
  return true;
}
static_assert(every_reason_once());

// Apple adds reasons: what is not in the table is judged by its status, and never ends a device.
const Meaning& meaning_of(uint16_t status, string_view reason) {
  if (status == 200) return accepted;
  for (const Row& row : table) {
    if (row.status == status && row.reason == reason) return row.meaning;
  }
  if (status == 413) return too_large;
  if (status == 429) return device_too_often;
  return status >= 500 && status < 600 ? trouble : unknown;
}

string_view words_for(const Reply& reply) {
  if (reply.status == 200 || !reply.reason.empty()) return reply.reason;
  switch (reply.status / 100) {
    case 4: return reply.status == 410 ? "410 without a reason" : "4xx without a reason";
    case 5: return "5xx without a reason";
    default: return "an answer that is no answer";
  }
}

}  // namespace

Verdict Apns::judge(const Reply& reply, UnixTime now) const {
  const Meaning& meaning = meaning_of(reply.status, reply.reason);
  Verdict verdict;
  verdict.kind = meaning.kind;
  verdict.retry_class = meaning.retry_class;
  verdict.after = meaning.after;
  verdict.pause = meaning.pause;
  verdict.reconnect = meaning.reconnect;
  verdict.reauthorize = meaning.reauthorize;
  verdict.environment = meaning.environment;
  verdict.reason = words_for(reply);
  verdict.advice = meaning.advice;
  Duration off = plausible(reply.date) && plausible(now) ? reply.date - now : Duration{};
  if (off < clock_off_from && Duration{} - off < clock_off_from) off = {};
  if (meaning.clock) verdict.clock_off = off;
  if (meaning.kind == Kind::dead && reply.timestamp_ms > 0) {
    // By our clock, for it is compared with what that said when the device registered.
    const int64_t since = reply.timestamp_ms / 1000 - off.whole_seconds();
    verdict.gone_since = UnixTime{since > 0 ? since : 1};  // 0 would say that there was no time
  }
  if (meaning.kind == Kind::limited) {
    // A date counts from the provider's own clock where it told that.
    verdict.after = parse_retry_after(reply.retry_after, plausible(reply.date) ? reply.date : now);
    if (verdict.after.us > 0) verdict.retry_class = RetryClass::rate_told;
  }
  return verdict;
}

}  // namespace tocsin
