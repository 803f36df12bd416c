#include "push/origin_token.h"

namespace tocsin {

// Signed once in hours, written anew each time: that costs less than to remember for whom it was.
Status OriginToken::keep_fresh(Instant, UnixTime wall, RandomSource& random) {
  Writer text(room_);
  const Status written = vapid_.authorization(origin_.view(), wall, random, text);
  size_ = text.size();
  return written;
}

}  // namespace tocsin
