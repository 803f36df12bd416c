// The port to a POSIX system, all of it in one object that main() owns:
//   PosixPort posix(resolver_heap, {});
//   wire(posix.port(), …);
// One per process, because signals are the process's.
#pragma once

#include "port/port.h"
#include "port/posix/clock.h"
#include "port/posix/console.h"
#include "port/posix/entropy.h"
#include "port/posix/net.h"
#include "port/posix/signals.h"
#include "port/posix/storage.h"
#include "port/posix/wake.h"

namespace tocsin::posix {

class PosixPort {
 public:
  // resolver_heap: Resolver::heap_bytes of its own that outlive the port. console_status()
  // tells whether the console could be opened; else lines go to stderr.
  PosixPort(Heap& resolver_heap, const ConsoleSettings& console)
      : net_(resolver_heap, wake_), console_status_(console_.configure(console)) {}
  PosixPort(const PosixPort&) = delete;
  PosixPort& operator=(const PosixPort&) = delete;

  port::Port& port() { return port_; }
  PosixNet& net() { return net_; }
  PosixStorage& storage() { return storage_; }
  PosixConsole& console() { return console_; }
  // Caught only after signals().catch_all(); asked with take() after every wait.
  Signals& signals() { return signals_; }
  Status console_status() const { return console_status_; }

 private:
  Wake wake_;
  PosixNet net_;
  PosixStorage storage_{wake_};
  PosixClock clock_;
  PosixEntropy entropy_;
  PosixConsole console_;
  Status console_status_;
  Signals signals_{wake_};
  port::Port port_{net_, storage_, clock_, entropy_, console_};
};

}  // namespace tocsin::posix
