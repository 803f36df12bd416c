#include "base/address_range.h"

#include "test/support/tests.h"

using namespace tocsin;

static Address ip(const char* text) {
  const Result<Address> parsed = parse_ip(text, 443);
  if (!parsed.ok()) print_error("%s\n", text);
  assert_true(parsed.ok());
  return parsed.value();
}

static void inner_networks_are_not_public(void**) {
  for (const char* text : {"0.0.0.0",
                           "0.1.2.3",
                           "10.0.0.1",
                           "10.255.255.255",
                           "100.64.0.1",
                           "100.127.255.255",
                           "127.0.0.1",
                           "127.255.255.254",
                           "169.254.169.254",
                           "172.16.0.1",
                           "172.31.255.255",
                           "192.0.0.1",
                           "192.0.0.170",
                           "192.0.2.1",
                           "192.88.99.1",
                           "192.168.0.1",
                           "192.168.255.255",
                           "198.18.0.1",
                           "198.19.255.255",
                           "198.51.100.7",
                           "203.0.113.9",
                           "224.0.0.1",
                           "239.255.255.250",
                           "240.0.0.1",
                           "255.255.255.255",
                           "::",
                           "::1",
                           "::7f00:1",
                           "::ffff:127.0.0.1",
                           "::ffff:10.0.0.1",
                           "::ffff:169.254.169.254",
                           "::ffff:0.0.0.0",
                           "64:ff9b::7f00:1",
                           "64:ff9b::10.0.0.1",
                           "64:ff9b::192.168.1.1",
                           "64:ff9b:1::1",
                           "100::1",
                           "2001::1",
                           "2001:10::1",
                           "2001:1ff::1",
                           "2001:db8::1",
                           "2002:7f00:1::1",
                           "2002:c0a8:101::1",
                           "3fff::1",
                           "3fff:fff::1",
                           "4000::1",
                           "5f00::1",
                           "fc00::1",
                           "fd12:3456::1",
                           "fe80::1",
                           "febf::1",
                           "fec0::1",
                           "ff02::1",
                           "ff0e::1"}) {
    if (not_public(ip(text)) == nullptr) print_error("%s\n", text);
    assert_non_null(not_public(ip(text)));
  }
}

static void the_internet_is_public(void**) {
  for (const char* text :
       {"1.1.1.1",        "9.255.255.255",    "11.0.0.0",    "100.63.255.255", "100.128.0.0", "126.255.255.255",
        "128.0.0.0",      "169.253.255.255",  "169.255.0.0", "172.15.255.255", "172.32.0.0",  "192.0.1.0",
        "192.0.3.0",      "192.167.255.255",  "192.169.0.0", "198.17.255.255", "198.20.0.0",  "223.255.255.255",
        "::ffff:1.1.1.1", "64:ff9b::1.1.1.1", "2001:200::1", "2001:db7::1",    "2003::1",     "2606:4700::1111",
        "2a00:1450::1",   "3ffe::1",          "3fff:1000::1"}) {
    if (not_public(ip(text)) != nullptr) print_error("%s: %s\n", text, not_public(ip(text)));
    assert_null(not_public(ip(text)));
  }
}

static void ranges_are_read_and_contain(void**) {
  const AddressRange home = parse_range("192.168.1.0/24").value();
  assert_true(home.contains(ip("192.168.1.0")) && home.contains(ip("192.168.1.255")));
  assert_false(home.contains(ip("192.168.0.255")) || home.contains(ip("192.168.2.0")));
  assert_true(home.contains(ip("::ffff:192.168.1.7")) && home.contains(ip("64:ff9b::192.168.1.7")));
  assert_false(home.contains(ip("2002:c0a8:107::1")));
  const AddressRange half = parse_range("10.0.0.128/25").value();
  assert_true(half.contains(ip("10.0.0.128")) && !half.contains(ip("10.0.0.127")));
  const AddressRange one = parse_range("fd00::7").value();
  assert_true(one.contains(ip("fd00::7")) && !one.contains(ip("fd00::8")) && !one.contains(ip("10.0.0.1")));
  assert_true(parse_range("fd00::/8").value().contains(ip("fdff::1")));
  assert_true(parse_range("0.0.0.0/0").value().contains(ip("255.1.2.3")));
  assert_false(parse_range("::/0").value().contains(ip("1.2.3.4")));
  for (const char* text : {"", "/", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/08", "10.0.0.0/-1", "10.0.0.1/8",
                           "fd00::1/8", "fd00::/129", "10.0.0.0/8/8", "10/8", "example.org/8"}) {
    assert_false(parse_range(text).ok());
  }
}

TESTS(address_range, cmocka_unit_test(inner_networks_are_not_public), cmocka_unit_test(the_internet_is_public),
      cmocka_unit_test(ranges_are_read_and_contain));
