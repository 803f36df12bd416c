// The registry and its journal file on a disk that loses power at every turn.
// After a crash the registry holds exactly the batches that were acknowledged, and
// perhaps, as a whole, one whose outcome nobody knew.
#include <new>

#include "base/encode.h"
#include "base/siphash.h"
#include "base/writer.h"
#include "link/journal_file.h"
#include "port/sim/sim_port.h"
#include "registry/registry.h"
#include "test/support/tests.h"

using namespace tocsin;
using namespace tocsin::sim;

namespace {

constexpr unsigned accounts = 3;
constexpr unsigned tokens = 4;
constexpr const char* path = "state/registry";
constexpr const char* directory = "state";
constexpr uint32_t in_doubt_max = 16;
constexpr Disk::Sizes disk_sizes{.file_bytes = 512 * 1024, .pending_bytes = 256 * 1024};
const Registry::Options registry_options{
    .max_devices = accounts * tokens, .creation_id = {0xc1}, .staging_bytes = 16 * 1024};

struct Known {
  bool in = false;
  NodeId node;
  uint32_t stored = 0;
  uint32_t accepted_under = 0;
  bool held = false;
};

struct State {
  Known devices[accounts][tokens];
};

string_view account_name(unsigned account, uint8_t (&room)[32]) {
  Writer name(room);
  name.text("ann").unsigned_number(account).text("@example.org");
  return name.view();
}

// Tokens of some length, so that batches span several sectors.
ByteView token_bytes(unsigned token, uint8_t (&room)[160]) {
  std::memset(room, static_cast<int>(token), sizeof room);
  return room;
}

uint64_t digest_of(unsigned account, unsigned token, const Known& known) {
  uint8_t text[16 + 16];
  copy_bytes(text, known.node.view());
  put_u32(text + 16, known.stored);
  put_u32(text + 20, known.accepted_under);
  put_u32(text + 24, account);
  put_u32(text + 28, token | (known.held ? 0x100 : 0));
  return siphash(HashKey{}, text);
}

uint64_t digest_of(const State& state) {
  uint64_t sum = 0;
  for (unsigned a = 0; a < accounts; ++a) {
    for (unsigned t = 0; t < tokens; ++t) {
      if (state.devices[a][t].in) sum += digest_of(a, t, state.devices[a][t]);
    }
  }
  return sum;
}

alignas(64) uint8_t registry_memory[2][128 * 1024];
alignas(64) uint8_t scratch[Registry::replay_scratch_bytes];

// One process: a registry on a journal file on a port.
struct Process {
  Process(SimPort& on, Bytes memory) : port(on), room(memory), journal(on.port().storage) {}

  Status start() {
    journal.JournalFile::~JournalFile();
    new (&journal) JournalFile(port.port().storage);
    if (const Status opened = journal.open(path, directory); !opened.ok()) return opened;
    Region region(room);
    registry = new (place) Registry(region, registry_options, journal);
    return registry->replay(scratch);
  }
  uint64_t digest() {
    uint64_t sum = 0;
    for (unsigned a = 0; a < accounts; ++a) {
      for (unsigned t = 0; t < tokens; ++t) {
        uint8_t name[32];
        uint8_t token[160];
        Registration found;
        const Status status =
            registry->find_device(account_name(a, name), token_bytes(t, token), record, found, nullptr);
        assert_true(status.ok() || status.error() == Error::not_found);
        if (!status.ok()) continue;
        const Device* device = registry->find(found.node);
        assert_non_null(device);
        sum += digest_of(a, t, {true, found.node, device->refreshed_stored, device->accepted_under, device->held});
      }
    }
    return sum;
  }

  SimPort& port;
  Bytes room;
  JournalFile journal;
  Registry* registry = nullptr;
  alignas(Registry) uint8_t place[sizeof(Registry)];
  uint8_t record[Registry::record_bytes_max];
};

struct Play final : DiskWatcher {
  Play(Region& region, uint64_t seed)
      : world(region, {.events = 64, .network = {}}, seed),
        disk(region, disk_sizes, seed),
        copy(region, disk_sizes, seed + 1),
        port(region, world, disk, 1),
        second_port(region, world, copy, 2),
        process(port, registry_memory[0]),
        second(second_port, registry_memory[1]),
        random(seed) {
    disk.put_directory(directory);
    assert_true(process.start().ok());
    disk.watch(this);
  }

  void operation(const Disk&, uint64_t) override { crash_a_copy(); }

  // What a restart would find if the power failed now.
  void crash_a_copy() {
    if (!checking) return;
    copy.copy_from(disk);
    copy.faults() = {};
    uint64_t found = 0;
    for (int again = 0; again < 2; ++again) {  // the second time: what replay cut stays cut
      copy.crash(random_crash(random), random);
      second_port.kill(Death::power);
      const Status started = second.start();
      if (!started.ok())
        print_error("seed %llu: %s\n", static_cast<unsigned long long>(world.seed()), second.registry->problem());
      assert_true(started.ok());
      assert_int_equal(second.registry->strays(), 0);
      const uint64_t digest = second.digest();
      assert_true(possible(digest) != nullptr);
      assert_true(again == 0 || digest == found);
      found = digest;
      cuts += second.registry->cut_bytes() > 0;
      ++crashes;
      if (random.below(4) != 0) break;
    }
  }

  // The state that has this digest: acknowledged, or the outcome of a batch that nobody was told of.
  const State* possible(uint64_t digest) {
    if (digest == digest_of(acknowledged)) return &acknowledged;
    for (uint32_t i = in_doubt_count; i-- > 0;) {
      if (digest != digest_of(in_doubt[i])) continue;
      ++doubts;
      return &in_doubt[i];
    }
    return nullptr;
  }

  void stage(State& now);
  void batch();
  void power_failure();

  Simulation world;
  Disk disk;
  Disk copy;
  SimPort port;
  SimPort second_port;
  Process process;
  Process second;
  Random random;
  UnixTime time{1'750'000'000};
  State acknowledged;
  // Batches that were handed to the journal and not acknowledged, since the last one that was. One that failed may
  // be on the disk all the same until the next one is durable.
  State in_doubt[in_doubt_max];
  uint32_t in_doubt_count = 0;
  bool checking = true;
  uint64_t crashes = 0;
  uint64_t cuts = 0;
  uint64_t doubts = 0;
  uint64_t acknowledged_batches = 0;
  uint64_t failed_batches = 0;
};

void Play::stage(State& now) {
  Registry& registry = *process.registry;
  const uint64_t count = random.between(1, random.coin() ? 2 : 12);
  for (uint64_t i = 0; i < count; ++i) {
    const auto a = static_cast<unsigned>(random.below(accounts));
    const auto t = static_cast<unsigned>(random.below(tokens));
    Known& known = now.devices[a][t];
    time = time + seconds(static_cast<int64_t>(random.below(50'000)));
    const auto now_seconds = static_cast<uint32_t>(time.s);
    if (!known.in) {
      uint8_t name[32];
      uint8_t token[160];
      NodeId node;
      random.fill(node.bytes);
      const Result<Ticket> ticket = registry.add({.node = node,
                                                  .account = account_name(a, name),
                                                  .section = "apns/siskin",
                                                  .provider = "push",
                                                  .token = token_bytes(t, token),
                                                  .second_token = {},
                                                  .registered = time},
                                                 time);
      assert_true(ticket.ok());
      known = {.in = true, .node = node, .stored = now_seconds};
      continue;
    }
    switch (random.below(5)) {
      case 0:
        assert_true(registry.end(known.node, EndReason::client, "", time).ok());
        known.in = false;
        break;
      case 1:
        assert_true(registry.hold(known.node, "BadDeviceToken", time).ok());
        known.held = true;
        break;
      case 2:
        if (registry.find(known.node) == nullptr) break;
        known.accepted_under = static_cast<uint32_t>(random.between(1, 3));
        assert_true(registry.accepted(known.node, known.accepted_under, time).ok());
        break;
      default: {
        const Result<Ticket> ticket = registry.refresh(known.node, time, random.coin());
        assert_true(ticket.ok());
        if (ticket.value() == 0) break;
        known.stored = now_seconds;
        known.held = false;
      }
    }
  }
}

// One batch through the journal, with or without trouble on the way.
void Play::batch() {
  DiskFaults& faults = disk.faults();
  const uint64_t dice = random.below(10);
  faults.sync_latency = milliseconds(static_cast<int64_t>(random.below(50)));
  if (dice == 0) faults.sync_failures = 1;
  if (dice == 1) {
    faults.write_failures = 1;
    faults.write_budget = random.below(600);
    faults.write_error = Error::no_space;
  }
  State after = acknowledged;
  stage(after);
  if (process.registry->anything_staged()) {
    assert_true(in_doubt_count < in_doubt_max);
    in_doubt[in_doubt_count++] = after;
    const Ticket ticket = process.registry->committed_ticket() + 1;
    if (process.registry->commit().ok()) {
      crash_a_copy();
      world.run_for(milliseconds(60));
      crash_a_copy();
      Status outcome;
      while (!process.journal.decided(outcome)) {  // a failure is told when the cut is durable
        world.run_for(milliseconds(60));
        crash_a_copy();
      }
      process.registry->committed(outcome);
    }
    assert_int_equal(process.registry->committed_ticket(), ticket);
    if (process.registry->ticket_failed(ticket)) {
      ++failed_batches;
    } else {
      ++acknowledged_batches;
      acknowledged = after;
      in_doubt_count = 0;
    }
    assert_true(process.digest() == digest_of(acknowledged));
    crash_a_copy();
  }
  faults = {};
}

// The real thing: the process goes on with what the disk kept.
void Play::power_failure() {
  checking = false;
  port.kill(Death::power);
  disk.crash(random_crash(random), random);
  assert_true(process.start().ok());
  const State* kept = possible(process.digest());
  assert_non_null(kept);
  acknowledged = *kept;
  in_doubt_count = 0;
  checking = true;
}

}  // namespace

static void a_crash_at_any_moment_keeps_what_was_acknowledged_and_nothing_else(void**) {
  const size_t size =
      Simulation::bytes_for({.events = 64, .network = {}}) + 2 * Disk::bytes_for(disk_sizes) + 2 * SimPort::bytes_for();
  assert_true(Registry::bytes_for(registry_options) <= sizeof registry_memory[0]);
  uint64_t crashes = 0;
  uint64_t cuts = 0;
  uint64_t doubts = 0;
  uint64_t acknowledged = 0;
  uint64_t failed = 0;
  for (uint64_t seed = 1; seed <= 40; ++seed) {
    const Bytes memory = map_memory(size + region_rounded(sizeof(Play)));
    Region region(memory);
    Play& play = *new (region.carve(sizeof(Play)).data()) Play(region, seed);
    for (int i = 0; i < 40; ++i) {
      play.batch();
      if (play.in_doubt_count == in_doubt_max || play.random.below(8) == 0) play.power_failure();
    }
    crashes += play.crashes;
    cuts += play.cuts;
    doubts += play.doubts;
    acknowledged += play.acknowledged_batches;
    failed += play.failed_batches;
    play.port.kill(Death::power);
    play.second_port.kill(Death::power);
    unmap_memory(memory);
  }
  // The run was one: batches of both kinds, tails that were cut, batches that made it unacknowledged.
  print_message("%llu crashes, %llu cut tails, %llu in doubt and kept, %llu batches acknowledged, %llu failed\n",
                static_cast<unsigned long long>(crashes), static_cast<unsigned long long>(cuts),
                static_cast<unsigned long long>(doubts), static_cast<unsigned long long>(acknowledged),
                static_cast<unsigned long long>(failed));
  assert_true(crashes > 5000 && cuts > 500 && doubts > 500 && acknowledged > 800 && failed > 100);
}

TESTS(registry_crash, cmocka_unit_test(a_crash_at_any_moment_keeps_what_was_acknowledged_and_nothing_else));
