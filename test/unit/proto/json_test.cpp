#include "proto/json.h"

#include <new>

#include "test/support/tests.h"

namespace tocsin::test {
namespace {

struct Fixture {
  alignas(64) uint8_t room[256 << 10];
  Heap heap{Bytes(room), "json"};
  JsonDocument document{heap};
};
alignas(Fixture) uint8_t storage[sizeof(Fixture)];

int make(void** state) {
  json_start(20250701);
  *state = new (storage) Fixture;
  return 0;
}
int unmake(void** state) {
  static_cast<Fixture*>(*state)->~Fixture();
  return 0;
}
JsonDocument& document_of(void** state) { return static_cast<Fixture*>(*state)->document; }

void assert_text(string_view got, string_view wanted) {
  assert_int_equal(got.size(), wanted.size());
  if (!wanted.empty()) assert_memory_equal(got.data(), wanted.data(), wanted.size());
}

void values_are_found_by_their_path(void** state) {
  JsonDocument& json = document_of(state);
  assert_true(
      json.parse(R"({"error":{"code":404,"status":"NOT_FOUND","details":[1]},"timestamp":1751364000000})").ok());
  assert_text(json.text({"error", "status"}), "NOT_FOUND");
  assert_int_equal(json.number({"error", "code"}, -1), 404);
  assert_int_equal(json.number({"timestamp"}, -1), 1751364000000);
}

void what_is_absent_or_of_another_type_is_the_fallback(void** state) {
  JsonDocument& json = document_of(state);
  assert_text(json.text({"reason"}), "");  // nothing was parsed yet
  assert_true(json.parse(R"({"reason":7,"timestamp":"x","list":[{"a":"b"}],"real":1.5,"null":null})").ok());
  assert_text(json.text({"reason"}), "");
  assert_text(json.text({}), "");
  assert_text(json.text({"list", "a"}), "");
  assert_text(json.text({"reason", "deeper", "still"}), "");
  assert_int_equal(json.number({"timestamp"}, -1), -1);
  assert_int_equal(json.number({"real"}, -1), -1);
  assert_int_equal(json.number({"null"}, -1), -1);
  assert_int_equal(json.number({"nowhere"}, 5), 5);
}

void arrays_are_looked_into_item_by_item(void** state) {
  JsonDocument& json = document_of(state);
  assert_int_equal(json.root()["error"].size(), 0);  // nothing was parsed yet
  assert_true(json.parse(R"({"error":{"details":[{"@type":"x/A"},7,{"@type":"x/B","codes":[1,"two"]}]}})").ok());
  const JsonValue details = json.root()["error"]["details"];
  assert_int_equal(details.size(), 3);
  assert_text(details.item(0)["@type"].text(), "x/A");
  assert_true(details.item(0).is_object());
  assert_false(details.item(1).is_object());
  assert_int_equal(details.item(1).number(-1), 7);
  assert_int_equal(details.item(2)["codes"].item(0).number(-1), 1);
  assert_text(details.item(2)["codes"].item(1).text(), "two");
}

void what_no_array_has_is_nothing(void** state) {
  JsonDocument& json = document_of(state);
  assert_true(json.parse(R"([[1],{"a":"b"},"text"])").ok());
  assert_int_equal(json.root().size(), 3);
  assert_int_equal(json.root().item(3).size(), 0);
  assert_text(json.root().item(SIZE_MAX).text(), "");
  assert_text(json.root().item(0)["a"].text(), "");
  assert_int_equal(json.root().item(1).size(), 0);
  assert_text(json.root().item(1).item(0).text(), "");
  assert_text(json.root().item(2).item(0)["a"].item(7).text(), "");
  assert_int_equal(json.root()["a"].number(-3), -3);
  assert_text(JsonValue().text(), "");
}

void escapes_and_utf8_are_decoded(void** state) {
  JsonDocument& json = document_of(state);
  assert_true(json.parse(R"({"a":"\"\\\/\n\u00e4\ud83d\ude00","{[":"]}"})").ok());
  assert_text(json.text({"a"}), "\"\\/\n\u00e4\U0001f600");
  assert_text(json.text({"{["}), "]}");
}

void what_is_not_json_is_malformed_and_leaves_nothing(void** state) {
  JsonDocument& json = document_of(state);
  const string_view bad[] = {"",
                             " ",
                             "{",
                             "{\"a\":1",
                             "{\"a\":1}x",
                             "<html>",
                             "{'a':1}",
                             "{\"a\":\"\\u0000\"}",
                             "{\"a\":\"\xff\"}",
                             "{\"a\":99999999999999999999}",
                             "{\"a\":1,}",
                             "\"text\"",
                             "7",
                             "]"};
  for (const string_view text : bad) {
    assert_true(json.parse(R"({"a":"before"})").ok());
    assert_int_equal(json.parse(text).error(), Error::malformed);
    assert_text(json.text({"a"}), "");
  }
}

void duplicate_keys_are_malformed(void** state) {
  assert_int_equal(document_of(state).parse(R"({"reason":"a","reason":"b"})").error(), Error::malformed);
}

void depth_is_bounded(void** state) {
  static char text[64 << 10];
  for (const size_t depth : {size_t{31}, size_t{32}, size_t{33}, sizeof(text) / 2}) {
    for (size_t i = 0; i < depth; ++i) {
      text[i] = '[';
      text[2 * depth - 1 - i] = ']';
    }
    assert_int_equal(document_of(state).parse({text, 2 * depth}).ok(), depth <= 32);
    assert_false(document_of(state).parse({text, depth}).ok());
  }
  assert_true(document_of(state).parse(R"({"a":"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\"[[[["})").ok());
}

void every_prefix_of_an_answer_is_refused(void** state) {
  const string_view text = R"({"error":{"code":404,"details":[{"@type":"x","errorCode":"UNREGISTERED"}]}})";
  for (size_t size = 0; size < text.size(); ++size) {
    assert_int_equal(document_of(state).parse({text.data(), size}).error(), Error::malformed);
  }
  assert_true(document_of(state).parse(text).ok());
}

void memory_goes_back_with_the_document(void** state) {
  Fixture& fixture = *static_cast<Fixture*>(*state);
  const size_t before = fixture.heap.live();
  assert_true(fixture.document.parse(R"({"a":[1,2,{"b":"c"}]})").ok());
  if (Heap::enforced()) assert_true(fixture.heap.live() > before);
  fixture.document.~JsonDocument();
  assert_int_equal(fixture.heap.live(), before);
  new (&fixture.document) JsonDocument(fixture.heap);
}

void refused_memory_is_told_from_bad_json(void** state) {
  if (!Heap::enforced()) skip();
  Fixture& fixture = *static_cast<Fixture*>(*state);
  const string_view text = R"({"error":{"code":404,"status":"NOT_FOUND","list":[1,"two",{"three":3}]}})";
  uint32_t n = 1;
  for (;; ++n) {
    fixture.heap.fail_at(n);
    const Status parsed = fixture.document.parse(text);
    fixture.heap.fail_at(0);
    if (parsed.ok()) break;
    assert_int_equal(parsed.error(), Error::exhausted);
    assert_int_equal(fixture.heap.live(), 0);
  }
  assert_true(n > 5);
  assert_text(fixture.document.text({"error", "status"}), "NOT_FOUND");
}

}  // namespace

#define WITH_DOCUMENT(test) cmocka_unit_test_setup_teardown(test, make, unmake)

TESTS(json, WITH_DOCUMENT(values_are_found_by_their_path),
      WITH_DOCUMENT(what_is_absent_or_of_another_type_is_the_fallback),
      WITH_DOCUMENT(arrays_are_looked_into_item_by_item), WITH_DOCUMENT(what_no_array_has_is_nothing),
      WITH_DOCUMENT(escapes_and_utf8_are_decoded), WITH_DOCUMENT(what_is_not_json_is_malformed_and_leaves_nothing),
      WITH_DOCUMENT(duplicate_keys_are_malformed), WITH_DOCUMENT(depth_is_bounded),
      WITH_DOCUMENT(every_prefix_of_an_answer_is_refused), WITH_DOCUMENT(memory_goes_back_with_the_document),
      WITH_DOCUMENT(refused_memory_is_told_from_bad_json));

}  // namespace tocsin::test
