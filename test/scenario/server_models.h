// How the five servers that publish react to an answer: what makes each of them
// keep, count or end a user's push registration, and how each writes a publish.
// Pure; from their sources and from what was seen live. An oracle: an answer is
// right when none of the five ends a registration that it should have kept.
#pragma once

#include <cstdint>

#include "base/writer.h"

namespace tocsin::test {

enum class Peer : uint8_t { prosody, ejabberd, mongooseim, tigase, openfire };
inline constexpr uint32_t peers_count = 5;
string_view name_of(Peer peer);
string_view domain_of(Peer peer);  // of its users
string_view from_of(Peer peer);    // whom a publish is from: the domain, Tigase's with a resource

// What came back for a publish. Views into the stanza.
struct PeerReply {
  enum class Kind : uint8_t {
    result,
    error,
    silence,      // nothing, for as long as the server waits
    unreachable,  // the component is not connected: the server's own router answers
  };
  Kind kind = Kind::silence;
  string_view type = {};       // of an error
  string_view condition = {};  // its first child that is not text
  string_view from = {};
  string_view to = {};
};
PeerReply read_reply(string_view stanza);

// One user's registration at its server.
struct Standing {
  bool enabled = true;
  uint32_t errors = 0;     // Prosody's count
  uint32_t forgotten = 0;  // publishes that were never answered: Prosody keeps two hooks for each, for ever
};
inline constexpr uint32_t prosody_errors_max = 16;  // push_max_errors

// push_jid: the address that the client enabled push with.
void react(Peer peer, const PeerReply& reply, string_view push_jid, Standing& standing);

// What a user's message is; servers that do not tell some of them apart write the nearest.
enum class Occasion : uint8_t { message, sealed, call, quiet, read_elsewhere };
inline constexpr uint32_t occasions_count = 5;
void write_publish(Writer& out, Peer peer, string_view push_jid, string_view node, string_view id, Occasion occasion);

}  // namespace tocsin::test
