// APNs over HTTP/2: request bytes and verdicts.
#pragma once

#include "push/provider.h"

namespace tocsin {

struct ApnsOptions {
  string_view topic;
  string_view team_id;
  string_view key_id;
  ByteView certificate = {};  // what we show in place of signing with a key: its hash; empty until it is known
  bool sandbox = false;
  Payload payload = Payload::tigase;
  bool clear_text = false;
  Empty empty = Empty::normal;
  Empty empty_wake = Empty::high;  // the same for devices that are only woken whatever the section's payload is
  string_view alert_title;         // "" = none
  string_view alert_body = "New message!";
  string_view sound = "default";  // "" = none
  string_view category;           // "" = none
};

class Apns final : public Provider {
 public:
  explicit Apns(const ApnsOptions& options) : options_(options) {}  // views outlive this
  Result<ByteView> normalise_token(string_view token, Arena& scratch) const override;
  uint32_t payload_bytes_max(const Registration& registration) const override;
  Outgoing outgoing(const Notice& notice) const override;
  Status map(const Registration& registration, const Notice& notice, const Outgoing& outgoing, const MapInputs& in,
             Request& request) const override;
  void read(string_view body, JsonDocument& json, Reply& reply) const override;
  void to_first(Request& request) const override;
  Verdict judge(const Reply& reply, UnixTime now) const override;
  uint32_t fingerprint() const override;
  void show(ByteView certificate) { options_.certificate = certificate; }  // its hash, which outlives this

 private:
  ApnsOptions options_;
};

}  // namespace tocsin
