#include "push/provider.h"

namespace tocsin {

bool fit_for_log(string_view word) {
  if (word.size() > 64) return false;
  for (const char c : word) {
    if (c < 0x20 || c > 0x7E) return false;
  }
  return true;
}

}  // namespace tocsin
