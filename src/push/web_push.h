// Web Push (RFC 8030): request bytes and verdicts. The registration's token is the
// endpoint's URL, its second token the subscription's keys (p256dh ‖ auth) or
// nothing: then the body stays empty and the push only wakes.
#pragma once

#include "push/ece.h"
#include "push/endpoint.h"
#include "push/provider.h"

namespace tocsin {

struct WebPushOptions {
  bool clear_text = true;  // it is sealed for the device
  Empty empty = Empty::normal;
  bool allow_ports = false;  // the conf lists private addresses, and these may use any port
};

class WebPush final : public Provider {
 public:
  // public_key: the VAPID key's text, see Vapid; all outlive this.
  WebPush(const WebPushOptions& options, const EceTools& tools, string_view public_key)
      : options_(options), tools_(tools), public_key_(public_key) {}
  // The endpoint's URL alone: what read_subscription() found in the words of the client.
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
  // Over the VAPID key: subscriptions are bound to it.
  uint32_t fingerprint() const override;

 private:
  WebPushOptions options_;
  EceTools tools_;
  string_view public_key_;
};

// A subscription in a client's words: JSON as browsers give it, {"endpoint":…,"keys":{"p256dh":…,"auth":…}}, or
// the bare URL. Views live as long as text and json.
struct Subscription {
  string_view endpoint;
  string_view p256dh;  // both base64url; both empty: no keys
  string_view auth;
};
Result<Subscription> read_subscription(string_view text, JsonDocument& json);

// p256dh and auth → the 81 bytes of a second token, or none when both are empty. Error::malformed: one without
// the other, no base64 of 65 and 16 bytes, or no point of the curve.
Result<ByteView> read_subscription_keys(string_view p256dh, string_view auth, P256& curve, RandomSource& random,
                                        Arena& scratch);

}  // namespace tocsin
