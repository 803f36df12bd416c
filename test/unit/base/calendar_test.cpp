#include "base/calendar.h"

#include <ctime>

#include "test/support/tests.h"

namespace tocsin {

static void times_agree_with_the_c_library(void**) {
  // Every day until 2108: leap years, and 2100, which is none.
  for (int64_t day = 0; day < 138 * 366; ++day) {
    const int64_t at = day * 86400 + day % 86400;
    const time_t as_time = at;
    tm parts{};
    assert_non_null(gmtime_r(&as_time, &parts));
    char expected[64];
    strftime(expected, sizeof expected, "%Y-%m-%dT%H:%M:%S", &parts);
    uint8_t room[32];
    Writer out{Bytes(room)};
    write_time(out, at);
    assert_false(out.overflowed());
    assert_int_equal(out.size(), strlen(expected));
    assert_memory_equal(room, expected, out.size());
  }
}

TESTS(calendar, cmocka_unit_test(times_agree_with_the_c_library));

}  // namespace tocsin
