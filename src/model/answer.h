// The only answers a publish ever gets, because every publisher survives them
// (ejabberd deletes a registration at the first error that is not `wait`).
#pragma once

#include <cstdint>

namespace tocsin {

enum class Answer : uint8_t {
  result,            // accepted, queued, coalesced, limited
  gone,              // cancel / item-not-found: the device or node is really gone
  wait_internal,     // wait / internal-server-error: trouble of ours
  wait_unavailable,  // wait / service-unavailable: trouble of the provider or of a section
  unsupported,       // cancel / service-unavailable: an IQ that is no publish and that we do not know
};

}  // namespace tocsin
