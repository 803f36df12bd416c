#include "push/fcm.h"

#include "test/support/notices.h"
#include "test/unit/push/desk.h"

namespace tocsin::test {
namespace {

constexpr UnixTime now{1'751'364'000};
constexpr string_view token = "dKx0:APA91bE-x_Zq7";  // shorter than real ones, of the same letters
constexpr string_view real_token =
    "cPv5qk2BQyOdS7uT0xWn1R:APA91bHUn9zq3Yk7mVgqL0sHqk2f5wqkq3X0n0mUQeXx2P1pY8Jc0XbqGJfQy0yqz5cX8Q4m2c1Vh7kq2oE0yqk9"
    "0Lr3o1cYxJ8s7a6D5f4G3h2J1kQwErTyUi";
constexpr size_t limit = 4096;

FixedText<63> project_of(string_view name) {
  FixedText<63> project;
  assert_true(project.assign(name));
  return project;
}

Registration stork(string_view account = "ann@example.org") { return {.account = account, .token = bytes_of(token)}; }

// SHA-1 of "ann@example.org" NUL "0123456789abcdef", and of a room with the same device.
constexpr uint8_t p2_identity[40] = {0xa3, 0xf1, 0x5c, 0x2b, 0x08, 0x9e, 0x44, 0x71, 0x10, 0xcd, 0xee, 0x52, 0x36, 0x97,
                                     0x0b, 0xa8, 0xf0, 0x1d, 0x2c, 0x3b, 0x77, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07,
                                     0x08, 0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f, 0x10, 0x11, 0x12, 0x13};

// As the gateway names the addressee of a device that registered in p2's words.
Notice to_p2(Notice notice, bool room = false) {
  notice.addressee = Notice::Addressee::hashed;
  notice.account_hash = ByteView(p2_identity).first(20);
  if (room) notice.channel_hash = ByteView(p2_identity).last(20);
  return notice;
}
Notice to_nobody(Notice notice) {
  notice.addressee = Notice::Addressee::nobody;
  return notice;
}

MapInputs inputs() {
  MapInputs in{.now = now};
  for (uint8_t i = 0; i < 8; ++i) in.account_tag[i] = static_cast<uint8_t>(0xA0 + i);
  return in;
}

Notice call() { return voip(encrypted(Notice::Priority::high)); }

Request request;

Status map(const FcmOptions& options, const Registration& registration, const Notice& notice,
           const MapInputs& in = inputs()) {
  const FixedText<63> project = project_of("chat-example");
  const Fcm fcm(options, project);
  const Outgoing outgoing = fcm.outgoing(notice);
  assert_true(outgoing.send);
  request.clear();
  const Status mapped = fcm.map(registration, notice, outgoing, in, request);
  if (mapped.ok()) {
    assert_true(request.body.size() <= limit);
    assert_true(json_desk().json.parse(text_of(request.body)).ok());
  }
  return mapped;
}

void expect_body(const FcmOptions& options, const Registration& registration, const Notice& notice, string_view body) {
  assert_true(map(options, registration, notice).ok());
  assert_text(request.path, "/v1/projects/chat-example/messages:send");
  assert_int_equal(request.count, 1);
  assert_text(request.headers[0].name, "content-type");
  assert_text(request.headers[0].value, "application/json");
  assert_text(text_of(request.body), body);
}

#define TO R"({"message":{"token":"dKx0:APA91bE-x_Zq7","android":{)"
#define WAKE R"("collapse_key":"a0a1a2a3a4a5a6a7",)"
#define HIGH R"("priority":"HIGH","ttl":"86400s"})"
#define NORMAL R"("priority":"NORMAL","ttl":"86400s"})"

void ciphertext_rides_in_a_message_of_high_priority(void**) {
  expect_body({}, stork(), encrypted(),
              TO HIGH R"(,"data":{"account":"ann@example.org","encrypted":"pX3/+A==","iv":"q83vASNFZ4mrze8B"}}})");
}

void ciphertext_of_low_priority_is_not_urgent(void**) {
  expect_body({}, stork(), encrypted(Notice::Priority::low),
              TO NORMAL R"(,"data":{"account":"ann@example.org","encrypted":"pX3/+A==","iv":"q83vASNFZ4mrze8B"}}})");
}

void a_call_ends_in_half_a_minute_and_never_collapses(void**) {
  expect_body({}, stork(), call(),
              TO R"("priority":"HIGH","ttl":"30s"},"data":{"account":"ann@example.org","encrypted":"pX3/+A==",)"
                 R"("iv":"q83vASNFZ4mrze8B"}}})");
  Notice in_clear = summary(1, "bob@example.net", "");
  in_clear.call_in_clear = true;
  expect_body({}, stork(), in_clear,
              TO R"("priority":"HIGH","ttl":"30s"},"data":{"account":"ann@example.org","unread-messages":"1"}}})");
}

void a_message_is_a_wake_up_unless_clear_text_is_allowed(void**) {
  const Notice notice = summary(2, "bob@example.net", "Tea \"now\"?");
  expect_body({}, stork(), notice, TO WAKE HIGH R"(,"data":{"account":"ann@example.org","unread-messages":"2"}}})");
  expect_body({.clear_text = true}, stork(), notice,
              TO HIGH R"(,"data":{"account":"ann@example.org","unread-messages":"2","sender":"bob@example.net",)"
                      R"("body":"Tea \"now\"?"}}})");
}

void what_was_read_elsewhere_says_so(void**) {
  expect_body({}, stork(), summary(0, "", ""),
              TO WAKE NORMAL R"(,"data":{"account":"ann@example.org","unread-messages":"0"}}})");
}

void a_publish_without_body_is_as_the_section_says(void**) {
  expect_body({}, stork(), Notice{}, TO WAKE NORMAL R"(,"data":{"account":"ann@example.org"}}})");
  expect_body({.empty = Empty::high}, stork(), Notice{}, TO WAKE HIGH R"(,"data":{"account":"ann@example.org"}}})");
  const FixedText<63> project = project_of("chat-example");
  assert_false(Fcm({.empty = Empty::drop}, project).outgoing(Notice{}).send);
}

#define P2_DATA R"(,"data":{"account":"a3f15c2b089e447110cdee5236970ba8f01d2c3b"}}})"

void a_p2_device_gets_the_hash_of_its_account_and_nothing_to_read(void**) {
  for (const Notice& notice : {encrypted(), summary(3, "bob@example.net", "Tea?")}) {
    expect_body({.clear_text = true}, stork(), to_p2(notice), TO R"("collapse_key":"a3f15c",)" HIGH P2_DATA);
  }
  expect_body({}, stork(), to_p2(summary(0, "", "")), TO R"("collapse_key":"a3f15c",)" NORMAL P2_DATA);
  expect_body({}, stork(), to_p2(call()), TO R"("priority":"HIGH","ttl":"30s"})" P2_DATA);
}

void a_group_chat_of_a_p2_device_is_named_and_collapses_by_itself(void**) {
  expect_body({}, stork(), to_p2(summary(1, "", "Tea?"), true),
              TO R"("collapse_key":"770102",)" HIGH R"(,"data":{"account":"a3f15c2b089e447110cdee5236970ba8f01d2c3b",)"
                 R"("channel":"770102030405060708090a0b0c0d0e0f10111213"}}})");
}

void a_device_that_never_registered_gets_no_data(void**) {
  expect_body({.clear_text = true}, stork(""), to_nobody(encrypted()), TO WAKE HIGH "}}");
  expect_body({.clear_text = true}, stork(), to_nobody(summary(1, "bob@example.net", "Tea?")), TO WAKE HIGH "}}");
}

void without_content_only_account_and_priority_go(void**) {
  MapInputs in = inputs();
  in.without_content = true;
  assert_true(map({.clear_text = true}, stork(), encrypted(), in).ok());
  assert_text(text_of(request.body), TO HIGH R"(,"data":{"account":"ann@example.org"}}})");
}

void a_clear_body_is_cut_at_500_characters(void**) {
  static char text[2 * 600];
  for (size_t i = 0; i < 600; ++i) std::memcpy(text + 2 * i, "\xc3\xa4", 2);
  assert_true(map({.clear_text = true}, stork(), summary(1, "bob@example.net", {text, sizeof text})).ok());
  assert_int_equal(json_desk().json.text({"message", "data", "body"}).size(), 1000);
}

// ---- size --------------------------------------------------------------------

char cipher_room[8192];

Notice sealed(size_t bytes) {
  Notice notice = encrypted();
  std::memset(cipher_room, 'A', sizeof cipher_room);
  notice.ciphertext = {cipher_room, (bytes + 2) / 3 * 4};
  notice.iv = "AAAAAAAAAAAAAAAAAAAAAA==";
  return notice;
}

bool has(const char* key) { return !json_desk().json.text({"message", "data", key}).empty(); }

void the_promised_payload_always_fits_and_one_step_more_goes_without(void**) {
  const FixedText<63> project = project_of("chat-example");
  const Fcm fcm({}, project);
  static char room[token_bytes_max];
  std::memset(room, 'a', sizeof room);
  const string_view accounts[] = {"ann@example.org", "\"quoted\"@example.org", string_view(room, 900)};
  for (const string_view account : accounts) {
    for (const string_view each : {token, real_token, string_view(room, sizeof room)}) {
      const Registration registration{.account = account, .token = bytes_of(each)};
      const size_t max = fcm.payload_bytes_max(registration);
      assert_true(max > 0);
      assert_true(map({}, registration, sealed(max + 16)).ok());
      assert_true(has("encrypted"));
      assert_true(request.body.size() > limit - 8);  // and little was given away
      assert_true(map({}, registration, sealed(max + 24)).ok());
      assert_false(has("encrypted"));
      assert_false(has("iv"));
      assert_true(has("account"));
    }
  }
  assert_int_equal(fcm.payload_bytes_max({.account = "ann@example.org", .token = bytes_of(real_token)}), 2831);
}

void what_does_not_fit_even_without_content_is_refused(void**) {
  static char room[account_bytes_max];
  std::memset(room, 1, sizeof room);  // six characters each in JSON
  assert_int_equal(map({}, stork({room, sizeof room}), encrypted()).error(), Error::too_long);
  Registration none = stork();
  none.token = {};
  assert_int_equal(map({}, none, encrypted()).error(), Error::malformed);
}

// ---- tokens, project -----------------------------------------------------------

void a_token_is_kept_as_it_came(void**) {
  const FixedText<63> project = project_of("p");
  const Fcm fcm({}, project);
  uint8_t room[2000];
  Arena scratch{Bytes(room)};
  assert_text(text_of(fcm.normalise_token(real_token, scratch).value()), real_token);
}

void what_can_be_no_token_is_refused(void**) {
  const FixedText<63> project = project_of("p");
  const Fcm fcm({}, project);
  uint8_t room[2000];
  Arena scratch{Bytes(room)};
  for (const string_view bad : {"", "short", "with blank in the middle of it", "quote\"quote\"quote\"quote",
                                "back\\slash\\back\\slash", "newline\nnewline\nnewline",
                                "\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4"}) {
    assert_int_equal(fcm.normalise_token(bad, scratch).error(), Error::malformed);
  }
  static char longest[token_bytes_max + 1];
  std::memset(longest, 'a', sizeof longest);
  assert_true(fcm.normalise_token({longest, token_bytes_max}, scratch).ok());
  assert_int_equal(fcm.normalise_token({longest, sizeof longest}, scratch).error(), Error::too_long);
}

void another_project_is_another_configuration(void**) {
  const FixedText<63> one = project_of("chat-example"), other = project_of("chat-example2");
  assert_int_not_equal(Fcm({}, one).fingerprint(), Fcm({}, other).fingerprint());
  assert_int_equal(Fcm({}, one).fingerprint(), Fcm({.empty = Empty::high}, one).fingerprint());
  assert_int_not_equal(Fcm({}, one).fingerprint(), 0);
}

TESTS(fcm, cmocka_unit_test(ciphertext_rides_in_a_message_of_high_priority),
      cmocka_unit_test(ciphertext_of_low_priority_is_not_urgent),
      cmocka_unit_test(a_call_ends_in_half_a_minute_and_never_collapses),
      cmocka_unit_test(a_message_is_a_wake_up_unless_clear_text_is_allowed),
      cmocka_unit_test(what_was_read_elsewhere_says_so),
      cmocka_unit_test(a_publish_without_body_is_as_the_section_says),
      cmocka_unit_test(a_p2_device_gets_the_hash_of_its_account_and_nothing_to_read),
      cmocka_unit_test(a_group_chat_of_a_p2_device_is_named_and_collapses_by_itself),
      cmocka_unit_test(a_device_that_never_registered_gets_no_data),
      cmocka_unit_test(without_content_only_account_and_priority_go),
      cmocka_unit_test(a_clear_body_is_cut_at_500_characters),
      cmocka_unit_test(the_promised_payload_always_fits_and_one_step_more_goes_without),
      cmocka_unit_test(what_does_not_fit_even_without_content_is_refused), cmocka_unit_test(a_token_is_kept_as_it_came),
      cmocka_unit_test(what_can_be_no_token_is_refused), cmocka_unit_test(another_project_is_another_configuration));

}  // namespace
}  // namespace tocsin::test
