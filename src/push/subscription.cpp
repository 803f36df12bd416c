// What a client calls its subscription.
#include "base/encode.h"
#include "base/text.h"
#include "model/registration.h"
#include "push/web_push.h"

namespace tocsin {
namespace {

// base64url as browsers write it, or base64 as programs do that know no better.
Result<size_t> decode_either(string_view text, Bytes room) {
  const Result<size_t> read = decode_base64url(text, room);
  return read.ok() ? read : decode_base64(text, room);
}

}  // namespace

Result<Subscription> read_subscription(string_view text, JsonDocument& json) {
  text = trim(text);
  if (text.empty()) return Error::malformed;
  if (text.front() != '{') return Subscription{.endpoint = text, .p256dh = {}, .auth = {}};
  if (const Status parsed = json.parse(text); !parsed.ok()) return parsed.error();
  const Subscription subscription{.endpoint = json.text({"endpoint"}),
                                  .p256dh = json.text({"keys", "p256dh"}),
                                  .auth = json.text({"keys", "auth"})};
  if (subscription.endpoint.empty()) return Error::malformed;
  return subscription;
}

string_view subscription_fault(string_view text, JsonDocument& json) {
  text = trim(text);
  if (starts_with(text, "\"")) return "is JSON within JSON: send JSON.stringify(subscription), and that only once";
  if (starts_with(text, "{") && !json.parse(text).ok()) {
    return "is no whole JSON: send the text of JSON.stringify(subscription)";
  }
  const Result<Subscription> read = read_subscription(text, json);
  if (!read.ok()) return "names no endpoint: send the text of JSON.stringify(subscription)";
  const string_view endpoint = read.value().endpoint;
  const size_t colon = endpoint.find("://");
  if (colon == string_view::npos) {
    return "is not the JSON text of a subscription: send the text of JSON.stringify(subscription)";
  }
  if (!same_ignoring_case(slice(endpoint, 0, colon), "https")) return "is refused: the endpoint must be https";
  if (endpoint.size() > token_bytes_max) return "is refused: the endpoint is too long";
  return "is refused: the endpoint must be https with a host in ASCII, and have neither user nor blanks nor #";
}

Result<ByteView> read_subscription_keys(string_view p256dh, string_view auth, P256& curve, RandomSource& random,
                                        Arena& scratch, KeyFault& fault) {
  if (p256dh.empty() && auth.empty()) return ByteView();
  const auto refuse = [&fault](string_view key, string_view what) {
    fault = {.key = key, .what = what};
    return Error::malformed;
  };
  if (p256dh.empty()) return refuse("p256dh", "is missing (65 bytes, base64url)");
  if (auth.empty()) return refuse("auth", "is missing (16 bytes, base64url)");
  uint8_t keys[ece_keys_bytes];
  const Result<size_t> point = decode_either(p256dh, Bytes(keys).first(p256_point_bytes));
  if (!point.ok() || point.value() != p256_point_bytes) return refuse("p256dh", "must be 65 bytes in base64url");
  const Result<size_t> secret = decode_either(auth, Bytes(keys).subspan(p256_point_bytes, ece_auth_bytes));
  if (!secret.ok() || secret.value() != ece_auth_bytes) return refuse("auth", "must be 16 bytes in base64url");
  // Any secret will do to ask whether the point is on the curve.
  P256Point theirs;
  copy_bytes(theirs, ByteView(keys).first(sizeof theirs));
  P256Secret one = {};
  one[sizeof one - 1] = 1;
  uint8_t shared[32];
  fault = {.key = "p256dh", .what = "is not a point of P-256"};
  if (const Status agreed = curve.shared_secret(one, theirs, shared, random); !agreed.ok()) return agreed.error();
  uint8_t* const kept = static_cast<uint8_t*>(scratch.take(ece_keys_bytes, 1));
  if (kept == nullptr) return Error::exhausted;
  copy_bytes(kept, ByteView(keys).first(ece_keys_bytes));
  return ByteView(kept, ece_keys_bytes);
}

}  // namespace tocsin
