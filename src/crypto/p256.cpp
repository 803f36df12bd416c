#include "crypto/p256.h"

namespace tocsin {

Status P256::make_pair(RandomSource& entropy, P256Pair& pair) {
  // Four draws that are all no secret do not happen to a source of entropy.
  for (int i = 0; i < 4; ++i) {
    entropy.fill(pair.secret);
    const Status made = public_point(pair.secret, pair.point, entropy);
    if (made.ok() || made.error() != Error::malformed) return made;
  }
  return Error::damaged;
}

}  // namespace tocsin
