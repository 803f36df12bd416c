#include "proto/proxy_header.h"

#include "test/support/tests.h"

namespace tocsin {

namespace {

using Found = ProxyHeader::Found;

constexpr string_view binary("\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xc0\0\2\7\xc0\0\2\1\xdc\x04\x01\xbb", 28);

// Every shorter piece asks for more; what follows the header is not touched.
void expect_header(string_view text, bool has_source, string_view ip, uint16_t port) {
  char room[1024];
  std::memcpy(room, text.data(), text.size());
  std::memcpy(room + text.size(), "GET ", 4);
  const ByteView whole = bytes_of({room, text.size() + 4});
  for (size_t i = 0; i < text.size(); ++i) assert_int_equal(read_proxy_header(whole.first(i)).found, Found::more);
  const ProxyHeader header = read_proxy_header(whole);
  assert_int_equal(header.found, Found::header);
  assert_int_equal(header.used, text.size());
  assert_int_equal(header.has_source, has_source);
  if (has_source) assert_true(header.source == parse_ip(ip, port).value());
}

void expect_malformed(string_view text) { assert_int_equal(read_proxy_header(bytes_of(text)).found, Found::malformed); }

}  // namespace

static void version_1_names_the_client(void**) {
  expect_header("PROXY TCP4 192.0.2.7 192.0.2.1 56324 443\r\n", true, "192.0.2.7", 56324);
  expect_header("PROXY TCP6 2001:db8::7 2001:db8::1 1 65535\r\n", true, "2001:db8::7", 1);
  expect_header("PROXY UNKNOWN\r\n", false, "", 0);
  expect_header("PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n", false, "", 0);
}

static void version_2_names_the_client(void**) {
  expect_header(binary, true, "192.0.2.7", 56324);
  expect_header({"\r\n\r\n\0\r\nQUIT\n\x20\0\0\0", 16}, false, "", 0);      // the proxy itself
  expect_header({"\r\n\r\n\0\r\nQUIT\n\x21\x31\0\2ab", 18}, false, "", 0);  // a unix socket
  expect_header({"\r\n\r\n\0\r\nQUIT\n\x21\x21\0\x27 \1\r\xb8\0\0\0\0\0\0\0\0\0\0\0\7 "
                 "\1\r\xb8\0\0\0\0\0\0\0\0\0\0\0\1\0\5\0\6tlv",
                 55},
                true, "2001:db8::7", 5);
}

static void what_is_no_header_is_malformed(void**) {
  for (const string_view text :
       {"GET / HTTP/1.1\r\n", "PROXY\r\n", "PROXY TCP4 192.0.2.7 192.0.2.1 56324\r\n",
        "PROXY TCP4 2001:db8::7 2001:db8::1 1 2\r\n", "PROXY TCP4 192.0.2.7 192.0.2.1 70000 1\r\n",
        "PROXY TCP5 192.0.2.7 192.0.2.1 1 1\r\n", "PROXY TCP4  192.0.2.7 192.0.2.1 1 1\r\n",
        "PROXY TCP4 192.0.2.7 192.0.2.1 1 1 \r\n", "proxy UNKNOWN\r\n", "\r\n\r\nx"})
    expect_malformed(text);
  char room[200];
  std::memset(room, 'x', sizeof room);
  std::memcpy(room, "PROXY UNKNOWN ", 14);
  expect_malformed({room, sizeof room});
  std::memcpy(room + sizeof room - 2, "\r\n", 2);
  expect_malformed({room, sizeof room});
  expect_malformed({"\r\n\r\n\0\r\nQUIT\n\x11\x11\0\x0c", 16});  // version 1 in the form of 2
  expect_malformed({"\r\n\r\n\0\r\nQUIT\n\x22\x11\0\x0c", 16});  // no such command
  expect_malformed({"\r\n\r\n\0\r\nQUIT\n\x21\x11\xff\xff", 16});
  expect_malformed({"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\2ab", 18});  // too short for its addresses
}

TESTS(proxy_header, cmocka_unit_test(version_1_names_the_client), cmocka_unit_test(version_2_names_the_client),
      cmocka_unit_test(what_is_no_header_is_malformed));

}  // namespace tocsin
