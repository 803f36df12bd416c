// The registry by itself, on real files: what it writes in a year, and what a
// compaction costs. The real Registry and JournalFile; the clocks are made up.
//
//   registry wear FILE DEVICES REGISTRATIONS-A-DAY DAYS   a new file; what was written
//   registry fill FILE DEVICES                            a new file, of which half is dead
//   registry slices FILE DEVICES                          reads such a file and compacts it
//
// Each prints one line of JSON. FILE is an absolute path. Nobody else uses it.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>

#include "base/encode.h"
#include "base/writer.h"
#include "link/journal_file.h"
#include "port/posix/storage.h"
#include "registry/registry.h"
#include "tools/bench/common.h"
#include "tools/bench/counted_storage.h"

namespace tocsin::bench {
namespace {

constexpr UnixTime first_day{1'767'225'600};
constexpr int64_t day_seconds = 86'400;
constexpr string_view section_name = "apns/siskin";
// Of 10,000 devices so many get a new token on a day: one in a hundred a week.
constexpr uint64_t new_tokens = 14;

void must(bool good, const char* what) {
  if (good) return;
  fprintf(stderr, "registry: %s\n", what);
  exit(1);
}

uint64_t mixed(uint64_t value) {  // splitmix64
  value += 0x9e3779b97f4a7c15;
  value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9;
  value = (value ^ (value >> 27)) * 0x94d049bb133111eb;
  return value ^ (value >> 31);
}

Bytes pages(size_t bytes) {
  void* at = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  must(at != MAP_FAILED, "no memory");
  return {static_cast<uint8_t*>(at), bytes};
}

string_view folder_of(string_view path) { return {path.data(), path.rfind('/')}; }

Registry::Options options_for(uint32_t devices) {
  Registry::Options options{.max_devices = devices};
  memset(options.creation_id, 0xc1, sizeof options.creation_id);
  return options;
}

// A registry on its file, with the gateway's order of events.
struct House {
  House(const char* path, uint32_t devices, bool at_once, bool compacts)
      : posix(wake),
        storage(posix, at_once),
        journal(storage),
        memory(pages(Registry::bytes_for(options_for(devices)))),
        region(memory),
        registry(region, options_for(devices), journal, compacts ? &journal : nullptr) {
    must(journal.open(path, folder_of(path)).ok(), "the file can not be opened");
    registry.sections({&section_name, 1});
    const int64_t before = now_ns();
    const int64_t used_before = cpu_ns();
    must(registry.replay(pages(Registry::replay_scratch_bytes)).ok(), registry.problem());
    replay_ns = now_ns() - before;
    replay_cpu_ns = cpu_ns() - used_before;
  }

  // Device `number` with its `version`-th token: the same each time.
  Registration device(uint64_t number, uint64_t version) {
    Writer name(account);
    name.text("user").unsigned_number(10'000'000 + number / 4).text("@example.org");
    const uint64_t seed = mixed(number) + version;
    for (size_t i = 0; i < sizeof token; i += 8) put_u64(token + i, mixed(seed + (i << 32)));
    NodeId node;
    put_u64(node.bytes, mixed(seed ^ 0x5555));
    put_u64(node.bytes + 8, mixed(seed ^ 0xaaaa));
    return {.node = node,
            .account = name.view(),
            .section = section_name,
            .provider = "tigase:messenger:apns:1",
            .token = token,
            .registered = wall};
  }
  // As the gateway does it: what nobody waits for waits for others, or five minutes.
  void commit() {
    if (!registry.anything_staged()) return;
    if (commit_at == UnixTime{}) commit_at = wall + minutes(5);
    if (registry.commit_wanted() || wall >= commit_at) commit_now();
  }
  void commit_now() {
    commit_at = {};
    must(registry.commit().ok(), "a commit failed");
    Status outcome;
    while (!journal.decided(outcome)) usleep(20);
    must(outcome.ok(), "a sync failed");
    registry.committed(outcome);
  }
  // Until stage() has room for its change.
  template <class Stage>
  void staged(Stage&& stage) {
    Result<Ticket> ticket = stage();
    if (!ticket.ok() && ticket.error() == Error::busy) {
      commit_now();
      ticket = stage();
    }
    must(ticket.ok(), "a change was refused");
  }

  posix::Wake wake;
  posix::PosixStorage posix;
  CountedStorage storage;
  JournalFile journal;
  Bytes memory;
  Region region;
  Registry registry;
  UnixTime wall = first_day;
  UnixTime commit_at{};
  Instant now{1};
  int64_t replay_ns = 0;
  int64_t replay_cpu_ns = 0;
  uint8_t account[64];
  uint8_t token[32];
  uint8_t room[Registry::record_bytes_max];
};

// ---- what is written ----------------------------------------------------------

struct Life {
  uint64_t registrations = 0;
  uint64_t fresh = 0;
  uint64_t largest = 0;
  uint64_t both = 0;  // with the second file beside it
};

void keep_up(House& house, Life& life) {
  life.largest = std::max(life.largest, house.journal.size());
  do {
    house.now = house.now + milliseconds(1);
    const Maintenance outcome = house.registry.maintain(house.now, house.wall);
    must(outcome == Maintenance::quiet || outcome == Maintenance::compacted, "a compaction failed");
    if (outcome == Maintenance::compacted) {
      const Compaction& done = house.registry.compaction();
      life.both = std::max(life.both, done.bytes_before() + done.bytes_written());
    }
  } while (house.registry.compaction().running());
}

// The app starts: it registers, with a new token when it got one; the first push to the old one ends that.
void app_starts(House& house, Life& life, uint64_t number, uint32_t& version, uint64_t luck, uint64_t a_day) {
  ++life.registrations;
  const bool new_token = version > 0 && luck % (10'000 * a_day) < new_tokens;
  const NodeId old = house.device(number, version).node;
  if (new_token || version == 0) ++version;
  const Registration wanted = house.device(number, version);
  Registration found;
  const Status known = house.registry.find_device(wanted.account, wanted.token, house.room, found, nullptr);
  if (known.ok()) {
    house.staged([&] { return house.registry.refresh_unhurried(found.node, house.wall); });
  } else {
    must(known.error() == Error::not_found, "a look-up failed");
    ++life.fresh;
    house.staged([&] { return house.registry.add(wanted, house.wall); });
  }
  house.commit();
  if (!new_token) return;
  house.staged([&] { return house.registry.end(old, EndReason::provider, "Unregistered", house.wall); });
  house.commit();
}

int wear(const char* path, uint32_t devices, uint64_t a_day, uint64_t days) {
  House house(path, devices + devices / 10 + 16, true, true);
  auto* versions = static_cast<uint32_t*>(calloc(devices, sizeof(uint32_t)));
  must(versions != nullptr, "no memory");
  // On the day before the first everybody registers for the first time.
  Life life;
  Written journal_before, second_before;
  uint64_t replaced_before = 0, names_before = 0, new_bytes = 0;
  for (uint64_t day = 0; day <= days; ++day) {
    for (uint64_t i = 0; i < devices * a_day; ++i) {
      const uint64_t number = i % devices;
      house.wall = first_day + seconds(static_cast<int64_t>(day * day_seconds + i * day_seconds / (devices * a_day)));
      app_starts(house, life, number, versions[number], mixed((day << 32) | i), a_day);
      if (day == 0 && i + 1 == devices) new_bytes = house.storage.journal().bytes;
      // Each gets pushes, the same number as the app is opened.
      if (day > 0 || i >= devices) {
        const NodeId node = house.device(number, versions[number]).node;
        house.staged([&] { return house.registry.accepted(node, 0x70c51, house.wall); });
        house.commit();
      }
      keep_up(house, life);
    }
    if (day > 0) continue;
    life.registrations = life.fresh = 0;
    journal_before = house.storage.journal();
    second_before = house.storage.second();
    replaced_before = house.storage.replaced();
    names_before = house.storage.names();
  }
  const Written journal = house.storage.journal().since(journal_before);
  const Written second = house.storage.second().since(second_before);
  printf(
      "{\"devices\": %u, \"days\": %llu, \"registrations\": %llu, \"fresh\": %llu, \"new_bytes\": %llu, \"bytes\": "
      "%llu, "
      "\"appends\": %llu, \"syncs\": %llu, \"pages\": %llu, \"compactions\": %llu, \"compaction_bytes\": %llu, "
      "\"compaction_syncs\": %llu, \"compaction_pages\": %llu, \"largest\": %llu, \"both\": %llu}\n",
      devices, static_cast<unsigned long long>(days), static_cast<unsigned long long>(life.registrations),
      static_cast<unsigned long long>(life.fresh), static_cast<unsigned long long>(new_bytes / devices),
      static_cast<unsigned long long>(journal.bytes), static_cast<unsigned long long>(journal.writes),
      static_cast<unsigned long long>(journal.syncs), static_cast<unsigned long long>(journal.pages),
      static_cast<unsigned long long>(house.storage.replaced() - replaced_before),
      static_cast<unsigned long long>(second.bytes),
      static_cast<unsigned long long>(second.syncs + house.storage.names() - names_before),
      static_cast<unsigned long long>(second.pages), static_cast<unsigned long long>(life.largest),
      static_cast<unsigned long long>(life.both));
  free(versions);
  house.journal.shut();
  return 0;
}

// ---- a large file -------------------------------------------------------------

int fill(const char* path, uint32_t devices) {
  House house(path, devices, true, false);
  const int64_t before = now_ns();
  for (uint32_t i = 0; i < devices; ++i) {
    const Registration added = house.device(i, 1);
    house.staged([&] { return house.registry.add(added, house.wall); });
  }
  house.commit();
  const int64_t added = now_ns();
  const uint64_t bytes = house.journal.size();
  // Each once more, in another order.
  for (uint32_t i = 0; i < devices; ++i) {
    const Registration changed = house.device((i * uint64_t{7919}) % devices, 1);
    house.staged([&] { return house.registry.change(changed, house.wall + days(1)); });
  }
  house.commit();
  must(house.registry.count() == devices, "devices are missing");
  printf("{\"devices\": %u, \"seconds\": %.3f, \"alive\": %llu, \"bytes\": %llu}\n", devices,
         static_cast<double>(added - before) / 1e9, static_cast<unsigned long long>(bytes),
         static_cast<unsigned long long>(house.journal.size()));
  house.journal.shut();
  return 0;
}

class Slices {
 public:
  explicit Slices(size_t most) : room_(static_cast<uint32_t*>(malloc(2 * most * sizeof(uint32_t)))), most_(most) {
    must(room_ != nullptr, "no memory");
  }
  Slices(const Slices&) = delete;
  ~Slices() { free(room_); }
  void add(int64_t cpu, int64_t wall) {
    must(count_ < most_, "a compaction does not end");
    room_[count_] = static_cast<uint32_t>(cpu);
    room_[most_ + count_++] = static_cast<uint32_t>(std::min<int64_t>(wall, UINT32_MAX));
  }
  void print(const char* name) {
    printf("\"%s\": {\"slices\": %zu, ", name, count_);
    print_part("cpu", room_);
    printf(", ");
    print_part("wall", room_ + most_);
    printf("}, ");
  }

 private:
  void print_part(const char* name, uint32_t* part) {
    std::sort(part, part + count_);
    uint64_t sum = 0;
    for (size_t i = 0; i < count_; ++i) sum += part[i];
    const auto at = [&](double share) {
      return count_ == 0 ? 0.0 : part[static_cast<size_t>(static_cast<double>(count_ - 1) * share)] / 1000.0;
    };
    size_t over = 0;
    while (over < count_ && part[count_ - 1 - over] > 1'000'000) ++over;
    printf("\"%s\": {\"p50_us\": %.1f, \"p99_us\": %.1f, \"max_us\": %.1f, \"over_1_ms\": %zu, \"seconds\": %.3f}",
           name, at(0.5), at(0.99), at(1), over, static_cast<double>(sum) / 1e9);
  }
  uint32_t* room_;
  size_t most_;
  size_t count_ = 0;
};

int64_t thread_ns() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

// As the gateway does it, with somebody registering every ten milliseconds; but without the millisecond between the
// slices.
int slices(const char* path, uint32_t devices) {
  House house(path, devices, false, true);
  Registry& registry = house.registry;
  house.wall = first_day + days(30);
  const size_t most = house.journal.size() / 4096 + 10'000;
  Slices first(most), second(most);
  uint64_t turns = 0;
  uint64_t commits = 0;
  uint64_t held_turns = 0;       // in which nothing could be committed …
  uint64_t held_at_the_end = 0;  // … and how many the last of these were
  uint64_t held_now = 0;
  int64_t held_from = 0;
  int64_t held_ns_max = 0;
  int64_t held_ns_end = 0;
  bool asking = true;
  Maintenance outcome = Maintenance::quiet;
  registry.request_compaction();
  for (; outcome == Maintenance::quiet; ++turns) {
    must(turns < 100 * most, "a compaction does not end");
    house.now = house.now + milliseconds(1);
    Status decided;
    if (house.journal.decided(decided)) {
      must(decided.ok(), "a sync failed");
      registry.committed(decided);
      ++commits;
    }
    if (turns % 10 == 0 && asking) {
      const Registration again = house.device(mixed(turns) % devices, 1);
      const Result<Ticket> ticket = registry.change(again, house.wall);
      must(ticket.ok() || ticket.error() == Error::busy, "a change was refused");
    }
    if (registry.anything_staged() && !registry.committing()) must(registry.commit().ok(), "a commit failed");
    const bool placed = house.storage.replaced() > 0;
    const int64_t cpu = thread_ns();
    const int64_t wall = now_ns();
    outcome = registry.maintain(house.now, house.wall);
    const int64_t took = now_ns() - wall;
    (placed ? second : first).add(thread_ns() - cpu, took);
    const bool waits = registry.maintenance_due() == Instant::never() && registry.compaction().running();
    if (registry.compaction().holds_commits()) {
      if (held_now++ == 0) held_from = wall;
      ++held_turns;
    } else if (held_now > 0) {
      held_ns_end = now_ns() - held_from;
      held_ns_max = std::max(held_ns_max, held_ns_end);
      held_at_the_end = held_now;
      held_now = 0;
    }
    if (waits || registry.committing()) usleep(20);  // the thread that syncs may need this core
  }
  must(outcome == Maintenance::compacted, "the compaction failed");
  const Compaction& done = registry.compaction();
  printf("{\"devices\": %u, \"replay_seconds\": %.3f, \"replay_cpu\": %.3f, \"turns\": %llu, \"commits\": %llu, ",
         devices, static_cast<double>(house.replay_ns) / 1e9, static_cast<double>(house.replay_cpu_ns) / 1e9,
         static_cast<unsigned long long>(turns), static_cast<unsigned long long>(commits));
  first.print("copying");
  second.print("placing");
  printf(
      "\"bytes_before\": %llu, \"bytes_after\": %llu, \"syncs\": %llu, \"unsynced_max\": %llu, \"held_ms\": %.3f, "
      "\"held_ms_end\": %.3f, \"held_turns_end\": %llu}\n",
      static_cast<unsigned long long>(done.bytes_before()), static_cast<unsigned long long>(done.bytes_written()),
      static_cast<unsigned long long>(house.storage.second().syncs),
      static_cast<unsigned long long>(house.storage.second().unsynced_max), static_cast<double>(held_ns_max) / 1e6,
      static_cast<double>(held_ns_end) / 1e6, static_cast<unsigned long long>(held_at_the_end));
  while (registry.committing()) {
    Status decided;
    if (house.journal.decided(decided)) registry.committed(decided);
  }
  house.journal.shut();
  return 0;
}

}  // namespace
}  // namespace tocsin::bench

int main(int count, char** arguments) {
  using namespace tocsin::bench;
  const auto argument = [&](int i) {
    std::string_view text = i < count ? arguments[i] : "0";
    return number(text, 0);
  };
  const std::string_view verb = count > 2 ? arguments[1] : "";
  const auto devices = static_cast<uint32_t>(std::min<uint64_t>(argument(3), 10'000'000));
  if (verb.empty() || arguments[2][0] != '/' || devices == 0) return 64;
  if (verb == "wear") return wear(arguments[2], devices, std::max<uint64_t>(argument(4), 1), argument(5));
  if (verb == "fill") return fill(arguments[2], devices);
  if (verb == "slices") return slices(arguments[2], devices);
  return 64;
}
