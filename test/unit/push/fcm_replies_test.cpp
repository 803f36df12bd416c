#include "push/fcm.h"
#include "push/retry.h"
#include "test/unit/push/desk.h"

namespace tocsin::test {
namespace {

using Kind = Verdict::Kind;

constexpr UnixTime now{1'751'364'000};  // Tue, 01 Jul 2025 10:00:00 GMT

const FixedText<63> project;
const Fcm fcm{{}, project};

bool contains(string_view text, string_view part) { return text.find(part) != string_view::npos; }

#define FCM_ERROR(code) R"({"@type":"type.googleapis.com/google.firebase.fcm.v1.FcmError","errorCode":")" code R"("})"
#define ERROR_INFO(code) \
  R"({"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":")" code R"(","domain":"googleapis.com"})"
#define VIOLATION(field, what)                                                                  \
  R"({"@type":"type.googleapis.com/google.rpc.BadRequest","fieldViolations":[{"field":")" field \
  R"(","description":")" what R"("}]})"
#define QUOTA(subject) \
  R"({"@type":"type.googleapis.com/google.rpc.QuotaFailure","violations":[{"subject":")" subject R"("}]})"
#define ANSWER(status, message, details) \
  R"({"error":{"code":0,"message":")" message R"(","status":")" status R"(","details":[)" details "]}}"

struct Row {
  uint16_t status;
  const char* body;
  string_view reason;
  Kind kind;
  RetryClass retry_class = RetryClass::never;
  int64_t pause_s = 0;
  bool reauthorize = false;
  string_view advice = "";  // a part of it
};

constexpr string_view bug = "bug of tocsin";
constexpr int64_t rest = 15 * 60;
constexpr RetryClass never = RetryClass::never;
constexpr RetryClass authorization = RetryClass::authorization;
constexpr RetryClass busy = RetryClass::server_busy;

constexpr Row rows[] = {
    {200, R"({"name":"projects/p/messages/0:1%2"})", "", Kind::delivered},

    // The two kinds of 400.
    {400,
     ANSWER("INVALID_ARGUMENT", "The registration token is not a valid FCM registration token",
            FCM_ERROR("INVALID_ARGUMENT")),
     "INVALID_ARGUMENT", Kind::suspect, never, 0, false, "FCM tokens"},
    {400,
     ANSWER("INVALID_ARGUMENT", "The registration token is not a valid FCM registration token",
            FCM_ERROR("INVALID_ARGUMENT") "," VIOLATION("message.token", "Invalid registration token")),
     "INVALID_ARGUMENT", Kind::suspect, never, 0, false, "FCM tokens"},
    {400,
     ANSWER("INVALID_ARGUMENT", "Invalid value at 'message.data[0].value'",
            VIOLATION("message.data[0].value", "Invalid value (TYPE_STRING), 7")),
     "message.data[0].value", Kind::refused, never, 0, false, bug},
    {400,
     ANSWER("INVALID_ARGUMENT", "Invalid registration token, and more",
            FCM_ERROR("INVALID_ARGUMENT") "," VIOLATION("message.android.ttl", "Illegal duration")),
     "message.android.ttl", Kind::refused, never, 0, false, bug},
    {400, ANSWER("INVALID_ARGUMENT", "Request contains an invalid argument.", FCM_ERROR("INVALID_ARGUMENT")),
     "INVALID_ARGUMENT", Kind::refused, never, 0, false, bug},
    {400, ANSWER("INVALID_ARGUMENT", "The registration token is bad", ""), "INVALID_ARGUMENT", Kind::refused, never, 0,
     false, bug},  // without FcmError
    {400,
     ANSWER("INVALID_ARGUMENT", "Android message is too big",
            FCM_ERROR("INVALID_ARGUMENT") "," VIOLATION("message", "Android message is too big")),
     "INVALID_ARGUMENT", Kind::shrink},

    {401, ANSWER("UNAUTHENTICATED", "Request had invalid authentication credentials.", ""), "UNAUTHENTICATED",
     Kind::retry, authorization, 0, true, "service_account"},
    {401, ANSWER("UNAUTHENTICATED", "expired", ERROR_INFO("ACCESS_TOKEN_EXPIRED")), "ACCESS_TOKEN_EXPIRED", Kind::retry,
     authorization, 0, true, "service_account"},
    {401, ANSWER("UNAUTHENTICATED", "Auth error from APNS", FCM_ERROR("THIRD_PARTY_AUTH_ERROR")),
     "THIRD_PARTY_AUTH_ERROR", Kind::refused, never, 0, false, "APNs key"},
    {401, ANSWER("UNAUTHENTICATED", "Auth error from APNS", FCM_ERROR("APNS_AUTH_ERROR")), "APNS_AUTH_ERROR",
     Kind::refused, never, 0, false, "APNs key"},

    // The two kinds of 403, of which one has many causes.
    {403, ANSWER("PERMISSION_DENIED", "SenderId mismatch", FCM_ERROR("SENDER_ID_MISMATCH")), "SENDER_ID_MISMATCH",
     Kind::suspect, never, 0, false, "another Firebase project"},
    {403,
     ANSWER("PERMISSION_DENIED", "Firebase Cloud Messaging API has not been used in project 1 before",
            R"({"@type":"type.googleapis.com/google.rpc.Help","links":[{"url":"https://example.org"}]},)" ERROR_INFO(
                "SERVICE_DISABLED")),
     "SERVICE_DISABLED", Kind::config, authorization, rest, false, "enable"},
    {403,
     ANSWER("PERMISSION_DENIED", "Permission 'cloudmessaging.messages.create' denied",
            ERROR_INFO("IAM_PERMISSION_DENIED")),
     "IAM_PERMISSION_DENIED", Kind::config, authorization, rest, false, "role"},
    {403, ANSWER("PERMISSION_DENIED", "The caller does not have permission", ""), "PERMISSION_DENIED", Kind::config,
     authorization, rest, false, "role"},

    {404, ANSWER("NOT_FOUND", "Requested entity was not found.", FCM_ERROR("UNREGISTERED")), "UNREGISTERED",
     Kind::dead},
    {404, ANSWER("NOT_FOUND", "Requested entity was not found.", FCM_ERROR("NOT_FOUND")), "NOT_FOUND", Kind::dead},
    {404, ANSWER("NOT_FOUND", "Requested entity was not found.", ""), "NOT_FOUND", Kind::config, authorization, rest,
     false, "project_id"},

    {429, ANSWER("RESOURCE_EXHAUSTED", "Quota exceeded", FCM_ERROR("QUOTA_EXCEEDED") "," QUOTA("device:dKx0")),
     "QUOTA_EXCEEDED", Kind::limited, RetryClass::rate},
    {429, ANSWER("RESOURCE_EXHAUSTED", "Device message rate exceeded", FCM_ERROR("QUOTA_EXCEEDED")), "QUOTA_EXCEEDED",
     Kind::limited, RetryClass::rate},
    {429, ANSWER("RESOURCE_EXHAUSTED", "Quota exceeded for quota metric", FCM_ERROR("QUOTA_EXCEEDED")),
     "QUOTA_EXCEEDED", Kind::config, RetryClass::rate_told, 60, false, "quota"},
    {429, ANSWER("RESOURCE_EXHAUSTED", "Quota exceeded", ERROR_INFO("RATE_LIMIT_EXCEEDED") "," QUOTA("project:1")),
     "RATE_LIMIT_EXCEEDED", Kind::config, RetryClass::rate_told, 60, false, "quota"},

    {500, ANSWER("INTERNAL", "Internal error encountered.", FCM_ERROR("INTERNAL")), "INTERNAL", Kind::retry, busy},
    {503, ANSWER("UNAVAILABLE", "The service is currently unavailable.", FCM_ERROR("UNAVAILABLE")), "UNAVAILABLE",
     Kind::retry, busy},
    {503, ANSWER("UNAVAILABLE", "The service is currently unavailable.", ""), "UNAVAILABLE", Kind::retry, busy},
    {400, ANSWER("UNKNOWN", "?", FCM_ERROR("UNSPECIFIED_ERROR")), "UNSPECIFIED_ERROR", Kind::refused, never, 0, false,
     "does not know"},

    // Pages of what stands in front of the service.
    {404, "<!DOCTYPE html><title>Error 404 (Not Found)!!1</title>", "4xx without a reason", Kind::retry, busy},
    {413, "<html>413</html>", "4xx without a reason", Kind::retry, busy},
    {502, "<!DOCTYPE html><title>Error 502 (Server Error)!!1</title>", "5xx without a reason", Kind::retry, busy},
    {401, "<html>401</html>", "4xx without a reason", Kind::retry, authorization, 0, true, "service_account"},
};

Reply read(uint16_t status, string_view body) {
  Reply reply;
  reply.status = status;
  reply.reason = reply.field = reply.ref = "stale";
  reply.own_word = reply.about_device = reply.too_big = reply.readable = true;
  fcm.read(body, json_desk().json, reply);
  return reply;
}

void every_answer_has_its_verdict(void**) {
  for (const Row& row : rows) {
    const Verdict verdict = fcm.judge(read(row.status, row.body), now);
    if (verdict.kind != row.kind) print_error("%d %s\n", row.status, row.body);
    assert_int_equal(verdict.kind, row.kind);
    assert_text(verdict.reason, row.reason);
    assert_int_equal(verdict.retry_class, row.retry_class);
    assert_int_equal(verdict.pause.us, seconds(row.pause_s).us);
    assert_int_equal(verdict.reauthorize, row.reauthorize);
    assert_false(verdict.reconnect || verdict.environment);
    assert_int_equal(verdict.gone_since.s, 0);
    assert_int_equal(verdict.advice.empty(), row.advice.empty());
    if (!contains(verdict.advice, row.advice)) assert_text(verdict.advice, row.advice);
  }
}

void words_count_only_with_the_status_that_belongs_to_them(void**) {
  for (const Row& row : rows) {
    for (uint16_t status = 201; status < 600; ++status) {
      if (status == row.status) continue;
      const Verdict verdict = fcm.judge(read(status, row.body), now);
      assert_int_not_equal(verdict.kind, Kind::delivered);
      assert_int_not_equal(verdict.kind, Kind::dead);
      assert_int_not_equal(verdict.kind, Kind::suspect);
    }
  }
}

void answers_that_nobody_knows_never_end_a_device(void**) {
  const char* bodies[] = {"{}",
                          "null",
                          "[]",
                          R"({"error":"invalid_grant"})",
                          R"({"error":{}})",
                          R"({"error":{"details":7}})",
                          R"({"error":{"details":[7,null,[]]}})",
                          ANSWER("NOT_FOUND", "", FCM_ERROR("GONE")),
                          ANSWER("", "", R"({"@type":"type.googleapis.com/google.firebase.fcm.v1.FcmError"})"),
                          ANSWER("UNREGISTERED", "UNREGISTERED", ERROR_INFO("UNREGISTERED")),
                          ANSWER("NOT_FOUND", "", R"({"@type":"x/NotFcmErrorAtAll","errorCode":"UNREGISTERED"})"),
                          ANSWER("NOT_FOUND", "", FCM_ERROR("UNREGISTERED\\n")),
                          "UNREGISTERED"};
  for (const char* body : bodies) {
    for (uint16_t status = 0; status < 1000; ++status) {
      if (status == 200) continue;
      const Verdict verdict = fcm.judge(read(status, body), now);
      assert_int_not_equal(verdict.kind, Kind::delivered);
      assert_int_not_equal(verdict.kind, Kind::dead);
      assert_int_not_equal(verdict.kind, Kind::suspect);
      assert_false(verdict.reason.empty());
    }
  }
}

void an_answer_that_was_cut_anywhere_ends_nobody(void**) {
  for (const Row& row : rows) {
    if (row.status == 200) continue;
    const string_view body = row.body;
    for (size_t i = 0; i < body.size(); ++i) {
      const Verdict verdict = fcm.judge(read(row.status, {body.data(), i}), now);
      assert_true(verdict.kind == Kind::retry || verdict.kind == Kind::config);
    }
  }
}

void the_first_word_of_fcm_counts(void**) {
  const Reply reply =
      read(404, ANSWER("NOT_FOUND", "", ERROR_INFO("X") "," FCM_ERROR("UNREGISTERED") "," FCM_ERROR("INTERNAL")));
  assert_text(reply.reason, "UNREGISTERED");
  assert_int_equal(fcm.judge(reply, now).kind, Kind::dead);
}

void what_was_accepted_has_a_name(void**) {
  assert_text(read(200, R"({"name":"projects/p/messages/0:15%31"})").ref, "projects/p/messages/0:15%31");
  assert_text(read(200, "{\n  \"name\" :\r\n \"projects/p/messages/1\"\n}\n").ref, "projects/p/messages/1");
  for (const char* odd : {"{}", "\"name\"", "{\"name\":", "{\"name\":7}", "{\"name\" \"x\"}", "{\"name\":\""}) {
    assert_text(read(200, odd).ref, "");
  }
  assert_text(read(200, "no JSON").ref, "");
  assert_int_equal(fcm.judge(read(200, "no JSON"), now).kind, Kind::delivered);
}

void retry_after_is_honoured(void**) {
  Reply reply = read(503, ANSWER("UNAVAILABLE", "", ""));
  reply.retry_after = "90";
  Verdict verdict = fcm.judge(reply, now);
  assert_int_equal(verdict.retry_class, RetryClass::server_busy);  // it ends after an hour all the same
  assert_int_equal(verdict.after.us, seconds(90).us);
  assert_int_equal(verdict.pause.us, 0);
  reply.retry_after = "Tue, 01 Jul 2025 10:02:00 GMT";
  assert_int_equal(fcm.judge(reply, now).after.us, seconds(120).us);
  reply.date = UnixTime{now.s + 60};  // their clock counts, not ours
  assert_int_equal(fcm.judge(reply, now).after.us, seconds(60).us);
  reply.retry_after = "soon";
  assert_int_equal(fcm.judge(reply, now).retry_class, RetryClass::server_busy);

  reply = read(429, ANSWER("RESOURCE_EXHAUSTED", "Device message rate exceeded", FCM_ERROR("QUOTA_EXCEEDED")));
  assert_int_equal(fcm.judge(reply, now).after.us, 0);  // as the class says: a minute, and longer each time
  reply.retry_after = "7";
  assert_int_equal(fcm.judge(reply, now).after.us, seconds(7).us);
  assert_int_equal(fcm.judge(reply, now).retry_class, RetryClass::rate_told);

  reply = read(429, ANSWER("RESOURCE_EXHAUSTED", "Quota exceeded", FCM_ERROR("QUOTA_EXCEEDED")));
  reply.retry_after = "300";
  verdict = fcm.judge(reply, now);
  assert_int_equal(verdict.after.us, seconds(300).us);
  assert_int_equal(verdict.pause.us, seconds(300).us);
}

TESTS(fcm_replies, cmocka_unit_test(every_answer_has_its_verdict),
      cmocka_unit_test(words_count_only_with_the_status_that_belongs_to_them),
      cmocka_unit_test(answers_that_nobody_knows_never_end_a_device),
      cmocka_unit_test(an_answer_that_was_cut_anywhere_ends_nobody), cmocka_unit_test(the_first_word_of_fcm_counts),
      cmocka_unit_test(what_was_accepted_has_a_name), cmocka_unit_test(retry_after_is_honoured));

}  // namespace
}  // namespace tocsin::test
