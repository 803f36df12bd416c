#include "base/text.h"
#include "push/web_push.h"
#include "test/unit/push/curve_desk.h"

namespace tocsin::test {
namespace {

constexpr string_view p256dh =
    "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4";
constexpr string_view auth = "BTBZMqHH6r4Tts7J_aSIgg";

KeyFault fault;  // of the last keys

Error keys_error(string_view point, string_view secret) {
  uint8_t room[200];
  Arena scratch{Bytes(room)};
  const Result<ByteView> keys =
      read_subscription_keys(point, secret, curve_desk().curve, curve_desk().random, scratch, fault);
  return keys.ok() ? Error::none : keys.error();
}

void a_browsers_json_is_read(void**) {
  const Result<Subscription> read = read_subscription(
      R"( {"endpoint":"https://push.example.net/x","expirationTime":null,"keys":{"p256dh":"BCV","auth":"BTB"}} )",
      json_desk().json);
  assert_true(read.ok());
  assert_text(read.value().endpoint, "https://push.example.net/x");
  assert_text(read.value().p256dh, "BCV");
  assert_text(read.value().auth, "BTB");
}

void a_bare_url_has_no_keys(void**) {
  const Result<Subscription> read = read_subscription(" https://push.example.net/x\n", json_desk().json);
  assert_true(read.ok());
  assert_text(read.value().endpoint, "https://push.example.net/x");
  assert_text(read.value().p256dh, "");
  const Result<Subscription> json = read_subscription(R"({"endpoint":"https://push.example.net/x"})", json_desk().json);
  assert_true(json.ok());
  assert_text(json.value().auth, "");
}

void what_is_no_subscription_is_refused(void**) {
  for (const char* text : {"", "  ", "{", "{}", R"({"endpoint":1})", R"({"keys":{"p256dh":"BCV","auth":"BTB"}})",
                           R"({"endpoint":["https://push.example.net/x"]})"}) {
    assert_int_equal(read_subscription(text, json_desk().json).error(), Error::malformed);
  }
}

void keys_become_81_bytes(void**) {
  uint8_t room[200];
  Arena scratch{Bytes(room)};
  const Result<ByteView> keys =
      read_subscription_keys(p256dh, auth, curve_desk().curve, curve_desk().random, scratch, fault);
  assert_true(keys.ok());
  assert_int_equal(keys.value().size(), ece_keys_bytes);
  assert_int_equal(keys.value()[0], 4);
  assert_int_equal(keys.value()[65], 0x05);
  const Result<ByteView> none = read_subscription_keys("", "", curve_desk().curve, curve_desk().random, scratch, fault);
  assert_true(none.ok());
  assert_int_equal(none.value().size(), 0);
}

void padding_and_the_other_alphabet_are_allowed(void**) {
  assert_int_equal(
      keys_error("BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4=",
                 "BTBZMqHH6r4Tts7J_aSIgg=="),
      Error::none);
  assert_int_equal(
      keys_error("BCVxsr7N/eNgVRqvHtD0zTZsEc6+VV+JvLexhqUzORcxaOzi6+AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4=",
                 "BTBZMqHH6r4Tts7J/aSIgg=="),
      Error::none);
}

void keys_that_would_never_decrypt_are_refused(void**) {
  assert_int_equal(keys_error(p256dh, ""), Error::malformed);
  assert_int_equal(keys_error("", auth), Error::malformed);
  assert_int_equal(keys_error(slice(p256dh, 0, 86), auth), Error::malformed);
  assert_int_equal(keys_error(p256dh, slice(auth, 0, 20)), Error::malformed);
  assert_int_equal(keys_error(p256dh, p256dh), Error::malformed);
  assert_int_equal(keys_error("not base64!", auth), Error::malformed);
  // A point beside the curve, and one in another form.
  assert_int_equal(
      keys_error("BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw8", auth),
      Error::malformed);
  assert_int_equal(keys_error("AyVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcx", auth), Error::malformed);
  uint8_t little[40];
  Arena scratch{Bytes(little)};
  assert_int_equal(
      read_subscription_keys(p256dh, auth, curve_desk().curve, curve_desk().random, scratch, fault).error(),
      Error::exhausted);
}

void the_key_that_is_wrong_is_named(void**) {
  const struct {
    string_view point, secret, key, what;
  } cases[] = {
      {p256dh, "", "auth", "is missing (16 bytes, base64url)"},
      {"", auth, "p256dh", "is missing (65 bytes, base64url)"},
      {slice(p256dh, 0, 80), auth, "p256dh", "must be 65 bytes in base64url"},
      {p256dh, "not base64!", "auth", "must be 16 bytes in base64url"},
      {"BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw8", auth, "p256dh",
       "is not a point of P-256"},
  };
  for (const auto& each : cases) {
    assert_int_equal(keys_error(each.point, each.secret), Error::malformed);
    assert_text(fault.key, each.key);
    assert_text(fault.what, each.what);
  }
}

void whoever_wrote_the_client_is_told_what_is_wrong(void**) {
  const struct {
    const char* text;
    string_view begins;
  } cases[] = {
      {"[object PushSubscription]", "is not the JSON text of a subscription: send"},
      {R"("{\"endpoint\":\"https://push.example.net/x\"}")", "is JSON within JSON"},
      {R"({"endpoint":"https://push.exam)", "is no whole JSON"},
      {R"({"keys":{}})", "names no endpoint"},
      {R"({"endpoint":"push.example.net/x"})", "is not the JSON text"},
      {R"({"endpoint":"http://push.example.net/x"})", "is refused: the endpoint must be https"},
      {"http://push.example.net/x", "is refused: the endpoint must be https"},
      {"https://ann@push.example.net/x", "is refused: the endpoint must be https with a host in ASCII"},
      {"", "names no endpoint"},
  };
  for (const auto& each : cases) {
    const string_view said = subscription_fault(each.text, json_desk().json);
    assert_text(slice(said, 0, each.begins.size()), each.begins);
  }
}

TESTS(subscription, cmocka_unit_test(the_key_that_is_wrong_is_named),
      cmocka_unit_test(whoever_wrote_the_client_is_told_what_is_wrong), cmocka_unit_test(a_browsers_json_is_read),
      cmocka_unit_test(a_bare_url_has_no_keys), cmocka_unit_test(what_is_no_subscription_is_refused),
      cmocka_unit_test(keys_become_81_bytes), cmocka_unit_test(padding_and_the_other_alphabet_are_allowed),
      cmocka_unit_test(keys_that_would_never_decrypt_are_refused));

}  // namespace
}  // namespace tocsin::test
