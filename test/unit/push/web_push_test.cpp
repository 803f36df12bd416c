#include "push/web_push.h"

#include "base/encode.h"
#include "base/text.h"
#include "test/support/notices.h"
#include "test/unit/push/curve_desk.h"
#include "test/unit/push/ece_vectors.h"

namespace tocsin::test {
namespace {

constexpr UnixTime now{1'751'364'000};
constexpr string_view endpoint = "https://push.example.net/wpush/v2/gAAAA-_x?y=1";
constexpr uint64_t seed = 77;

uint8_t keys[ece_keys_bytes];
Request request;

Registration browser(string_view account = "ann@example.org", string_view url = endpoint) {
  assert_true(decode_hex(ece_vectors[0].keys, keys).ok());
  return {.account = account, .token = bytes_of(url), .second_token = keys, .dialect = DialectId::web_push};
}
Registration without_keys() {
  Registration registration = browser();
  registration.second_token = {};
  return registration;
}

WebPush web_push(const WebPushOptions& options = {}) {
  return WebPush(options, {curve_desk().curve, curve_desk().heap}, vapid_of(1));
}

Status map(const WebPush& push, const Registration& registration, const Notice& notice, bool without_content = false) {
  const Outgoing outgoing = push.outgoing(notice);
  assert_true(outgoing.send);
  Numbers random(seed);
  MapInputs in{.now = now, .without_content = without_content, .random = &random};
  for (uint8_t i = 0; i < 8; ++i) in.account_tag[i] = static_cast<uint8_t>(0xA0 + i);
  for (uint8_t i = 0; i < 16; ++i) in.request_id[i] = i;
  request.clear();
  return push.map(registration, notice, outgoing, in, request);
}

// As this translator would seal it: ece_test says whether that is right.
void expect_sealed(string_view payload) {
  static uint8_t room[ece_body_bytes_max];
  Numbers random(seed);
  EceChance chance;
  assert_true(draw(curve_desk().curve, random, chance).ok());
  const Result<ByteView> body =
      seal({curve_desk().curve, curve_desk().heap}, keys, chance, bytes_of(payload), room, random);
  assert_true(body.ok());
  assert_true(same(request.body, body.value()));
}

string_view header(string_view name) {
  for (uint32_t i = 0; i < request.count; ++i) {
    if (request.headers[i].name == name) return request.headers[i].value;
  }
  return {};
}

constexpr string_view wake_topic = "oKGio6Slpqc";
constexpr string_view content_topic = "AAECAwQFBgcICQoLDA0ODw";

void expect(const WebPushOptions& options, const Notice& notice, string_view payload, string_view urgency,
            string_view topic, string_view ttl = "86400") {
  assert_true(map(web_push(options), browser(), notice).ok());
  assert_text(request.origin, "https://push.example.net");
  assert_text(request.path, "/wpush/v2/gAAAA-_x?y=1");
  assert_text(header("ttl"), ttl);
  assert_text(header("urgency"), urgency);
  assert_text(header("topic"), topic);
  assert_text(header("content-encoding"), "aes128gcm");
  assert_text(header("content-type"), "application/octet-stream");
  assert_int_equal(request.count, 5);
  assert_true(json_desk().json.parse(payload).ok());
  expect_sealed(payload);
}

void ciphertext_rides_urgently_and_stays_whole(void**) {
  expect({}, encrypted(), R"({"account":"ann@example.org","encrypted":"pX3/+A==","iv":"q83vASNFZ4mrze8B"})", "high",
         content_topic);
  expect({}, encrypted(Notice::Priority::low),
         R"({"account":"ann@example.org","encrypted":"pX3/+A==","iv":"q83vASNFZ4mrze8B","priority":"low"})", "low",
         content_topic);
}

void a_call_lives_half_a_minute(void**) {
  Notice call = encrypted(Notice::Priority::high);
  call.voip = true;
  expect({}, call, R"({"account":"ann@example.org","encrypted":"pX3/+A==","iv":"q83vASNFZ4mrze8B","priority":"high"})",
         "high", content_topic, "30");
  Notice in_clear = summary(1, "", "");
  in_clear.call_in_clear = true;
  expect({}, in_clear, R"({"account":"ann@example.org","unread-messages":1})", "high", content_topic, "30");
}

void sender_and_body_go_along_unless_the_section_forbids_it(void**) {
  const Notice notice = summary(2, "bob@example.net", "Tea \"now\"?");
  expect({}, notice,
         R"({"account":"ann@example.org","unread-messages":2,"sender":"bob@example.net","body":"Tea \"now\"?"})",
         "high", content_topic);
  expect({.clear_text = false}, notice, R"({"account":"ann@example.org","unread-messages":2})", "high", wake_topic);
}

void what_was_read_elsewhere_says_so_quietly(void**) {
  expect({}, summary(0, "", ""), R"({"account":"ann@example.org","unread-messages":0})", "low", wake_topic);
}

void a_publish_without_body_is_as_the_section_says(void**) {
  expect({}, Notice{}, R"({"account":"ann@example.org"})", "low", wake_topic);
  expect({.empty = Empty::high}, Notice{}, R"({"account":"ann@example.org"})", "high", wake_topic);
  assert_false(web_push({.empty = Empty::drop}).outgoing(Notice{}).send);
  Notice low;
  low.priority = Notice::Priority::low;
  expect({}, low, R"({"account":"ann@example.org","priority":"low"})", "low", wake_topic);
}

void a_device_without_keys_is_only_woken(void**) {
  for (const Notice& notice : {encrypted(), summary(2, "bob@example.net", "Tea?"), summary(0, "", "")}) {
    const WebPush push = web_push();
    assert_true(map(push, without_keys(), notice).ok());
    assert_int_equal(request.body.size(), 0);
    assert_int_equal(request.count, 3);
    assert_text(header("ttl"), "86400");
    assert_text(header("topic"), wake_topic);
    assert_text(header("urgency"), notice.has_count && notice.count == 0 ? "low" : "high");
  }
}

void who_refuses_an_empty_message_gets_the_least_there_is(void**) {
  assert_true(map(web_push(), without_keys(), Notice{}, true).ok());
  assert_text(text_of(request.body), "{}");
  assert_text(header("content-encoding"), "");
  assert_text(header("content-type"), "application/octet-stream");
}

void a_wake_up_client_is_told_nothing(void**) {
  for (const Notice::Addressee addressee : {Notice::Addressee::hashed, Notice::Addressee::nobody}) {
    Notice notice = encrypted();
    notice.addressee = addressee;
    assert_false(web_push().outgoing(notice).content);
    assert_true(map(web_push(), browser(), notice).ok());
    assert_int_equal(request.body.size(), 0);
    assert_text(header("topic"), wake_topic);
    assert_true(map(web_push(), browser(), notice, true).ok());
    expect_sealed("{}");
  }
}

void google_keeps_four_topics_so_content_has_none_there(void**) {
  const Registration chrome = browser("ann@example.org", "https://fcm.googleapis.com/fcm/send/dKx0");
  assert_true(map(web_push(), chrome, encrypted()).ok());
  assert_text(header("topic"), "");
  assert_true(map(web_push(), chrome, Notice{}).ok());
  assert_text(header("topic"), wake_topic);
}

void a_message_that_is_too_long_goes_without_its_content(void**) {
  static char text[4000];
  std::memset(text, 'A', sizeof text);
  Notice notice = encrypted();
  notice.ciphertext = {text, sizeof text};
  assert_true(map(web_push(), browser(), notice).ok());
  expect_sealed(R"({"account":"ann@example.org"})");
  assert_true(map(web_push(), browser(), encrypted(), true).ok());
  expect_sealed(R"({"account":"ann@example.org"})");
}

void what_the_form_promises_fits_to_the_byte(void**) {
  static char text[4100];
  std::memset(text, 'A', sizeof text);
  static char name[1200];
  std::memset(name, 'a', sizeof name);
  for (size_t length = 1; length < sizeof name; length += 13) {
    const Registration registration = browser({name, length});
    const size_t promised = web_push().payload_bytes_max(registration);
    assert_true(promised > 1000);
    Notice notice = encrypted(Notice::Priority::high);
    notice.iv = "AAAAAAAAAAAAAAAAAAAAAA==";
    notice.ciphertext = {text, (promised + 16 + 2) / 3 * 4};
    assert_true(map(web_push(), registration, notice).ok());
    assert_true(request.body.size() <= ece_body_bytes_max);
    assert_true(request.body.size() > ece_body_bytes_max - 8);
    notice.ciphertext = {text, (promised + 16 + 2) / 3 * 4 + 4};
    assert_true(map(web_push(), registration, notice).ok());
    assert_true(request.body.size() < 1500);
  }
  assert_int_equal(web_push().payload_bytes_max(browser()), 2906);
  assert_int_equal(web_push().payload_bytes_max(without_keys()), 0);
  const Registration firefox = browser("ann@example.org", "https://updates.push.services.mozilla.com/wpush/v2/x");
  assert_int_equal(web_push().payload_bytes_max(firefox), 1892);
}

void the_longest_account_and_endpoint_still_wake(void**) {
  static char name[account_bytes_max];
  std::memset(name, '"', sizeof name);  // each of them two bytes in JSON
  assert_int_equal(map(web_push(), browser({name, sizeof name}), Notice{}).error(), Error::too_long);
  std::memset(name, 'a', sizeof name);
  static char url[token_bytes_max] = "https://push.example.net/";
  std::memset(url + 25, 'x', sizeof url - 25);
  static char text[4000];
  std::memset(text, 'A', sizeof text);
  const Registration longest = browser({name, sizeof name}, {url, sizeof url});
  Notice notice = encrypted(Notice::Priority::high);
  notice.ciphertext = {text, web_push().payload_bytes_max(longest) / 3 * 4};
  assert_true(map(web_push(), longest, notice).ok());
  assert_int_equal(request.path.size(), token_bytes_max - 24);
}

void bodies_in_clear_are_cut_at_500_characters(void**) {
  static char text[4 * 600 + 1];
  for (size_t i = 0; i < 600; ++i) std::memcpy(text + 2 * i, "\xC3\xA9", 2);
  assert_true(map(web_push(), browser(), summary(1, "b", {text, 1200})).ok());
  assert_int_equal(request.body.size(),
                   string_view(R"({"account":"ann@example.org","unread-messages":1,"sender":"b","body":""})").size() +
                       1000 + ece_added_bytes);
}

void odd_records_are_refused(void**) {
  assert_int_equal(map(web_push(), browser("a", "not a url"), Notice{}).error(), Error::malformed);
  assert_int_equal(map(web_push(), browser("a", ""), Notice{}).error(), Error::malformed);
  Registration bad = browser();
  keys[5] ^= 1;
  assert_int_equal(map(web_push(), bad, Notice{}).error(), Error::malformed);
}

void the_fingerprint_is_the_keys(void**) {
  const EceTools tools{curve_desk().curve, curve_desk().heap};
  const uint32_t one = WebPush({}, tools, vapid_of(1)).fingerprint();
  assert_int_not_equal(one, 0);
  assert_int_equal(WebPush({.clear_text = false, .empty = Empty::drop}, tools, vapid_of(1)).fingerprint(), one);
  assert_int_not_equal(WebPush({}, tools, vapid_of(2)).fingerprint(), one);
}

void other_ports_need_the_sections_leave(void**) {
  uint8_t room[200];
  Arena scratch{Bytes(room)};
  assert_int_equal(web_push().normalise_token("https://ntfy.example:8443/up", scratch).error(), Error::denied);
  const AddressRange home[] = {parse_range("192.168.1.0/24").value()};
  const WebPush listed = web_push({.allow_private = home});
  assert_true(listed.normalise_token("https://ntfy.example:8443/up", scratch).ok());
  scratch.rewind(0);
  assert_true(listed.normalise_token("https://192.168.1.7:8443/up", scratch).ok());
  assert_int_equal(listed.normalise_token("https://192.168.2.7/up", scratch).error(), Error::denied);
}

void addresses_that_nobody_may_name_are_refused_at_once(void**) {
  for (const string_view url :
       {"https://127.0.0.1/", "https://[::1]/", "https://10.1.2.3/x", "https://[::ffff:10.0.0.1]/",
        "https://[64:ff9b::7f00:1]/", "https://169.254.169.254/latest"}) {
    uint8_t room[200];
    Arena scratch{Bytes(room)};
    assert_int_equal(web_push().normalise_token(url, scratch).error(), Error::denied);
  }
}

TESTS(web_push, cmocka_unit_test(ciphertext_rides_urgently_and_stays_whole),
      cmocka_unit_test(a_call_lives_half_a_minute),
      cmocka_unit_test(sender_and_body_go_along_unless_the_section_forbids_it),
      cmocka_unit_test(what_was_read_elsewhere_says_so_quietly),
      cmocka_unit_test(a_publish_without_body_is_as_the_section_says),
      cmocka_unit_test(a_device_without_keys_is_only_woken),
      cmocka_unit_test(who_refuses_an_empty_message_gets_the_least_there_is),
      cmocka_unit_test(a_wake_up_client_is_told_nothing),
      cmocka_unit_test(google_keeps_four_topics_so_content_has_none_there),
      cmocka_unit_test(a_message_that_is_too_long_goes_without_its_content),
      cmocka_unit_test(what_the_form_promises_fits_to_the_byte),
      cmocka_unit_test(the_longest_account_and_endpoint_still_wake),
      cmocka_unit_test(bodies_in_clear_are_cut_at_500_characters), cmocka_unit_test(odd_records_are_refused),
      cmocka_unit_test(the_fingerprint_is_the_keys), cmocka_unit_test(other_ports_need_the_sections_leave),
      cmocka_unit_test(addresses_that_nobody_may_name_are_refused_at_once));

}  // namespace
}  // namespace tocsin::test
