// Random operations, failures and restarts against a model that is too simple to be wrong.
#include <algorithm>

#include "registry/registry.h"
#include "test/unit/registry/bench.h"

using namespace tocsin;
using namespace tocsin::test;
using sim::Random;

namespace {

constexpr unsigned accounts = 5;
constexpr unsigned tokens = 6;
constexpr uint32_t devices_max = 22;  // fewer than there are pairs of account and token

// A device, at most one for each (account, token).
struct ModelDevice {
  bool in = false;
  NodeId node;
  uint8_t section = 0;
  uint8_t second = 0;  // second token, 0: none
  uint32_t refreshed = 0;
  uint32_t refreshed_stored = 0;
  uint32_t accepted_under = 0;
  bool held = false;
  Ticket refresh_ticket = 0;  // of the newest staged record that set `refreshed`
  Ticket content_ticket = 0;  // of its newest full record
};

struct Model {
  ModelDevice devices[accounts][tokens];
  uint32_t count() const {
    uint32_t sum = 0;
    for (const auto& account : devices) {
      for (const ModelDevice& device : account) sum += device.in;
    }
    return sum;
  }
};

constexpr string_view section_names[] = {"apns/siskin", "apns/monal", "apns/gone"};
constexpr uint8_t section_numbers[] = {0, 1, Device::no_section};

struct Play {
  Play(Bench& bench, uint64_t seed) : b(bench), random(seed) {}
  Bench& b;
  Random random;
  Model durable;  // as the disk has it
  Model flying;   // with the batch under way
  Model now;      // with everything staged
  UnixTime time = day_one;
  uint64_t operations = 0;
  uint64_t restarts = 0;
  uint64_t failures = 0;
};

// Token 0 of each account is an endpoint: the same node each time.
NodeId endpoint_node(unsigned account) {
  NodeId node;
  for (uint8_t& byte : node.bytes) byte = static_cast<uint8_t>(0x80 + account);
  return node;
}

Registration registration_of(Play& p, unsigned account, unsigned token, const ModelDevice& device) {
  Registration r = p.b.registration(account, token);
  static uint8_t second[1];
  second[0] = device.second;
  r.node = device.node;
  if (token == 0) r.dialect = DialectId::unified_push;
  r.section = section_names[device.section];
  if (device.second != 0) r.second_token = second;
  return r;
}

int64_t use_of(const Device& device) {
  return std::max(int64_t{device.refreshed}, int64_t{device.accepted_day} * 86'400);
}

// What the whole registry says of the present, staged changes included, and of what is durable.
void expect_agreement(Play& p) {
  for (unsigned a = 0; a < accounts; ++a) {
    uint32_t of_account = 0;
    const Device* oldest = nullptr;
    const uint32_t counted = p.b.registry->count_of_account(p.b.registration(a, 0).account, &oldest);
    const Device* endpoint = nullptr;
    assert_int_equal(p.b.registry->count_of_account(p.b.registration(a, 0).account, &endpoint, true),
                     p.now.devices[a][0].in);
    const bool at_rest = p.now.devices[a][0].content_ticket <= p.b.registry->committed_ticket();
    assert_true((endpoint != nullptr) == (p.now.devices[a][0].in && at_rest));
    for (unsigned t = 0; t < tokens; ++t) {
      const ModelDevice& now = p.now.devices[a][t];
      of_account += now.in && t != 0;
      const Registration wanted = p.b.registration(a, t);
      Registration found;
      const Status status = p.b.registry->find_device(wanted.account, wanted.token, p.b.room, found, nullptr);
      assert_int_equal(status.error(), now.in ? Error::none : Error::not_found);
      if (now.in) {
        assert_true(found.node == now.node && found.section == section_names[now.section]);
        assert_true(found.second_token.size() == (now.second != 0) &&
                    (now.second == 0 || found.second_token[0] == now.second));
      }
      const ModelDevice& durable = p.durable.devices[a][t];
      if (!durable.in) continue;
      const Device& device = p.b.device(durable.node);
      assert_int_equal(device.section, section_numbers[durable.section]);
      assert_int_equal(device.refreshed_stored, durable.refreshed_stored);
      assert_int_equal(device.accepted_under, durable.accepted_under);
      assert_int_equal(device.held, durable.held);
      assert_true(p.b.registry->read(device, p.b.room, found).ok());
      assert_true(found.account == wanted.account && same(found.token, wanted.token));
      assert_true(found.section == section_names[durable.section]);
      // A device that stays is in RAM as fresh as it is now.
      if (now.in && now.node == durable.node) assert_int_equal(device.refreshed, now.refreshed);
    }
    assert_int_equal(counted, of_account);
    // The oldest of those that nothing is staged for.
    int64_t expected = INT64_MAX;
    for (const ModelDevice& device : p.now.devices[a]) {
      if (&device == &p.now.devices[a][0]) continue;
      if (!device.in || device.content_ticket > p.b.registry->committed_ticket()) continue;
      expected = std::min(expected, use_of(p.b.device(device.node)));
    }
    assert_true((oldest == nullptr ? INT64_MAX : use_of(*oldest)) == expected);
  }
  assert_int_equal(p.b.registry->count(), p.durable.count());
}

// A refresh that writes nothing holds at once, and goes with the batch of the record before it, if that fails.
void refresh_in_ram(Play& p, unsigned a, unsigned t) {
  const ModelDevice& device = p.now.devices[a][t];
  Model* const models[] = {&p.flying, &p.durable};
  const Ticket decided = p.b.registry->committed_ticket();
  const Ticket flying = decided + (p.b.registry->committing() ? 1 : 0);
  const size_t count = device.refresh_ticket <= decided ? 2 : device.refresh_ticket <= flying ? 1 : 0;
  for (size_t i = 0; i < count; ++i) {
    ModelDevice& other = models[i]->devices[a][t];
    if (other.in && other.node == device.node) other.refreshed = device.refreshed;
  }
}

void one_change(Play& p) {
  const auto a = static_cast<unsigned>(p.random.below(accounts));
  const auto t = static_cast<unsigned>(p.random.below(tokens));
  ModelDevice& device = p.now.devices[a][t];
  Registry& registry = *p.b.registry;
  const auto seconds = static_cast<uint32_t>(p.time.s);
  if (!device.in) {
    ModelDevice added{.in = true,
                      .node = t == 0 ? endpoint_node(a) : p.b.registration(a, t).node,
                      .section = static_cast<uint8_t>(p.random.below(3)),
                      .second = static_cast<uint8_t>(p.random.below(3)),
                      .refreshed = seconds,
                      .refreshed_stored = seconds};
    const auto ticket = registry.add(registration_of(p, a, t, added), p.time);
    if (t == 0 && ticket.error() == Error::exists) {
      assert_true(registry.anything_staged() || registry.committing());  // the end of the former one is not durable
    } else if (p.now.count() == devices_max) {
      assert_int_equal(ticket.error(), Error::exhausted);
    } else if (ticket.ok()) {
      device = added;
      device.content_ticket = device.refresh_ticket = ticket.value();
    } else {
      assert_int_equal(ticket.error(), Error::busy);
    }
    return;
  }
  const bool durable = registry.find(device.node) != nullptr;
  Result<Ticket> ticket = Ticket{0};
  ModelDevice after = device;
  bool must_write = false;
  bool content = false;
  switch (p.random.below(7)) {
    case 0:
      ticket = registry.end(device.node, EndReason::client, "", p.time);
      after.in = false;
      must_write = true;
      break;
    case 1:
      after.section = static_cast<uint8_t>(p.random.below(3));
      after.second = static_cast<uint8_t>(p.random.below(3));
      after.refreshed = after.refreshed_stored = seconds;
      after.held = false;
      ticket = registry.change(registration_of(p, a, t, after), p.time);
      content = must_write = true;
      break;
    case 2:
      ticket = registry.hold(device.node, "BadDeviceToken", p.time);
      must_write = !device.held;
      after.held = true;
      break;
    case 3:
      ticket = registry.release(device.node, p.time);
      must_write = device.held;
      after.held = false;
      break;
    case 4: {
      if (!durable) return;
      const uint32_t fingerprint = static_cast<uint32_t>(p.random.between(1, 2));
      ticket = registry.accepted(device.node, fingerprint, p.time);
      after.accepted_under = fingerprint;
      if (ticket.ok() && ticket.value() == 0) assert_int_equal(device.accepted_under, fingerprint);
      if (device.accepted_under != fingerprint && ticket.ok()) assert_true(ticket.value() != 0);
      if (ticket.ok()) device = after;
      return;
    }
    default: {
      const bool asked = p.random.below(4) == 0;
      ticket = registry.refresh(device.node, p.time, asked);
      const uint32_t age = seconds - device.refreshed_stored;
      must_write = device.held || age >= 86'400 || (asked && age != 0);
      after.refreshed = seconds;
      if (must_write) {
        after.refreshed_stored = seconds;
        after.held = false;
      }
    }
  }
  if (!ticket.ok()) {
    assert_int_equal(ticket.error(), Error::busy);
    return;
  }
  assert_int_equal(ticket.value() != 0, must_write);
  device = after;
  if (ticket.value() == 0) {
    refresh_in_ram(p, a, t);
  } else if (device.refreshed == seconds) {
    device.refresh_ticket = ticket.value();
  }
  if (content) device.content_ticket = ticket.value();
}

void restart(Play& p) {
  p.b.open();
  assert_int_equal(p.b.registry->cut_bytes(), 0);
  for (auto& account : p.durable.devices) {
    for (ModelDevice& device : account) {
      device.refreshed = device.refreshed_stored + 86'400;
      device.refresh_ticket = device.content_ticket = 0;
    }
  }
  p.now = p.flying = p.durable;
  ++p.restarts;
}

void decide(Play& p, bool ok) {
  p.b.journal.decide(ok);
  p.b.registry->committed(ok ? Status() : Status(Error::io));
  if (ok) {
    p.durable = p.flying;
  } else {
    p.now = p.flying = p.durable;
    ++p.failures;
  }
}

}  // namespace

static void the_registry_is_its_model(void** state) {
  uint64_t operations = 0;
  uint64_t restarts = 0;
  uint64_t failures = 0;
  for (uint64_t seed = 1; seed <= 40; ++seed) {
    Bench& b = bench(state);
    b.options.max_devices = devices_max;
    b.options.staging_bytes = 2 * full_record_bytes_max;
    b.journal.set({});
    b.open();
    Play p(b, seed);
    for (int step = 0; step < 1500; ++step) {
      p.time = p.time + seconds(static_cast<int64_t>(p.random.below(p.random.coin() ? 3 : 40'000)));
      const uint64_t what = p.random.below(100);
      if (what < 75) {
        one_change(p);
      } else if (what < 99) {
        if (b.registry->committing()) {
          decide(p, p.random.below(6) != 0);
        } else if (b.registry->anything_staged()) {
          b.journal.append_fails = p.random.below(10) == 0;
          if (b.registry->commit().ok()) {
            p.flying = p.now;
          } else {
            p.now = p.flying = p.durable;
            ++p.failures;
          }
          b.journal.append_fails = false;
        }
      } else {
        b.journal.decide(false);
        restart(p);
      }
      expect_agreement(p);
      ++p.operations;
    }
    operations += p.operations;
    restarts += p.restarts;
    failures += p.failures;
  }
  assert_true(operations == 60'000 && restarts > 300 && failures > 500);
}

TESTS(property, BENCH_TEST(the_registry_is_its_model));
