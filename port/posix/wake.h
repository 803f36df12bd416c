// The one way into PosixNet::wait from outside its sockets: a pipe that signal
// handlers and the sync thread write to.
#pragma once

namespace tocsin::posix {

class Wake {
 public:
  Wake();
  ~Wake();
  Wake(const Wake&) = delete;
  Wake& operator=(const Wake&) = delete;

  // Ends the current wait, or the next one when none is under way. Legal in
  // signal handlers and on any thread; leaves errno as it was.
  void ring() const;
  void drain();
  int descriptor() const { return read_; }

 private:
  int read_ = -1;
  int write_ = -1;
};

}  // namespace tocsin::posix
