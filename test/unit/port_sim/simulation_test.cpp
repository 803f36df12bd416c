#include "port/sim/simulation.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "test/unit/port_sim/bench.h"

using namespace tocsin;
using namespace tocsin::sim;
using namespace tocsin::sim::test;

// A run with chance in all of its parts; what came of it.
static uint64_t trace_of(Bench& b) {
  Path& path = b.listen();
  path.jitter = milliseconds(30);
  path.to_gateway = {.piece_max = 9, .random_pieces = true};
  path.to_peer = {.piece_max = 5, .random_pieces = true};
  path.reset_per_million = 2'000;
  b.peer.echoing = true;
  static uint8_t words[4000];
  b.port.port().entropy.fill(words);
  b.link.out = words;
  b.start();
  b.world.run_for(seconds(20));
  const auto file = b.port.port().storage.open("state/log", port::OpenMode::create);
  (void)b.port.port().storage.write_at(file.value(), 0, {b.link.heard, b.link.heard_bytes});
  Log log(b.port.console(), Level::info);
  LogLine(log, Level::info, "heard").field("bytes", static_cast<int64_t>(b.link.heard_bytes));
  return b.world.trace();
}

static void the_same_seed_gives_the_same_trace(void**) {
  const uint64_t first = trace_of(make_bench(7));
  Bench& again = make_bench(7);
  assert_true(first == trace_of(again));
  assert_true(first != trace_of(make_bench(8)));
  assert_true(again.world.events() > 100);
}

static void two_runs_interleaved_do_not_disturb_each_other(void**) {
  Bench& a = make_bench(7);
  Bench& b = make_bench(7);
  for (Bench* bench : {&a, &b}) {
    bench->listen().jitter = milliseconds(9);
    bench->peer.echoing = true;
    bench->link.out = bytes_of("once more");
    bench->start();
  }
  for (int i = 0; i < 1000; ++i) {
    a.world.step(Instant{60'000'000});
    if (i % 3 == 0) b.world.step(Instant{60'000'000});
  }
  a.world.run_until(Instant{60'000'000});
  b.world.run_until(Instant{60'000'000});
  assert_true(a.world.trace() == b.world.trace());
  assert_true(a.link.text() == "once more");
}

struct Order final : Timed {
  uint64_t seen[8];
  uint32_t count = 0;
  void on_event(uint64_t tag) override { seen[count++] = tag; }
};

static void events_happen_by_time_then_by_asking(void** state) {
  Simulation& world = bench(state).world;
  Order order;
  world.after(milliseconds(2), order, 3);
  world.after(milliseconds(1), order, 1);
  const EventId gone = world.after(milliseconds(1), order, 99);
  world.after(milliseconds(1), order, 2);
  world.after(seconds(-5), order, 0);
  world.cancel(gone);
  world.cancel(gone);
  world.run_for(milliseconds(5));
  assert_int_equal(order.count, 4);
  for (uint64_t i = 0; i < 4; ++i) assert_int_equal(order.seen[i], i);
  world.after(milliseconds(1), order, 7);  // takes the slot of one that is gone
  world.cancel(gone);
  world.run_for(milliseconds(5));
  assert_int_equal(order.count, 5);
}

struct Sorted final : Timed {
  Simulation* world;
  bool cancelled[3000] = {};
  uint32_t count = 0;
  Instant due[3000];
  Instant last{};
  bool good = true;
  void on_event(uint64_t tag) override {
    good = good && !cancelled[tag] && due[tag] == world->now() && last <= world->now();
    last = world->now();
    ++count;
  }
};

static void a_queue_of_thousands_stays_in_order(void** state) {
  Simulation& world = bench(state).world;
  static Sorted sorted;
  static EventId ids[3000];
  sorted.world = &world;
  Random random(9);
  uint32_t expected = 0;
  for (uint64_t i = 0; i < 3000; ++i) {
    sorted.due[i] = world.now() + microseconds(static_cast<int64_t>(random.below(1'000'000)));
    ids[i] = world.at(sorted.due[i], sorted, i);
    ++expected;
    const uint64_t victim = random.below(i + 1);
    if (i % 3 != 0 || sorted.cancelled[victim]) continue;
    world.cancel(ids[victim]);
    sorted.cancelled[victim] = true;
    --expected;
  }
  world.run_for(seconds(2));
  assert_true(sorted.good);
  assert_int_equal(sorted.count, expected);
}

// Waits for nothing but what a port tells by itself.
struct Sleeper final : Turner {
  SimPort* port = nullptr;
  uint64_t turns = 0;
  void turn() override {
    ++turns;
    port->port().net.wait({}, Instant::never());
  }
};

static void a_lookup_and_a_sync_end_the_wait(void** state) {
  Bench& b = bench(state);
  Sleeper sleeper;
  sleeper.port = &b.port;
  b.port.drive(&sleeper);
  b.disk.faults().sync_latency = milliseconds(30);
  const auto file = b.port.port().storage.open("state/log", port::OpenMode::create);
  b.world.run_for(milliseconds(10));
  const uint64_t wake_ups = b.port.wake_ups();
  assert_true(b.port.port().storage.sync_start(file.value()).ok());
  assert_true(b.port.port().net.lookup_start("push.example.org", 443).ok());
  b.world.run_for(milliseconds(10));
  assert_int_equal(b.port.wake_ups(), wake_ups + 1);
  b.world.run_for(milliseconds(30));
  assert_int_equal(b.port.wake_ups(), wake_ups + 2);
  b.port.drive(nullptr);
}

struct Spinner final : Turner {
  SimPort* port = nullptr;
  void turn() override { port->port().net.wait({}, Instant{}); }
};

static void a_gateway_that_never_rests_stops_the_test(void** state) {
  Bench& b = bench(state);
  const pid_t child = fork();
  if (child == 0) {
    close(STDERR_FILENO);
    signal(SIGABRT, SIG_DFL);
    Spinner spinner;
    spinner.port = &b.port;
    b.port.drive(&spinner);
    b.world.run_for(seconds(1));
    _exit(0);
  }
  int status = 0;
  assert_int_equal(waitpid(child, &status, 0), child);
  assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

static void an_idle_gateway_is_never_woken(void** state) {
  Bench& b = bench(state);
  b.listen();
  b.start();
  b.world.run_for(seconds(1));
  const uint64_t wake_ups = b.port.wake_ups();
  const uint64_t turns = b.world.turns();
  b.world.run_for(days(30));
  assert_int_equal(b.port.wake_ups(), wake_ups);
  assert_int_equal(b.world.turns(), turns);
  b.peer.connection->send("x");
  b.world.run_for(seconds(1));
  assert_int_equal(b.port.wake_ups(), wake_ups + 1);
  assert_int_equal(b.world.turns(), turns + 2);  // one to work, one to find nothing more
}

static void until_is_kept_to_the_microsecond(void** state) {
  Bench& b = bench(state);
  b.listen();
  b.start();
  b.world.run_for(seconds(1));
  const Instant due = b.world.now() + microseconds(123'457);
  b.link.due = due;
  b.port.wake();
  const bool rang = b.world.run_while([&] { return b.link.due != Instant::never(); }, seconds(5));
  assert_true(rang);
  assert_int_equal(b.world.now().us, due.us);
  assert_false(b.world.run_while([] { return true; }, seconds(5)));
}

static void names_take_their_time_and_may_fail(void** state) {
  Bench& b = bench(state);
  const Address both[] = {address_of(1), address_of(2)};
  b.world.names().set("push.example.org", both, milliseconds(40));
  b.world.names().fails("broken.example.org", Error::timed_out, seconds(10));
  port::Net& net = b.port.port().net;
  const uint32_t good = net.lookup_start("Push.Example.org", 443).value();
  const uint32_t broken = net.lookup_start("broken.example.org", 443).value();
  const uint32_t unknown = net.lookup_start("nowhere.example.org", 443).value();
  port::Lookup lookup;
  b.world.run_for(milliseconds(39));
  assert_false(net.lookup_done(good, lookup));
  assert_true(net.lookup_done(unknown, lookup));
  assert_int_equal(lookup.error, Error::not_found);
  b.world.run_for(milliseconds(1));
  assert_true(net.lookup_done(good, lookup));
  assert_int_equal(lookup.count, 2);
  assert_true(lookup.addresses[1] == address_of(2, 443));
  b.world.run_for(seconds(10));
  assert_true(net.lookup_done(broken, lookup));
  assert_int_equal(lookup.error, Error::timed_out);
}

static void a_silent_name_server_never_answers(void** state) {
  Bench& b = bench(state);
  b.world.names().set("push.example.org", {}, NameTable::silence);
  port::Net& net = b.port.port().net;
  const uint32_t ticket = net.lookup_start("push.example.org", 443).value();
  port::Lookup lookup;
  b.world.run_for(days(1));
  assert_false(net.lookup_done(ticket, lookup));
  net.lookup_cancel(ticket);
}

static void the_wall_clock_jumps_and_machines_differ(void** state) {
  Bench& b = bench(state);
  assert_true(plausible(b.world.wall()));
  b.port.set_wall(UnixTime{0});
  assert_false(plausible(b.port.port().clock.wall()));
  assert_true(plausible(b.second.port().clock.wall()));
  b.world.run_for(seconds(90));
  assert_int_equal(b.port.port().clock.wall().s, 90);
  b.port.set_wall(b.world.wall());
  b.world.set_wall(UnixTime{1'800'000'000});
  assert_int_equal(b.port.port().clock.wall().s, 1'800'000'000);
}

static void entropy_is_seeded_and_differs_between_ports(void** state) {
  Bench& b = bench(state);
  Bench& twin = make_bench(42);
  uint8_t first[33];
  uint8_t second[33];
  uint8_t same_again[33];
  b.port.port().entropy.fill(first);
  b.second.port().entropy.fill(second);
  twin.port.port().entropy.fill(same_again);
  assert_memory_equal(first, same_again, sizeof first);
  assert_memory_not_equal(first, second, sizeof first);
}

static void a_killed_process_ends_its_connections(void** state) {
  Bench& b = bench(state);
  b.listen();
  b.start();
  b.world.run_for(milliseconds(10));
  b.port.kill(Death::process);
  b.world.run_for(milliseconds(10));
  assert_int_equal(b.peer.why, Error::closed);
  assert_int_equal(b.peer.ends, 1);
  assert_int_equal(b.port.net().open_sockets(), 0);
}

static void a_power_failure_is_silent_and_the_port_starts_anew(void** state) {
  Bench& b = bench(state);
  b.listen();
  const auto file = b.port.port().storage.open("state/log", port::OpenMode::create);
  (void)b.port.port().storage.write_at(file.value(), 0, bytes_of("words"));
  assert_true(b.port.port().storage.sync_start(file.value()).ok());
  b.start();
  b.world.run_for(milliseconds(10));
  b.port.kill(Death::power);
  b.disk.crash({.keep = Crash::Keep::none}, b.world.random());
  b.peer.connection->send("anybody there?");
  b.world.run_for(hours(1));
  assert_int_equal(b.peer.ends, 0);
  assert_false(b.disk.has("state/log"));
  b.peer.connection->close();
  b.link.socket = port::no_handle;
  b.link.connected = false;
  b.start();
  b.world.run_for(milliseconds(10));
  assert_true(b.link.connected);
  assert_int_equal(b.peer.accepts, 2);
}

static void two_gateways_share_a_world(void** state) {
  Bench& b = bench(state);
  static Peer other;
  other = Peer{};
  b.listen();
  b.world.network().listen(address_of(2), other);
  static Link second;
  second = Link{};
  second.port = &b.second;
  second.to = address_of(2);
  b.link.out = bytes_of("one");
  second.out = bytes_of("two");
  b.start();
  b.second.drive(&second);
  b.world.run_for(seconds(1));
  assert_true(b.peer.text() == "one");
  assert_true(other.text() == "two");
}

static void the_console_is_searched_and_guards_secrets(void** state) {
  SimConsole& console = bench(state).port.console();
  Log log(console, Level::info);
  LogLine(log, Level::info, "ready").field("devices", 3);
  LogLine(log, Level::warn, "slow").field("ms", 12);
  LogLine(log, Level::debug, "hidden");
  assert_true(console.saw("event=ready"));
  assert_false(console.saw("event=hidden"));
  assert_int_equal(console.count("event="), 2);
  assert_int_equal(console.count(Level::warn), 1);
  assert_true(ends_with(console.last(), "ms=12"));
  assert_true(ends_with(console.last("ready"), "devices=3"));
  console.clear();
  assert_false(console.saw("event=ready"));
  console.forbid("hunter2");
  console.count_leaks();
  LogLine(log, Level::info, "harmless").field("word", "hunter");
  assert_int_equal(console.leaks(), 0);
  LogLine(log, Level::info, "login").field("secret", "xhunter2x");
  assert_int_equal(console.leaks(), 1);
  for (int i = 0; i < 3000; ++i) LogLine(log, Level::info, "many").field("i", i);
  assert_int_equal(console.count("event=many"), SimConsole::lines_kept);
  assert_int_equal(console.total(), 3004);
  assert_true(ends_with(console.last(), "i=2999"));
}

TESTS(simulation, SIM_TEST(the_same_seed_gives_the_same_trace),
      SIM_TEST(two_runs_interleaved_do_not_disturb_each_other), SIM_TEST(events_happen_by_time_then_by_asking),
      SIM_TEST(a_queue_of_thousands_stays_in_order), SIM_TEST(a_lookup_and_a_sync_end_the_wait),
      SIM_TEST(a_gateway_that_never_rests_stops_the_test), SIM_TEST(an_idle_gateway_is_never_woken),
      SIM_TEST(until_is_kept_to_the_microsecond), SIM_TEST(names_take_their_time_and_may_fail),
      SIM_TEST(a_silent_name_server_never_answers), SIM_TEST(the_wall_clock_jumps_and_machines_differ),
      SIM_TEST(entropy_is_seeded_and_differs_between_ports), SIM_TEST(a_killed_process_ends_its_connections),
      SIM_TEST(a_power_failure_is_silent_and_the_port_starts_anew), SIM_TEST(two_gateways_share_a_world),
      SIM_TEST(the_console_is_searched_and_guards_secrets));
