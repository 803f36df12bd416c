#include "push/fcm_token.h"

#include "base/encode.h"
#include "test/support/certs.h"
#include "test/unit/push/desk.h"

namespace tocsin::test {
namespace {

constexpr UnixTime wall{1'751'364'000};
constexpr Instant start{1'000'000'000};

// One for all tests: reading the key takes milliseconds.
struct Bank {
  alignas(64) uint8_t room[32 * 1024];
  Heap heap{Bytes(room), "key"};
  Numbers numbers{7};
  Rs256Key key;
  FcmAccount account;
};

Bank& bank() {
  alignas(Bank) static uint8_t storage[sizeof(Bank)];
  static bool made = false;
  Bank& bank = *reinterpret_cast<Bank*>(storage);
  if (made) return bank;
  made = true;
  new (storage) Bank;
  assert_true(bank.key.load(bytes_of(string_view(rsa_key)), bank.heap, bank.numbers).ok());
  assert_true(bank.account.email.assign("push@chat-example.iam.gserviceaccount.com"));
  assert_true(bank.account.key_id.assign("0123abcd"));
  assert_true(bank.account.token_uri.assign("https://oauth2.googleapis.com/token"));
  assert_true(bank.account.token_path.assign("/token"));
  return bank;
}

Request request;

FcmToken::Answer read(FcmToken& token, uint16_t status, string_view body, Instant now = start, string_view after = {},
                      UnixTime date = {}) {
  Reply reply;
  reply.status = status;
  reply.retry_after = after;
  reply.date = date;
  return token.read(reply, body, json_desk().json, now, wall);
}

constexpr string_view good = R"({"access_token":"ya29.one","expires_in":3599,"token_type":"Bearer"})";

bool fresh(FcmToken& token, Instant now) { return token.keep_fresh(now, wall, bank().numbers).ok(); }

void the_assertion_says_who_for_what_and_until_when(void**) {
  const FcmToken token(bank().key, bank().account);
  assert_true(token.write_request(wall, bank().numbers, request).ok());
  assert_text(request.path, "/token");
  assert_int_equal(request.count, 1);
  assert_text(request.headers[0].value, "application/x-www-form-urlencoded");
  string_view body = text_of(request.body);
  constexpr string_view form = "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=";
  assert_text(slice(body, 0, form.size()), form);
  const string_view jwt = slice(body, form.size());
  body = jwt;
  const string_view header = take_until(body, '.');
  const string_view claims = take_until(body, '.');
  uint8_t room[1024];
  Result<size_t> size = decode_base64url(header, room);
  assert_text(text_of(ByteView(room).first(size.value())), R"({"alg":"RS256","typ":"JWT","kid":"0123abcd"})");
  size = decode_base64url(claims, room);
  assert_text(text_of(ByteView(room).first(size.value())),
              R"({"iss":"push@chat-example.iam.gserviceaccount.com",)"
              R"("scope":"https://www.googleapis.com/auth/firebase.messaging",)"
              R"("aud":"https://oauth2.googleapis.com/token","iat":1751364000,"exp":1751367600})");
  // PKCS#1 v1.5 is deterministic.
  uint8_t signature[Rs256Key::signature_bytes_max];
  const Result<size_t> signed_again =
      bank().key.sign(bytes_of(slice(jwt, 0, header.size() + 1 + claims.size())), signature, bank().numbers);
  size = decode_base64url(body, room);
  assert_int_equal(size.value(), signed_again.value());
  assert_memory_equal(room, signature, size.value());
}

void without_a_clock_nothing_is_signed(void**) {
  const FcmToken token(bank().key, bank().account);
  assert_int_equal(token.write_request(UnixTime{1000}, bank().numbers, request).error(), Error::again);
}

void a_token_is_wanted_when_it_is_asked_for_and_not_before(void**) {
  FcmToken token(bank().key, bank().account);
  assert_false(token.wanted() || token.usable(start) || token.waiting(start));
  assert_int_equal(token.keep_fresh(start, wall, bank().numbers).error(), Error::busy);
  assert_true(token.wanted() && token.waiting(start));
  assert_true(read(token, 200, good).good);
  assert_text(token.authorization(), "Bearer ya29.one");
  assert_true(fresh(token, start));
  assert_false(token.wanted() || token.waiting(start));
}

void it_is_renewed_five_minutes_before_its_end_and_used_to_the_end(void**) {
  FcmToken token(bank().key, bank().account);
  assert_true(read(token, 200, good).good);
  assert_true(fresh(token, start + seconds(3298)));
  assert_false(token.wanted());
  assert_true(fresh(token, start + seconds(3299)));
  assert_true(token.wanted());
  assert_false(token.waiting(start + seconds(3299)));
  assert_true(fresh(token, start + seconds(3598)));
  assert_false(fresh(token, start + seconds(3599)));
  assert_true(token.waiting(start + seconds(3599)));
}

void odd_ends_are_bounded(void**) {
  FcmToken token(bank().key, bank().account);
  assert_true(read(token, 200, R"({"access_token":"a","expires_in":9000000000000})").good);
  assert_true(token.usable(start + hours(23)));
  assert_false(token.usable(start + hours(25)));
  assert_true(read(token, 200, R"({"access_token":"a","expires_in":10})").good);
  assert_true(fresh(token, start + seconds(4)));
  assert_false(token.wanted());
  assert_true(fresh(token, start + seconds(5)));
  assert_true(token.wanted());
  assert_true(read(token, 200, R"({"access_token":"a"})").good);  // an hour unless it is said
  assert_true(token.usable(start + minutes(59)));
  assert_false(read(token, 200, R"({"access_token":"a","expires_in":0})").good);
  assert_false(read(token, 200, R"({"access_token":"a","expires_in":-5})").good);
}

void what_is_no_token_is_not_taken(void**) {
  static char text[3000];
  for (const string_view bad :
       {R"({"access_token":""})", R"({"access_token":7})", R"({"access_token":"a b"})", R"({"access_token":"a\nb"})",
        R"({"access_token":"\u00e4"})", "{}", "[]", "no JSON", ""}) {
    FcmToken token(bank().key, bank().account);
    const FcmToken::Answer answer = read(token, 200, bad);
    assert_false(answer.good);
    assert_false(answer.reason.empty());
    assert_int_equal(answer.after.us, 0);
    assert_text(token.authorization(), "");
  }
  for (const size_t size : {FcmToken::token_bytes_max, FcmToken::token_bytes_max + 1}) {
    FcmToken token(bank().key, bank().account);
    uint8_t room[3000];
    Writer body(room);
    std::memset(text, 'a', sizeof text);
    body.text(R"({"access_token":")").text({text, size}).text(R"("})");
    assert_int_equal(read(token, 200, body.view()).good, size == FcmToken::token_bytes_max);
  }
}

void after_a_401_it_is_renewed_but_not_again_and_again(void**) {
  FcmToken token(bank().key, bank().account);
  assert_true(read(token, 200, good).good);
  assert_false(token.renew(start + seconds(30), wall, bank().numbers));  // refused for the one before
  assert_true(token.usable(start + seconds(30)));
  assert_true(token.renew(start + seconds(61), wall, bank().numbers));
  assert_false(token.usable(start + seconds(61)));
  assert_false(fresh(token, start + seconds(61)));
  assert_true(token.wanted());
}

constexpr string_view clock_error =
    R"({"error":"invalid_grant","error_description":"Invalid JWT: Token must be a short-lived token (60 minutes) and )"
    R"(in a reasonable timeframe. Check your iat and exp values in the JWT claim."})";

void every_answer_of_the_endpoint_has_its_consequence(void**) {
  const struct {
    uint16_t status;
    string_view body;
    string_view reason;
    int64_t after_s;
    string_view advice;
  } rows[] = {
      {400, clock_error, "invalid_grant", 60, "clock"},
      {400, R"({"error":"invalid_grant","error_description":"Invalid JWT Signature."})", "invalid_grant", 900,
       "service_account"},
      {400, R"({"error":"invalid_grant","error_description":"Invalid grant: account not found"})", "invalid_grant", 900,
       "service_account"},
      {400, R"({"error":"invalid_scope"})", "invalid_scope", 900, "bug of tocsin"},
      {400, R"({"error":"unsupported_grant_type"})", "unsupported_grant_type", 900, "bug of tocsin"},
      {401, R"({"error":"invalid_client"})", "invalid_client", 900, "service_account"},
      {401, R"({"error":"unauthorized_client"})", "unauthorized_client", 900, "service_account"},
      {403, R"({"error":"access_denied"})", "access_denied", 900, "service_account"},
      {429, R"({"error":"rate_limit_exceeded"})", "rate_limit_exceeded", 0, ""},
      {500, R"({"error":"internal_failure"})", "internal_failure", 0, ""},
      {503, "<html>", "no access token", 0, ""},
      {404, "<html>", "no access token", 0, ""},
      {200, "<html>", "no access token", 0, ""},
  };
  for (const auto& row : rows) {
    FcmToken token(bank().key, bank().account);
    const FcmToken::Answer answer = read(token, row.status, row.body);
    assert_false(answer.good);
    assert_text(answer.reason, row.reason);
    assert_int_equal(answer.after.us, seconds(row.after_s).us);
    assert_int_equal(answer.advice.empty(), row.advice.empty());
    assert_true(answer.advice.find(row.advice) != string_view::npos);
  }
  FcmToken token(bank().key, bank().account);
  assert_int_equal(read(token, 429, "{}", start, "120").after.us, seconds(120).us);
}

// iat of what would be signed now.
bool issued_at(const FcmToken& token, string_view text) {
  assert_true(token.write_request(wall, bank().numbers, request).ok());
  string_view body = text_of(request.body);
  (void)take_until(body, '.');
  uint8_t room[1024];
  const Result<size_t> size = decode_base64url(take_until(body, '.'), room);
  return text_of(ByteView(room).first(size.value())).find(text) != string_view::npos;
}

void the_endpoints_clock_is_taken_where_ours_was_refused(void**) {
  FcmToken token(bank().key, bank().account);
  FcmToken::Answer answer = read(token, 400, clock_error, start, {}, wall + hours(2));
  assert_int_equal(answer.skew_s, 7200);
  assert_int_equal(answer.after.us, 0);  // worth a try at once
  assert_true(issued_at(token, "\"iat\":1751371200"));
  answer = read(token, 400, clock_error, start, {}, wall + hours(2));  // it did not help
  assert_int_equal(answer.skew_s, 7200);
  assert_int_equal(answer.after.us, seconds(60).us);
  answer = read(token, 400, clock_error, start, {}, wall);  // somebody has set ours meanwhile
  assert_int_equal(answer.skew_s, 0);
  assert_int_equal(answer.after.us, 0);
  assert_true(issued_at(token, "\"iat\":1751364000"));
}

TESTS(fcm_token, cmocka_unit_test(the_assertion_says_who_for_what_and_until_when),
      cmocka_unit_test(without_a_clock_nothing_is_signed),
      cmocka_unit_test(a_token_is_wanted_when_it_is_asked_for_and_not_before),
      cmocka_unit_test(it_is_renewed_five_minutes_before_its_end_and_used_to_the_end),
      cmocka_unit_test(odd_ends_are_bounded), cmocka_unit_test(what_is_no_token_is_not_taken),
      cmocka_unit_test(after_a_401_it_is_renewed_but_not_again_and_again),
      cmocka_unit_test(every_answer_of_the_endpoint_has_its_consequence),
      cmocka_unit_test(the_endpoints_clock_is_taken_where_ours_was_refused));

}  // namespace
}  // namespace tocsin::test
