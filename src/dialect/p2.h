// The p2 dialect (Conversations and its family) and that of Openfire's push
// server, which differ in the name of one field: register-push-fcm|apns and
// unregister-push-fcm|apns. A device is (account, device id, group chat); the
// client gets a secret that publishers must name.
#pragma once

#include "dialect/adhoc.h"

namespace tocsin {

std::span<const AdhocCommand> p2_commands();

}  // namespace tocsin
