#include "dialect/p2.h"

#include "base/text.h"
#include "dialect/form.h"

namespace tocsin {
namespace {

// device-id counts before android-id, as in p2 itself. Whoever names it may be an app made for Openfire's push
// server, whose publishes can ask for the sandbox; all else is the same.
string_view check(const Element* form, Command& command) {
  if (!trim(form_value(form, "device-id")).empty()) command.dialect = DialectId::openfire;
  if (command.channel.find('/') != string_view::npos) return "Field muc is not a bare JID.";
  return {};
}

constexpr AdhocField fields[] = {
    {"token", "Device token", &Command::token},
    {"device-id", "Device id", &Command::device_id, true, AdhocField::Options::text, "android-id"},
    {"muc", "Group chat", &Command::channel, false},
};

constexpr AdhocCommand to_register(string_view service, string_view name) {
  return {.node = "register-push-",
          .name = name,
          .kind = Command::Kind::register_device,
          .dialect = DialectId::p2,
          .fields = fields,
          .service = service,
          .for_services = true,
          .check = check};
}
constexpr AdhocCommand to_unregister(string_view service, string_view name) {
  AdhocCommand command = to_register(service, name);
  command.node = "unregister-push-";
  command.kind = Command::Kind::unregister_device;
  command.fields = std::span(fields).subspan(1);
  return command;
}

constexpr AdhocCommand commands[] = {
    to_register("apns", "Register for push (APNs)"),
    to_register("fcm", "Register for push (FCM)"),
    to_unregister("apns", "Unregister from push (APNs)"),
    to_unregister("fcm", "Unregister from push (FCM)"),
};

}  // namespace

std::span<const AdhocCommand> p2_commands() { return commands; }

}  // namespace tocsin
