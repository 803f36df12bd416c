// Sections that were renamed: their devices are found under the new name.
#include "test/unit/registry/bench.h"

namespace tocsin {

using test::Bench;
using test::bench;

static void devices_of_a_renamed_section_are_found_under_its_new_name(void** state) {
  Bench& b = bench(state);
  const NodeId node = b.add(1, 1);
  assert_true(b.commit().ok());
  b.sections[0] = "apns/monal";
  b.sections[1] = "apns/ios";
  b.open();
  assert_int_equal(b.device(node).section, Device::no_section);

  static constexpr Registry::FormerName former[] = {{.name = "apns/older", .section = 0},
                                                    {.name = "apns/siskin", .section = 1}};
  b.former = former;
  b.open();
  assert_int_equal(b.device(node).section, 1);
  Registration found;
  assert_true(b.registry->read(b.device(node), b.room, found).ok());
  assert_true(found.section == "apns/ios");
  const Registration wanted = b.registration(1, 1);
  assert_true(b.registry->find_device(wanted.account, wanted.token, b.room, found, nullptr).ok());
  assert_true(found.section == "apns/ios");

  // A record that is written anew has the new name, and needs the line no longer.
  assert_true(b.registry->move_to_section(node, "apns/ios").ok());
  assert_true(b.commit().ok());
  b.former = {};
  b.open();
  assert_int_equal(b.device(node).section, 1);
}

TESTS(renamed, BENCH_TEST(devices_of_a_renamed_section_are_found_under_its_new_name));

}  // namespace tocsin
