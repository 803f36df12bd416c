// What strangers may make us connect to: the guard that is asked for every address.
#include "base/address_range.h"
#include "base/text.h"
#include "test/support/tests.h"

namespace tocsin {
namespace {

string_view refusal(const AddressRules& rules, string_view address, uint16_t port = 443) {
  const Result<Address> read = parse_ip(address, port);
  assert_true(read.ok());
  const char* word = rules.refusal(read.value());
  return word == nullptr ? string_view() : string_view(word);
}

void without_a_list_the_internet_at_443_and_nothing_else(void**) {
  const AddressRules rules;
  for (const string_view fine : {"93.184.216.34", "1.1.1.1", "2606:2800:220:1::1", "2a00:1450:4001::5"}) {
    assert_true(refusal(rules, fine).empty());
    for (const uint16_t port :
         {uint16_t{0}, uint16_t{22}, uint16_t{80}, uint16_t{442}, uint16_t{444}, uint16_t{8443}, uint16_t{65535}})
      assert_true(refusal(rules, fine, port) == "at another port than 443");
  }
}

void a_refusal_names_what_kind_of_address_it_is(void**) {
  const AddressRules rules;
  assert_true(refusal(rules, "127.0.0.1") == "loopback");
  assert_true(refusal(rules, "::1") == "loopback");
  assert_true(refusal(rules, "10.1.2.3") == "private");
  assert_true(refusal(rules, "fd00::1") == "private");
  assert_true(refusal(rules, "169.254.169.254") == "link-local");
  assert_true(refusal(rules, "fe80::1") == "link-local");
  // At which port does not matter then.
  assert_true(refusal(rules, "10.1.2.3", 8443) == "private");
}

// An inner address may be written as an IPv6 one.
void an_address_inside_another_is_judged_as_itself(void**) {
  const AddressRules rules;
  for (const string_view hidden : {"::ffff:10.0.0.1", "64:ff9b::a00:1", "::ffff:127.0.0.1", "::ffff:169.254.169.254"})
    assert_false(refusal(rules, hidden).empty());
  const AddressRange home[] = {parse_range("10.0.0.0/24").value()};
  const AddressRules listed{.allowed = home};
  assert_true(refusal(listed, "::ffff:10.0.0.1").empty());
  assert_true(refusal(listed, "64:ff9b::a00:1").empty());
  assert_false(refusal(listed, "::ffff:10.0.1.1").empty());
}

void what_is_listed_may_be_private_and_at_any_port(void**) {
  const AddressRange home[] = {parse_range("192.168.1.0/24").value(), parse_range("fd00:1::/32").value(),
                               parse_range("93.184.216.34").value()};
  const AddressRules rules{.allowed = home};
  for (const uint16_t port : {uint16_t{443}, uint16_t{80}, uint16_t{8443}}) {
    for (const string_view fine : {"192.168.1.0", "192.168.1.255", "fd00:1::", "fd00:1:ffff::1", "93.184.216.34"})
      assert_true(refusal(rules, fine, port).empty());
  }
  // Not its neighbours.
  assert_true(refusal(rules, "192.168.0.255") == "private");
  assert_true(refusal(rules, "192.168.2.0") == "private");
  assert_true(refusal(rules, "fd00:2::1") == "private");
  assert_true(refusal(rules, "93.184.216.35", 8443) == "at another port than 443");
  assert_true(refusal(rules, "93.184.216.35").empty());
}

// Every entry counts, not the first or the last alone; one address of a list is one address.
void each_entry_of_the_list_counts(void**) {
  AddressRange many[16];
  for (uint32_t i = 0; i < 16; ++i) {
    Address& base = many[i].base;
    base = parse_ip("10.0.0.1", 0).value();
    base.bytes[2] = static_cast<uint8_t>(i);
    many[i].bits = 32;
  }
  const AddressRules rules{.allowed = many};
  for (uint32_t i = 0; i < 17; ++i) {
    Address address = parse_ip("10.0.0.1", 8443).value();
    address.bytes[2] = static_cast<uint8_t>(i);
    assert_int_equal(rules.refusal(address) == nullptr, i < 16);
    address.bytes[3] = 2;
    assert_non_null(rules.refusal(address));
  }
}

void everything_may_be_listed(void**) {
  const AddressRange all[] = {parse_range("0.0.0.0/0").value(), parse_range("::/0").value()};
  const AddressRules both{.allowed = all};
  for (const string_view any : {"127.0.0.1", "255.255.255.255", "::1", "ff02::1", "93.184.216.34"})
    assert_true(refusal(both, any, 22).empty());
  const AddressRules old{.allowed = {all, 1}};
  assert_true(refusal(old, "127.0.0.1", 22).empty());
  assert_true(refusal(old, "::1", 22) == "loopback");  // the other family is not in it
}

}  // namespace

TESTS(address_rules, cmocka_unit_test(without_a_list_the_internet_at_443_and_nothing_else),
      cmocka_unit_test(a_refusal_names_what_kind_of_address_it_is),
      cmocka_unit_test(an_address_inside_another_is_judged_as_itself),
      cmocka_unit_test(what_is_listed_may_be_private_and_at_any_port), cmocka_unit_test(each_entry_of_the_list_counts),
      cmocka_unit_test(everything_may_be_listed));

}  // namespace tocsin
