#include "dialect/tigase.h"

namespace tocsin {
namespace {

constexpr AdhocField fields[] = {
    {"provider", "Provider", &Command::provider, true, AdhocField::Options::providers},
    {"device-token", "Device token", &Command::token},
    {"device-second-token", "Second device token (calls)", &Command::second_token, false},  // only to register
};

constexpr AdhocCommand commands[] = {
    {"register-device", "Register device", Command::Kind::register_device, DialectId::tigase, fields},
    {"unregister-device", "Unregister device", Command::Kind::unregister_device, DialectId::tigase,
     std::span(fields).first(2)},
};

}  // namespace

std::span<const AdhocCommand> tigase_commands() { return commands; }

}  // namespace tocsin
