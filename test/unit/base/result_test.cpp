#include "base/result.h"

#include "test/support/tests.h"

namespace tocsin {
namespace {

void a_result_is_a_value_or_an_error(void**) {
  const Result<int> seven = 7;
  assert_true(seven.ok());
  assert_int_equal(seven.value(), 7);
  assert_true(seven.error() == Error::none);
  const Result<int> none = Error::busy;
  assert_false(none.ok());
  assert_true(none.error() == Error::busy);
  assert_true(Status().ok());
  assert_false(Status(Error::io).ok());
}

void every_error_has_a_phrase_of_its_own(void**) {
  for (uint8_t a = 0; a <= static_cast<uint8_t>(Error::untrusted); ++a) {
    assert_string_not_equal(describe(static_cast<Error>(a)), "unknown error");
    for (uint8_t b = 0; b < a; ++b) {
      assert_string_not_equal(describe(static_cast<Error>(a)), describe(static_cast<Error>(b)));
    }
  }
}

TESTS(result, cmocka_unit_test(a_result_is_a_value_or_an_error), cmocka_unit_test(every_error_has_a_phrase_of_its_own));

}  // namespace
}  // namespace tocsin
