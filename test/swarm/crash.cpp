// How lives end, and what is found after it.
#include "test/swarm/life.h"

#include "base/writer.h"

namespace tocsin::swarm {

using sim::Death;
using sim::Disk;
using sim::Random;
using sim::SimPort;
using sim::Simulation;

namespace {

constexpr Simulation::Sizes world_sizes{.events = 64, .network = {}};
constexpr Disk::Sizes disk_sizes{.file_bytes = 512 * 1024, .pending_bytes = 256 * 1024};
const Registry::Options registry_options{.max_devices = devices_max, .creation_id = {0xc1}, .staging_bytes = 16 * 1024};

}  // namespace

size_t Life::bytes_for() {
  return Simulation::bytes_for(world_sizes) + Disk::bytes_for(disk_sizes) + SimPort::bytes_for() +
         Registry::bytes_for(registry_options) + Registry::replay_scratch_bytes;
}

Life::Life(Region& region, uint64_t seed, uint32_t depth, Mutation mutation, Findings& findings, Life* copy)
    : depth_(depth),
      mutation_(mutation),
      findings_(findings),
      copy_(copy),
      world_(region, world_sizes, seed),
      disk_(region, disk_sizes, seed),
      port_(region, world_, disk_, 1 + depth),
      mutant_(port_.port().storage, mutation),
      storage_(mutant_, depth),
      memory_(region.carve(Registry::bytes_for(registry_options))),
      scratch_(region.carve(Registry::replay_scratch_bytes)),
      random_(seed) {}

// ---- one process after the other --------------------------------------------

Status Life::start() {
  journal_.emplace(storage_);
  if (const Status opened = journal_->open("state/registry", "state"); !opened.ok()) return opened;
  Region region(memory_);
  registry_.emplace(region, registry_options, *journal_, &*journal_);
  return registry_->replay(scratch_);
}

void Life::end(Death how) {
  tell(depth_, how == Death::power ? "the power fails" : "the process is killed");
  port_.kill(how);
  mutant_.reboot();
  if (how == Death::power) disk_.crash(random_crash(random_), random_);
  disk_.faults() = {};
  trouble_turns_ = 0;
  waiting_ = false;
}

// What a start finds is the truth from then on: an identical registration is acknowledged without a write.
bool Life::settle() {
  findings_.cut_tails += registry_->cut_bytes() > 0 ? 1 : 0;
  const uint64_t digest = digest_of(*registry_, room_);
  tell(depth_, "started: %u devices, %llu bytes, %llu cut, state %016llx", registry_->count(),
       static_cast<unsigned long long>(journal_->size()), static_cast<unsigned long long>(registry_->cut_bytes()),
       static_cast<unsigned long long>(digest));
  const Model* found = digest == acknowledged_.digest() ? &acknowledged_ : nullptr;
  for (uint32_t i = doubt_count_; found == nullptr && i-- > 0;) {
    if (digest == doubts_[i].digest()) found = &doubts_[i];
    findings_.in_doubt += found != nullptr ? 1 : 0;
  }
  if (found == nullptr || registry_->strays() > 0) {
    uint8_t text[250];
    Writer difference(text);
    describe_difference(acknowledged_, *registry_, room_, difference);
    if (doubt_count_ > 0) difference.text("; no batch in doubt fits");
    fail(difference.view());
    return false;
  }
  findings_.trace = findings_.trace * 31 + digest;
  if (found != &acknowledged_) acknowledged_ = *found;
  staged_ = acknowledged_;
  doubt_count_ = 0;
  return true;
}

// The life itself ends, and goes on with what the disk kept.
void Life::restart(bool power) {
  ++findings_.restarts;
  end(power ? Death::power : Death::process);
  if (random_.below(4) == 0) start_in_trouble();
  if (failed()) return;
  const Status started = start();
  if (failed()) return;
  if (!started.ok()) return fail(registry_->problem());
  (void)settle();
}

// A start may fail when the disk does, and must not make anything worse.
void Life::start_in_trouble() {
  sim::DiskFaults& faults = disk_.faults();
  const uint64_t dice = random_.below(4);
  if (dice == 0) faults.read_failures = 1;
  if (dice == 1) faults.sync_failures = 1;
  if (dice == 2) faults.write_failures = 1;
  if (dice == 3) faults.stop_at = disk_.operations() + random_.between(1, 3);
  (void)start().ok();
  end(random_.coin() ? Death::power : Death::process);
}

// ---- copies that crash -------------------------------------------------------

void Life::operation(const Disk&, uint64_t number) {
  findings_.places[depth_].operation = number;
  crash_copies(depth_ == 0 ? 3 : 1);
}

void Life::crash_copies(uint32_t count) {
  if (copy_ == nullptr || !watching_) return;
  for (uint32_t i = 0; i < count && !failed(); ++i) copy_->become(*this, random_.next());
}

// The same disk and the same clients, at this moment; then the end of it.
void Life::become(const Life& other, uint64_t seed) {
  tell(depth_, "a copy of [%u] at operation %llu", other.depth_,
       static_cast<unsigned long long>(other.disk_.operations()));
  port_.kill(Death::power);
  disk_.copy_from(other.disk_);
  disk_.faults() = {};
  random_ = Random(seed);
  time_ = other.time_;
  acknowledged_ = other.acknowledged_;
  doubt_count_ = other.doubt_count_;
  for (uint32_t i = 0; i < doubt_count_; ++i) doubts_[i] = other.doubts_[i];
  findings_.places[depth_] = {};
  crash_copy();
}

void Life::crash_copy() {
  // A process that is killed leaves its page cache to the next one; the power may fail after that.
  bool power = random_.below(8) != 0;
  for (int again = 0; again < 3; ++again) {
    end(power ? Death::power : Death::process);
    if (random_.below(32) == 0) start_in_trouble();
    const Status started = start();
    if (!started.ok()) return fail(registry_->problem());
    ++findings_.points;
    if (!settle()) return;
    if (copy_ != nullptr && random_.below(power ? 64 : 8) == 0) {
      ++findings_.second_lives;
      disk_.watch(this);
      watching_ = true;
      live(static_cast<uint32_t>(random_.between(1, 3)));
      watching_ = false;
      disk_.watch(nullptr);
      if (failed()) return;
    }
    if (power && random_.below(4) != 0) break;
    power = true;
  }
}

}  // namespace tocsin::swarm
