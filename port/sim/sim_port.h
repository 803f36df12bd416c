// The simulated port: port::Port on a Simulation and a Disk. One SimPort is one
// machine with one process on it; kill() ends the process, and the same port
// serves the next one.
#pragma once

#include <cstdint>

#include "port/port.h"
#include "port/sim/disk.h"
#include "port/sim/sim_console.h"
#include "port/sim/simulation.h"

namespace tocsin::sim {

class SimPort;

class SimNet final : public port::Net, public Timed {
 public:
  static constexpr uint32_t sockets_max = 256;

  explicit SimNet(Simulation& world) : world_(&world) {}
  Result<port::Handle> connect(const Address& address) override;
  Status connect_result(port::Handle socket) override;
  Result<size_t> receive(port::Handle socket, Bytes room) override;
  Result<size_t> send(port::Handle socket, ByteView bytes) override;
  void finish(port::Handle socket) override;
  void shut(port::Handle socket) override;
  Result<port::Handle> listen(const port::Door& door) override;  // nothing is ever handed over
  Result<port::Accepted> accept(port::Handle listener) override;
  Result<uint32_t> lookup_start(string_view host, uint16_t port) override;
  bool lookup_done(uint32_t ticket, port::Lookup& out) override;
  void lookup_cancel(uint32_t ticket) override;
  // Never lets time pass: fills in what is ready now, remembers `until` and returns.
  void wait(std::span<port::Interest> interests, Instant until) override;
  void on_event(uint64_t tag) override;  // a lookup ends
  void ring() { rung_ = true; }          // the present wait returns

  uint64_t lookups() const { return tickets_; }
  uint64_t sends() const { return sends_; }  // calls that took something
  uint32_t open_sockets() const { return socket_count_; }

 private:
  friend class SimPort;
  struct Wanted {
    port::Handle socket;
    bool read;
    bool write;
  };
  struct LookupSlot {
    uint32_t ticket = 0;  // 0: free
    FixedText<255> host;
    uint16_t port = 0;
    bool literal = false;
    bool done = false;
    port::Lookup lookup;
    EventId event;
  };
  bool anything_ready();
  void end_all(bool power_lost);
  LookupSlot* slot_of(uint32_t ticket);

  Simulation* world_;
  bool dead_ = false;   // killed: what its objects still say while they are taken apart, nobody hears
  bool rung_ = true;    // the first turn of a process comes without a reason
  bool again_ = false;  // the last wait returned because of something
  Instant until_{};
  uint64_t waits_ = 0;
  uint64_t wake_ups_ = 0;
  uint64_t sends_ = 0;
  uint32_t tickets_ = 0;
  uint32_t wanted_count_ = 0;
  uint32_t socket_count_ = 0;
  Wanted wanted_[sockets_max];
  port::Handle sockets_[sockets_max];
  LookupSlot lookups_[lookups_max];
};

class SimStorage final : public port::Storage, public Timed {
 public:
  SimStorage(Simulation& world, SimNet& net, Disk& disk, int64_t pid)
      : world_(&world), net_(&net), disk_(&disk), pid_(pid) {}
  Result<port::Handle> open(const char* path, port::OpenMode mode) override;
  Result<port::FileFacts> facts(const char* path) override;
  Result<uint64_t> size(port::Handle file) override;
  Result<size_t> read_at(port::Handle file, uint64_t offset, Bytes room) override;
  Status write_at(port::Handle file, uint64_t offset, ByteView bytes) override;
  Status truncate(port::Handle file, uint64_t size) override;
  Status sync_start(port::Handle file) override;
  bool sync_done(Status& outcome) override;
  Status sync_directory_start(const char* path) override;
  Status sync_now(port::Handle file) override;  // takes no virtual time
  Status sync_directory(const char* path) override;
  Status make_directory(const char* path) override;
  Status replace(const char* from, const char* to) override;
  Status link(const char* from, const char* to) override;
  Status remove(const char* path) override;
  Result<port::Handle> lock(const char* path, int64_t* holder) override;
  void shut(port::Handle file) override;
  void on_event(uint64_t tag) override;  // the sync ends

  uint32_t open_files() const;

 private:
  friend class SimPort;
  static constexpr uint32_t files_max = 32;
  struct File {
    Disk::Inode inode = 0;
    uint32_t epoch = 0;
    bool open = false;
    bool writable = false;
    bool locked = false;
  };
  enum class SyncState : uint8_t { idle, under_way, ended };
  File& of(port::Handle file);
  Result<port::Handle> keep(Result<Disk::Inode> inode, bool writable, bool locked);
  void note(uint64_t what, uint64_t a, uint64_t b);
  void end_all(bool power_lost);
  Status end_sync();

  Simulation* world_;
  SimNet* net_;
  Disk* disk_;
  int64_t pid_;
  bool dead_ = false;  // killed, and nothing was opened since
  SyncState sync_state_ = SyncState::idle;
  Disk::Sync sync_{};
  FixedText<Disk::path_max> sync_names_of_;  // of a directory instead
  uint32_t sync_epoch_ = 0;
  Status sync_outcome_;
  EventId sync_event_;
  File files_[files_max];
};

class SimClock final : public port::Clock {
 public:
  explicit SimClock(Simulation& world) : world_(&world) {}
  Instant now() override {
    if (look_costs_ == Duration{}) return world_->now();
    ahead_ = later(ahead_, world_->now()) + look_costs_;
    return ahead_;
  }
  UnixTime wall() override { return world_->wall() + skew_; }

 private:
  friend class SimPort;
  Simulation* world_;
  Duration skew_{};
  Duration look_costs_{};
  Instant ahead_{};
};

class SimEntropy final : public port::Entropy {
 public:
  explicit SimEntropy(uint64_t seed) : random_(seed) {}
  void fill(Bytes room) override { random_.fill(room); }

 private:
  Random random_;
};

enum class Death : uint8_t {
  process,  // killed: sockets end, locks go, what was written stays in the page cache
  power,    // peers hear nothing; crash() the disk as well
};

class SimPort final : public Node {
 public:
  static size_t bytes_for() { return SimConsole::bytes_for(); }
  // pid also tells the entropy of ports apart; positive, one for each port.
  SimPort(Region& memory, Simulation& world, Disk& disk, int64_t pid);
  SimPort(const SimPort&) = delete;
  SimPort& operator=(const SimPort&) = delete;

  port::Port& port() { return port_; }
  SimNet& net() { return net_; }
  SimStorage& storage() { return storage_; }
  SimConsole& console() { return console_; }

  // The simulation calls turner.turn() from now on; nullptr: nobody is there.
  void drive(Turner* turner);
  void wake() { net_.ring(); }  // as a signal does: the present wait returns
  // Sockets, lookups, files, locks; drive(nullptr) included. What was wired to the port may be taken apart
  // afterwards: what it shuts is shut already, and what it sends goes nowhere.
  void kill(Death how);
  // This machine's clock differs from the world's.
  void set_wall(UnixTime wall) { clock_.skew_ = wall - world_->wall(); }
  // A machine on which work takes time: whenever the gateway looks at its clock, it is so much later than at its last
  // look. The clock runs ahead of the world's meanwhile, which catches up while the gateway waits.
  void slow_down(Duration per_look) { clock_.look_costs_ = per_look; }

  // Waits that returned because of something (or of `until`), and all of them.
  uint64_t wake_ups() const { return net_.wake_ups_; }
  uint64_t waits() const { return net_.waits_; }

  bool ready() override;
  Instant until() const override { return net_.until_; }
  void turn() override { turner_->turn(); }

 private:
  Simulation* world_;
  Turner* turner_ = nullptr;
  SimNet net_;
  SimStorage storage_;
  SimClock clock_;
  SimEntropy entropy_;
  SimConsole console_;
  port::Port port_;
};

}  // namespace tocsin::sim
