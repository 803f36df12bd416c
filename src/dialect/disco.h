// XEP-0030, XEP-0199, XEP-0092: what the service tells about itself.
#pragma once

#include "base/writer.h"
#include "dialect/command.h"
#include "dialect/service.h"

namespace tocsin {

// Each writes one whole answer to an IQ get.
void answer_disco_info(Writer& out, const IqHead& iq, string_view node, const ServiceFacts& service);
void answer_disco_items(Writer& out, const IqHead& iq, string_view node, const ServiceFacts& service);
void answer_version(Writer& out, const IqHead& iq, const ServiceFacts& service);

}  // namespace tocsin
