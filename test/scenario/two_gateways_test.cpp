// Two gateways in one process, each with its own server and provider: nothing of
// one is the other's.
#include <new>

#include "memory_plan.h"
#include "settings/conf_parser.h"
#include "settings/validate.h"
#include "state.h"
#include "test/scenario/world.h"
#include "test/support/certs.h"

namespace tocsin::test {
namespace {

constexpr string_view second_conf =
    "[xmpp]\nserver = xmpp.example.net:5347\nallow_cleartext = yes\ndomain = push.example.org\nsecret = s3cr3t\n"
    "accounts = example.org\n"
    "[state]\ndirectory = /var/lib/tocsin\n"
    "[apns siskin]\nprovider = tigase:messenger:apns:1\nkey = /etc/key.p8\nkey_id = ABC123DEFG\nteam_id = DEF123GHIJ\n"
    "topic = org.example.siskin\nendpoint = https://localhost:444\nca_file = /etc/ca.pem\n";

// A second machine in the world of the first.
class Neighbour : public sim::Turner {
 public:
  static Address server_address() { return parse_ip("10.0.1.5", 5347).value(); }

  void begin(World& world) {
    memory_ = sim::map_memory(size_t{1} << 29);
    Region region(memory_);
    const auto make = [&](size_t bytes) { return region.carve(bytes).data(); };
    sim::Simulation& simulation = world.simulation();
    disk_ = new (make(sizeof(sim::Disk))) sim::Disk(region, {}, 2);
    disk_->put_directory("/var/lib");
    port_ = new (make(sizeof(sim::SimPort))) sim::SimPort(region, simulation, *disk_, 2);
    server_ = new (make(sizeof(FakeServer))) FakeServer("s3cr3t");
    simulation.names().set("xmpp.example.net", server_address());
    simulation.network().listen(server_address(), *server_);
    Settings& settings = *new (make(sizeof(Settings))) Settings;
    Faults& faults = *new (make(sizeof(Faults))) Faults;
    LoadedFiles& files = *new (make(sizeof(LoadedFiles))) LoadedFiles;
    const Environment environment{};
    ConfParser parser(environment, settings, faults);
    parser.parse(second_conf, "second.conf");
    validate(settings, parser.origins(), environment, faults);
    GW_CHECK(faults.count() == 0);
    files.sections[0].key = bytes_of(string_view(push_key_1));
    files.sections[0].ca = bytes_of(string_view(cert_ec_root));
    files.providers_on = 1;
    Log& log = *new (make(sizeof(Log))) Log(port_->console(), Level::info);
    wiring_ = new (make(sizeof(Wiring)))
        Wiring(region, {.settings = settings, .files = files, .port = port_->port(), .log = log, .version = "test"});
    State state;
    GW_CHECK(open_state(settings, port_->storage(), port_->port().entropy, state).ok());
    wiring_->set_key(state.key);
    const char* culprit = "";
    const char* problem = "";
    GW_CHECK(wiring_->arm(0, files, &culprit, &problem));
    GW_CHECK(wiring_->open_registry(settings.registry.path.c_str(), state.registry_directory.c_str()).ok());
    port_->drive(this);
  }

  void end() {
    port_->kill(sim::Death::process);
    wiring_->~Wiring();
    sim::unmap_memory(memory_);
  }

  void turn() override { wiring_->loop().turn(); }
  FakeServer& server() { return *server_; }
  Wiring& gateway() { return *wiring_; }
  sim::SimConsole& log() { return port_->console(); }

 private:
  Bytes memory_;
  sim::Disk* disk_ = nullptr;
  sim::SimPort* port_ = nullptr;
  FakeServer* server_ = nullptr;
  Wiring* wiring_ = nullptr;
};

Neighbour neighbour;

NodeText register_at(FakeServer& server, World& w, string_view token) {
  uint8_t room[2048];
  Writer out(room);
  out.text("<iq type='set' from='ann@example.org/phone' to='push.example.org' id='reg'><command ");
  out.text(
      "xmlns='http://jabber.org/protocol/commands' node='register-device'><x xmlns='jabber:x:data' type='submit'>");
  out.text("<field var='provider'><value>tigase:messenger:apns:1</value></field><field var='device-token'><value>");
  server.send(out.text(token).text("</value></field></x></command></iq>").view());
  assert_true(w.run_until([&] { return server.answers("reg") == 1; }));
  const string_view answer = server.answer("reg");
  const string_view mark = "<field var='node' type='text-single'><value>";
  const size_t at = answer.find(mark);
  assert_true(at != string_view::npos);
  NodeText node;
  assert_true(node.text.assign(slice(answer, at + mark.size(), NodeId::text_size)));
  return node;
}

// Publishes over the second server and says how it was answered.
string_view publish_beside(World& w, string_view node, string_view id) {
  neighbour.server().publish(node, id);
  assert_true(w.run_until([&] { return neighbour.server().answers(id) == 1; }));
  return neighbour.server().answer(id);
}

int begin_two(void** state) {
  begin_world(state);
  neighbour.begin(world());
  return 0;
}

int end_two(void** state) {
  neighbour.end();
  return end_world(state);
}

void each_has_its_own_devices_server_and_provider(void**) {
  World& w = world();
  w.start();
  assert_true(w.run_until([&] { return neighbour.server().up(); }));
  const NodeText here = w.register_device("ann@example.org/phone", token_a);
  const NodeText there = register_at(neighbour.server(), w, token_a);
  assert_false(string_view(here) == string_view(there));  // their random numbers differ as well
  w.publish_and_wait(here, "p1");
  w.expect_result("p1");
  assert_true(contains(publish_beside(w, there, "q1"), "type='result'"));
  assert_int_equal(w.provider(0).requests(), 1);
  assert_int_equal(w.provider(1).requests(), 1);
  w.publish_and_wait(there, "p2");
  w.expect_gone("p2");
  assert_true(contains(publish_beside(w, here, "q2"), "item-not-found"));
}

void what_happens_to_one_is_nothing_to_the_other(void**) {
  World& w = world();
  w.start();
  assert_true(w.run_until([&] { return neighbour.server().up(); }));
  const NodeText here = w.register_device("ann@example.org/phone", token_a);
  const NodeText there = register_at(neighbour.server(), w, token_a);
  // The first one's provider is silent, its server floods it, kicks it and sends it what is no XML.
  w.provider(0).act(FakeProvider::Act::stall);
  uint8_t room[16];
  for (uint32_t minute = 0; minute < 20; ++minute) {
    for (uint32_t i = 0; i < 30 && w.server().up(); ++i) w.server().publish(here, "flood");
    if (minute % 5 == 2 && w.server().up()) w.server().send("<<>");
    if (minute % 5 == 4 && w.server().up()) w.server().reset();
    w.run_for(seconds(30));
    Writer id(room);
    id.text("q").unsigned_number(minute);
    const Instant began = w.now();
    assert_true(contains(publish_beside(w, there, id.view()), "type='result'"));
    assert_true(w.now() - began < milliseconds(100));
    w.run_for(seconds(30));
  }
  assert_int_equal(neighbour.server().connects(), 1);
  assert_int_equal(w.provider(1).connections(), 1);
  assert_int_equal(w.provider(1).requests(), 20);
  assert_int_equal(neighbour.log().count("event=component_down"), 0);
  assert_int_equal(neighbour.log().count("event=provider_down"), 0);
  // One is killed and started again; the other does not notice.
  w.crash();
  assert_true(contains(publish_beside(w, there, "q-dead"), "type='result'"));
  w.provider(0).accept_all();
  w.start();
  w.publish_and_wait(here, "p1");
  w.expect_result("p1");
  assert_int_equal(neighbour.server().connects(), 1);
}

#define SCENARIO_OF_TWO(story) cmocka_unit_test_setup_teardown(story, begin_two, end_two)

TESTS(two_gateways, SCENARIO_OF_TWO(each_has_its_own_devices_server_and_provider),
      SCENARIO_OF_TWO(what_happens_to_one_is_nothing_to_the_other));

}  // namespace
}  // namespace tocsin::test
