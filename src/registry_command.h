// `tocsin registry verify|dump|compact|repair FILE`: a look at a registry file, and
// its care, without a gateway. Reading takes no lock: a gateway that works on the
// file only appends, and what it has not finished counts as not there yet.
#pragma once

#include "base/random.h"
#include "command_line.h"
#include "port/port.h"

namespace tocsin {

// Where a command prints. Implemented by main on the console, and by tests.
class Screen {
 public:
  virtual Status out(string_view text) = 0;  // results
  virtual Status err(string_view text) = 0;  // errors, and the progress bar
  virtual bool err_is_terminal() = 0;

 protected:
  ~Screen() = default;
};

struct RegistryTools {
  port::Storage& storage;
  port::Clock& clock;
  RandomSource& random;
  Screen& screen;
  // Memory that lives as long as the process, at a page boundary; empty when the system has none.
  Bytes (*reserve)(size_t bytes);
};

// Answers an exit code.
int run_registry_command(const CommandLine& line, const RegistryTools& tools);

// The sentence about damage, the same here and at the gateway's start: where, what, and the command that mends it.
void write_damage(Writer& out, string_view path, uint64_t offset, string_view problem);

}  // namespace tocsin
