// What the life of many devices costs a disk that wears: each sync counts, whatever is in it.
#include "test/scenario/web_client.h"

namespace tocsin::test {
namespace {

constexpr string_view ann = "ann@example.org/phone";
constexpr uint32_t devices = 20;
constexpr Configured listening = {.extra = with_listen};
constexpr Configured many = {.extra = "[limits]\ndevices_per_account = 20\n"};

void register_all(World& w) {
  for (uint32_t i = 0; i < devices; ++i) w.register_device(ann, token_number(i));
}

void refreshes_of_many_devices_share_a_sync(void**) {
  World& w = world();
  w.start();
  register_all(w);
  for (int day = 0; day < 3; ++day) {
    w.run_for(hours(25));
    const uint64_t syncs = w.disk().syncs();
    for (uint32_t i = 0; i < devices; ++i) {
      w.register_device(ann, token_number(i));
      w.run_for(seconds(10));
    }
    assert_int_equal(w.disk().syncs() - syncs, 0);
    w.run_for(minutes(5));
    assert_int_equal(w.disk().syncs() - syncs, 1);
    assert_false(w.gateway().registry().anything_staged());
  }
  w.expect_at_rest();
}

void dates_ride_with_what_somebody_waits_for(void**) {
  World& w = world();
  w.start();
  const NodeText node = w.register_device(ann, token_a);
  w.run_for(hours(25));
  w.disk().faults().sync_latency = milliseconds(500);
  w.register_device(ann, token_a);
  const uint64_t syncs = w.disk().syncs();
  w.register_device("bob@example.org/phone", token_b);
  assert_int_equal(w.disk().syncs() - syncs, 1);
  assert_false(w.gateway().registry().anything_staged());
  w.run_for(minutes(10));
  assert_int_equal(w.disk().syncs() - syncs, 1);
  w.publish_and_wait(node, "p1");
  w.expect_result("p1");
}

// For longer than a day or two: what was said of it in between is older than its return, also after a power cut.
void a_device_that_was_away_is_on_disk_before_it_is_answered(void**) {
  World& w = world();
  w.start();
  w.register_device(ann, token_a);
  w.run_for(days(10));
  const uint64_t syncs = w.disk().syncs();
  w.register_device(ann, token_a);
  assert_int_equal(w.disk().syncs() - syncs, 1);
  assert_false(w.gateway().registry().anything_staged());
}

void a_gateway_that_ends_writes_its_dates(void**) {
  World& w = world();
  w.start();
  w.register_device(ann, token_a);
  w.run_for(hours(25));
  w.register_device(ann, token_a);
  assert_true(w.gateway().registry().anything_staged());
  const uint64_t syncs = w.disk().syncs();
  w.terminate();
  assert_true(w.run_until([&] { return w.exited(); }));
  assert_int_equal(w.disk().syncs() - syncs, 1);
}

// Whoever asks by HTTPS for the end of a device that is not there waits for ends that are on their way, and for no
// date.
void a_date_that_waits_delays_no_answer(void**) {
  static WebClient client;
  World& w = world();
  w.start();
  w.register_device(ann, token_a);
  w.run_for(hours(25));
  w.register_device(ann, token_a);
  assert_true(w.gateway().registry().anything_staged());
  client.dial(w);
  assert_int_equal(client.ask(w, unregister_request("bob@example.org", token_b)), 200);
  assert_true(w.gateway().registry().anything_staged());
  client.hang_up();
}

TESTS(flash, SCENARIO_WITH(a_date_that_waits_delays_no_answer, listening),
      SCENARIO_WITH(refreshes_of_many_devices_share_a_sync, many), SCENARIO(dates_ride_with_what_somebody_waits_for),
      SCENARIO(a_device_that_was_away_is_on_disk_before_it_is_answered),
      SCENARIO(a_gateway_that_ends_writes_its_dates));

}  // namespace
}  // namespace tocsin::test
