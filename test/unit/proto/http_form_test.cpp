#include "proto/http_form.h"

#include "test/support/tests.h"

namespace tocsin {

namespace {

uint8_t room[64];

void assert_decodes(string_view text, string_view wanted) {
  const Result<string_view> got = percent_decode(text, room);
  if (!got.ok() || got.value() != wanted) fail_msg("%.*s", static_cast<int>(text.size()), text.data());
}

void percents_are_decoded_once(void**) {
  assert_decodes("", "");
  assert_decodes("push.example.org", "push.example.org");
  assert_decodes("a%40b%2Fc%2f", "a@b/c/");
  assert_decodes("%2541", "%41");
  assert_decodes("a+b", "a+b");
  assert_decodes("%c3%BC", "\xc3\xbc");
}

void odd_encodings_are_refused(void**) {
  for (const string_view text :
       {string_view("%"), string_view("a%4"), string_view("%zz"), string_view("%4g"), string_view("%%41"),
        string_view("% 41"), string_view("%+1"), string_view("%0x41"), string_view("%u0041"), string_view("%00"),
        string_view("a%00b"), string_view("a\0b", 3)}) {
    assert_int_equal(percent_decode(text, room).error(), Error::malformed);
  }
  assert_int_equal(percent_decode("%41%42%43", Bytes(room).first(2)).error(), Error::too_long);
  assert_true(percent_decode("%41%42%43", Bytes(room).first(3)).ok());
  // What is wrong behind the end of the room is wrong, too.
  assert_int_equal(percent_decode("abc%zz", Bytes(room).first(2)).error(), Error::malformed);
}

void assert_field(string_view body, string_view name, string_view wanted) {
  const Result<string_view> got = form_field(body, name, room);
  if (!got.ok() || got.value() != wanted) fail_msg("%.*s", static_cast<int>(body.size()), body.data());
}

void fields_of_a_form_are_found(void**) {
  constexpr string_view body = "account=ann%40example.org&provider=tigase%3Amessenger:apns:1&device-token=0A1BFF";
  assert_field(body, "account", "ann@example.org");
  assert_field(body, "provider", "tigase:messenger:apns:1");
  assert_field(body, "device-token", "0A1BFF");
  assert_field("device%2dtoken=a+b%2B", "device-token", "a b+");
  assert_field("a=b=c&&d", "a", "b=c");
  assert_field("a=b=c&&d", "d", "");
  assert_field("x=1&a=", "a", "");
  assert_int_equal(form_field(body, "token", room).error(), Error::not_found);
  assert_int_equal(form_field(body, "accounts", room).error(), Error::not_found);
  assert_int_equal(form_field(body, "accoun", room).error(), Error::not_found);
  assert_int_equal(form_field("", "a", room).error(), Error::not_found);
  assert_int_equal(form_field("A=b", "a", room).error(), Error::not_found);
}

void forms_that_mean_two_things_are_refused(void**) {
  assert_int_equal(form_field("a=1&a=1", "a", room).error(), Error::exists);
  assert_int_equal(form_field("a=1&b=2&%61=3", "a", room).error(), Error::exists);
  assert_int_equal(form_field("a=%zz", "a", room).error(), Error::malformed);
  assert_int_equal(form_field("a=1&b=%zz", "a", room).error(), Error::malformed);
  assert_int_equal(form_field("a=1&%zz=1", "a", room).error(), Error::malformed);
  assert_int_equal(form_field("a=%00", "a", room).error(), Error::malformed);
  assert_int_equal(form_field("a=1&b=%00", "a", room).error(), Error::malformed);
  assert_int_equal(form_field("a=%4&1=2", "a", room).error(), Error::malformed);
  assert_int_equal(form_field("a=12345", "a", Bytes(room).first(4)).error(), Error::too_long);
  assert_int_equal(form_field("a=12345&a=1", "a", Bytes(room).first(4)).error(), Error::exists);
}

TESTS(http_form, cmocka_unit_test(percents_are_decoded_once), cmocka_unit_test(odd_encodings_are_refused),
      cmocka_unit_test(fields_of_a_form_are_found), cmocka_unit_test(forms_that_mean_two_things_are_refused));

}  // namespace

}  // namespace tocsin
