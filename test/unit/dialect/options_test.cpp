// Publish options: the secret of p2, the module of fpush, the sandbox of Openfire's apps; in any order, among others.
#include "base/writer.h"
#include "test/unit/dialect/ask.h"

namespace tocsin::test {

namespace {

Asked ask_options(string_view fields, string_view type = " type='submit'") {
  static uint8_t room[16 * 1024];
  Writer out{Bytes(room)};
  out.text("<iq type='set' id='q1' from='example.org' to='push.example.org'>");
  out.text("<pubsub xmlns='http://jabber.org/protocol/pubsub'><publish node='n1'><item>");
  out.text("<notification xmlns='urn:xmpp:push:0'/></item></publish><publish-options><x xmlns='jabber:x:data'");
  out.text(type).text(">").text(fields).text("</x></publish-options></pubsub></iq>");
  assert_false(out.overflowed());
  return ask(out.view());
}

constexpr string_view form_type =
    "<field var='FORM_TYPE' type='hidden'><value>http://jabber.org/protocol/pubsub#publish-options</value></field>";

string_view words(const Asked& asked) {
  static uint8_t room[4096];
  return words_of(asked.command, Bytes(room));
}

void monals_module_is_read(void**) {
  uint8_t room[1024];
  Writer fields{Bytes(room)};
  fields.text(form_type).text("<field var='pushModule'><value>monalProdiOS</value></field>");
  expect_text(words(ask_options(fields.view())), "publish n1 module=monalProdiOS");
}

// fpush refuses a publish whose first field it does not know, and so ends registrations.
void other_fields_and_other_orders_do_no_harm(void**) {
  expect_text(
      words(ask_options("<field var='color'><value>red</value></field><field var='sandbox'><value>true</value>"
                        "</field><field var='pushModule'><value> m1 </value></field><field var='secret'><value>s"
                        "</value></field><field var='a'/><field var='b'/><field var='c'/>")),
      "publish n1 secret=s module=m1 sandbox");
  expect_text(words(ask_options(form_type)), "publish n1");
  expect_text(words(ask_options("<field var='pushModule'/><field var='secret'/>", "")), "publish n1");
}

void the_sandbox_is_asked_for_in_words_of_xep_0004(void**) {
  for (const string_view word : {"true", "1"}) {
    uint8_t room[256];
    Writer field{Bytes(room)};
    field.text("<field var='sandbox'><value>").text(word).text("</value></field>");
    assert_true(ask_options(field.view()).command.sandbox);
  }
  for (const string_view word : {"false", "0", "", "yes"}) {
    uint8_t room[256];
    Writer field{Bytes(room)};
    field.text("<field var='sandbox'><value>").text(word).text("</value></field>");
    assert_false(ask_options(field.view()).command.sandbox);
  }
}

void a_secret_is_taken_as_it_is(void**) {
  expect_text(ask_options("<field var='secret'><value> KK4+H5/x= </value></field>").command.secret, " KK4+H5/x= ");
}

void what_was_over_a_limit_is_incomplete(void**) {
  static uint8_t room[32 * 1024];
  Writer out{Bytes(room)};
  out.text("<iq type='set' id='q1' from='example.org' to='push.example.org'>");
  out.text("<pubsub xmlns='http://jabber.org/protocol/pubsub'><publish node='n1'><item>");
  for (int i = 0; i < 2000; ++i) out.text("<a>");
  for (int i = 0; i < 2000; ++i) out.text("</a>");
  out.text("</item></publish></pubsub></iq>");
  assert_false(out.overflowed());
  expect_text(words(ask(out.view())), "publish n1 incomplete");
}

}  // namespace

TESTS(options, cmocka_unit_test(monals_module_is_read), cmocka_unit_test(other_fields_and_other_orders_do_no_harm),
      cmocka_unit_test(the_sandbox_is_asked_for_in_words_of_xep_0004), cmocka_unit_test(a_secret_is_taken_as_it_is),
      cmocka_unit_test(what_was_over_a_limit_is_incomplete));

}  // namespace tocsin::test
