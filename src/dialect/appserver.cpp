#include "dialect/appserver.h"

namespace tocsin {
namespace {

constexpr AdhocField fields[] = {
    {"type", "Service", &Command::service, true, AdhocField::Options::services},
    {"node", "Device id", &Command::device_id},
    {"token", "Device token", &Command::token},  // only to register
};

constexpr AdhocCommand commands[] = {
    {.node = "v1-register-push",
     .name = "Register for push (version 1)",
     .kind = Command::Kind::register_device,
     .dialect = DialectId::v1,
     .fields = fields,
     .for_services = true},
    {.node = "v1-unregister-push",
     .name = "Unregister from push (version 1)",
     .kind = Command::Kind::unregister_device,
     .dialect = DialectId::v1,
     .fields = std::span(fields).first(2),
     .for_services = true},
};

}  // namespace

std::span<const AdhocCommand> appserver_commands() { return commands; }

}  // namespace tocsin
