// What `tocsin setup KIND DOMAIN` has to say: a conf, and what the servers beside it need. Pure.
#pragma once

#include "base/text.h"
#include "base/writer.h"
#include "command_line.h"
#include "settings/settings.h"

namespace tocsin {

// Lower-case hexadecimal needs no quotes or escapes in any of the four languages.
inline constexpr size_t setup_secret_bytes = 20;
inline constexpr size_t setup_part_bytes_max = 12 * 1024;

struct SetupNames {
  Domain users;      // whose accounts may register: example.org
  Domain component;  // what the gateway is called: push.example.org
};

struct SetupPlan {
  SetupKind kind = SetupKind::unifiedpush;
  SetupNames names;
  string_view secret;  // in hexadecimal
  string_view conf;    // the conf's path, as the user gave it
};

enum class SetupPart : uint8_t { prosody, ejabberd, proxy, dns, conf };
inline constexpr size_t setup_parts = 5;

// The domain of the XMPP accounts, or the component's own name, push.…. False with one sentence in problem: only what
// is the same name for XMPP, DNS, certificates and each of the conf languages passes.
bool read_setup_domain(SetupKind kind, string_view domain, SetupNames& names, Writer& problem);

// HTTPS is called by UnifiedPush and, to remove accounts whose server is gone, by apps for iOS; by nobody else.
bool setup_has(SetupKind kind, SetupPart part);
// A part as a file of its own: in the language of what reads it, with comments, ready to be pasted.
void write_setup_part(Writer& out, SetupPart part, const SetupPlan& plan);
// What the part's file is called beside the conf; the conf has the name that the user gave.
string_view setup_file_name(SetupPart part);
// What to do then, as commands for a shell. written: the conf stands where it belongs.
void write_setup_next(Writer& out, const SetupPlan& plan, bool written);

string_view name_of(SetupKind kind);

}  // namespace tocsin
