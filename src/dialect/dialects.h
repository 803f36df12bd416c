// Every dialect behind one door: a stanza in, a Command out; and what needs
// nothing but the conf (disco, forms, ping, version, errors of form) is answered
// here at once. Pure: same arguments, same bytes.
#pragma once

#include "base/writer.h"
#include "dialect/command.h"
#include "dialect/service.h"
#include "proto/stanza.h"

namespace tocsin {

// fresh_session: unique text for a sessionid, used when one is needed and the request has none.
// Kind::answered: answer holds one whole stanza. Every other kind leaves answer as it was.
// An answer that does not fit becomes a `wait` error; an id and JIDs so long that not even that fits, far
// beyond what servers let pass, are ignored. Within the bounds of command.h 48 KiB are always enough for the error.
Command read_stanza(const Stanza& stanza, const ServiceFacts& service, string_view fresh_session, Writer& answer);

}  // namespace tocsin
