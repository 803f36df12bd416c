#include "base/address.h"

#include "test/support/tests.h"
#include "test/unit/base/expect.h"

namespace tocsin {
namespace {

void expect_address(string_view text, string_view want) {
  const Result<Address> address = parse_ip(text, 443);
  assert_true(address.ok());
  uint8_t room[64];
  Writer out(room);
  write_address(out, address.value());
  expect_text(out.view(), want);
}

void ipv4_has_one_spelling(void**) {
  expect_address("192.0.2.1", "192.0.2.1:443");
  expect_address("0.0.0.0", "0.0.0.0:443");
  expect_address("255.255.255.255", "255.255.255.255:443");
  for (const char* text : {"", ".", "192.0.2", "192.0.2.", "192.0.2.1.", ".192.0.2.1", "192.0.2.1.1", "192.0..1",
                           "192.0.2.256", "192.0.2.01", "00.0.0.0", "0x7f.0.0.1", "127.1", "192.0.2.1 ", " 192.0.2.1",
                           "192.0.2.-1", "192.0.2.1:80", "3221225985"}) {
    assert_true(parse_ip(text, 0).error() == Error::malformed);
  }
}

// Spellings of RFC 4291 §2.2, written as RFC 5952 wants them.
void ipv6_is_written_in_canonical_form(void**) {
  expect_address("2001:db8::1", "[2001:db8::1]:443");
  expect_address("2001:0DB8:0:0:0:0:0:1", "[2001:db8::1]:443");
  expect_address("::", "[::]:443");
  expect_address("::1", "[::1]:443");
  expect_address("1::", "[1::]:443");
  expect_address("0:0:0:0:0:0:0:0", "[::]:443");
  expect_address("2001:db8:0:1:1:1:1:1", "[2001:db8:0:1:1:1:1:1]:443");
  expect_address("2001:0:0:1:0:0:0:1", "[2001:0:0:1::1]:443");
  expect_address("2001:db8:0:0:1:0:0:1", "[2001:db8::1:0:0:1]:443");
  expect_address("1:2:3:4:5:6:7::", "[1:2:3:4:5:6:7:0]:443");
  expect_address("::2:3:4:5:6:7:8", "[0:2:3:4:5:6:7:8]:443");
  expect_address("1:0:0:4:5:6:0:0", "[1::4:5:6:0:0]:443");
  expect_address("fe80::abcd:ef01:10:1000", "[fe80::abcd:ef01:10:1000]:443");
}

void ipv6_may_end_in_an_ipv4_address(void**) {
  expect_address("::ffff:192.0.2.1", "[::ffff:192.0.2.1]:443");
  expect_address("0:0:0:0:0:ffff:192.0.2.1", "[::ffff:192.0.2.1]:443");
  expect_address("64:ff9b::192.0.2.33", "[64:ff9b::c000:221]:443");
  expect_address("1:2:3:4:5:6:192.0.2.1", "[1:2:3:4:5:6:c000:201]:443");
  const Address mapped = parse_ip("::ffff:192.0.2.1", 0).value();
  assert_true(mapped.family == Address::Family::v6);
  assert_int_equal(mapped.ip().size(), 16);
}

void odd_ipv6_is_refused(void**) {
  for (const char* text : {":",
                           ":::",
                           "1",
                           "1:2:3:4:5:6:7",
                           "1:2:3:4:5:6:7:8:9",
                           "1:2:3:4:5:6:7:8::",
                           "::1:2:3:4:5:6:7:8",
                           "1:2:3:4::5:6:7:8",
                           "1::2::3",
                           "::1::",
                           ":1:2:3:4:5:6:7:8",
                           "1:2:3:4:5:6:7:8:",
                           ":1::",
                           "1:::2",
                           "::12345",
                           "::g",
                           "::-1",
                           "fe80::1%eth0",
                           "[::1]",
                           "::1 ",
                           " ::1",
                           "::192.0.2.1:1",
                           "192.0.2.1::",
                           "::192.0.2",
                           "::ffff:192.0.2.01",
                           "1:2:3:4:5:6:7:192.0.2.1",
                           "1:2:3:4:5:192.0.2.1",
                           "::1/128"}) {
    assert_true(parse_ip(text, 0).error() == Error::malformed);
  }
}

void addresses_compare_by_value(void**) {
  assert_true(parse_ip("::1", 1).value() == parse_ip("0:0::1", 1).value());
  assert_false(parse_ip("::1", 1).value() == parse_ip("::1", 2).value());
  assert_false(parse_ip("0.0.0.0", 1).value() == parse_ip("::", 1).value());
  assert_int_equal(parse_ip("192.0.2.1", 5347).value().port, 5347);
  assert_int_equal(parse_ip("192.0.2.1", 0).value().ip().size(), 4);
}

void loopback_is_known_in_all_its_forms(void**) {
  for (const char* text : {"127.0.0.1", "127.255.255.254", "::1", "::ffff:127.0.0.1", "::ffff:7f01:203"}) {
    assert_true(is_loopback(parse_ip(text, 0).value()));
  }
  for (const char* text : {"128.0.0.1", "126.255.255.255", "0.0.0.0", "::", "::2", "1::1", "::ffff:128.0.0.1",
                           "::127.0.0.1", "::fffe:127.0.0.1", "fe80::1", "7f00::"}) {
    assert_false(is_loopback(parse_ip(text, 0).value()));
  }
}

void expect_host_port(string_view text, string_view host, uint16_t port) {
  const Result<HostPort> parsed = parse_host_port(text, 5347);
  assert_true(parsed.ok());
  expect_text(parsed.value().host.view(), host);
  assert_int_equal(parsed.value().port, port);
}

void host_and_port_are_read_as_the_conf_writes_them(void**) {
  expect_host_port("example.org", "example.org", 5347);
  expect_host_port("example.org:443", "example.org", 443);
  expect_host_port("xmpp", "xmpp", 5347);
  expect_host_port("example.org.:1", "example.org.", 1);
  expect_host_port("my_host-1:65535", "my_host-1", 65535);
  expect_host_port("192.0.2.1:80", "192.0.2.1", 80);
  expect_host_port("[::1]:5348", "::1", 5348);
  expect_host_port("[2001:db8::1]", "2001:db8::1", 5347);
  expect_host_port("::1", "::1", 5347);
  expect_host_port("2001:db8::1:443", "2001:db8::1:443", 5347);
}

void odd_host_and_port_are_refused(void**) {
  for (const char* text : {"",
                           ":",
                           ":443",
                           "example.org:",
                           "example.org:0",
                           "example.org:65536",
                           "example.org:x",
                           "example.org: 1",
                           "example.org:+1",
                           "exa mple.org",
                           "example..org",
                           ".example.org",
                           ".",
                           "example.org/",
                           "user@example.org",
                           "192.0.2.256",
                           "192.0.2",
                           "127.1:80",
                           "[::1",
                           "[::1]5347",
                           "[::1]:",
                           "[::1]:0",
                           "[]",
                           "[]:1",
                           "[example.org]:1",
                           "[192.0.2.1]:1",
                           "::1%eth0",
                           "a:b:c",
                           "[::1]:1:2",
                           "ex\xC3\xA4mple.org"}) {
    assert_true(parse_host_port(text, 5347).error() == Error::malformed);
  }
}

void names_have_bounds(void**) {
  char name[300];
  std::memset(name, 'a', sizeof(name));
  for (size_t i = 50; i < sizeof(name); i += 50) name[i] = '.';
  assert_true(parse_host_port({name, 255}, 1).ok());
  assert_true(parse_host_port({name, 256}, 1).error() == Error::too_long);
  std::memset(name, 'a', sizeof(name));
  assert_true(parse_host_port({name, 63}, 1).ok());
  assert_true(parse_host_port({name, 64}, 1).error() == Error::malformed);
}

TESTS(address, cmocka_unit_test(ipv4_has_one_spelling), cmocka_unit_test(ipv6_is_written_in_canonical_form),
      cmocka_unit_test(ipv6_may_end_in_an_ipv4_address), cmocka_unit_test(odd_ipv6_is_refused),
      cmocka_unit_test(addresses_compare_by_value), cmocka_unit_test(loopback_is_known_in_all_its_forms),
      cmocka_unit_test(host_and_port_are_read_as_the_conf_writes_them), cmocka_unit_test(odd_host_and_port_are_refused),
      cmocka_unit_test(names_have_bounds));

}  // namespace
}  // namespace tocsin
