// The Tigase dialect: register-device and unregister-device as ad-hoc commands
// (XEP-0050), in one step with the form or in two.
#pragma once

#include "base/writer.h"
#include "dialect/command.h"
#include "dialect/service.h"
#include "proto/stanza.h"

namespace tocsin {

// element: the <command/> of an IQ set. Fills command and sets its kind, or leaves the kind and writes the whole
// answer.
void read_tigase_command(const Element& element, const ServiceFacts& service, string_view fresh_session,
                         Command& command, Writer& answer);

}  // namespace tocsin
