// UnifiedPush over XMPP, as Conversations speaks it: a client registers an
// application's instance and gets an endpoint for it; what is posted there goes to
// the client as an IQ, whose answer says what became of it.
#pragma once

#include "base/time.h"
#include "base/writer.h"
#include "dialect/command.h"
#include "proto/stanza.h"

namespace tocsin {

inline constexpr string_view unified_push_ns = "http://gultsch.de/xmpp/drafts/unified-push";

// <register/>: Command::Kind::register_endpoint, or answer says what is wrong with it.
void read_endpoint(const Element& element, Command& command, Writer& answer);
// What is not asked of us but told: the answer to an IQ of ours (Kind::reply), a presence with which an account says
// that it is there or goes (Kind::presence). False: neither.
bool read_event(const Stanza& stanza, Command& command);

// The answer to <register/>.
void write_endpoint(Writer& out, const IqHead& iq, string_view url, UnixTime expires);

// A body on its way to a client. head: as of an answer, so `from` is whom it goes to.
void write_push(Writer& out, const IqHead& head, ByteView application, ByteView instance, ByteView body);
// Bytes of the longest.
constexpr size_t push_stanza_bytes(size_t body_bytes_max) {
  return 6 * 2 * jid_bytes_max + 4 * ((body_bytes_max + 2) / 3) + 512;
}

}  // namespace tocsin
