// The ad-hoc commands that this service offers.
#pragma once

#include "base/bytes.h"

namespace tocsin {

inline constexpr string_view commands_ns = "http://jabber.org/protocol/commands";

struct CommandName {
  string_view node;
  string_view name;
};
inline constexpr CommandName command_names[] = {
    {"register-device", "Register device"},
    {"unregister-device", "Unregister device"},
};

// nullptr: no such command.
inline const CommandName* find_command(string_view node) {
  for (const CommandName& command : command_names) {
    if (command.node == node) return &command;
  }
  return nullptr;
}

}  // namespace tocsin
