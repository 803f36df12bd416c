#include "dialect/tigase.h"

namespace tocsin {
namespace {

constexpr AdhocField fields[] = {
    {"provider", "Provider", &Command::provider, true, AdhocField::Options::providers},
    {"device-token", "Device token", &Command::token, true, AdhocField::Options::text, "endpoint"},
    // Only to register.
    {"device-second-token", "Second device token (calls)", &Command::second_token, false},
    {"p256dh", "Web Push: p256dh of the subscription", &Command::p256dh, false, AdhocField::Options::web_push},
    {"auth", "Web Push: auth of the subscription", &Command::auth, false, AdhocField::Options::web_push},
};

constexpr AdhocCommand commands[] = {
    {"register-device", "Register device", Command::Kind::register_device, DialectId::tigase, fields},
    {"unregister-device", "Unregister device", Command::Kind::unregister_device, DialectId::tigase,
     std::span(fields).first(2)},
};

}  // namespace

std::span<const AdhocCommand> tigase_commands() { return commands; }

}  // namespace tocsin
