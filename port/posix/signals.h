// Signals as flags that are asked after every wait. Dispositions belong to the
// process, so at most one Signals catches at a time.
#pragma once

#include "port/posix/wake.h"

namespace tocsin::posix {

class Signals {
 public:
  // What came since the last take().
  struct Arrived {
    bool stop = false;    // TERM, INT
    bool reopen = false;  // HUP: reopen the log, reload
    bool user1 = false;   // USR1 and USR2: caught, so that neither ends the process
    bool user2 = false;
  };

  explicit Signals(const Wake& wake) : wake_(wake) {}
  ~Signals();  // gives the dispositions back that catch_all() found
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

  // Only the long-running command calls this: `plan | head` should die of SIGPIPE.
  void catch_all();
  Arrived take();

 private:
  const Wake& wake_;
  bool caught_ = false;
};

}  // namespace tocsin::posix
