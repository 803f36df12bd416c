// Hostile logs: replay and salvage take any bytes; a registry that starts on them works, writes nothing that it
// does not read again, and can be compacted. The first byte of an input says how the log is mended (mend.h).
//   make fuzz SECONDS=60
#include <new>
#include <optional>

#include "base/siphash.h"
#include "registry/registry.h"
#include "registry/salvage.h"
#include "test/fuzz/check.h"
#include "test/fuzz/memory_log.h"
#include "test/fuzz/mend.h"

using namespace tocsin;
using namespace tocsin::fuzz;

namespace {

constexpr size_t log_bytes_taken = 16 * 1024;
const Registry::Options options{.max_devices = 12, .creation_id = {7}, .staging_bytes = 16 * 1024};
constexpr UnixTime today{1'750'000'000};

alignas(64) uint8_t memory[2][256 * 1024];
alignas(64) uint8_t scratch[Registry::replay_scratch_bytes];
MemoryLog log;

Registry& make_registry(int which) {
  static std::optional<Registry> registries[2];
  check(Registry::bytes_for(options) <= sizeof memory[which], "room for a registry");
  Region region(memory[which]);
  return registries[which].emplace(region, options, log, &log);
}

uint64_t hash(ByteView bytes, uint64_t salt) {
  HashKey key;
  std::memcpy(key.bytes, &salt, sizeof salt);
  return siphash(key, bytes);
}

// All that the disk knows of all devices, in no order. Each of them can be read and found.
uint64_t state_of(const Registry& registry) {
  uint64_t sum = registry.count();
  for (uint32_t i = 0; i < registry.count(); ++i) {
    const Device& device = *registry.device_at(i);
    uint8_t room[Registry::record_bytes_max];
    Registration r;
    check(registry.read(device, room, r).ok(), "a device that was replayed can be read");
    check(registry.find(r.node) == &device, "a device is found by its node");
    uint8_t other[Registry::record_bytes_max];
    Registration found;
    check(registry.find_device(r.account, r.key(), other, found, nullptr).ok(), "a device is found by its key");
    check(found.account == r.account && same(found.key(), r.key()), "it is the one that was asked for");
    const Device* oldest = nullptr;
    check(registry.count_of_account(r.account, &oldest, r.is_endpoint()) > 0 && oldest != nullptr,
          "an account has its device");
    uint64_t one = hash(r.node.view(), uint64_t{device.refreshed_stored} << 32 | device.accepted_under);
    const ByteView parts[] = {bytes_of(r.account), bytes_of(r.section), bytes_of(r.provider), r.token,
                              r.second_token,      r.identity,          bytes_of(r.secret),   bytes_of(r.channel)};
    for (const ByteView part : parts) one = hash(part, one);
    sum += one + (device.held ? 1 : 0) + static_cast<uint64_t>(r.dialect) + static_cast<uint64_t>(r.registered.s);
  }
  return sum;
}

// Each record in a block of its own size, so that the sanitizer sees whoever reads beyond it; what is understood and
// of today's layout is written again as it was.
void decode_alone() {
  const ByteView bytes = log.all();
  for (size_t at = FileHeader::size; at + record_frame_bytes <= bytes.size();) {
    const size_t size = record_size(&bytes[at]);
    if (size > bytes.size() - at) return;
    const Copy copy(bytes.subspan(at, size));
    const ByteView one = copy.view();
    Record record;
    if (intact(one) && decode(one, record).ok()) {
      uint8_t room[full_record_bytes_max];
      const size_t again = encode(record, room);
      check(room[0] != one[0] || same({room, again}, one), "a record is written as it was read");
    }
    at += size;
  }
}

void salvage() {
  Salvage salvage(log, scratch);
  FileHeader header;
  Result<bool> more = salvage.open(header);
  if (!more.ok()) return;
  uint64_t at = 0;
  Salvage::Piece piece;
  for (more = salvage.next(piece); more.ok() && more.value(); more = salvage.next(piece)) {
    check(piece.offset >= at && piece.offset + piece.length <= log.size(), "pieces stand in the log in their order");
    at = piece.kind == Salvage::Piece::Kind::batch ? piece.offset : piece.offset + piece.length;
  }
}

// Something of everything, as far as there is room.
void change(Registry& registry, uint8_t salt) {
  uint8_t token[16] = {salt};
  Registration fresh;
  fresh.node.bytes[0] = salt;
  fresh.node.bytes[15] = 0x77;
  fresh.account = "ann@example.org";
  fresh.section = "apns/siskin";
  fresh.provider = "push";
  fresh.token = token;
  fresh.registered = today;
  (void)registry.add(fresh, today).ok();
  for (uint32_t i = 0; i < registry.count(); ++i) {
    const NodeId node = registry.device_at(i)->node;
    uint8_t room[Registry::record_bytes_max];
    Registration known;
    check(registry.read(*registry.device_at(i), room, known).ok(), "a device can be read while others change");
    switch ((i + salt) % 7) {
      case 0: (void)registry.end(node, EndReason::client, "gone", today).ok(); break;
      case 1: (void)registry.hold(node, "BadDeviceToken", today).ok(); break;
      case 2: (void)registry.release(node, today).ok(); break;
      case 3: (void)registry.refresh(node, today, true).ok(); break;
      case 4: (void)registry.accepted(node, salt, today).ok(); break;
      case 5:
        known.provider = "another";
        (void)registry.change(known, today).ok();
        break;
      default: break;
    }
  }
}

void commit(Registry& registry, bool good) {
  const auto end = static_cast<size_t>(log.size());
  if (!registry.anything_staged() || !registry.commit().ok()) return;
  Status outcome;
  check(log.decided(outcome), "what was appended is decided");
  if (!good) log.resize(end);
  registry.committed(good ? Status() : Status(Error::io));
}

void compact_all(Registry& registry) {
  registry.request_compaction();
  Instant now{1'000'000};
  for (int i = 0; i < 10'000; ++i) {
    now = now + seconds(1);
    const Maintenance outcome = registry.maintain(now, today);
    if (outcome == Maintenance::quiet && !registry.compaction().running()) return;  // an empty log
    check(outcome == Maintenance::quiet || outcome == Maintenance::compacted,
          "a log that was replayed can be compacted");
    if (outcome == Maintenance::compacted) return;
  }
  check(false, "a compaction comes to its end");
}

// What a restart would find.
uint64_t replayed() {
  Registry& second = make_registry(1);
  const Status again = second.replay(scratch);
  check(again.ok(), "what was written is replayed");
  return state_of(second);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0 || size > 1 + log_bytes_taken) return 0;
  const uint8_t how = data[0];
  log.set({data + 1, size - 1});
  log.resize(size - 1 + record_head_bytes + mark_bytes);
  log.resize(mend(log.all(), size - 1, how));
  decode_alone();
  salvage();
  Registry& registry = make_registry(0);
  const Status replay = registry.replay(scratch);
  if (!replay.ok()) {
    check(registry.problem()[0] != '\0', "a log that is refused has a reason");
    check(registry.damage_offset() <= log.size(), "damage is in the log");
    return 0;
  }
  const uint64_t state = state_of(registry);
  check(replayed() == state, "the second replay finds what the first one found");
  if ((how & live_on) != 0) {
    change(registry, data[size - 1]);
    commit(registry, (how & outcome_bad) == 0);
    check((how & outcome_bad) == 0 || state_of(registry) == state, "a batch that failed leaves nothing behind");
    check(replayed() == state_of(registry), "a replay finds what is alive");
  }
  if ((how & compact) != 0) {
    const uint64_t before = state_of(registry);
    compact_all(registry);
    check(state_of(registry) == before, "a compaction changes nothing");
    check(replayed() == before, "nor what a restart finds");
  }
  return 0;
}
