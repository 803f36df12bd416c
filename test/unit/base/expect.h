// Comparing texts, with both of them in the message when they differ.
#pragma once

#include "base/bytes.h"
#include "test/support/tests.h"

namespace tocsin::test {

#define expect_text(...) ::tocsin::test::expect_text_at(__FILE__, __LINE__, __VA_ARGS__)

inline void expect_text_at(const char* file, int line, string_view got, string_view want) {
  if (got == want) return;
  print_error("got  \"%.*s\"\nwant \"%.*s\"\n", static_cast<int>(got.size()), got.data(), static_cast<int>(want.size()),
              want.data());
  _fail(file, line);
}

}  // namespace tocsin::test
