// The state directory: what stands in it is as durable as its own name.
#include "state.h"

#include <new>

#include "port/sim/sim_port.h"
#include "test/support/tests.h"

using namespace tocsin;
using namespace tocsin::sim;

namespace {

constexpr Disk::Sizes disk_sizes{.file_bytes = 64 * 1024, .pending_bytes = 64 * 1024};

struct Bench {
  explicit Bench(Region& region)
      : world(region, {.events = 64, .network = {}}, 1), disk(region, disk_sizes, 1), port(region, world, disk, 1) {
    disk.put_directory("var");
    GW_CHECK(settings.state.directory.assign("var/tocsin") && settings.registry.path.assign("var/tocsin/registry"));
  }
  Status open() {
    state = State{};
    return open_state(settings, port.storage(), port.port().entropy, state);
  }
  Simulation world;
  Disk disk;
  SimPort port;
  Settings settings;
  State state;
  Random random{1};
};

Bench& make_bench() {
  static const Bytes memory =
      map_memory(Simulation::bytes_for({.events = 64, .network = {}}) + Disk::bytes_for(disk_sizes) +
                 SimPort::bytes_for() + region_rounded(sizeof(Bench)));
  Region region(memory);
  const Bytes place = region.carve(sizeof(Bench));
  return *new (place.data()) Bench(region);
}

void power_cut(Bench& b) {
  b.port.kill(Death::power);
  b.disk.crash({.keep = Crash::Keep::none}, b.random);
}

}  // namespace

static void a_new_state_directory_is_durable(void**) {
  Bench& b = make_bench();
  assert_true(b.open().ok());
  power_cut(b);
  assert_true(b.disk.has("var/tocsin"));
}

static void so_is_one_whose_maker_was_killed(void**) {
  Bench& b = make_bench();
  assert_true(b.port.storage().make_directory("var/tocsin").ok());
  b.port.kill(Death::process);
  assert_true(b.open().ok());
  power_cut(b);
  assert_true(b.disk.has("var/tocsin"));
}

static void only_a_new_directory_needs_a_parent_that_can_be_synced(void**) {
  Bench& b = make_bench();
  b.disk.faults().sync_failures = 1;
  assert_int_equal(b.open().error(), Error::io);
  b.disk.faults() = {};
  assert_true(b.open().ok());
  b.port.kill(Death::process);
  b.disk.faults().sync_failures = 1;
  b.disk.faults().sync_error = Error::denied;
  assert_true(b.open().ok());
}

static void endpoints_have_a_key_that_stays_where_they_are_offered(void**) {
  Bench& b = make_bench();
  assert_true(b.open().ok());
  assert_true(b.disk.has("var/tocsin/pseudonym.key"));
  assert_false(b.disk.has("var/tocsin/endpoints.key"));
  b.port.kill(Death::process);
  b.settings.unified_push.offered = true;
  assert_true(b.open().ok());
  const EndpointKey key = b.state.endpoint_key;
  const EndpointKey none;
  assert_memory_not_equal(key.bytes, none.bytes, sizeof key.bytes);
  assert_int_equal(b.disk.content("var/tocsin/endpoints.key").size(), sizeof key.bytes);
  power_cut(b);
  assert_true(b.open().ok());
  assert_memory_equal(b.state.endpoint_key.bytes, key.bytes, sizeof key.bytes);
}

TESTS(state, cmocka_unit_test(a_new_state_directory_is_durable), cmocka_unit_test(so_is_one_whose_maker_was_killed),
      cmocka_unit_test(only_a_new_directory_needs_a_parent_that_can_be_synced),
      cmocka_unit_test(endpoints_have_a_key_that_stays_where_they_are_offered));
