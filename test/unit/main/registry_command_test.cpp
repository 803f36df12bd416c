// `tocsin registry` on a simulated disk: what it prints, what it leaves, how it ends when things fail.
#include "registry_command.h"

#include <new>

#include "port/sim/sim_port.h"
#include "registry/batch.h"
#include "settings/exit_codes.h"
#include "test/support/tests.h"

namespace tocsin {
namespace {

constexpr const char* path = "state/devices.registry";
constexpr const char* repaired = "state/devices.registry.repaired";
constexpr sim::Disk::Sizes disk_sizes{.file_bytes = 1 << 20, .pending_bytes = 1 << 20};
constexpr UnixTime day_one{1'750'000'000};  // 2025-06-15T15:06:40Z

alignas(64) uint8_t reserved[8 << 20];
size_t reserved_used;
size_t reserved_max;

Bytes reserve(size_t bytes) {
  const size_t rounded = (bytes + 4095) & ~size_t{4095};
  if (rounded > reserved_max - reserved_used) return {};
  const Bytes room = Bytes(reserved).subspan(reserved_used, rounded).first(bytes);
  reserved_used += rounded;
  return room;
}

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
  int run(RegistryTask task, bool secrets = false, const char* name = path) {
    paper.clear();
    reserved_used = 0;
    CommandLine line;
    line.task = Task::registry;
    line.registry_task = task;
    line.file = name;
    line.secrets = secrets;
    return run_registry_command(line, {.storage = port.port().storage,
                                       .clock = clock,
                                       .random = port.port().entropy,
                                       .screen = paper,
                                       .reserve = reserve});
  }
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

Desk* the_desk;
uint8_t batch_room[64 * 1024];

int set_up(void** state) {
  static Bytes memory;
  if (memory.empty())
    memory = sim::map_memory(sim::Simulation::bytes_for({.events = 64, .network = {}}) +
                             sim::Disk::bytes_for(disk_sizes) + 2 * sim::SimPort::bytes_for() + sizeof(Desk) + 64);
  Region region(memory);
  const Bytes place = region.carve(sizeof(Desk));
  the_desk = new (place.data()) Desk(region);
  reserved_max = sizeof reserved;
  *state = the_desk;
  return 0;
}

Desk& desk(void** state) { return *static_cast<Desk*>(*state); }

void expect_text(string_view got, string_view wanted) {
  if (got != wanted)
    print_error("got:\n%.*s\nwanted:\n%.*s\n", static_cast<int>(got.size()), got.data(),
                static_cast<int>(wanted.size()), wanted.data());
  assert_true(got == wanted);
}

NodeId node_of(uint8_t first) {
  NodeId node;
  std::memset(node.bytes, 0x11, sizeof node.bytes);
  node.bytes[0] = first;
  return node;
}

// Writes a registry by hand.
class File {
 public:
  explicit File(Desk& desk) : desk_(desk), batch_(batch_room, header()) { encode(header(), desk.file); }
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

constexpr uint8_t token[] = {0xde, 0xad, 0xbe, 0xef};

Registration registration(uint8_t number, string_view account) {
  return {.node = node_of(number),
          .account = account,
          .section = "apns/siskin",
          .provider = "tigase:messenger:apns:1",
          .token = token,
          .registered = day_one};
}

Record registered(uint8_t number, string_view account) {
  return {.kind = RecordKind::registered,
          .node = node_of(number),
          .time = day_one,
          .registration = registration(number, account)};
}

// Three devices: one in use, one held, one ended.
void write_sample(Desk& d) {
  File(d)
      .add(registered(1, "ann@example.org"))
      .add(registered(2, "bob@example.net"))
      .mark()
      .add(registered(3, "ann@example.org"))
      .add({.kind = RecordKind::accepted, .node = node_of(1), .time = day_one + days(2), .accepted_under = 0x1234})
      .mark()
      .add({.kind = RecordKind::held, .node = node_of(2), .time = day_one + days(1), .word = "BadDeviceToken"})
      .add({.kind = RecordKind::ended,
            .node = node_of(3),
            .time = day_one + days(3),
            .registration = {.account = "ann@example.org", .section = "apns/siskin"},
            .reason = EndReason::provider,
            .word = "Unregistered"})
      .mark()
      .mark();
}

void spoil(Desk& d, size_t at) {
  d.file[at] = static_cast<uint8_t>(d.file[at] ^ 0x20);
  d.disk.put(path, ByteView(d.file, d.file_size));
}

}  // namespace

static void verify_counts_everything(void** state) {
  Desk& d = desk(state);
  write_sample(d);
  assert_int_equal(d.run(RegistryTask::verify), exit_code::ok);
  expect_text(d.paper.printed(),
              "format=2 generation=0 batches=4 records=6 registered=3 changed=0 refreshed=0 accepted=1 held=1 "
              "released=0 ended=1 devices=2 devices_held=1 bytes=687 dead_bytes=296 torn_bytes=0\n");
  expect_text(d.paper.complained(), "");
  assert_true(d.untouched());
  assert_false(d.disk.has("state/devices.registry.lock"));
}

static void a_torn_end_is_no_damage(void** state) {
  Desk& d = desk(state);
  write_sample(d);
  d.disk.put(path, ByteView(d.file, d.file_size - 2 * mark_bytes - 5));
  assert_int_equal(d.run(RegistryTask::verify), exit_code::ok);
  assert_true(d.paper.printed().find(" batches=2 ") != string_view::npos);
  assert_true(d.paper.printed().find(" torn_bytes=118\n") != string_view::npos);
}

static void damage_is_told_with_its_place_and_the_command(void** state) {
  Desk& d = desk(state);
  write_sample(d);
  spoil(d, 60);
  for (const RegistryTask task : {RegistryTask::verify, RegistryTask::dump, RegistryTask::compact}) {
    assert_int_equal(d.run(task), exit_code::damaged);
    expect_text(
        d.paper.complained(),
        "tocsin: state/devices.registry: the registry is damaged at byte 36 (a record fails its check); what is "
        "intact is kept by: tocsin registry repair state/devices.registry\n");
    expect_text(d.paper.printed(), "");
    assert_true(d.untouched());
  }
}

static void dump_shows_devices_and_ends_but_no_secrets(void** state) {
  Desk& d = desk(state);
  write_sample(d);
  assert_int_equal(d.run(RegistryTask::dump), exit_code::ok);
  expect_text(d.paper.printed(),
              "state=registered node=01111111... account=ann@example.org section=apns/siskin "
              "provider=tigase:messenger:apns:1 dialect=tigase registered=2025-06-15T15:06:40Z "
              "refreshed=2025-06-15T15:06:40Z accepted=2025-06-17 accepted_under=00001234\n"
              "state=held node=02111111... account=bob@example.net section=apns/siskin "
              "provider=tigase:messenger:apns:1 dialect=tigase registered=2025-06-15T15:06:40Z "
              "refreshed=2025-06-15T15:06:40Z word=BadDeviceToken since=2025-06-16T15:06:40Z\n"
              "state=ended node=03111111... account=ann@example.org section=apns/siskin "
              "registered=2025-06-15T15:06:40Z ended=2025-06-18T15:06:40Z reason=provider word=Unregistered\n");
  assert_true(d.untouched());
  assert_int_equal(d.run(RegistryTask::dump, true), exit_code::ok);
  assert_true(d.paper.printed().find("node=AREREREREREREREREREREQ account=ann@example.org") != string_view::npos);
  assert_true(d.paper.printed().find(" token_hex=deadbeef\n") != string_view::npos);
}

// The pseudonym is the one that the gateway's log has.
static void dump_knows_pseudonyms_where_their_key_is(void** state) {
  Desk& d = desk(state);
  write_sample(d);
  const uint8_t key[16] = {1, 2, 3};
  d.disk.put("state/pseudonym.key", key);
  assert_int_equal(d.run(RegistryTask::dump), exit_code::ok);
  assert_true(d.paper.printed().find("state=registered device=") != string_view::npos);
  assert_true(d.paper.printed().find("state=ended device=") != string_view::npos);
}

// After a compaction an end stands alone.
static void an_end_without_its_registration_is_still_told(void** state) {
  Desk& d = desk(state);
  File(d)
      .add({.kind = RecordKind::ended,
            .node = node_of(9),
            .time = day_one,
            .registration = {.account = "ann@example.org", .section = "apns/siskin"},
            .reason = EndReason::client})
      .mark();
  assert_int_equal(d.run(RegistryTask::dump), exit_code::ok);
  expect_text(d.paper.printed(),
              "state=ended node=09111111... account=ann@example.org section=apns/siskin ended=2025-06-15T15:06:40Z "
              "reason=client\n");
}

static void repair_keeps_what_is_intact_and_names_the_rest(void** state) {
  Desk& d = desk(state);
  write_sample(d);
  spoil(d, 60);  // the first record
  assert_int_equal(d.run(RegistryTask::repair), exit_code::damaged);
  expect_text(d.paper.complained(), "");
  expect_text(d.paper.printed(),
              "byte 36: lost 116 bytes, a record that reads, rightly or not: registered account=ann@example.org "
              "section=apns/siskin time=2025-06-15T15:06:40Z\n"
              "batch 1: 1 of its 2 records lost\n"
              "kept 5 records (1 device, 1 ended) in state/devices.registry.repaired, 499 bytes\n"
              "1 of them is proven by its own checksum only\n"
              "1 of them speaks of a device whose registration is lost\n"
              "to put it in place, while no gateway runs, and keep the damaged one:\n"
              "  mv state/devices.registry state/devices.registry.damaged && mv state/devices.registry.repaired "
              "state/devices.registry\n");
  assert_true(d.untouched());
  // It is durable, and whole.
  assert_true(same(d.disk.content(repaired), d.disk.durable_content(repaired)));
  assert_int_equal(d.run(RegistryTask::verify, false, repaired), exit_code::ok);
  assert_true(d.paper.printed().find("generation=1 batches=2 records=5 ") != string_view::npos);
  assert_true(d.paper.printed().find("torn_bytes=0 strays=1\n") != string_view::npos);
  assert_int_equal(d.run(RegistryTask::repair, false, repaired), exit_code::ok);
  expect_text(d.paper.printed(), "state/devices.registry.repaired: whole, nothing to repair\n");
}

static void nothing_is_lost_by_a_damaged_mark_or_header(void** state) {
  Desk& d = desk(state);
  write_sample(d);
  const size_t first_mark = FileHeader::size + 2 * 116;
  spoil(d, first_mark + 20);
  assert_int_equal(d.run(RegistryTask::repair), exit_code::ok);
  assert_true(d.paper.printed().find("byte 268: lost 36 bytes, the commit mark of batch 1: no record is lost by it\n"
                                     "kept 6 records (2 devices, 1 ended) in ") == 0);
  d.disk.remove(repaired).ok();
  spoil(d, first_mark + 20);
  spoil(d, 20);
  assert_int_equal(d.run(RegistryTask::verify), exit_code::damaged);
  assert_int_equal(d.run(RegistryTask::repair), exit_code::ok);
  assert_true(d.paper.printed().find("byte 0: lost 36 bytes, the header: the new file gets a creation id of its own\n"
                                     "kept 6 records (2 devices, 1 ended) in ") == 0);
  FileHeader header;
  assert_true(decode(d.disk.content(repaired), header).ok());
  assert_int_equal(header.generation, 0);
  assert_true(!same(header.creation_id, File::header().creation_id));
}

// A file of one batch whose header is damaged looks like one that was never finished; a gateway would cut all of it.
static void a_lost_header_is_never_taken_for_a_torn_end(void** state) {
  Desk& d = desk(state);
  File(d).add(registered(1, "ann@example.org")).mark();
  spoil(d, 3);
  for (const RegistryTask task : {RegistryTask::verify, RegistryTask::dump, RegistryTask::compact}) {
    assert_int_equal(d.run(task), exit_code::damaged);
    assert_true(d.paper.complained().find("damaged at byte 0 (the header fails its check, and records follow)") !=
                string_view::npos);
    assert_true(d.untouched());
  }
  assert_int_equal(d.run(RegistryTask::repair), exit_code::ok);
  assert_int_equal(d.run(RegistryTask::verify, false, repaired), exit_code::ok);
  assert_true(d.paper.printed().find(" devices=1 ") != string_view::npos);
}

static void records_behind_the_last_mark_are_kept_and_said_so(void** state) {
  Desk& d = desk(state);
  write_sample(d);
  d.disk.put(path, ByteView(d.file, d.file_size - 2 * mark_bytes - 5));
  assert_int_equal(d.run(RegistryTask::repair), exit_code::ok);
  assert_true(d.paper.printed().find(": left out ") != string_view::npos);
  assert_true(d.paper.printed().find(" bytes behind the last commit mark, a torn end\n") != string_view::npos);
  assert_true(d.paper.printed().find("1 of them stands behind the last commit mark and may never have been "
                                     "acknowledged\n") != string_view::npos);
  // A torn end without a whole record is the gateway's to cut.
  d.disk.put(path, ByteView(d.file, FileHeader::size + 2 * 116 + mark_bytes + 7));
  d.disk.remove(repaired).ok();
  assert_int_equal(d.run(RegistryTask::repair), exit_code::ok);
  expect_text(d.paper.printed(),
              "state/devices.registry: whole, nothing to repair; a gateway cuts off its torn end of 7 bytes\n");
  assert_false(d.disk.has(repaired));
}

static void repair_overwrites_nothing(void** state) {
  Desk& d = desk(state);
  write_sample(d);
  spoil(d, 60);
  d.disk.put(repaired, bytes_of("mine"));
  d.disk.put("state/devices.registry.damaged", bytes_of("older"));
  assert_int_equal(d.run(RegistryTask::repair), exit_code::cannot_create);
  expect_text(d.paper.complained(),
              "tocsin: nothing is overwritten; move this file away first: state/devices.registry.repaired\n");
  assert_true(same(d.disk.content(repaired), bytes_of("mine")));
  d.disk.remove(repaired).ok();
  assert_int_equal(d.run(RegistryTask::repair), exit_code::damaged);
  assert_true(d.paper.printed().find("mv state/devices.registry state/devices.registry.damaged-2 && ") !=
              string_view::npos);
}

static void what_could_not_be_written_whole_is_removed(void** state) {
  Desk& d = desk(state);
  write_sample(d);
  spoil(d, 60);
  for (int what = 0; what < 4; ++what) {
    sim::DiskFaults& faults = d.disk.faults();
    faults = {};
    if (what == 0) faults.capacity = d.file_size + 10;
    if (what == 1) faults.capacity = d.file_size + 300;
    if (what == 2) faults.sync_failures = 1;
    if (what == 3) faults.open_failures = 1;
    assert_int_equal(d.run(RegistryTask::repair), exit_code::io);
    assert_true(d.paper.complained().size() > 0);
    assert_true(d.untouched());
    assert_false(d.disk.has(repaired));
  }
  d.disk.faults() = {};
  d.disk.faults().read_only = true;
  assert_int_equal(d.run(RegistryTask::repair), exit_code::cannot_create);
}

static void a_gateway_that_works_is_not_disturbed(void** state) {
  Desk& d = desk(state);
  write_sample(d);
  int64_t holder = 0;
  assert_true(d.gateway.port().storage.lock("state/devices.registry.lock", &holder).ok());
  assert_int_equal(d.run(RegistryTask::verify), exit_code::ok);
  assert_true(d.paper.printed().find(" torn_bytes=0 held_by=4711\n") != string_view::npos);
  assert_int_equal(d.run(RegistryTask::dump), exit_code::ok);
  expect_text(d.paper.complained(),
              "tocsin: state/devices.registry is held by process 4711; what it writes from now on is not shown\n");
  assert_int_equal(d.run(RegistryTask::compact), exit_code::unavailable);
  expect_text(d.paper.complained(),
              "tocsin: state/devices.registry is held by process 4711; stop that gateway first, or let it be: it "
              "compacts by itself\n");
  assert_int_equal(d.run(RegistryTask::repair), exit_code::unavailable);
  assert_true(d.paper.complained().find("is held by process 4711; stop that gateway first") != string_view::npos);
  assert_true(d.untouched());
}

static void compact_leaves_out_what_is_dead(void** state) {
  Desk& d = desk(state);
  write_sample(d);
  assert_int_equal(d.run(RegistryTask::compact), exit_code::ok);
  expect_text(d.paper.printed(), "state/devices.registry: 687 bytes before, 463 now, 2 devices\n");
  assert_int_equal(d.port.storage().open_files(), 0);
  assert_true(same(d.disk.content(path), d.disk.durable_content(path)));
  assert_false(d.disk.has("state/devices.registry.new"));
  assert_int_equal(d.run(RegistryTask::verify), exit_code::ok);
  assert_true(d.paper.printed().find("generation=1 ") != string_view::npos);
  assert_true(d.paper.printed().find(" devices=2 devices_held=1 ") != string_view::npos);
  assert_int_equal(d.run(RegistryTask::dump), exit_code::ok);
  assert_true(d.paper.printed().find("state=held node=02111111...") != string_view::npos);
  assert_true(d.paper.printed().find("reason=provider word=Unregistered\n") != string_view::npos);
}

static void a_compaction_that_fails_leaves_the_file_as_it_was(void** state) {
  Desk& d = desk(state);
  write_sample(d);
  d.disk.faults().capacity = d.file_size + 200;
  assert_int_equal(d.run(RegistryTask::compact), exit_code::io);
  expect_text(d.paper.complained(),
              "tocsin: cannot compact state/devices.registry: no space left; the file is as it was\n");
  d.disk.faults() = {};
  assert_true(d.untouched());
  assert_false(d.disk.has("state/devices.registry.new"));
}

static void other_files_are_refused(void** state) {
  Desk& d = desk(state);
  assert_int_equal(d.run(RegistryTask::verify), exit_code::missing);
  expect_text(d.paper.complained(), "tocsin: cannot read state/devices.registry: no such file\n");
  assert_int_equal(d.run(RegistryTask::verify, false, "state"), exit_code::missing);
  expect_text(d.paper.complained(), "tocsin: this is a directory: state\n");
  assert_int_equal(d.run(RegistryTask::compact, false, "state/none"), exit_code::missing);
  assert_false(d.disk.has("state/none") || d.disk.has("state/none.lock"));
  static uint8_t noise[5000];
  for (size_t i = 0; i < sizeof noise; ++i) noise[i] = static_cast<uint8_t>(i * 7 + i / 251);
  d.disk.put("state/text", bytes_of("# a conf of something else\nkey = value\n"));
  d.disk.put("state/noise", noise);
  for (const char* file : {"state/text", "state/noise"}) {
    for (const RegistryTask task :
         {RegistryTask::verify, RegistryTask::dump, RegistryTask::compact, RegistryTask::repair}) {
      assert_int_equal(d.run(task, false, file), exit_code::damaged);
      assert_true(d.paper.complained().find("this file is not a registry of tocsin\n") != string_view::npos);
    }
  }
  assert_true(same(d.disk.content("state/noise"), noise));
  assert_false(d.disk.has("state/noise.repaired"));
}

static void an_empty_file_is_an_empty_registry(void** state) {
  Desk& d = desk(state);
  d.disk.put(path, {});
  assert_int_equal(d.run(RegistryTask::verify), exit_code::ok);
  assert_true(d.paper.printed().find("format=0 generation=0 batches=0 ") == 0);
  assert_int_equal(d.run(RegistryTask::dump), exit_code::ok);
  expect_text(d.paper.printed(), "");
  assert_int_equal(d.run(RegistryTask::compact), exit_code::ok);
  expect_text(d.paper.printed(), "state/devices.registry: empty, nothing to compact\n");
  assert_int_equal(d.run(RegistryTask::repair), exit_code::ok);
  expect_text(d.paper.printed(), "state/devices.registry: whole, nothing to repair\n");
}

static void memory_that_is_refused_is_said(void** state) {
  Desk& d = desk(state);
  write_sample(d);
  reserved_max = 0;
  assert_int_equal(d.run(RegistryTask::verify), exit_code::system);
  reserved_max = 336 * 1024;  // for reading, not for an index
  for (const RegistryTask task : {RegistryTask::verify, RegistryTask::dump, RegistryTask::compact}) {
    assert_int_equal(d.run(task), exit_code::system);
    assert_true(d.paper.complained().find("has no memory for an index of 4 devices") != string_view::npos);
  }
  assert_true(d.untouched());
}

static void output_that_can_not_be_written_is_said(void** state) {
  Desk& d = desk(state);
  write_sample(d);
  d.paper.fails = true;
  assert_int_equal(d.run(RegistryTask::verify), exit_code::io);
  expect_text(d.paper.complained(), "tocsin: the output can not be written\n");
  assert_int_equal(d.run(RegistryTask::dump), exit_code::io);
}

static void a_bar_is_shown_on_a_terminal_where_it_takes_long(void** state) {
  Desk& d = desk(state);
  File file(d);
  for (int batch = 0; batch < 20; ++batch) {
    for (uint32_t i = 0; i < 100; ++i)
      file.add({.kind = RecordKind::held, .node = node_of(1), .time = day_one, .word = "BadDeviceToken"});
    file.mark();
  }
  d.clock.step = milliseconds(400);
  assert_int_equal(d.run(RegistryTask::verify), exit_code::ok);
  expect_text(d.paper.complained(), "");  // no terminal
  d.paper.terminal = true;
  d.clock.step = milliseconds(1);
  assert_int_equal(d.run(RegistryTask::verify), exit_code::ok);
  expect_text(d.paper.complained(), "");  // quick
  d.clock.step = milliseconds(1500);
  assert_int_equal(d.run(RegistryTask::verify), exit_code::ok);
  assert_true(d.paper.complained().find("\rreading [####") == 0);
  assert_true(d.paper.complained().find(" %\r\x1b[K") != string_view::npos);  // and it goes
}

#define DESK_TEST(name) cmocka_unit_test_setup(name, set_up)

TESTS(registry_command, DESK_TEST(verify_counts_everything), DESK_TEST(a_torn_end_is_no_damage),
      DESK_TEST(damage_is_told_with_its_place_and_the_command), DESK_TEST(dump_shows_devices_and_ends_but_no_secrets),
      DESK_TEST(dump_knows_pseudonyms_where_their_key_is), DESK_TEST(an_end_without_its_registration_is_still_told),
      DESK_TEST(repair_keeps_what_is_intact_and_names_the_rest), DESK_TEST(nothing_is_lost_by_a_damaged_mark_or_header),
      DESK_TEST(a_lost_header_is_never_taken_for_a_torn_end),
      DESK_TEST(records_behind_the_last_mark_are_kept_and_said_so), DESK_TEST(repair_overwrites_nothing),
      DESK_TEST(what_could_not_be_written_whole_is_removed), DESK_TEST(a_gateway_that_works_is_not_disturbed),
      DESK_TEST(compact_leaves_out_what_is_dead), DESK_TEST(a_compaction_that_fails_leaves_the_file_as_it_was),
      DESK_TEST(other_files_are_refused), DESK_TEST(an_empty_file_is_an_empty_registry),
      DESK_TEST(memory_that_is_refused_is_said), DESK_TEST(output_that_can_not_be_written_is_said),
      DESK_TEST(a_bar_is_shown_on_a_terminal_where_it_takes_long));

}  // namespace tocsin
