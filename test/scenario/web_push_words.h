// Words for stories about Web Push: a section, and what its devices register.
#pragma once

#include "test/scenario/world.h"

namespace tocsin::test {

inline constexpr Configured with_web_push{.extra =
                                              "[webpush]\ncontact = mailto:ops@push.example.org\n"
                                              "ca_file = /etc/ca.pem\n"};
inline constexpr Configured at_home{.extra =
                                        "[webpush]\ncontact = mailto:ops@push.example.org\n"
                                        "ca_file = /etc/ca.pem\nallow_private = 10.0.0.0/24\n"};

// The receiver of RFC 8291, appendix A.
inline constexpr string_view p256dh =
    "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4";
inline constexpr string_view auth = "BTBZMqHH6r4Tts7J_aSIgg";

struct Subscribed {
  FixedText<1500> text;
  explicit Subscribed(string_view endpoint, string_view key = p256dh) {
    uint8_t room[1500];
    Writer out(room);
    out.text(R"({"endpoint":")").text(endpoint).text(R"(","expirationTime":null,"keys":{"p256dh":")").text(key);
    out.text(R"(","auth":")").text(auth).text(R"("}})");
    GW_CHECK(!out.overflowed() && text.assign(out.view()));
  }
  operator string_view() const { return text.view(); }
};

inline NodeText subscribe(World& w, string_view from, string_view token) {
  return w.register_device(from, token, "webpush");
}

inline constexpr string_view one = "https://one.wild.example.org/push/abc?x=1";
inline constexpr string_view two = "https://two.wild.example.org/push/def";

}  // namespace tocsin::test
