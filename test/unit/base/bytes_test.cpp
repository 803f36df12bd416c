#include "base/bytes.h"

#include "base/time.h"
#include "test/support/tests.h"

namespace tocsin {
namespace {

void bytes_are_compared_whole(void**) {
  assert_true(same(bytes_of("abc"), bytes_of("abc")));
  assert_false(same(bytes_of("abc"), bytes_of("abd")));
  assert_false(same(bytes_of("abc"), bytes_of("ab")));
  assert_true(same({}, {}));
}

void secrets_differ_at_any_place(void**) {
  assert_true(same_in_constant_time(bytes_of("secret"), bytes_of("secret")));
  assert_true(same_in_constant_time({}, {}));
  assert_false(same_in_constant_time(bytes_of("secret"), bytes_of("secrets")));
  for (size_t i = 0; i < 6; ++i) {
    char other[] = "secret";
    other[i] = static_cast<char>(other[i] ^ 0x80);
    assert_false(same_in_constant_time(bytes_of("secret"), bytes_of(other)));
  }
}

void times_of_one_kind_add_up(void**) {
  assert_int_equal((Instant{5} + milliseconds(2)).us, 2005);
  assert_int_equal((UnixTime{100} + minutes(1)).s, 160);
  assert_int_equal((UnixTime{160} - UnixTime{100}).whole_seconds(), 60);
  assert_int_equal((days(1) / 24).us, hours(1).us);
  assert_true(earlier(Instant{1}, Instant::never()) == Instant{1});
  assert_true(later(Instant{1}, Instant::never()) == Instant::never());
  assert_false(plausible(UnixTime{0}));
  assert_true(plausible(plausible_from));
}

TESTS(bytes, cmocka_unit_test(bytes_are_compared_whole), cmocka_unit_test(secrets_differ_at_any_place),
      cmocka_unit_test(times_of_one_kind_add_up));

}  // namespace
}  // namespace tocsin
