// By what clients call their devices: tokens, and subscriptions of Web Push.
#include "gateway/enroll.h"
#include "gateway/identity.h"
#include "push/web_push.h"

namespace tocsin {

// What tells the device from others: of a subscription the endpoint. to_leave: what may no longer register may go.
Result<ByteView> Enroll::read_token(const Section& section, const Command& command, bool to_leave,
                                    Arena& scratch) const {
  if (section.curve == nullptr) return section.provider->normalise_token(command.token, scratch);
  JsonDocument json(tools_.json_heap);
  const Result<Subscription> subscription = read_subscription(command.token, json);
  if (!subscription.ok()) return subscription.error();
  if (to_leave) return normalise_endpoint(subscription.value().endpoint, true, scratch);
  return section.provider->normalise_token(subscription.value().endpoint, scratch);
}

// The fields of the form stand above what JSON says.
Result<ByteView> Enroll::read_second(const Section& section, const Command& command, Arena& scratch,
                                     KeyFault& fault) const {
  if (section.curve != nullptr) {
    JsonDocument json(tools_.json_heap);
    const Result<Subscription> subscription = read_subscription(command.token, json);
    if (!subscription.ok()) return subscription.error();
    const bool fields = !command.p256dh.empty() || !command.auth.empty();
    return read_subscription_keys(fields ? command.p256dh : subscription.value().p256dh,
                                  fields ? command.auth : subscription.value().auth, *section.curve, tools_.random,
                                  scratch, fault);
  }
  if (command.second_token.empty()) return ByteView();
  return section.provider->normalise_token(command.second_token, scratch);
}

void Enroll::refuse_token(const Section& section, const Command& command) {
  const string_view field = command.dialect == DialectId::tigase ? "device-token" : "token";
  if (section.curve == nullptr) return refuse_value(command, field, command.token, "is not a token of this provider");
  JsonDocument json(tools_.json_heap);
  refuse_value(command, field, command.token, subscription_fault(command.token, json));
}

// Of Web Push the key that is wrong, by the name under which the client sent it; what it is stays out of the answer.
void Enroll::refuse_second(const Section& section, const Command& command, const KeyFault& fault) {
  if (section.curve == nullptr) {
    return refuse_value(command, "device-second-token", command.second_token, "is not a token of this provider");
  }
  const bool fields = !command.p256dh.empty() || !command.auth.empty();
  uint8_t room[128];
  Writer text(room);
  text.text("Field ").text(fields ? "" : "device-token: keys.").text(fault.key).text(" ").text(fault.what).text(".");
  refuse(command, "modify", "bad-request", text.view());
}

// The device that a command to unregister names. The provider string is advisory: a client may unregister with
// another one than it registered with.
Status Enroll::find_named(const Command& command, string_view account, Registration& known, Ticket& staged) {
  const Identity identity(command, account);
  if (!identity.view().empty())
    return tools_.registry.find_device(account, identity.view(), record_room_, known, &staged);
  Section* named = section_of(command);
  for (uint32_t i = 0; i <= tools_.sections.size(); ++i) {
    Section* section = i == 0 ? named : &tools_.sections[i - 1];
    if (section == nullptr || (i > 0 && section == named)) continue;
    Arena scratch(scratch_room_);
    const Result<ByteView> token = read_token(*section, command, true, scratch);
    if (!token.ok()) continue;
    const Status found = tools_.registry.find_device(account, token.value(), record_room_, known, &staged);
    if (found.ok() || found.error() != Error::not_found) return found;
  }
  return Error::not_found;
}

}  // namespace tocsin
