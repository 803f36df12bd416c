// One row for each answer of a push service.
#include "base/text.h"
#include "push/retry.h"
#include "push/web_push.h"
#include "test/unit/push/curve_desk.h"

namespace tocsin::test {
namespace {

using Kind = Verdict::Kind;

constexpr UnixTime now{1'751'364'000};

struct Row {
  uint16_t status;
  const char* body;
  Kind kind;
  RetryClass retry_class = RetryClass::never;
  const char* reason = "";
  bool reauthorize = false;
};

#define GOOGLE_403                                                                                      \
  "<HTML><BODY>the VAPID credentials in the authorization header do not correspond to the credentials " \
  "used to create the subscriptions.\n</BODY></HTML>"

constexpr Row rows[] = {
    {200, R"({"id":"x","event":"message"})", Kind::delivered},
    {201, "", Kind::delivered},
    {202, "", Kind::delivered},
    {204, "", Kind::delivered},
    {301, "", Kind::refused, RetryClass::never, "a redirect"},
    {302, "<html>moved</html>", Kind::refused, RetryClass::never, "a redirect"},
    {307, "", Kind::refused, RetryClass::never, "a redirect"},
    {308, "", Kind::refused, RetryClass::never, "a redirect"},
    {400, R"({"reason":"VapidPkHashMismatch"})", Kind::suspect, RetryClass::never, "VapidPkHashMismatch"},
    {400, "UnauthorizedRegistration", Kind::suspect, RetryClass::never, "UnauthorizedRegistration"},
    {400, "<HTML>InvalidRegistration</HTML>", Kind::suspect, RetryClass::never, "InvalidRegistration"},
    {400, R"({"reason":"BadDeviceToken"})", Kind::suspect, RetryClass::never, "BadDeviceToken"},
    {400, R"({"reason":"ExpiredToken"})", Kind::suspect, RetryClass::never, "ExpiredToken"},
    {400, R"({"reason":"BadTtl"})", Kind::refused, RetryClass::never, "BadTtl"},
    {400, R"({"reason":"BadUrgency"})", Kind::refused, RetryClass::never, "BadUrgency"},
    {400, R"({"reason":"BadWebPushTopic"})", Kind::refused, RetryClass::never, "BadWebPushTopic"},
    {400, R"({"reason":"BadWebPushRequest"})", Kind::refused, RetryClass::never, "BadWebPushRequest"},
    {400, R"({"code":400,"errno":101,"error":"Bad Request"})", Kind::refused, RetryClass::never, "errno 101"},
    {400, R"({"code":400,"errno":108,"error":"Bad Request"})", Kind::refused, RetryClass::never, "errno 108"},
    {400, R"({"code":400,"errno":110,"error":"Bad Request"})", Kind::refused, RetryClass::never, "errno 110"},
    {400, R"({"code":400,"errno":111,"error":"Bad Request"})", Kind::refused, RetryClass::never, "errno 111"},
    {400, R"({"code":400,"errno":112,"error":"Bad Request"})", Kind::refused, RetryClass::never, "errno 112"},
    {400, R"({"code":400,"errno":113,"error":"Bad Request"})", Kind::refused, RetryClass::never, "errno 113"},
    {400, R"({"code":400,"errno":114,"error":"Bad Request"})", Kind::refused, RetryClass::never, "errno 114"},
    {400, R"({"code":40009,"http":400,"error":"topic invalid"})", Kind::suspect, RetryClass::never, "code 40009"},
    {400, R"({"code":40010,"http":400,"error":"topic disallowed"})", Kind::suspect, RetryClass::never, "code 40010"},
    {400, "", Kind::shrink, RetryClass::never, "400 without a reason"},
    {400, "Bad Request", Kind::shrink, RetryClass::never, "400 without a reason"},
    {400, R"({"reason":"SomethingNew"})", Kind::shrink, RetryClass::never, "SomethingNew"},
    {401, R"({"code":401,"errno":109,"error":"Unauthorized"})", Kind::retry, RetryClass::authorization, "errno 109",
     true},
    {401, R"({"code":40101,"http":401,"error":"unauthorized"})", Kind::refused, RetryClass::never, "code 40101"},
    {401, R"({"reason":"BadJwtToken"})", Kind::retry, RetryClass::authorization, "BadJwtToken", true},
    {401, R"({"error":"odd"})", Kind::retry, RetryClass::authorization, "odd", true},
    {401, "", Kind::suspect, RetryClass::never, "401 without a reason", true},
    {401, "\r\n", Kind::suspect, RetryClass::never, "401 without a reason", true},
    {401, "<html>401 Authorization Required</html>", Kind::refused, RetryClass::never, "401 without a reason"},
    {403, R"({"reason":"BadJwtToken"})", Kind::retry, RetryClass::authorization, "BadJwtToken", true},
    {403, R"({"reason":"BadAuthorizationHeader"})", Kind::retry, RetryClass::authorization, "BadAuthorizationHeader",
     true},
    {403, GOOGLE_403, Kind::suspect, RetryClass::never, "credentials do not correspond"},
    {403, R"({"code":40301,"http":403,"error":"forbidden"})", Kind::refused, RetryClass::never, "forbidden"},
    {403, "", Kind::refused, RetryClass::never, "403 without a reason"},
    {404, "", Kind::dead, RetryClass::never, "404 without a reason"},
    {404, R"({"code":404,"errno":102,"error":"Not Found"})", Kind::dead, RetryClass::never, "Not Found"},
    {405, "", Kind::refused, RetryClass::never, "4xx without a reason"},
    {406, "", Kind::limited, RetryClass::rate, "4xx without a reason"},
    {408, "", Kind::retry, RetryClass::origin_busy, "4xx without a reason"},
    {410, "", Kind::dead, RetryClass::never, "410 without a reason"},
    {410, R"({"code":410,"errno":103,"error":"Gone"})", Kind::dead, RetryClass::never, "Gone"},
    {410, R"({"reason":"Unregistered"})", Kind::dead, RetryClass::never, "Unregistered"},
    {413, "", Kind::shrink, RetryClass::never, "413 without a reason"},
    {413, R"({"code":413,"errno":104,"error":"Payload Too Large"})", Kind::shrink, RetryClass::never,
     "Payload Too Large"},
    {415, "", Kind::refused, RetryClass::never, "4xx without a reason"},
    {418, "", Kind::refused, RetryClass::never, "4xx without a reason"},
    {429, "", Kind::limited, RetryClass::rate, "429 without a reason"},
    {429, R"({"code":42901,"http":429,"error":"limit reached"})", Kind::limited, RetryClass::rate, "limit reached"},
    {500, "", Kind::retry, RetryClass::origin_busy, "5xx without a reason"},
    {502, R"({"code":502,"errno":900,"error":"Bad Gateway"})", Kind::retry, RetryClass::origin_busy, "Bad Gateway"},
    {503, "", Kind::retry, RetryClass::origin_busy, "5xx without a reason"},
    {504, "", Kind::retry, RetryClass::origin_busy, "5xx without a reason"},
    {507, R"({"code":50701,"http":507,"error":"no subscriber"})", Kind::retry, RetryClass::server_trouble,
     "no subscriber"},
    {599, "", Kind::retry, RetryClass::origin_busy, "5xx without a reason"},
    {100, "", Kind::refused, RetryClass::never, "an answer that is no answer"},
    {600, "", Kind::refused, RetryClass::never, "an answer that is no answer"},
    {0, "", Kind::refused, RetryClass::never, "an answer that is no answer"},
};

Reply reply_of(uint32_t status, string_view retry_after = {}, UnixTime date = {}) {
  Reply reply;
  reply.status = static_cast<uint16_t>(status);
  reply.retry_after = retry_after;
  reply.date = date;
  return reply;
}

WebPush web_push() { return WebPush({}, {curve_desk().curve, curve_desk().heap}, no_vapid()); }

Verdict judge(Reply& reply, string_view body, UnixTime at = now) {
  const WebPush push = web_push();
  push.read(body, json_desk().json, reply);
  return push.judge(reply, at);
}

void every_answer_has_its_meaning(void**) {
  for (const Row& row : rows) {
    Reply reply = reply_of(row.status);
    const Verdict verdict = judge(reply, row.body);
    const bool good = verdict.kind == row.kind && verdict.retry_class == row.retry_class &&
                      verdict.reason == row.reason && verdict.reauthorize == row.reauthorize;
    if (!good)
      print_error("%d %s: %.*s\n", row.status, row.body, static_cast<int>(verdict.reason.size()),
                  verdict.reason.data());
    assert_true(good);
    // Only who delivers has nothing to say, and only what is told waits by itself.
    assert_int_equal(verdict.pause.us, 0);
    assert_int_equal(verdict.after.us, 0);
    assert_false(verdict.reconnect);
    const bool silent = verdict.kind == Kind::delivered || verdict.kind == Kind::dead ||
                        (verdict.kind == Kind::shrink && row.status != 400) || verdict.kind == Kind::limited ||
                        verdict.retry_class == RetryClass::origin_busy ||
                        verdict.retry_class == RetryClass::server_trouble;
    assert_int_equal(verdict.advice.empty(), silent);
  }
}

// What others drop a device for after so many times or days, holds it.
void words_that_are_heard_too_often_or_too_long_hold_a_device(void**) {
  constexpr struct {
    uint16_t status;
    const char* body;
    uint8_t times;
    int64_t days;
  } holding[] = {{405, "", 3, 0},
                 {415, "", 3, 0},
                 {400, R"({"errno":101})", 3, 0},
                 {400, R"({"errno":110})", 3, 0},
                 {507, R"({"code":50701})", 0, 7},
                 {418, "", 0, 5},
                 {402, "", 0, 5},
                 {201, "", 0, 0},
                 {400, R"({"errno":111})", 0, 0},
                 {401, R"({"code":40101})", 0, 0},
                 {403, "", 0, 0},
                 {429, "", 0, 0},
                 {500, "", 0, 0},
                 {301, "", 0, 0}};
  for (const auto& row : holding) {
    Reply reply = reply_of(row.status);
    const Verdict verdict = judge(reply, row.body);
    assert_int_equal(verdict.hold_after_times, row.times);
    assert_int_equal(verdict.hold_after.us, days(row.days).us);
  }
}

void no_word_of_one_service_stops_the_others(void**) {
  for (uint32_t status = 0; status < 700; ++status) {
    for (const Row& row : rows) {
      Reply reply = reply_of(status);
      const Verdict verdict = judge(reply, row.body);
      assert_int_not_equal(verdict.kind, Kind::config);
      assert_int_equal(verdict.pause.us, 0);
      if (verdict.kind == Kind::dead) assert_true(status == 404 || status == 410);
      if (verdict.kind == Kind::delivered) assert_true(status / 100 == 2);
    }
  }
}

void a_service_may_say_how_long_to_wait(void**) {
  for (const uint16_t status : {uint16_t{406}, uint16_t{429}, uint16_t{500}, uint16_t{503}, uint16_t{507}}) {
    Reply reply = reply_of(status, "120");
    const Verdict verdict = judge(reply, "");
    assert_int_equal(verdict.retry_class, RetryClass::rate_told);
    assert_int_equal(verdict.after.whole_seconds(), 120);
  }
  // A date counts from their clock, not from ours.
  Reply dated = reply_of(503, "Tue, 01 Jul 2025 10:02:00 GMT", parse_http_date("Tue, 01 Jul 2025 10:00:00 GMT"));
  assert_int_equal(judge(dated, "", now + hours(5)).after.whole_seconds(), 120);
  Reply absurd = reply_of(429, "99999999999");
  assert_int_equal(judge(absurd, "").after.whole_seconds(), 6 * 3600);
}

void a_refused_token_of_a_wrong_clock_never_costs_a_device(void**) {
  const char* bodies[] = {"", R"({"code":401,"errno":109,"error":"Unauthorized"})"};
  for (const char* body : bodies) {
    for (const Duration off : {hours(2), Duration{} - hours(2), days(400)}) {
      Reply reply = reply_of(401, {}, now);
      const Verdict verdict = judge(reply, body, now + off);
      assert_int_equal(verdict.kind, Kind::retry);
      assert_int_equal(verdict.retry_class, RetryClass::authorization);
      assert_text(verdict.advice, "check the system's clock: the push service has another time");
    }
  }
  Reply right = reply_of(401, {}, now);
  assert_int_equal(judge(right, "", now + minutes(30)).kind, Kind::suspect);
}

void words_that_are_unfit_for_the_log_are_none(void**) {
  Reply reply = reply_of(429);
  assert_text(judge(reply, R"({"error":"line\nbreak"})").reason, "429 without a reason");
  char body[200] = R"({"reason":")";
  std::memset(body + 11, 'x', 100);
  std::memcpy(body + 111, "\"}", 3);
  assert_text(judge(reply, body).reason, "429 without a reason");
}

TESTS(web_push_replies, cmocka_unit_test(every_answer_has_its_meaning),
      cmocka_unit_test(words_that_are_heard_too_often_or_too_long_hold_a_device),
      cmocka_unit_test(no_word_of_one_service_stops_the_others), cmocka_unit_test(a_service_may_say_how_long_to_wait),
      cmocka_unit_test(a_refused_token_of_a_wrong_clock_never_costs_a_device),
      cmocka_unit_test(words_that_are_unfit_for_the_log_are_none));

}  // namespace
}  // namespace tocsin::test
