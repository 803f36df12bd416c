#include "push/apns.h"
#include "test/unit/push/desk.h"

namespace tocsin::test {
namespace {

using Kind = Verdict::Kind;

constexpr UnixTime now{1'751'364'000};  // Tue, 01 Jul 2025 10:00:00 GMT

const Apns apns{ApnsOptions{}};

Reply reply_of(uint16_t status, string_view reason) {
  Reply reply;
  reply.status = status;
  reply.reason = reason;
  return reply;
}

bool contains(string_view text, string_view part) { return text.find(part) != string_view::npos; }

constexpr string_view bug = "bug of tocsin";

struct Row {
  uint16_t status;
  string_view reason;
  Kind kind;
  RetryClass retry_class = RetryClass::never;
  int64_t after_s = 0;
  int64_t pause_min = 0;
  const char* marks = "";   // c: reconnect, a: reauthorize, e: the other environment
  string_view advice = "";  // a part of it
};

constexpr RetryClass never = RetryClass::never;
constexpr RetryClass authorization = RetryClass::authorization;

// Every reason of Apple's that is about pushes to devices.
constexpr Row rows[] = {
    {400, "BadDeviceToken", Kind::suspect, never, 0, 0, "e", "environment and topic"},
    {400, "DeviceTokenNotForTopic", Kind::suspect, never, 0, 0, "", "topic"},
    {400, "TopicDisallowed", Kind::config, authorization, 0, 20, "", "topic"},
    {400, "BadTopic", Kind::config, authorization, 0, 20, "", "topic"},
    {400, "MissingTopic", Kind::config, authorization, 0, 20, "", "topic"},
    {400, "BadCollapseId", Kind::refused, never, 0, 0, "", bug},
    {400, "BadExpirationDate", Kind::refused, never, 0, 0, "", bug},
    {400, "BadMessageId", Kind::refused, never, 0, 0, "", bug},
    {400, "BadPriority", Kind::refused, never, 0, 0, "", bug},
    {400, "InvalidPushType", Kind::refused, never, 0, 0, "", bug},
    {400, "DuplicateHeaders", Kind::refused, never, 0, 0, "", bug},
    {400, "MissingDeviceToken", Kind::refused, never, 0, 0, "", bug},
    {400, "PayloadEmpty", Kind::refused, never, 0, 0, "", bug},
    {400, "IdleTimeout", Kind::retry, RetryClass::unprocessed, 0, 0, "c", ""},
    {403, "ExpiredProviderToken", Kind::retry, authorization, 0, 0, "ca", "clock"},
    {403, "InvalidProviderToken", Kind::config, authorization, 0, 20, "", "key_id and team_id"},
    {403, "MissingProviderToken", Kind::refused, never, 0, 0, "", bug},
    {403, "UnrelatedKeyIdInToken", Kind::retry, authorization, 0, 0, "c", "key_id"},
    {403, "BadEnvironmentKeyIdInToken", Kind::config, authorization, 0, 20, "", "environment"},
    {403, "BadCertificate", Kind::config, authorization, 0, 20, "c", "certificate"},
    {403, "BadCertificateEnvironment", Kind::config, authorization, 0, 20, "c", "certificate"},
    {403, "Forbidden", Kind::refused, never, 0, 0, "", "account"},
    {404, "BadPath", Kind::refused, never, 0, 0, "", bug},
    {405, "MethodNotAllowed", Kind::refused, never, 0, 0, "", bug},
    {410, "Unregistered", Kind::dead, never, 0, 0, "", ""},
    {410, "ExpiredToken", Kind::dead, never, 0, 0, "", ""},
    {413, "PayloadTooLarge", Kind::shrink, never, 0, 0, "", ""},
    {429, "TooManyProviderTokenUpdates", Kind::retry, RetryClass::rate_told, 60, 0, "c", "same key"},
    {429, "TooManyRequests", Kind::limited, RetryClass::device_rate, 0, 0, "", ""},
    {500, "InternalServerError", Kind::retry, RetryClass::server_trouble, 0, 0, "", ""},
    {503, "ServiceUnavailable", Kind::retry, RetryClass::server_trouble, 0, 0, "", ""},
    {503, "Shutdown", Kind::retry, RetryClass::shutting_down, 0, 0, "c", ""},
};

void every_reason_has_its_verdict(void**) {
  for (const Row& row : rows) {
    const Verdict verdict = apns.judge(reply_of(row.status, row.reason), now);
    const string_view marks = row.marks;
    if (verdict.kind != row.kind) print_error("%.*s\n", static_cast<int>(row.reason.size()), row.reason.data());
    assert_int_equal(verdict.kind, row.kind);
    assert_int_equal(verdict.retry_class, row.retry_class);
    assert_int_equal(verdict.after.us, seconds(row.after_s).us);
    assert_int_equal(verdict.pause.us, minutes(row.pause_min).us);
    assert_int_equal(verdict.reconnect, contains(marks, "c"));
    assert_int_equal(verdict.reauthorize, contains(marks, "a"));
    assert_int_equal(verdict.environment, contains(marks, "e"));
    assert_text(verdict.reason, row.reason);
    assert_int_equal(verdict.advice.empty(), row.advice.empty());
    if (!contains(verdict.advice, row.advice)) assert_text(verdict.advice, row.advice);
  }
}

void reasons_count_only_with_the_status_that_belongs_to_them(void**) {
  for (const Row& row : rows) {
    for (uint16_t status = 201; status < 600; ++status) {
      if (status == row.status) continue;
      const Verdict verdict = apns.judge(reply_of(status, row.reason), now);
      const Verdict unknown = apns.judge(reply_of(status, "NeverHeardOf"), now);
      assert_int_equal(verdict.kind, unknown.kind);
      assert_int_equal(verdict.retry_class, unknown.retry_class);
    }
  }
}

void what_is_accepted_is_delivered_whatever_is_said_beside(void**) {
  assert_int_equal(apns.judge(reply_of(200, ""), now).kind, Kind::delivered);
  assert_int_equal(apns.judge(reply_of(200, "Unregistered"), now).kind, Kind::delivered);
}

void unknown_reasons_follow_their_status_and_never_end_a_device(void**) {
  for (const string_view reason : {"", "NeverHeardOf", "unregistered", "Unregistered ", "UnregisteredX", "Gone"}) {
    for (uint16_t status = 0; status < 1000; ++status) {
      if (status == 200) continue;
      const Verdict verdict = apns.judge(reply_of(status, reason), now);
      const Kind wanted = status == 413                   ? Kind::shrink
                          : status == 429                 ? Kind::limited
                          : status >= 500 && status < 600 ? Kind::retry
                                                          : Kind::refused;
      assert_int_equal(verdict.kind, wanted);
      if (wanted == Kind::retry) assert_int_equal(verdict.retry_class, RetryClass::server_trouble);
      if (wanted == Kind::refused) assert_false(verdict.advice.empty());
      assert_false(verdict.reason.empty());  // the log has something to say
      assert_false(verdict.reconnect || verdict.reauthorize);
    }
  }
}

void a_410_says_since_when(void**) {
  Reply reply = reply_of(410, "Unregistered");
  assert_int_equal(apns.judge(reply, now).gone_since.s, 0);
  reply.timestamp_ms = 1'751'360'000'999;
  assert_int_equal(apns.judge(reply, now).gone_since.s, 1'751'360'000);
  reply.timestamp_ms = 5;  // told, so never "no time"
  assert_int_equal(apns.judge(reply, now).gone_since.s, 1);
  reply = reply_of(400, "BadDeviceToken");
  reply.timestamp_ms = 1'751'360'000'999;
  assert_int_equal(apns.judge(reply, now).gone_since.s, 0);
}

void a_clock_that_is_far_from_apples_is_told_with_words_that_it_may_explain(void**) {
  for (const int64_t off : {-18'000, -300, -299, 0, 299, 300, 18'000}) {
    for (const char* word : {"InvalidProviderToken", "ExpiredProviderToken", "MissingProviderToken"}) {
      Reply reply = reply_of(403, word);
      assert_int_equal(apns.judge(reply, now).clock_off.us, 0);  // no date, no news
      reply.date = UnixTime{now.s + off};
      const bool told = string_view(word) != "MissingProviderToken" && (off >= 300 || off <= -300);
      assert_int_equal(apns.judge(reply, now).clock_off.us, told ? seconds(off).us : 0);
      assert_int_equal(apns.judge(reply, UnixTime{0}).clock_off.us, 0);  // ours was never set
    }
  }
  // A time of Apple's is compared with one of ours.
  Reply reply = reply_of(410, "Unregistered");
  reply.timestamp_ms = 1'751'360'000'999;
  reply.date = UnixTime{now.s + 18'000};
  assert_int_equal(apns.judge(reply, now).gone_since.s, 1'751'360'000 - 18'000);
}

void a_limited_device_waits_as_long_as_it_was_told(void**) {
  Reply reply = reply_of(429, "TooManyRequests");
  reply.retry_after = "90";
  Verdict verdict = apns.judge(reply, now);
  assert_int_equal(verdict.retry_class, RetryClass::rate_told);
  assert_int_equal(verdict.after.us, seconds(90).us);
  reply.retry_after = "Tue, 01 Jul 2025 10:02:00 GMT";
  assert_int_equal(apns.judge(reply, now).after.us, seconds(120).us);
  reply.date = UnixTime{now.s + 60};  // their clock counts, not ours
  assert_int_equal(apns.judge(reply, now).after.us, seconds(60).us);
  reply.retry_after = "soon";
  verdict = apns.judge(reply, now);
  assert_int_equal(verdict.retry_class, RetryClass::device_rate);
  assert_int_equal(verdict.after.us, 0);
}

// ---- read --------------------------------------------------------------------

Reply read(string_view body) {
  Reply reply;
  reply.status = 410;
  reply.reason = "stale";
  reply.timestamp_ms = 99;
  reply.retry_after = "7";
  apns.read(body, json_desk().json, reply);
  assert_int_equal(reply.status, 410);
  assert_text(reply.retry_after, "7");
  return reply;
}

void the_body_of_a_410_is_read(void**) {
  const Reply reply = read(R"({"reason":"Unregistered","timestamp":1751360000123})");
  assert_text(reply.reason, "Unregistered");
  assert_int_equal(reply.timestamp_ms, 1'751'360'000'123);
}

void a_body_without_a_time_has_none(void**) {
  const Reply reply = read(R"({"reason":"BadDeviceToken"})");
  assert_text(reply.reason, "BadDeviceToken");
  assert_int_equal(reply.timestamp_ms, 0);
}

void hostile_bodies_have_no_reason(void**) {
  const string_view bodies[] = {
      "",
      "null",
      "\"Unregistered\"",
      "<html>410 Gone</html>",
      "[\"Unregistered\"]",
      R"({"reason":null})",
      R"({"reason":7})",
      R"({"reason":["Unregistered"]})",
      R"({"reason":{"reason":"Unregistered"}})",
      R"({"reason":"Unregistered\n"})",
      R"({"reason":"Un\u001b[31mregistered"})",
      R"({"reason":"Unregist\u00e9red"})",
      R"({"reason":"Unregistered\u0000"})",
      R"({"reason":"Unregistered\u007f"})",
      R"({"reason":"Unregistered","reason":"BadTopic"})",
      R"({"error":{"reason":"Unregistered"}})",
      R"({"reason":"Unregistered"}x)",
      R"({"Reason":"Unregistered"})",
      R"({"reason":"12345678901234567890123456789012345678901234567890123456789012345"})",
  };
  for (const string_view body : bodies) {
    const Reply reply = read(body);
    assert_text(reply.reason, "");
    assert_int_equal(reply.timestamp_ms, 0);
  }
}

void hostile_times_are_no_times(void**) {
  const string_view bodies[] = {
      R"({"reason":"Unregistered","timestamp":-1})",
      R"({"reason":"Unregistered","timestamp":0})",
      R"({"reason":"Unregistered","timestamp":"1751360000123"})",
      R"({"reason":"Unregistered","timestamp":1751360000123.5})",
      R"({"reason":"Unregistered","timestamp":9223372036854775807})",
      R"({"reason":"Unregistered","timestamp":-9223372036854775808})",
      R"({"reason":"Unregistered","timestamp":null})",
  };
  for (const string_view body : bodies) {
    const Reply reply = read(body);
    assert_text(reply.reason, "Unregistered");
    assert_int_equal(reply.timestamp_ms, 0);
  }
}

void a_body_that_was_cut_anywhere_has_no_reason(void**) {
  const string_view body = R"({"reason":"Unregistered","timestamp":1751360000123})";
  for (size_t i = 0; i < body.size(); ++i) {
    const Reply reply = read({body.data(), i});
    assert_text(reply.reason, "");
    assert_int_equal(reply.timestamp_ms, 0);
    // Judged so, the device lives.
    assert_int_equal(apns.judge(reply, now).kind, Kind::refused);
  }
}

TESTS(apns_replies, cmocka_unit_test(every_reason_has_its_verdict),
      cmocka_unit_test(reasons_count_only_with_the_status_that_belongs_to_them),
      cmocka_unit_test(what_is_accepted_is_delivered_whatever_is_said_beside),
      cmocka_unit_test(unknown_reasons_follow_their_status_and_never_end_a_device),
      cmocka_unit_test(a_410_says_since_when),
      cmocka_unit_test(a_clock_that_is_far_from_apples_is_told_with_words_that_it_may_explain),
      cmocka_unit_test(a_limited_device_waits_as_long_as_it_was_told), cmocka_unit_test(the_body_of_a_410_is_read),
      cmocka_unit_test(a_body_without_a_time_has_none), cmocka_unit_test(hostile_bodies_have_no_reason),
      cmocka_unit_test(hostile_times_are_no_times), cmocka_unit_test(a_body_that_was_cut_anywhere_has_no_reason));

}  // namespace
}  // namespace tocsin::test
