// Ad-hoc commands (XEP-0050): how every dialect's are asked and filled in. A
// dialect is a table of them; the steps, sessions and errors are here.
#pragma once

#include "base/writer.h"
#include "dialect/command.h"
#include "dialect/service.h"
#include "proto/stanza.h"

namespace tocsin {

inline constexpr string_view commands_ns = "http://jabber.org/protocol/commands";

struct AdhocField {
  enum class Options : uint8_t { text, providers, services, web_push };  // web_push: text, asked for only with it
  string_view var;
  string_view label;
  string_view Command::*into;
  bool required = true;
  Options options = Options::text;
  string_view also{};  // another name, read when there is nothing under the first
};

struct AdhocCommand {
  string_view node;  // "register-device", or what stands before the service: "register-push-"
  string_view name;
  Command::Kind kind;
  DialectId dialect;
  std::span<const AdhocField> fields;
  string_view service = {};   // "fcm": the node's end, whose case does not matter (p2)
  bool for_services = false;  // there only where a section takes services
  // The last word about what was read: a sentence when it is wrong, else "".
  string_view (*check)(const Element* form, Command& command) = nullptr;
};

// The commands that this service offers, in the order in which disco lists them; nullptr behind the last.
const AdhocCommand* offered_command(const ServiceFacts& service, size_t place);
// nullptr: no such command.
const AdhocCommand* find_command(const ServiceFacts& service, string_view node);

// element: the <command/> of an IQ set. Fills command and sets its kind, or leaves the kind and writes the whole
// answer.
void read_adhoc_command(const Element& element, const ServiceFacts& service, string_view fresh_session,
                        Command& command, Writer& answer);

}  // namespace tocsin
