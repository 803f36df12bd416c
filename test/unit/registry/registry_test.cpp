#include "registry/registry.h"

#include "test/unit/registry/bench.h"

using namespace tocsin;
using namespace tocsin::test;

static Registration read(Bench& b, const NodeId& node) {
  Registration found;
  assert_true(b.registry->read(b.device(node), b.room, found).ok());
  return found;
}

static void a_registration_is_there_once_it_is_durable(void** state) {
  Bench& b = bench(state);
  const uint8_t second[] = {0xde, 0xad};
  Registration wanted = b.registration(1, 7);
  wanted.second_token = second;
  const auto ticket = b.registry->add(wanted, day_one);
  assert_true(ticket.ok() && ticket.value() > b.registry->committed_ticket());
  assert_null(b.registry->find(wanted.node));
  assert_int_equal(b.registry->count(), 0);
  assert_true(b.registry->commit().ok());
  assert_true(b.registry->committing());
  assert_null(b.registry->find(wanted.node));
  assert_true(ticket.value() > b.registry->committed_ticket());
  b.journal.decide(true);
  b.registry->committed({});
  assert_int_equal(b.registry->committed_ticket(), ticket.value());
  assert_false(b.registry->ticket_failed(ticket.value()));
  assert_int_equal(b.registry->count(), 1);
  for (int restart = 0; restart < 2; ++restart) {
    const Registration found = read(b, wanted.node);
    assert_true(found.node == wanted.node && found.account == wanted.account && found.section == wanted.section);
    assert_true(found.provider == wanted.provider && same(found.token, wanted.token));
    assert_true(same(found.second_token, second) && found.registered == day_one);
    const Device& device = b.device(wanted.node);
    assert_int_equal(device.refreshed_stored, day_one.s);
    assert_int_equal(device.refreshed, day_one.s + (restart == 1 ? 86'400 : 0));
    assert_int_equal(device.section, 0);
    assert_int_equal(device.accepted_under, 0);
    assert_false(device.held);
    b.open();
  }
}

static void staged_changes_are_found_by_their_device_and_nowhere_else(void** state) {
  Bench& b = bench(state);
  Ticket first = 0;
  const NodeId node = b.add(1, 7);
  assert_true(b.find(1, 7, &first) == node);
  assert_true(first != 0);
  assert_true(is_none(b.find(1, 8)) && is_none(b.find(2, 7)));
  assert_true(b.registry->commit().ok());
  // The batch is under way: still found, and what comes now goes into the next one.
  Ticket again = 0;
  assert_true(b.find(1, 7, &again) == node);
  assert_int_equal(again, first);
  const auto ended = b.registry->end(node, EndReason::client, "", day_one);
  assert_int_equal(ended.value(), first + 1);
  assert_true(is_none(b.find(1, 7)));
  const NodeId other = b.add(1, 7);
  assert_true(b.find(1, 7, &again) == other);
  assert_int_equal(again, first + 1);
  b.journal.decide(true);
  b.registry->committed({});
  assert_non_null(b.registry->find(node));  // ended, but not durably
  assert_true(b.find(1, 7) == other);
  assert_true(b.commit().ok());
  assert_null(b.registry->find(node));
  assert_true(b.find(1, 7, &again) == other);
  assert_int_equal(again, 0);
  b.open();
  assert_true(b.find(1, 7) == other);
  assert_null(b.registry->find(node));
}

static void a_change_keeps_the_node_and_moves_the_key(void** state) {
  Bench& b = bench(state);
  const NodeId node = b.add(1, 7);
  assert_true(b.commit().ok());
  assert_true(b.registry->accepted(node, 0xabcd, day_one).value() != 0);
  assert_true(b.registry->hold(node, "BadDeviceToken", day_one).value() != 0);
  assert_true(b.commit().ok());
  assert_true(b.device(node).held);

  // Another section and second token, same token: accepted stays.
  Registration wanted = b.registration(1, 7);
  wanted.node = node;
  wanted.section = "apns/monal";
  assert_true(b.registry->change(wanted, day_one + days(2)).ok());
  assert_int_equal(b.device(node).refreshed, day_one.s + 2 * 86'400);  // at once
  assert_true(b.device(node).held);
  assert_true(b.commit().ok());
  assert_false(b.device(node).held);
  assert_int_equal(b.device(node).section, 1);
  assert_int_equal(b.device(node).accepted_under, 0xabcd);

  // Another token: nobody accepted a push for it.
  wanted = b.registration(1, 9);
  wanted.node = node;
  wanted.section = "apns/gone";
  assert_true(b.registry->change(wanted, day_one + days(3)).ok());
  assert_true(is_none(b.find(1, 7)));
  assert_true(b.find(1, 9) == node);
  assert_true(b.commit().ok());
  for (int restart = 0; restart < 2; ++restart) {
    assert_true(is_none(b.find(1, 7)));
    assert_true(b.find(1, 9) == node);
    assert_int_equal(b.device(node).section, Device::no_section);
    assert_int_equal(b.device(node).accepted_under, 0);
    assert_int_equal(b.registry->count(), 1);
    assert_true(read(b, node).section == "apns/gone");
    b.open();
  }
}

static void a_refresh_is_exact_in_ram_and_daily_on_disk(void** state) {
  Bench& b = bench(state);
  const NodeId node = b.add(1, 7);
  assert_true(b.commit().ok());
  assert_int_equal(b.registry->refresh(node, day_one + hours(23), false).value(), 0);
  assert_int_equal(b.device(node).refreshed, day_one.s + 23 * 3600);
  assert_int_equal(b.device(node).refreshed_stored, day_one.s);
  assert_false(b.registry->anything_staged());
  assert_true(b.registry->refresh(node, day_one + hours(24), false).value() != 0);
  assert_int_equal(b.device(node).refreshed, day_one.s + 24 * 3600);
  assert_int_equal(b.registry->refresh(node, day_one + hours(25), false).value(), 0);  // the staged one counts
  assert_true(b.commit().ok());
  assert_int_equal(b.device(node).refreshed, day_one.s + 25 * 3600);
  assert_int_equal(b.device(node).refreshed_stored, day_one.s + 24 * 3600);
  assert_true(b.registry->refresh(node, day_one + hours(26), true).value() != 0);  // asked for
  assert_true(b.commit().ok());
  // A clock that was set back is news as well.
  assert_true(b.registry->refresh(node, day_one - days(1), false).value() != 0);
  assert_true(b.commit().ok());
  assert_int_equal(b.device(node).refreshed, day_one.s - 86'400);
  b.open();
  assert_int_equal(b.device(node).refreshed_stored, day_one.s - 86'400);
  assert_int_equal(b.device(node).refreshed, day_one.s);
  assert_int_equal(b.registry->refresh(node_of(1), day_one, false).error(), Error::not_found);
}

static void a_refresh_of_a_staged_device_reaches_the_index_with_it(void** state) {
  Bench& b = bench(state);
  const NodeId node = b.add(1, 7);
  assert_int_equal(b.registry->refresh(node, day_one + hours(1), false).value(), 0);
  assert_true(b.commit().ok());
  assert_int_equal(b.device(node).refreshed, day_one.s + 3600);
  assert_int_equal(b.device(node).refreshed_stored, day_one.s);
}

static void a_held_device_is_released_by_refresh_and_release(void** state) {
  Bench& b = bench(state);
  const NodeId node = b.add(1, 7);
  assert_true(b.commit().ok());
  for (int way = 0; way < 2; ++way) {
    assert_true(b.registry->hold(node, "BadDeviceToken", day_one).value() != 0);
    assert_int_equal(b.registry->hold(node, "BadDeviceToken", day_one).value(), 0);
    assert_true(b.commit().ok());
    b.open();
    assert_true(b.device(node).held);
    const auto ticket = way == 0 ? b.registry->refresh(node, day_one, false) : b.registry->release(node, day_one);
    assert_true(ticket.ok() && ticket.value() != 0);
    assert_true(b.device(node).held);
    assert_int_equal(b.registry->release(node, day_one).value(), 0);
    assert_true(b.commit().ok());
    assert_false(b.device(node).held);
    b.open();
    assert_false(b.device(node).held);
  }
}

static void accepted_is_written_once_a_configuration_and_once_a_week(void** state) {
  Bench& b = bench(state);
  const NodeId node = b.add(1, 7);
  assert_int_equal(b.registry->accepted(node, 5, day_one).error(), Error::not_found);  // not durable yet
  assert_true(b.commit().ok());
  assert_true(b.registry->accepted(node, 5, day_one).value() != 0);
  assert_int_equal(b.registry->accepted(node, 5, day_one).value(), 0);
  assert_int_equal(b.device(node).accepted_under, 0);
  assert_true(b.commit().ok());
  assert_int_equal(b.device(node).accepted_under, 5);
  assert_int_equal(b.device(node).accepted_day, day_one.s / 86'400);
  assert_true(b.registry->accepted(node, 6, day_one).value() != 0);
  assert_true(b.commit().ok());
  uint32_t written = 0;
  for (int day = 1; day <= 70; ++day) {
    const auto ticket = b.registry->accepted(node, 6, day_one + days(day));
    if (ticket.value() != 0) {
      ++written;
      assert_true(b.commit().ok());
    }
    assert_int_equal(b.device(node).accepted_day, day_one.s / 86'400 + day);
  }
  assert_int_equal(written, 10);
  // A clock that was never set does not make the device look forgotten.
  assert_int_equal(b.registry->accepted(node, 6, UnixTime{1000}).value(), 0);
  assert_int_equal(b.device(node).accepted_day, day_one.s / 86'400 + 70);
  b.open();
  assert_int_equal(b.device(node).accepted_under, 6);
  assert_in_range(b.device(node).accepted_day, day_one.s / 86'400 + 64, day_one.s / 86'400 + 70);
}

static void ending_twice_is_one_end(void** state) {
  Bench& b = bench(state);
  const NodeId node = b.add(1, 7);
  assert_true(b.commit().ok());
  char word[300];
  std::memset(word, 'w', sizeof word);
  const auto first = b.registry->end(node, EndReason::provider, {word, sizeof word}, day_one);
  assert_true(first.ok());
  assert_int_equal(b.registry->end(node, EndReason::client, "", day_one).value(), first.value());
  assert_int_equal(b.registry->hold(node, "x", day_one).error(), Error::not_found);
  assert_int_equal(b.registry->refresh(node, day_one, true).error(), Error::not_found);
  assert_true(b.commit().ok());
  assert_int_equal(b.registry->count(), 0);
  assert_int_equal(b.registry->end(node, EndReason::client, "", day_one).error(), Error::not_found);
  b.open();
  assert_int_equal(b.registry->count(), 0);
}

static void a_full_registry_refuses_until_a_device_ends(void** state) {
  Bench& b = bench(state);
  b.options.max_devices = 3;
  b.open();
  const NodeId first = b.add(1, 1);
  b.add(1, 2);
  assert_true(b.registry->commit().ok());
  b.add(1, 3);
  assert_int_equal(b.registry->add(b.registration(1, 4), day_one).error(), Error::exhausted);
  b.journal.decide(true);
  b.registry->committed({});
  assert_int_equal(b.registry->add(b.registration(1, 4), day_one).error(), Error::exhausted);
  assert_true(b.commit().ok());
  assert_true(b.registry->end(first, EndReason::client, "", day_one).ok());
  b.add(1, 4);  // its place is free when both become durable
  assert_int_equal(b.registry->add(b.registration(1, 5), day_one).error(), Error::exhausted);
  assert_true(b.commit().ok());
  assert_int_equal(b.registry->count(), 3);
  // Fewer places than devices: replay says so.
  b.options.max_devices = 2;
  assert_int_equal(b.try_open().error(), Error::exhausted);
  assert_true(string_view(b.registry->problem()).find("max_devices = 2") != string_view::npos);
}

static void what_is_over_its_bounds_is_refused(void** state) {
  Bench& b = bench(state);
  static char text[3000];
  std::memset(text, 'x', sizeof text);
  const auto add = [&b](auto spoil) {
    Registration wanted = b.registration(1, 1);
    spoil(wanted);
    const auto ticket = b.registry->add(wanted, day_one);
    return ticket.ok() ? Error::none : ticket.error();
  };
  assert_int_equal(add([](Registration& r) { r.account = {text, account_bytes_max + 1}; }), Error::too_long);
  assert_int_equal(add([](Registration& r) { r.section = {text, section_bytes_max + 1}; }), Error::too_long);
  assert_int_equal(add([](Registration& r) { r.provider = {text, provider_bytes_max + 1}; }), Error::too_long);
  assert_int_equal(add([](Registration& r) { r.token = bytes_of({text, token_bytes_max + 1}); }), Error::too_long);
  assert_int_equal(add([](Registration& r) {
                     r.second_token = bytes_of({text, token_bytes_max + 1});
                   }),
                   Error::too_long);
  assert_int_equal(add([](Registration& r) { r.token = {}; }), Error::too_long);
  assert_false(b.registry->anything_staged());
  // All of it at its bounds fits, is found and comes back.
  Registration wanted = b.registration(1, 1);
  wanted.account = {text, account_bytes_max};
  wanted.section = {text, section_bytes_max};
  wanted.provider = {text, provider_bytes_max};
  wanted.token = bytes_of({text, token_bytes_max});
  wanted.second_token = wanted.token;
  assert_true(b.registry->add(wanted, day_one).ok());
  assert_int_equal(b.registry->add(wanted, day_one).error(), Error::exists);
  for (int i = 0; i < 3; ++i) {
    Registration found;
    assert_true(b.registry->find_device(wanted.account, wanted.token, b.room, found, nullptr).ok());
    assert_true(found.node == wanted.node && found.provider == wanted.provider &&
                same(found.second_token, wanted.second_token));
    if (i == 0) assert_true(b.commit().ok());
    if (i == 1) b.open();
  }
  Registration found;
  assert_int_equal(b.registry->find_device({text, 2048}, wanted.token, b.room, found, nullptr).error(),
                   Error::not_found);
  assert_int_equal(b.registry->count_of_account({text, 2048}, nullptr), 0);
}

static void an_account_knows_its_devices_and_the_oldest(void** state) {
  Bench& b = bench(state);
  const Device* oldest = nullptr;
  assert_int_equal(b.registry->count_of_account("ann1@example.org", &oldest), 0);
  assert_null(oldest);
  const NodeId a = b.add(1, 1, day_one);
  const NodeId c = b.add(1, 2, day_one + hours(1));
  b.add(2, 1, day_one - days(9));
  assert_int_equal(b.registry->count_of_account("ann1@example.org", &oldest), 2);
  assert_null(oldest);  // none is durable
  assert_true(b.commit().ok());
  assert_int_equal(b.registry->count_of_account("ann1@example.org", &oldest), 2);
  assert_true(oldest->node == a);
  assert_true(b.registry->accepted(a, 1, day_one + days(3)).ok());  // in use: no longer the oldest
  assert_int_equal(b.registry->count_of_account("ann1@example.org", &oldest), 2);
  assert_true(oldest->node == c);
  assert_true(b.registry->end(c, EndReason::replaced, "", day_one).ok());
  assert_int_equal(b.registry->count_of_account("ann1@example.org", &oldest), 1);
  assert_true(oldest->node == a);
  b.add(1, 3);
  assert_int_equal(b.registry->count_of_account("ann1@example.org", &oldest), 2);
  assert_true(oldest->node == a);
  assert_true(b.commit().ok());
  assert_int_equal(b.registry->count_of_account("ann1@example.org", nullptr), 2);
  assert_int_equal(b.registry->count_of_account("ann2@example.org", &oldest), 1);
  // A record that can not be read counts, but is not offered.
  b.journal.read_fails = true;
  assert_int_equal(b.registry->count_of_account("ann2@example.org", &oldest), 1);
  assert_null(oldest);
}

static void a_full_buffer_is_busy_until_the_next_commit(void** state) {
  Bench& b = bench(state);
  b.options.staging_bytes = 2 * full_record_bytes_max;
  b.open();
  uint32_t sizes[2] = {};
  for (uint32_t& size : sizes) {
    while (b.registry->add(b.registration(1, size), day_one).ok()) ++size;
    assert_int_equal(b.registry->add(b.registration(1, size), day_one).error(), Error::busy);
    if (!b.registry->committing()) assert_true(b.registry->commit().ok());
  }
  assert_in_range(sizes[0], 40, 100);
  assert_int_equal(sizes[0], sizes[1]);
  b.journal.decide(true);
  b.registry->committed({});
  assert_true(b.commit().ok());
  assert_int_equal(b.registry->count(), sizes[0] + sizes[1]);
  b.add(1, 1000);
  b.open();
  assert_int_equal(b.registry->count(), sizes[0] + sizes[1]);
}

static void one_read_answers_a_publish(void** state) {
  Bench& b = bench(state);
  const NodeId node = b.add(1, 1);
  assert_true(b.commit().ok());
  b.journal.reads = 0;
  read(b, node);
  assert_int_equal(b.journal.reads, 1);
}

static void a_record_that_changed_on_disk_is_damaged(void** state) {
  Bench& b = bench(state);
  const NodeId node = b.add(1, 1);
  assert_true(b.commit().ok());
  Registration found;
  b.journal.bytes[b.device(node).offset() + 30] ^= 1;
  assert_int_equal(b.registry->read(b.device(node), b.room, found).error(), Error::damaged);
  const Registration wanted = b.registration(1, 1);
  assert_int_equal(b.registry->find_device(wanted.account, wanted.token, b.room, found, nullptr).error(),
                   Error::damaged);
  b.journal.read_fails = true;
  assert_int_equal(b.registry->read(b.device(node), b.room, found).error(), Error::io);
}

static void a_thousand_devices_cost_less_than_200_kib(void**) {
  assert_true(Registry::bytes_for({.max_devices = 1000}) < 200 * 1024);
  const size_t fixed = Registry::bytes_for({.max_devices = 0});
  assert_true(Registry::bytes_for({.max_devices = 1'000'000}) - fixed <= 64'000'000);
}

TESTS(registry, BENCH_TEST(a_registration_is_there_once_it_is_durable),
      BENCH_TEST(staged_changes_are_found_by_their_device_and_nowhere_else),
      BENCH_TEST(a_change_keeps_the_node_and_moves_the_key), BENCH_TEST(a_refresh_is_exact_in_ram_and_daily_on_disk),
      BENCH_TEST(a_refresh_of_a_staged_device_reaches_the_index_with_it),
      BENCH_TEST(a_held_device_is_released_by_refresh_and_release),
      BENCH_TEST(accepted_is_written_once_a_configuration_and_once_a_week), BENCH_TEST(ending_twice_is_one_end),
      BENCH_TEST(a_full_registry_refuses_until_a_device_ends), BENCH_TEST(what_is_over_its_bounds_is_refused),
      BENCH_TEST(an_account_knows_its_devices_and_the_oldest), BENCH_TEST(a_full_buffer_is_busy_until_the_next_commit),
      BENCH_TEST(one_read_answers_a_publish), BENCH_TEST(a_record_that_changed_on_disk_is_damaged),
      cmocka_unit_test(a_thousand_devices_cost_less_than_200_kib));
