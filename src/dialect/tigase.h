// The Tigase dialect (Siskin IM, Snikket iOS, Stork): register-device and
// unregister-device. The token is the device; no secret, the node is the only capability. Web Push registers in the
// same words: the token is the subscription as JSON or its endpoint, which may come as a field of its own with the
// keys beside it.
#pragma once

#include "dialect/adhoc.h"

namespace tocsin {

std::span<const AdhocCommand> tigase_commands();

}  // namespace tocsin
