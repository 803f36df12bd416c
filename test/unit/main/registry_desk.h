// `tocsin registry` at a desk: a simulated disk, paper for what it prints, a clock that ticks at every look. One desk
// at a time, in static memory; it is as new for every test.
#pragma once

#include "port/sim/sim_port.h"
#include "registry/batch.h"
#include "registry_command.h"
#include "settings/exit_codes.h"
#include "test/support/tests.h"

namespace tocsin::test {

inline constexpr const char* path = "state/devices.registry";
inline constexpr const char* repaired = "state/devices.registry.repaired";
inline constexpr sim::Disk::Sizes disk_sizes{.file_bytes = 1 << 20, .pending_bytes = 1 << 20};
inline constexpr UnixTime day_one{1'750'000'000};  // 2025-06-15T15:06:40Z

extern size_t reserved_max;  // memory that the system has

class Paper final : public Screen {
 public:
  Status out(string_view text) override { return fails ? Status(Error::no_space) : put(text, out_, out_used_); }
  Status err(string_view text) override { return put(text, err_, err_used_); }
  bool err_is_terminal() override { return terminal; }
  string_view printed() const { return {out_, out_used_}; }
  string_view complained() const { return {err_, err_used_}; }
  void clear() { out_used_ = err_used_ = 0; }
  bool fails = false;
  bool terminal = false;

 private:
  static Status put(string_view text, char* to, size_t& used) {
    assert_true(used + text.size() <= size);
    std::memcpy(to + used, text.data(), text.size());
    used += text.size();
    return {};
  }
  static constexpr size_t size = 1 << 16;
  char out_[size];
  char err_[size];
  size_t out_used_ = 0;
  size_t err_used_ = 0;
};

// Some time passes between any two looks at it.
class TickingClock final : public port::Clock {
 public:
  Instant now() override { return now_ = now_ + step; }
  UnixTime wall() override { return day_one + days(1); }
  Duration step = milliseconds(1);

 private:
  Instant now_{};
};

struct Desk {
  explicit Desk(Region& region)
      : world(region, {.events = 64, .network = {}}, 1),
        disk(region, disk_sizes, 1),
        port(region, world, disk, 1),
        gateway(region, world, disk, 4711) {
    disk.put_directory("state");
  }
  int run(RegistryTask task, bool secrets = false, const char* name = path);
  // Whether nothing was left open and the file is as it was.
  bool untouched() { return port.storage().open_files() == 0 && same(disk.content(path), ByteView(file, file_size)); }

  sim::Simulation world;
  sim::Disk disk;
  sim::SimPort port;
  sim::SimPort gateway;
  Paper paper;
  TickingClock clock;
  uint8_t file[1 << 20];
  size_t file_size = 0;
};

int set_up(void** state);
inline Desk& desk(void** state) { return *static_cast<Desk*>(*state); }
void expect_text(string_view got, string_view wanted);
NodeId node_of(uint8_t first);  // first, and the rest 0x11

// Writes a registry by hand.
class File {
 public:
  explicit File(Desk& desk);
  static FileHeader header() {
    FileHeader header;
    std::memset(header.creation_id, 0xc1, sizeof header.creation_id);
    return header;
  }
  File& add(const Record& record) {
    assert_true(batch_.add(record));
    return *this;
  }
  File& mark() {
    const ByteView bytes = batch_.close(used_, ++number_);
    assert_true(used_ + bytes.size() <= sizeof desk_.file);
    copy_bytes(desk_.file + used_, bytes);
    used_ += bytes.size();
    batch_.clear();
    desk_.file_size = used_;
    desk_.disk.put(path, ByteView(desk_.file, used_));
    return *this;
  }

 private:
  Desk& desk_;
  Batch batch_;
  size_t used_ = FileHeader::size;
  uint64_t number_ = 0;
};

Record registered(uint8_t number, string_view account);
// Three devices: one in use, one held, one ended; four batches.
void write_sample(Desk& d);
void spoil(Desk& d, size_t at);  // a bit of that byte

}  // namespace tocsin::test

#define DESK_TEST(name) cmocka_unit_test_setup(name, ::tocsin::test::set_up)
