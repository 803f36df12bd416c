// `tocsin setup KIND DOMAIN [--write]`: prints the parts of a new installation, or writes each into a file.
#pragma once

#include "base/random.h"
#include "command_line.h"
#include "port/port.h"
#include "registry_command.h"

namespace tocsin {

struct SetupTools {
  port::Storage& storage;
  RandomSource& random;
  Screen& screen;
};

// Answers an exit code. What --write creates is there as a whole or not at all; nothing that exists is touched.
int run_setup_command(const CommandLine& line, const SetupTools& tools);

}  // namespace tocsin
