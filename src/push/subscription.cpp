// What a client calls its subscription.
#include "base/encode.h"
#include "base/text.h"
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

Result<ByteView> read_subscription_keys(string_view p256dh, string_view auth, P256& curve, RandomSource& random,
                                        Arena& scratch) {
  if (p256dh.empty() && auth.empty()) return ByteView();
  uint8_t keys[ece_keys_bytes];
  const Result<size_t> point = decode_either(p256dh, Bytes(keys).first(p256_point_bytes));
  if (!point.ok() || point.value() != p256_point_bytes) return Error::malformed;
  const Result<size_t> secret = decode_either(auth, Bytes(keys).subspan(p256_point_bytes, ece_auth_bytes));
  if (!secret.ok() || secret.value() != ece_auth_bytes) return Error::malformed;
  // Any secret will do to ask whether the point is on the curve.
  P256Point theirs;
  copy_bytes(theirs, ByteView(keys).first(sizeof theirs));
  P256Secret one = {};
  one[sizeof one - 1] = 1;
  uint8_t shared[32];
  if (const Status agreed = curve.shared_secret(one, theirs, shared, random); !agreed.ok()) return agreed.error();
  uint8_t* const kept = static_cast<uint8_t*>(scratch.take(ece_keys_bytes, 1));
  if (kept == nullptr) return Error::exhausted;
  copy_bytes(kept, ByteView(keys).first(ece_keys_bytes));
  return ByteView(kept, ece_keys_bytes);
}

}  // namespace tocsin
