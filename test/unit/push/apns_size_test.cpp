// What strangers write into a publish, and how much of it: every body is JSON
// of at most 4,096 bytes.
#include "push/apns.h"
#include "test/unit/push/desk.h"

namespace tocsin::test {
namespace {

constexpr size_t limit = 4096;
constexpr uint8_t token[32] = {0xDE, 0xAD};
constexpr string_view longest_iv = "AAAAAAAAAAAAAAAAAAAAAA==";  // 16 bytes

Request request;
char account_room[account_bytes_max];
char cipher_room[8192];

string_view account_of(string_view pattern, size_t size) {
  size_t used = 0;
  while (used + pattern.size() <= size) {
    std::memcpy(account_room + used, pattern.data(), pattern.size());
    used += pattern.size();
  }
  return {account_room, used};
}

string_view ciphertext_of(size_t bytes) {
  const size_t size = (bytes + 2) / 3 * 4;
  assert_true(size <= sizeof cipher_room);
  std::memset(cipher_room, 'A', size);
  return {cipher_room, size};
}

Status map(const ApnsOptions& options, string_view account, const Notice& notice) {
  const Apns apns(options);
  Registration registration;
  registration.account = account;
  registration.token = ByteView(token);
  MapInputs in{.now = UnixTime{1'751'364'000}};
  request.clear();
  const Outgoing outgoing = apns.outgoing(notice);
  const Status mapped = apns.map(registration, notice, outgoing, in, request);
  if (mapped.ok()) {
    assert_true(request.body.size() <= limit);
    assert_true(json_desk().json.parse(text_of(request.body)).ok());
  }
  return mapped;
}

Notice sealed(string_view ciphertext, string_view iv = longest_iv) {
  Notice notice;
  notice.encrypted = true;
  notice.ciphertext = ciphertext;
  notice.iv = iv;
  return notice;
}

bool has(const char* key) { return !json_desk().json.text({key}).empty(); }

ApnsOptions long_texts() {
  static char text[255];
  std::memset(text, '"', sizeof text);
  ApnsOptions options;
  options.topic = "org.example.chat";
  options.alert_title = {text, 255};
  options.alert_body = {text, 255};
  options.sound = {text, 127};
  options.category = {text, 127};
  return options;
}
ApnsOptions plain() {
  ApnsOptions options;
  options.topic = "org.example.chat";
  return options;
}

// The promise as each server may read it: max bytes of plaintext, to which the tag is added, or of
// ciphertext, or of base64; the first is the largest.
void expect_promise(const ApnsOptions& options, string_view account) {
  const size_t max = Apns(options).payload_bytes_max({.account = account});
  assert_true(max > 0);
  Notice notice = sealed(ciphertext_of(max + 16));
  assert_true(map(options, account, notice).ok());
  assert_text(json_desk().json.text({"encrypted"}), notice.ciphertext);
  assert_true(request.body.size() > limit - 4);  // and nothing was given away
  // One step beyond it goes without, but it goes.
  notice = sealed(ciphertext_of(max + 17));
  assert_true(map(options, account, notice).ok());
  assert_false(has("encrypted"));
  assert_false(has("iv"));
  assert_true(has("account"));
}

void the_promised_payload_always_fits(void**) {
  for (const string_view pattern : {"a", "\"", "\\", "\n", "\x01", "\xff", "\xc3\xa4", "\U0001f600", "ab\"\x1f"}) {
    for (size_t size = pattern.size(); size <= account_bytes_max; size += 1 + size / 16) {
      const string_view account = account_of(pattern, size);
      for (const ApnsOptions& options : {plain(), long_texts()}) {
        if (Apns(options).payload_bytes_max({.account = account}) > 0) expect_promise(options, account);
      }
    }
  }
}

void the_promise_is_about_2900_less_the_account(void**) {
  const Apns apns(plain());
  // 126 bytes of envelope, 13 more for the key of an account: (4096 - 126) / 4 · 3 - 16, and so on.
  assert_int_equal(apns.payload_bytes_max({.account = ""}), 2960);
  assert_int_equal(apns.payload_bytes_max({.account = "ann@example.org"}), 2939);
  assert_int_equal(apns.payload_bytes_max({.account = account_of("a", account_bytes_max)}), 1415);
  // Escaped it alone is three times the limit.
  assert_int_equal(apns.payload_bytes_max({.account = account_of("\x01", account_bytes_max)}), 0);
}

void an_account_that_can_not_fit_is_refused_and_not_cut(void**) {
  assert_true(map(plain(), account_of("a", account_bytes_max), sealed(ciphertext_of(4000))).ok());
  assert_int_equal(json_desk().json.text({"account"}).size(), account_bytes_max);
  assert_int_equal(map(plain(), account_of("\x01", account_bytes_max), Notice{}).error(), Error::too_long);
  assert_int_equal(map(long_texts(), account_of("\"", account_bytes_max), sealed("AAAA")).error(), Error::too_long);
}

void accounts_come_out_as_they_went_in(void**) {
  for (const string_view account :
       {"o\\27neill@example.org", "\"},\"aps\":{\"@example.org", "\xc3\xa4\xc3\xb6@example.org", "a\tb\r\n@example.org",
        "</script>@example.org", "\xe2\x80\xa8@example.org"}) {
    assert_true(map(plain(), account, sealed("AAAA")).ok());
    assert_text(json_desk().json.text({"account"}), account);
    assert_text(json_desk().json.text({"aps", "alert", "body"}), "New message!");
    assert_text(json_desk().json.text({"encrypted"}), "AAAA");
  }
}

void ciphertext_that_is_no_base64_stays_inside_its_string(void**) {
  assert_true(map(plain(), "ann@example.org", sealed("\"},\"aps\":{\"alert\":\"x\"", "\\\"\n\xff")).ok());
  assert_text(json_desk().json.text({"encrypted"}), "\"},\"aps\":{\"alert\":\"x\"");
  assert_text(json_desk().json.text({"iv"}), "\\\"\n\xef\xbf\xbd");
  assert_text(json_desk().json.text({"account"}), "ann@example.org");
}

void a_body_in_clear_ends_after_500_characters(void**) {
  ApnsOptions options = plain();
  options.clear_text = true;
  static char body[8192];
  for (const string_view pattern : {"a", "\xc3\xa4", "\xe2\x82\xac", "\U0001f600"}) {
    for (size_t count : {499u, 500u, 501u, 1500u}) {
      for (size_t i = 0; i < count; ++i) std::memcpy(body + i * pattern.size(), pattern.data(), pattern.size());
      Notice notice;
      notice.body = {body, count * pattern.size()};
      assert_true(map(options, "ann@example.org", notice).ok());
      const size_t kept = (count < 500 ? count : 500) * pattern.size();
      assert_text(json_desk().json.text({"body"}), {body, kept});
    }
  }
  // The cut stands before the emoji or behind it, never inside.
  std::memset(body, 'a', 499);
  std::memcpy(body + 499, "\U0001f600\U0001f600", 8);
  Notice notice;
  notice.body = {body, 507};
  assert_true(map(options, "ann@example.org", notice).ok());
  assert_text(json_desk().json.text({"body"}), {body, 503});
}

void words_that_do_not_fit_are_left_out_as_a_whole(void**) {
  ApnsOptions options = plain();
  options.clear_text = true;
  static char body[4096];
  std::memset(body, 1, sizeof body);  // six bytes each as JSON
  Notice notice;
  notice.has_count = true;
  notice.count = UINT32_MAX;
  notice.sender = {body, 3071};
  notice.body = {body, sizeof body};
  assert_true(map(options, "ann@example.org", notice).ok());
  assert_false(has("sender"));
  assert_false(has("body"));
  assert_text(json_desk().json.text({"account"}), "ann@example.org");
  assert_int_equal(json_desk().json.number({"unread-messages"}, -1), int64_t{UINT32_MAX});
  notice.sender = "bob@example.net";
  assert_true(map(options, account_of("a", 500), notice).ok());
  assert_int_equal(json_desk().json.text({"body"}).size(), 500);  // 3,000 bytes of escapes
}

// Bytes as bad as they come, NUL left out because jansson does not read it back.
void noise_always_becomes_json(void**) {
  static char noise[6][1200];
  Numbers numbers{2025};
  for (int round = 0; round < 3000; ++round) {
    string_view texts[6];
    for (int i = 0; i < 6; ++i) {
      const size_t size = numbers.below(4) == 0 ? numbers.below(sizeof noise[i]) : numbers.below(40);
      for (size_t k = 0; k < size; ++k) noise[i][k] = static_cast<char>(1 + numbers.below(255));
      texts[i] = {noise[i], size};
    }
    ApnsOptions options = plain();
    options.clear_text = numbers.below(2) == 0;
    options.payload = numbers.below(4) == 0 ? Payload::wake : Payload::tigase;
    options.empty = numbers.below(2) == 0 ? Empty::high : Empty::normal;
    options.alert_body = {noise[5], texts[5].size() < 255 ? texts[5].size() : 255};
    Notice notice;
    notice.encrypted = numbers.below(2) == 0;
    notice.ciphertext = texts[1];
    notice.iv = texts[2];
    notice.sender = texts[3];
    notice.body = texts[4];
    notice.has_count = numbers.below(2) == 0;
    notice.count = static_cast<uint32_t>(numbers.below(3));
    notice.voip = numbers.below(4) == 0;
    notice.call_in_clear = numbers.below(4) == 0;
    notice.priority = static_cast<Notice::Priority>(numbers.below(3));
    if (!Apns(options).outgoing(notice).send) continue;
    const Status mapped = map(options, texts[0], notice);
    if (!mapped.ok()) assert_int_equal(mapped.error(), Error::too_long);
  }
}

TESTS(apns_size, cmocka_unit_test(the_promised_payload_always_fits),
      cmocka_unit_test(the_promise_is_about_2900_less_the_account),
      cmocka_unit_test(an_account_that_can_not_fit_is_refused_and_not_cut),
      cmocka_unit_test(accounts_come_out_as_they_went_in),
      cmocka_unit_test(ciphertext_that_is_no_base64_stays_inside_its_string),
      cmocka_unit_test(a_body_in_clear_ends_after_500_characters),
      cmocka_unit_test(words_that_do_not_fit_are_left_out_as_a_whole), cmocka_unit_test(noise_always_becomes_json));

}  // namespace
}  // namespace tocsin::test
