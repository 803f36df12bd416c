#include "port/posix/hosts.h"

#include <stdio.h>

#include "test/unit/port_posix/fixture.h"

namespace tocsin::posix::test {
namespace {

const char* written(string_view text) {
  const char* file = path("hosts");
  FILE* out = fopen(file, "we");
  assert_non_null(out);
  assert_int_equal(fwrite(text.data(), 1, text.size(), out), text.size());
  assert_int_equal(fclose(out), 0);
  return file;
}

Lookup find(const char* file, string_view name) {
  Lookup out;
  const bool known = find_in_hosts(file, name, 5347, out);
  assert_int_equal(known, out.count > 0);
  return out;
}

void expect(const Lookup& found, string_view address) {
  assert_int_equal(found.count, 1);
  assert_true(found.addresses[0] == parse_ip(address, 5347).value());
}

constexpr string_view usual =
    "127.0.0.1\tlocalhost\n"
    "# 192.0.2.1 commented.example.org\n"
    "192.0.2.2  xmpp.example.org xmpp #upload.example.org\r\n"
    "\n"
    "2001:db8::2 xmpp.example.org xmpp.example.org\n"
    "fe80::1%eth0 zoned.example.org\n"
    "192.0.2.300 wrong.example.org\n"
    "0.0.0.0 blocked.example.net\n"
    "192.0.2.9 last.example.org";

void names_and_aliases_are_found_whatever_their_case(void**) {
  const char* file = written(usual);
  for (const char* name : {"xmpp.example.org", "XMPP.Example.ORG.", "xmpp.example.org."}) {
    const Lookup found = find(file, name);
    assert_int_equal(found.count, 2);
    assert_true(found.addresses[0] == parse_ip("192.0.2.2", 5347).value());
    assert_true(found.addresses[1] == parse_ip("2001:db8::2", 5347).value());
  }
  expect(find(file, "xmpp"), "192.0.2.2");
  expect(find(file, "blocked.example.net"), "0.0.0.0");
  expect(find(file, "last.example.org"), "192.0.2.9");
}

void what_is_no_name_of_the_file_is_not_found(void**) {
  const char* file = written(usual);
  for (const char* name : {"commented.example.org", "upload.example.org", "zoned.example.org", "wrong.example.org",
                           "example.org", "192.0.2.2", "", ".", "mpp", "xmpp2"}) {
    assert_int_equal(find(file, name).count, 0);
  }
  assert_int_equal(find(path("none"), "xmpp").count, 0);
}

void a_file_of_any_length_costs_no_memory(void**) {
  const char* file = path("hosts");
  FILE* out = fopen(file, "we");
  assert_non_null(out);
  fputs("0.0.0.0", out);
  for (int i = 0; i < 50'000; ++i) fprintf(out, " ads%d.example.net", i);  // one line
  fputc(' ', out);
  for (int i = 0; i < 1'000; ++i) fputc('x', out);
  fputs("\n192.0.2.2 ", out);
  for (int i = 0; i < 300; ++i) fputc('x', out);
  fputs(" xmpp\n", out);
  assert_int_equal(fclose(out), 0);
  posix().net().resolver().use_hosts(file);
  const uint32_t ticket = posix().net().lookup_start("xmpp", 5347).value();
  Lookup found;
  posix().net().wait({}, late());
  assert_true(posix().net().lookup_done(ticket, found));
  expect(found, "192.0.2.2");
  expect(find(file, "ads49999.example.net"), "0.0.0.0");
  assert_int_equal(resolver_heap().peak(), 0);
}

void addresses_beyond_the_room_are_left_out(void**) {
  const char* file = path("hosts");
  FILE* out = fopen(file, "we");
  assert_non_null(out);
  for (int i = 1; i < 100; ++i) fprintf(out, "192.0.2.%d xmpp\n", i);
  assert_int_equal(fclose(out), 0);
  assert_int_equal(find(file, "xmpp").count, port::addresses_max);
}

TESTS(posix_hosts, POSIX_TEST(names_and_aliases_are_found_whatever_their_case),
      POSIX_TEST(what_is_no_name_of_the_file_is_not_found), POSIX_TEST(a_file_of_any_length_costs_no_memory),
      POSIX_TEST(addresses_beyond_the_room_are_left_out));

}  // namespace
}  // namespace tocsin::posix::test
