// A bar on the terminal for what takes longer than a second; nothing elsewhere.
#pragma once

#include <cstdint>

#include "port/port.h"
#include "registry_command.h"

namespace tocsin {

class Progress {
 public:
  Progress(Screen& screen, port::Clock& clock) : screen_(screen), clock_(clock), wanted_(screen.err_is_terminal()) {}
  // what: a verb, such as "reading".
  void begin(string_view what, uint64_t total);
  void reached(uint64_t done);
  // Before anything else is printed, and at the end.
  void clear();

 private:
  Screen& screen_;
  port::Clock& clock_;
  bool wanted_;
  bool shown_ = false;
  string_view what_;
  uint64_t total_ = 0;
  uint64_t asked_ = 0;  // `done` when the clock was read last
  Instant drawn_{};
};

}  // namespace tocsin
