// The Tigase dialect (Siskin IM, Snikket iOS, Stork): register-device and
// unregister-device. The token is the device; no secret, the node is the only capability.
#pragma once

#include "dialect/adhoc.h"

namespace tocsin {

std::span<const AdhocCommand> tigase_commands();

}  // namespace tocsin
