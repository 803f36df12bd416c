// FCM HTTP v1: request bytes and verdicts. Only data messages: with a
// `notification` Android would show a text of its own and never start the app's code.
#pragma once

#include "push/provider.h"

namespace tocsin {

struct FcmOptions {
  bool clear_text = false;
  Empty empty = Empty::normal;
};

class Fcm final : public Provider {
 public:
  // project is read when a request is mapped: it may be learnt after this was made. Both outlive this.
  Fcm(const FcmOptions& options, const FixedText<63>& project) : options_(options), project_(project) {}
  Result<ByteView> normalise_token(string_view token, Arena& scratch) const override;
  uint32_t payload_bytes_max(const Registration& registration) const override;
  Outgoing outgoing(const Notice& notice) const override;
  Status map(const Registration& registration, const Notice& notice, const Outgoing& outgoing, const MapInputs& in,
             Request& request) const override;
  void read(string_view body, JsonDocument& json, Reply& reply) const override;
  Verdict judge(const Reply& reply, UnixTime now) const override;
  // Over the project alone: any credential of a project reaches all of its tokens.
  uint32_t fingerprint() const override;

 private:
  FcmOptions options_;
  const FixedText<63>& project_;
};

}  // namespace tocsin
