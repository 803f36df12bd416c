// CMocka for C++, and one line to register a group of tests:
//   TESTS(writer, cmocka_unit_test(hex_is_lower_case), …)
// main() runs every group that was linked in, or the one that its argument names. A failing assert longjmps, so test
// bodies hold only trivially destructible locals.
#pragma once

extern "C" {
// CMocka wants these four first.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
}
// A macro of this name would rewrite members of ours that are called so.
#undef fail
#define fail_here() _fail(__FILE__, __LINE__)
#undef fail_msg
#define fail_msg(msg, ...)                                      \
  do {                                                          \
    print_error("ERROR: " msg "\n" __VA_OPT__(, ) __VA_ARGS__); \
    fail_here();                                                \
  } while (0)

namespace tocsin::test {

struct Group {
  Group(const char* name, int (*run)());
  const char* name;
  int (*run)();
  Group* next;
};

}  // namespace tocsin::test

#define TESTS(name, ...)                                                \
  static int run_##name() {                                             \
    static const CMUnitTest tests[] = {__VA_ARGS__};                    \
    return cmocka_run_group_tests_name(#name, tests, nullptr, nullptr); \
  }                                                                     \
  static ::tocsin::test::Group group_##name(#name, run_##name)
