#include "port/posix/wake.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/check.h"

namespace tocsin::posix {

Wake::Wake() {
  int ends[2];
  // At start, with no descriptors left, there is nothing that could go on.
  GW_CHECK(pipe2(ends, O_CLOEXEC | O_NONBLOCK) == 0);
  read_ = ends[0];
  write_ = ends[1];
}

Wake::~Wake() {
  close(read_);
  close(write_);
}

void Wake::ring() const {
  const int before = errno;
  // A full pipe is as good as one more byte: the wait ends either way.
  ssize_t written = 0;
  do written = write(write_, "", 1);
  while (written < 0 && errno == EINTR);
  errno = before;
}

void Wake::drain() {
  char bytes[64];
  while (true) {
    const ssize_t got = read(read_, bytes, sizeof bytes);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return;
  }
}

}  // namespace tocsin::posix
