// A process that registers devices on a disk which loses power at any moment. At
// every operation of the disk copies of it crash, each in its own way; the copy is
// opened again and must hold what was acknowledged, all of it, and nothing else but
// perhaps, as a whole, a batch whose outcome nobody was told as a success. Now and
// then a copy goes on living, and crashes in turn.
#pragma once

#include <optional>

#include "base/text.h"
#include "link/journal_file.h"
#include "port/sim/sim_port.h"
#include "test/swarm/model.h"
#include "test/swarm/mutants.h"
#include "test/swarm/telling.h"

namespace tocsin::swarm {

inline constexpr uint32_t depth_max = 3;  // a life, a crashed copy that lives, and its crashed copies

// What a play has seen. The first failure ends it.
struct Findings {
  uint64_t points = 0;        // crashes after which a registry was opened and compared
  uint64_t cut_tails = 0;     // of them, where a torn tail was cut
  uint64_t in_doubt = 0;      // where a batch was kept that nobody was told of
  uint64_t acknowledged = 0;  // batches
  uint64_t refused = 0;
  uint64_t compactions = 0;
  uint64_t failed_compactions = 0;
  uint64_t restarts = 0;
  uint64_t second_lives = 0;
  uint64_t trace = 0;  // over everything that was found: two plays of a seed have the same

  bool failed = false;
  FixedText<400> what;
  void add(const Findings& other);  // the counts
  struct Place {
    uint32_t turn = 0;
    uint64_t operation = 0;
  };
  Place places[depth_max];  // where each life is
};

class Life final : public sim::DiskWatcher {
 public:
  static size_t bytes_for();
  // The copies crash on `copy`, a life of the next depth; nullptr: nobody looks.
  Life(Region& region, uint64_t seed, uint32_t depth, Mutation mutation, Findings& findings, Life* copy);

  void begin();  // with an empty disk
  void live(uint32_t turns);

  void operation(const sim::Disk& disk, uint64_t number) override;

 private:
  static constexpr uint32_t doubts_max = 16;

  // life.cpp: turns
  void turn();
  void trouble();
  void stage_some();
  void stage_one(uint32_t slot);
  void commit();
  void decide();
  void concluded(bool durable);
  void maintain();
  void run(int64_t ms_max);
  void look_around();
  void restart(bool power);
  bool failed() const { return findings_.failed; }
  bool compacting() const { return registry_->compaction().running(); }
  void fail(string_view what);
  void check(bool holds, string_view what) {
    if (!holds) fail(what);
  }

  // crash.cpp: dying and starting again
  Status start();
  void end(sim::Death how);
  bool settle();  // after a start: which of the possible states it is
  void crash_copies(uint32_t count);
  void crash_copy();
  void become(const Life& other, uint64_t seed);
  void start_in_trouble();

  uint32_t depth_;
  Mutation mutation_;
  Findings& findings_;
  Life* copy_;
  sim::Simulation world_;
  sim::Disk disk_;
  sim::SimPort port_;
  MutantStorage mutant_;
  TellingStorage storage_;
  std::optional<JournalFile> journal_;
  std::optional<Registry> registry_;
  Bytes memory_;
  Bytes scratch_;
  sim::Random random_;
  UnixTime time_{1'750'000'000};
  bool watching_ = false;
  uint32_t trouble_turns_ = 0;
  bool peace_ = false;  // nothing goes wrong any more

  Model acknowledged_;
  Model staged_;  // with all that was staged, and what is being committed
  Model committing_;
  bool waiting_ = false;  // for the outcome of committing_
  // Batches that were handed to the journal and not acknowledged, since the last one that was. One that failed may
  // be on the disk all the same until the next one is durable.
  Model doubts_[doubts_max];
  uint32_t doubt_count_ = 0;
  uint8_t room_[Registry::record_bytes_max];
};

}  // namespace tocsin::swarm
