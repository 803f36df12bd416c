// Where unpredictable bytes come from, for code that may not know the port.
#pragma once

#include "base/bytes.h"

namespace tocsin {

class RandomSource {
 public:
  // Fills room with cryptographic randomness. Never fails.
  virtual void fill(Bytes room) = 0;

 protected:
  ~RandomSource() = default;
};

}  // namespace tocsin
