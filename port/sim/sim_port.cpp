#include "port/sim/sim_port.h"

#include "base/check.h"

namespace tocsin::sim {

SimPort::SimPort(Region& memory, Simulation& world, Disk& disk, int64_t pid)
    : world_(&world),
      net_(world),
      storage_(world, net_, disk, pid),
      clock_(world),
      entropy_(world.seed() * 0x9e3779b97f4a7c15 + static_cast<uint64_t>(pid)),
      console_(memory, world.time()),
      port_{net_, storage_, clock_, entropy_, console_} {}

void SimPort::drive(Turner* turner) {
  if (turner != nullptr && turner_ == nullptr) world_->add(*this);
  if (turner == nullptr && turner_ != nullptr) world_->remove(*this);
  turner_ = turner;
  if (turner != nullptr) net_.dead_ = false;
  net_.ring();
}

bool SimPort::ready() { return turner_ != nullptr && net_.anything_ready(); }

void SimPort::kill(Death how) {
  drive(nullptr);
  net_.end_all(how == Death::power);
  storage_.end_all(how == Death::power);
}

}  // namespace tocsin::sim
