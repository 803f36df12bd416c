#include "push/apns.h"

#include "test/support/notices.h"
#include "test/unit/push/desk.h"

namespace tocsin::test {
namespace {

constexpr UnixTime now{1'751'364'000};  // Tue, 01 Jul 2025 10:00:00 GMT
constexpr string_view in_a_day = "1751450400";
constexpr string_view in_half_a_minute = "1751364030";
constexpr uint8_t token[32] = {0xDE, 0xAD, 0xBE, 0xEF, 1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12,
                               13,   14,   15,   16,   17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 0xFF};
constexpr string_view path = "/3/device/deadbeef0102030405060708090a0b0c0d0e0f101112131415161718191a1bff";
constexpr string_view request_uuid = "00112233-4455-4677-8899-aabbccddeeff";
constexpr string_view content_collapse = "00112233445546778899aabbccddeeff";
constexpr string_view wake_collapse = "a0a1a2a3a4a5a6a7";

ApnsOptions siskin() {
  ApnsOptions options;
  options.topic = "org.example.siskin";
  options.team_id = "DEF123GHIJ";
  options.key_id = "ABC123DEFG";
  return options;
}
ApnsOptions monal() {
  ApnsOptions options = siskin();
  options.payload = Payload::wake;
  options.empty = Empty::high;
  options.alert_title = "New Message";
  options.alert_body = "New Message?";
  return options;
}

Registration registration_of(string_view account) {
  Registration registration;
  registration.account = account;
  registration.token = ByteView(token);
  return registration;
}

MapInputs inputs() {
  MapInputs in{.now = now};
  constexpr uint8_t id[16] = {0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x46, 0x77,
                              0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff};
  std::memcpy(in.request_id, id, sizeof id);
  for (uint8_t i = 0; i < 8; ++i) in.account_tag[i] = static_cast<uint8_t>(0xA0 + i);
  return in;
}

Request request;

void map(const ApnsOptions& options, const Notice& notice, const MapInputs& in = inputs()) {
  const Apns apns(options);
  const Outgoing outgoing = apns.outgoing(notice);
  assert_true(outgoing.send);
  request.clear();
  assert_true(apns.map(registration_of("ann@example.org"), notice, outgoing, in, request).ok());
  assert_true(json_desk().json.parse(text_of(request.body)).ok());
}

void expect_header(uint32_t at, string_view name, string_view value, bool no_index = false) {
  assert_true(at < request.count);
  assert_text(request.headers[at].name, name);
  assert_text(request.headers[at].value, value);
  assert_int_equal(request.headers[at].no_index, no_index);
}

void expect_request(string_view kind, string_view priority, string_view expiration, string_view collapse_id,
                    string_view body) {
  assert_text(request.path, path);
  assert_int_equal(request.count, 6);
  expect_header(0, "apns-topic", "org.example.siskin");
  expect_header(1, "apns-push-type", kind);
  expect_header(2, "apns-priority", priority);
  expect_header(3, "apns-expiration", expiration);
  expect_header(4, "apns-id", request_uuid, true);
  expect_header(5, "apns-collapse-id", collapse_id, true);
  assert_text(text_of(request.body), body);
}

void ciphertext_rides_in_an_alert(void**) {
  map(siskin(), encrypted());
  expect_request("alert", "10", in_a_day, content_collapse,
                 R"({"aps":{"alert":{"body":"New message!"},"mutable-content":1,"sound":"default"},)"
                 R"("account":"ann@example.org","encrypted":"pX3/+A==","iv":"q83vASNFZ4mrze8B"})");
}

void ciphertext_of_low_priority_rides_in_the_background(void**) {
  map(siskin(), encrypted(Notice::Priority::low));
  expect_request("background", "5", in_a_day, content_collapse,
                 R"({"aps":{"content-available":1},"account":"ann@example.org",)"
                 R"("encrypted":"pX3/+A==","iv":"q83vASNFZ4mrze8B"})");
}

void a_call_is_an_alert_that_ends_in_half_a_minute(void**) {
  Notice notice = encrypted(Notice::Priority::high);
  notice.voip = true;
  map(siskin(), notice);
  expect_request("alert", "10", in_half_a_minute, content_collapse,
                 R"({"aps":{"alert":{"body":"New message!"},"mutable-content":1,"sound":"default"},)"
                 R"("account":"ann@example.org","encrypted":"pX3/+A==","iv":"q83vASNFZ4mrze8B"})");
  map(monal(), notice);
  expect_request("alert", "10", in_half_a_minute, content_collapse,
                 R"({"aps":{"alert":{"title":"New Message","body":"New Message?"},)"
                 R"("mutable-content":1,"sound":"default"}})");
}

void a_call_to_a_device_with_a_second_token_goes_there(void**) {
  Notice notice = encrypted(Notice::Priority::high);
  notice.voip = true;
  static const uint8_t second[] = {0xab, 0xcd, 0xef, 0x01, 0x23, 0x45, 0x67, 0x89};
  Registration registration = registration_of("ann@example.org");
  registration.second_token = ByteView(second);
  const Apns apns(siskin());
  request.clear();
  assert_true(apns.map(registration, notice, apns.outgoing(notice), inputs(), request).ok());
  assert_true(request.to_second());
  assert_true(request.path == "/3/device/abcdef0123456789");
  expect_header(0, "apns-topic", "org.example.siskin.voip");
  expect_header(1, "apns-push-type", "voip");
  expect_header(2, "apns-priority", "10");
  static uint8_t body[4096];
  const size_t size = request.body.size();
  copy_bytes(body, request.body);
  // The same as an alert to the first token: what a call without a second one is.
  apns.to_first(request);
  assert_false(request.to_second());
  assert_true(same(request.body, ByteView(body).first(size)));
  map(siskin(), notice);
  assert_true(same(request.body, ByteView(body).first(size)));
  request.clear();
  assert_true(apns.map(registration, notice, apns.outgoing(notice), inputs(), request).ok());
  apns.to_first(request);
  expect_request("alert", "10", in_half_a_minute, content_collapse,
                 R"({"aps":{"alert":{"body":"New message!"},"mutable-content":1,"sound":"default"},)"
                 R"("account":"ann@example.org","encrypted":"pX3/+A==","iv":"q83vASNFZ4mrze8B"})");
  // What the app could not decode never goes there.
  for (const Notice& other : {encrypted(Notice::Priority::high), summary(1, "bob@example.net/desk", "Hi")}) {
    request.clear();
    assert_true(apns.map(registration, other, apns.outgoing(other), inputs(), request).ok());
    assert_false(request.to_second());
  }
  const Apns wake(monal());
  request.clear();
  assert_true(wake.map(registration, notice, wake.outgoing(notice), inputs(), request).ok());
  assert_false(request.to_second());
}

void a_call_in_clear_never_merges_with_messages(void**) {
  Notice notice = summary(1, "bob@example.net/desk", "");
  notice.call_in_clear = true;
  map(siskin(), notice);
  expect_request("alert", "10", in_half_a_minute, content_collapse,
                 R"({"aps":{"alert":{"body":"New message!"},"mutable-content":1,"sound":"default"},)"
                 R"("account":"ann@example.org","unread-messages":1})");
}

void what_was_read_elsewhere_clears_the_badge(void**) {
  map(siskin(), summary(0, "", ""));
  expect_request("background", "5", in_a_day, wake_collapse,
                 R"({"aps":{"content-available":1},"account":"ann@example.org","unread-messages":0})");
}

void a_body_is_an_alert_without_its_words(void**) {
  map(siskin(), summary(3, "bob@example.net/desk", "Hello"));
  expect_request("alert", "10", in_a_day, wake_collapse,
                 R"({"aps":{"alert":{"body":"New message!"},"mutable-content":1,"sound":"default"},)"
                 R"("account":"ann@example.org","unread-messages":3})");
}

void words_go_where_the_section_lets_them(void**) {
  ApnsOptions options = siskin();
  options.clear_text = true;
  map(options, summary(3, "bob@example.net/desk", "Say \"hi\"\n\U0001f600"));
  expect_request("alert", "10", in_a_day, content_collapse,
                 R"({"aps":{"alert":{"body":"New message!"},"mutable-content":1,"sound":"default"},)"
                 R"("account":"ann@example.org","unread-messages":3,"sender":"bob@example.net/desk",)"
                 "\"body\":\"Say \\\"hi\\\"\\n\U0001f600\"}");
  // A payload of wake-ups has no place for them.
  options.payload = Payload::wake;
  map(options, summary(3, "bob@example.net/desk", "Hello"));
  expect_request("alert", "10", in_a_day, wake_collapse,
                 R"({"aps":{"alert":{"body":"New message!"},"mutable-content":1,"sound":"default"}})");
}

void devices_of_other_dialects_are_only_woken(void**) {
  ApnsOptions options = siskin();
  options.clear_text = true;
  for (const Notice::Addressee addressee : {Notice::Addressee::hashed, Notice::Addressee::nobody}) {
    Notice notices[] = {summary(3, "bob@example.net/desk", "Hello"), encrypted(), Notice()};
    for (Notice& notice : notices) {
      notice.addressee = addressee;
      map(options, notice);
      expect_request("alert", "10", in_a_day, wake_collapse,
                     R"({"aps":{"alert":{"body":"New message!"},"mutable-content":1,"sound":"default"}})");
    }
    // What a publish without body becomes has a default of its own for them.
    const Apns apns(options);
    Notice empty;
    empty.addressee = addressee;
    assert_true(apns.outgoing(empty).alert);
    options.empty_wake = Empty::drop;
    assert_false(Apns(options).outgoing(empty).send);
    options.empty_wake = Empty::high;
    Notice read = summary(0, "", "");
    read.addressee = addressee;
    assert_false(Apns(options).outgoing(read).send);
  }
}

void without_words_a_publish_merges_although_they_were_allowed(void**) {
  ApnsOptions options = siskin();
  options.clear_text = true;
  options.empty = Empty::high;
  const Apns apns(options);
  Notice notice;
  assert_false(apns.outgoing(notice).content);
  map(options, notice);
  expect_request("alert", "10", in_a_day, wake_collapse,
                 R"({"aps":{"alert":{"body":"New message!"},"mutable-content":1,"sound":"default"},)"
                 R"("account":"ann@example.org"})");
  notice.sender = "bob@example.net";
  assert_true(apns.outgoing(notice).content);
}

void an_empty_publish_goes_as_the_section_says(void**) {
  ApnsOptions options = siskin();
  map(options, Notice{});
  expect_request("background", "5", in_a_day, wake_collapse,
                 R"({"aps":{"content-available":1},"account":"ann@example.org"})");
  options.empty = Empty::high;
  map(options, Notice{});
  expect_request("alert", "10", in_a_day, wake_collapse,
                 R"({"aps":{"alert":{"body":"New message!"},"mutable-content":1,"sound":"default"},)"
                 R"("account":"ann@example.org"})");
  options.empty = Empty::drop;
  assert_false(Apns(options).outgoing(Notice{}).send);
}

void a_wake_up_says_nothing_about_whom_or_why(void**) {
  constexpr string_view woken =
      R"({"aps":{"alert":{"title":"New Message","body":"New Message?"},"mutable-content":1,"sound":"default"}})";
  map(monal(), encrypted());
  expect_request("alert", "10", in_a_day, wake_collapse, woken);
  map(monal(), summary(3, "bob@example.net/desk", "Hello"));
  expect_request("alert", "10", in_a_day, wake_collapse, woken);
  map(monal(), Notice{});
  expect_request("alert", "10", in_a_day, wake_collapse, woken);
  ApnsOptions quiet = monal();
  quiet.empty = Empty::normal;
  map(quiet, Notice{});
  expect_request("background", "5", in_a_day, wake_collapse, R"({"aps":{"content-available":1}})");
}

void the_alert_is_what_the_section_says(void**) {
  ApnsOptions options = siskin();
  options.alert_title = "\"Chat\"";
  options.alert_body = "Neue Nachricht \\o/";
  options.sound = "";
  options.category = "MESSAGE";
  Notice notice;
  notice.priority = Notice::Priority::high;
  map(options, notice);
  assert_text(text_of(request.body),
              R"({"aps":{"alert":{"title":"\"Chat\"","body":"Neue Nachricht \\o/"},"mutable-content":1,)"
              R"("category":"MESSAGE"},"account":"ann@example.org"})");
}

// 0 without sender and body means "read elsewhere" to the app.
void a_count_of_0_is_not_sent_by_accident(void**) {
  Notice notice = summary(0, "bob@example.net", "");
  notice.priority = Notice::Priority::low;
  map(siskin(), notice);
  assert_text(text_of(request.body), R"({"aps":{"content-available":1},"account":"ann@example.org"})");
}

void content_that_was_too_large_leaves_account_and_alert(void**) {
  MapInputs in = inputs();
  in.without_content = true;
  map(siskin(), encrypted(), in);
  assert_text(text_of(request.body),
              R"({"aps":{"alert":{"body":"New message!"},"mutable-content":1,"sound":"default"},)"
              R"("account":"ann@example.org"})");
  ApnsOptions options = siskin();
  options.clear_text = true;
  map(options, summary(3, "bob@example.net", "Hello"), in);
  assert_text(text_of(request.body),
              R"({"aps":{"alert":{"body":"New message!"},"mutable-content":1,"sound":"default"},)"
              R"("account":"ann@example.org","unread-messages":3})");
}

void the_same_arguments_give_the_same_bytes(void**) {
  static Request first;
  map(siskin(), encrypted());
  first.clear();
  const Apns apns(siskin());
  assert_true(
      apns.map(registration_of("ann@example.org"), encrypted(), apns.outgoing(encrypted()), inputs(), first).ok());
  assert_text(text_of(first.body), text_of(request.body));
  for (uint32_t i = 0; i < first.count; ++i) assert_text(first.headers[i].value, request.headers[i].value);
}

void the_expiry_moves_with_the_clock(void**) {
  const Apns apns(siskin());
  for (int day = 0; day < 60; ++day) {
    MapInputs in = inputs();
    in.now = now + days(day);
    map(siskin(), encrypted(), in);
    uint8_t room[20];
    Writer wanted(room);
    wanted.number(in.now.s + 86'400);
    expect_header(3, "apns-expiration", wanted.view());
  }
}

// Mapped before the clock was set, sent after it was: an expiry in 1970 would lose the push.
void a_clock_that_was_never_set_makes_no_expiry(void**) {
  MapInputs in = inputs();
  in.now = UnixTime{300};
  map(siskin(), encrypted(), in);
  assert_int_equal(request.count, 5);
  for (uint32_t i = 0; i < request.count; ++i) assert_true(request.headers[i].name != "apns-expiration");
  Notice call = encrypted();
  call.voip = true;
  map(siskin(), call, in);
  expect_header(3, "apns-expiration", "0");
}

void the_longest_token_fits_beside_the_longest_body(void**) {
  static uint8_t long_token[100];
  static char ciphertext[4096];
  std::memset(long_token, 0xFE, sizeof long_token);
  std::memset(ciphertext, 'A', sizeof ciphertext);
  Registration registration = registration_of("ann@example.org");
  registration.token = ByteView(long_token);
  const Apns apns(siskin());
  for (size_t size = 3900; size <= sizeof ciphertext; ++size) {
    Notice notice = encrypted();
    notice.ciphertext = {ciphertext, size};
    request.clear();
    assert_true(apns.map(registration, notice, apns.outgoing(notice), inputs(), request).ok());
    assert_int_equal(request.path.size(), 210);
    assert_true(request.body.size() <= 4096);
  }
  registration.token = {};
  request.clear();
  assert_int_equal(apns.map(registration, encrypted(), apns.outgoing(encrypted()), inputs(), request).error(),
                   Error::malformed);
}

TESTS(apns, cmocka_unit_test(ciphertext_rides_in_an_alert),
      cmocka_unit_test(ciphertext_of_low_priority_rides_in_the_background),
      cmocka_unit_test(a_call_is_an_alert_that_ends_in_half_a_minute),
      cmocka_unit_test(a_call_to_a_device_with_a_second_token_goes_there),
      cmocka_unit_test(a_call_in_clear_never_merges_with_messages),
      cmocka_unit_test(what_was_read_elsewhere_clears_the_badge),
      cmocka_unit_test(a_body_is_an_alert_without_its_words), cmocka_unit_test(words_go_where_the_section_lets_them),
      cmocka_unit_test(devices_of_other_dialects_are_only_woken),
      cmocka_unit_test(without_words_a_publish_merges_although_they_were_allowed),
      cmocka_unit_test(an_empty_publish_goes_as_the_section_says),
      cmocka_unit_test(a_wake_up_says_nothing_about_whom_or_why), cmocka_unit_test(the_alert_is_what_the_section_says),
      cmocka_unit_test(a_count_of_0_is_not_sent_by_accident),
      cmocka_unit_test(content_that_was_too_large_leaves_account_and_alert),
      cmocka_unit_test(the_same_arguments_give_the_same_bytes), cmocka_unit_test(the_expiry_moves_with_the_clock),
      cmocka_unit_test(a_clock_that_was_never_set_makes_no_expiry),
      cmocka_unit_test(the_longest_token_fits_beside_the_longest_body));

}  // namespace
}  // namespace tocsin::test
