#include "push/endpoint.h"

#include "model/registration.h"
#include "test/unit/push/desk.h"

namespace tocsin::test {
namespace {

uint8_t room[2 * token_bytes_max];

Result<ByteView> normalise(string_view url, bool allow_ports = false) {
  Arena scratch{Bytes(room)};
  return normalise_endpoint(url, allow_ports, scratch);
}

void expect(string_view url, string_view wanted, bool allow_ports = false) {
  const Result<ByteView> got = normalise(url, allow_ports);
  if (!got.ok()) print_error("%.*s is refused\n", static_cast<int>(url.size()), url.data());
  assert_true(got.ok());
  assert_text(text_of(got.value()), wanted);
  // It stays as it is.
  static char copy[token_bytes_max];
  std::memcpy(copy, wanted.data(), wanted.size());
  const Result<ByteView> again = normalise({copy, wanted.size()}, allow_ports);
  assert_true(again.ok());
  assert_text(text_of(again.value()), wanted);
}

void expect_refused(string_view url, Error error, bool allow_ports = false) {
  const Result<ByteView> got = normalise(url, allow_ports);
  if (got.ok()) print_error("%.*s is taken\n", static_cast<int>(url.size()), url.data());
  assert_false(got.ok());
  assert_int_equal(got.error(), error);
}

void endpoints_of_the_known_services_stay_as_they_are(void**) {
  for (const char* url : {
           "https://updates.push.services.mozilla.com/wpush/v2/gAAAAABl_-x0Yw==",
           "https://fcm.googleapis.com/fcm/send/dKx0:APA91bE-x_Zq7",
           "https://web.push.apple.com/QGs0eT5k-J_x",
           "https://wns2-par02p.notify.windows.com/w/?token=BQYAAAC%2bdm%2f",
           "https://ntfy.sh/upAbCdEf123456?up=1",
           "https://up.conversations.im/push/AbC.dEf~1",
           "https://push.example.org/",
           "https://xn--bcher-kva.example/up",
           "https://192.0.2.7/up",
           "https://[2001:db8::7]/up",
           "https://under_score.example.org/x",
       }) {
    expect(url, url);
  }
}

void spellings_of_one_endpoint_become_one(void**) {
  expect("HTTPS://Push.Example.ORG:443/Up?X=Y", "https://push.example.org/Up?X=Y");
  expect("https://push.example.org", "https://push.example.org/");
  expect("https://push.example.org?up=1", "https://push.example.org/?up=1");
  expect("https://[2001:DB8:0:0::7]:443/", "https://[2001:db8::7]/");
  expect("https://push.example.org:8443/a", "https://push.example.org:8443/a", true);
  expect("https://push.example.org:443/a", "https://push.example.org/a", true);
}

void only_https_is_taken(void**) {
  for (const char* url :
       {"", "https", "https:/", "https://", "http://push.example.org/x", "ftp://push.example.org/",
        "//push.example.org/x", "push.example.org/x", " https://push.example.org/x", "https:push.example.org",
        "https:\\\\push.example.org", "file:///etc/passwd", "javascript:1", "https//push.example.org/"}) {
    expect_refused(url, Error::malformed);
  }
}

void what_hides_the_real_host_is_refused(void**) {
  for (const char* url :
       {"https://push.example.org@evil.example/", "https://user:word@push.example.org/", "https://@push.example.org/",
        "https://push.example.org#@evil.example/", "https://push.example.org/#x",
        "https://evil.example\\@push.example.org/", "https://evil.example\\.example.org/",
        "https://push.example.org/a\\b", "https://push%2eexample.org/", "https://push.example.org%00.evil.example/",
        "https:///push.example.org/", "https://:443/", "https://?x", "https:///"}) {
    expect_refused(url, Error::malformed);
  }
}

void addresses_in_odd_spellings_are_refused(void**) {
  for (const char* url : {"https://127.1/",
                          "https://2130706433/",
                          "https://0x7f000001/",
                          "https://0x7f.0.0.1/",
                          "https://0177.0.0.1/",
                          "https://127.0.0.01/",
                          "https://127.0.0.1./",
                          "https://1.2.3.4.5/",
                          "https://256.1.1.1/",
                          "https://push.0x7f/",
                          "https://push.1/",
                          "https://[::1/",
                          "https://::1/",
                          "https://[]/",
                          "https://[127.0.0.1]/",
                          "https://[fe80::1%25eth0]/",
                          "https://[fe80::1%eth0]/",
                          "https://[::1]x/",
                          "https://[::1]443/",
                          "https://x[::1]/",
                          "https://2001:db8::7/"}) {
    expect_refused(url, Error::malformed);
  }
}

void hosts_that_are_no_names_are_refused(void**) {
  for (const char* url : {"https://push..example.org/", "https://.example.org/", "https://example.org./",
                          "https://-push.example.org/", "https://push-.example.org/",
                          "https://b\xc3\xbc"
                          "cher.example/",
                          "https://push example.org/", "https://push.example.org\t/", "https://push\n.example.org/",
                          "https://pu$h.example/", "https://a,b.example/", "https://*.example.org/",
                          "https://aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffgggg.example/"}) {
    expect_refused(url, Error::malformed);
  }
  static char longest[300] = "https://";
  size_t at = 8;
  for (size_t i = 0; i < 254; ++i) longest[at++] = i % 50 == 49 ? '.' : 'a';
  longest[at] = '/';
  expect_refused({longest, at + 1}, Error::malformed);
  longest[at - 1] = '/';  // 253 bytes of a name
  expect({longest, at}, {longest, at});
}

void paths_carry_visible_ascii_only(void**) {
  for (int c = 0; c < 256; ++c) {
    char url[] = "https://push.example.org/a_b";
    url[sizeof url - 3] = static_cast<char>(c);
    const bool fits =
        c > 0x20 && c < 0x7F && string_view("\"<>\\^`{|}#").find(static_cast<char>(c)) == string_view::npos;
    if (fits) {
      expect(string_view(url, sizeof url - 1), string_view(url, sizeof url - 1));
    } else {
      expect_refused(string_view(url, sizeof url - 1), Error::malformed);
    }
  }
}

void other_ports_are_for_those_whom_the_conf_allows(void**) {
  expect_refused("https://push.example.org:8443/", Error::denied);
  expect_refused("https://push.example.org:80/", Error::denied);
  expect_refused("https://[2001:db8::7]:444/", Error::denied);
  for (const char* url :
       {"https://push.example.org:/", "https://push.example.org:0/", "https://push.example.org:0443/",
        "https://push.example.org:65536/", "https://push.example.org:-1/", "https://push.example.org:443x/",
        "https://push.example.org:8443:443/", "https://push.example.org: 443/"}) {
    expect_refused(url, Error::malformed, true);
    expect_refused(url, Error::malformed);
  }
}

void lengths_have_their_bound(void**) {
  static char url[token_bytes_max + 1] = "https://push.example.org/";
  std::memset(url + 25, 'x', sizeof url - 25);
  expect_refused({url, token_bytes_max + 1}, Error::too_long);
  expect({url, token_bytes_max}, {url, token_bytes_max});
  // The slash that was left out would be one too many.
  static char query[token_bytes_max] = "https://push.example.org?";
  std::memset(query + 25, 'x', sizeof query - 25);
  expect_refused({query, token_bytes_max}, Error::too_long);
  Arena small{Bytes(room).first(20)};
  assert_int_equal(normalise_endpoint("https://push.example.org/", false, small).error(), Error::exhausted);
}

void an_endpoint_comes_apart(void**) {
  const Result<Endpoint> usual = read_endpoint("https://push.example.org/up?x=1");
  assert_true(usual.ok());
  assert_text(usual.value().origin, "https://push.example.org");
  assert_text(usual.value().host, "push.example.org");
  assert_int_equal(usual.value().port, 443);
  assert_text(usual.value().path, "/up?x=1");
  const Result<Endpoint> other = read_endpoint("https://[2001:db8::7]:8443/");
  assert_true(other.ok());
  assert_text(other.value().origin, "https://[2001:db8::7]:8443");
  assert_text(other.value().host, "2001:db8::7");
  assert_int_equal(other.value().port, 8443);
  assert_text(other.value().path, "/");
  for (const char* url : {"", "https://", "http://push.example.org/", "https://push.example.org"}) {
    assert_int_equal(read_endpoint(url).error(), Error::malformed);
  }
}

TESTS(endpoint, cmocka_unit_test(endpoints_of_the_known_services_stay_as_they_are),
      cmocka_unit_test(spellings_of_one_endpoint_become_one), cmocka_unit_test(only_https_is_taken),
      cmocka_unit_test(what_hides_the_real_host_is_refused), cmocka_unit_test(addresses_in_odd_spellings_are_refused),
      cmocka_unit_test(hosts_that_are_no_names_are_refused), cmocka_unit_test(paths_carry_visible_ascii_only),
      cmocka_unit_test(other_ports_are_for_those_whom_the_conf_allows), cmocka_unit_test(lengths_have_their_bound),
      cmocka_unit_test(an_endpoint_comes_apart));

}  // namespace
}  // namespace tocsin::test
