// The ad-hoc dialect of mod_push_appserver (yaxim, old builds of Monal):
// v1-register-push and v1-unregister-push. A device is (account, the node that
// the client names); what it gets back is a node of ours and a secret.
#pragma once

#include "dialect/adhoc.h"

namespace tocsin {

std::span<const AdhocCommand> appserver_commands();

}  // namespace tocsin
