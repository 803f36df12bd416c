#include "push/fcm_account.h"

#include "base/writer.h"
#include "test/unit/push/desk.h"

namespace tocsin::test {
namespace {

constexpr const char* whole =
    R"({"type":"service_account","project_id":"chat-example","private_key_id":"0123abcd",)"
    R"("private_key":"-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----\n",)"
    R"("client_email":"push@chat-example.iam.gserviceaccount.com","token_uri":"https://oauth2.googleapis.com/token"})";

bool contains(string_view text, string_view part) { return text.find(part) != string_view::npos; }

void everything_that_counts_is_read(void**) {
  FcmAccount account;
  string_view pem;
  const char* problem = "not asked";
  assert_true(account.read(whole, json_desk().json, pem, problem).ok());
  assert_string_equal(problem, "");
  assert_text(account.email.view(), "push@chat-example.iam.gserviceaccount.com");
  assert_text(account.project.view(), "chat-example");
  assert_text(account.key_id.view(), "0123abcd");
  assert_text(account.token_uri.view(), "https://oauth2.googleapis.com/token");
  assert_text(account.token_host.host.view(), "oauth2.googleapis.com");
  assert_int_equal(account.token_host.port, 443);
  assert_text(account.token_path.view(), "/token");
  assert_text(pem, "-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----\n");
}

// What is in the way, by a part of its sentence.
void expect_problem(string_view file, string_view part) {
  FcmAccount account;
  string_view pem;
  const char* problem = "";
  assert_false(account.read(file, json_desk().json, pem, problem).ok());
  if (!contains(problem, part)) assert_text(problem, part);
}

void what_people_take_for_it_is_named(void**) {
  expect_problem("", "it is empty");
  expect_problem("AAAAabcd123:APA91bHun4MxP5egoKMwt2KZFBaFUH\n", "old server key");
  expect_problem("AIzaSyZ-1u0GBYzPu7Udno5aA", "old server key");
  expect_problem(R"({"project_info":{"project_number":"1"},"client":[{"client_info":{"mobilesdk_app_id":"1:1"}}]})",
                 "google-services.json");
  expect_problem("-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----\n", "a key alone");
  expect_problem(R"({"type":"authorized_user","refresh_token":"x"})", "login of a person");
  expect_problem(R"({"type":"external_account"})", "federated");
  expect_problem(R"({"installed":{"client_id":"x"}})", "OAuth client");
  expect_problem(R"({"web":{"client_id":"x"}})", "OAuth client");
  expect_problem("key = value\n", "no JSON");
  expect_problem("[]", "not the JSON of a service account");
  expect_problem("{}", "not the JSON of a service account");
}

// The whole one with one member changed.
void expect_problem_with(string_view member, string_view value, string_view part) {
  uint8_t room[4096];
  Writer out(room);
  const string_view text = whole;
  const size_t at = text.find(member);
  assert_true(at != string_view::npos);
  const size_t from = at + member.size() + 3;  // "member":"
  const size_t end = text.find('"', from);
  out.text(slice(text, 0, from)).text(value).text(slice(text, end));
  expect_problem(out.view(), part);
}

void members_that_are_odd_are_named(void**) {
  static char long_text[300];
  std::memset(long_text, 'a', sizeof long_text);
  const string_view too_long(long_text, sizeof long_text);
  expect_problem_with("project_id", "", "project_id");
  expect_problem_with("project_id", "a/b", "project_id");
  expect_problem_with("project_id", "a b", "project_id");
  expect_problem_with("project_id", too_long, "project_id");
  expect_problem_with("client_email", "", "client_email");
  expect_problem_with("client_email", too_long, "client_email");
  expect_problem(R"({"type":"service_account","project_id":"p"})", "private_key");
  expect_problem_with("private_key_id", too_long, "private_key_id");
  for (const string_view uri : {"http://oauth2.googleapis.com/token", "https://host", "https:///token", "https://a@b/t",
                                "https://host:0/t", "https://host:x/t", "https://ho st/t", "https://host/t#x"}) {
    expect_problem_with("token_uri", uri, "token_uri");
  }
}

void files_that_were_cut_are_refused(void**) {
  const string_view text = whole;
  for (size_t i = 0; i < text.size(); ++i) {
    FcmAccount account;
    string_view pem;
    const char* problem = "";
    assert_false(account.read(slice(text, 0, i), json_desk().json, pem, problem).ok());
    assert_true(problem[0] != '\0');
  }
}

TESTS(fcm_account, cmocka_unit_test(everything_that_counts_is_read), cmocka_unit_test(what_people_take_for_it_is_named),
      cmocka_unit_test(members_that_are_odd_are_named), cmocka_unit_test(files_that_were_cut_are_refused));

}  // namespace
}  // namespace tocsin::test
