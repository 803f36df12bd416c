// XEP-0357 publishes in every shape that servers send, with the options of every dialect.
#pragma once

#include "dialect/command.h"
#include "proto/stanza.h"

namespace tocsin {

// pubsub: the <pubsub/> of an IQ set. False: there is no <publish/> in it. Fills node, options and
// notice; what can not be read leaves the notice empty, which is a wake-up without content.
bool read_publish(const Element& pubsub, Command& command);

}  // namespace tocsin
