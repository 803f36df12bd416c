// Web Push (RFC 8030): request bytes and verdicts. The registration's token is the
// endpoint's URL, its second token the subscription's keys (p256dh ‖ auth) or
// nothing: then the body stays empty and the push only wakes.
#pragma once

#include "base/address_range.h"
#include "push/ece.h"
#include "push/endpoint.h"
#include "push/provider.h"
#include "push/vapid.h"

namespace tocsin {

struct WebPushOptions {
  bool clear_text = true;  // it is sealed for the device
  Empty empty = Empty::normal;
  std::span<const AddressRange> allow_private{};  // any port there, and addresses that are not public
};

class WebPush final : public Provider {
 public:
  // vapid: whose key may come later; all outlive this.
  WebPush(const WebPushOptions& options, const EceTools& tools, const Vapid& vapid)
      : options_(options), tools_(tools), vapid_(vapid) {}
  // The endpoint's URL alone: what read_subscription() found in the words of the client. Error::denied: an address or
  // a port that will never be connected to. What a name stands for shows when it is connected to.
  Result<ByteView> normalise_token(string_view token, Arena& scratch) const override;
  uint32_t payload_bytes_max(const Registration& registration) const override;
  // Whether the device has keys is the registration's affair: without them map() leaves all content out.
  Outgoing outgoing(const Notice& notice) const override;
  // Needs in.random: keys and salt of a message are drawn when it is mapped. The connection adds the header
  // `authorization`, which is for request.origin. Error::malformed for registrations that are none of ours.
  Status map(const Registration& registration, const Notice& notice, const Outgoing& outgoing, const MapInputs& in,
             Request& request) const override;
  void read(string_view body, JsonDocument& json, Reply& reply) const override;
  Verdict judge(const Reply& reply, UnixTime now) const override;
  // Over the VAPID key: subscriptions are bound to it, and nothing counts before it is there.
  uint32_t fingerprint() const override;

 private:
  WebPushOptions options_;
  EceTools tools_;
  const Vapid& vapid_;
};

// A subscription in a client's words: JSON as browsers give it, {"endpoint":…,"keys":{"p256dh":…,"auth":…}}, or
// the bare URL. Views live as long as text and json.
struct Subscription {
  string_view endpoint;
  string_view p256dh;  // both base64url; both empty: no keys
  string_view auth;
};
Result<Subscription> read_subscription(string_view text, JsonDocument& json);
// Why a text that was refused is no subscription, for whoever wrote the client: a literal that goes on behind it, as
// in "… is JSON within JSON".
string_view subscription_fault(string_view text, JsonDocument& json);

// The key that is at fault, and what is wrong with it: literals that go on behind the name of a field.
struct KeyFault {
  string_view key;
  string_view what;
};
// p256dh and auth → the 81 bytes of a second token, or none when both are empty. Error::malformed: one without
// the other, no base64 of 65 and 16 bytes, or no point of the curve.
Result<ByteView> read_subscription_keys(string_view p256dh, string_view auth, P256& curve, RandomSource& random,
                                        Arena& scratch, KeyFault& fault);

}  // namespace tocsin
