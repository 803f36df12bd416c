#include "test/unit/main/registry_desk.h"

#include <new>

namespace tocsin::test {

size_t reserved_max;

alignas(64) static uint8_t reserved[8 << 20];
static size_t reserved_used;

static Bytes reserve(size_t bytes) {
  const size_t rounded = (bytes + 4095) & ~size_t{4095};
  if (rounded > reserved_max - reserved_used) return {};
  const Bytes room = Bytes(reserved).subspan(reserved_used, rounded).first(bytes);
  reserved_used += rounded;
  return room;
}

static Desk* the_desk;
static uint8_t batch_room[64 * 1024];

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

int Desk::run(RegistryTask task, bool secrets, const char* name) {
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

File::File(Desk& desk) : desk_(desk), batch_(batch_room, header()) { encode(header(), desk.file); }

static constexpr uint8_t token[] = {0xde, 0xad, 0xbe, 0xef};

static Registration registration(uint8_t number, string_view account) {
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

}  // namespace tocsin::test
