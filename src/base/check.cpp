#include "base/check.h"

#include <cstdio>
#include <cstdlib>

namespace tocsin {

void check_failed(const char* file, int line, const char* expression) {
  std::fprintf(stderr, "tocsin: %s:%d: this must hold but does not: %s\n", file, line, expression);
  std::abort();
}

}  // namespace tocsin
