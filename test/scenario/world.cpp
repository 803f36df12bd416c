#include "test/scenario/world.h"

#include <ctime>
#include <new>

#include "base/arena.h"
#include "crypto/crypto.h"
#include "memory_plan.h"
#include "proto/json.h"
#include "settings/conf_parser.h"
#include "settings/validate.h"
#include "state.h"
#include "test/support/certs.h"

namespace tocsin::test {
namespace {

constexpr string_view usual_conf =
    "[xmpp]\nserver = xmpp.example.org:5347\nallow_cleartext = yes\ndomain = push.example.org\nsecret = s3cr3t\n"
    "[state]\ndirectory = /var/lib/tocsin\n"
    "[apns siskin]\nprovider = tigase:messenger:apns:1, snikket:apns:1\nlabel = Siskin (iPhone)\nkey = /etc/key.p8\n"
    "key_id = ABC123DEFG\nteam_id = DEF123GHIJ\ntopic = org.example.siskin\nendpoint = "
    "https://api.push.example.org:443\n"
    "ca_file = /etc/ca.pem\n";
constexpr string_view second_section =
    "[apns other]\nprovider = other:apns:1\nkey = /etc/key.p8\nkey_id = ABC123DEFG\nteam_id = DEF123GHIJ\ntopic = "
    "org.example.other\n"
    "endpoint = https://localhost:444\nca_file = /etc/ca.pem\n";

ByteView pem(const char* text) { return bytes_of(string_view(text)); }

// With the fields that count, around a key that is public.
char account_room[4096];
string_view service_account() {
  Writer out(Bytes(reinterpret_cast<uint8_t*>(account_room), sizeof account_room));
  out.text(
      R"({"type":"service_account","project_id":"chat-example","private_key_id":"0123456789abcdef","private_key":")");
  out.json(rsa_key).text(R"(","client_email":"push@chat-example.iam.gserviceaccount.com",)");
  out.text(R"("token_uri":"https://oauth.wild.example.org/token"})");
  GW_CHECK(!out.overflowed());
  return out.view();
}

class SeededRandom : public RandomSource {
 public:
  void fill(Bytes room) override { random_.fill(room); }
  void seed(uint64_t seed) { random_ = sim::Random(seed); }

 private:
  sim::Random random_{7};
};

TlsIdentity identity;
SeededRandom random_source;
bool libraries_started = false;
uint8_t library_room[64 * 1024];
World the_world;

void start_libraries() {
  if (libraries_started) return;
  libraries_started = true;
  static Heap* heap = new (static_cast<void*>(::new (library_room) uint8_t[sizeof(Heap)]))
      Heap(Bytes(library_room).subspan(region_rounded(sizeof(Heap))), "library");
  GW_CHECK(crypto_start(*heap).ok());
  json_start(1);
  GW_CHECK(identity.load(cert_ec_leaf, key_ec_leaf, random_source));
}

}  // namespace

Address World::server_address() { return parse_ip("10.0.0.5", 5347).value(); }
Address World::provider_address(uint32_t i) {
  constexpr string_view hosts[providers_max] = {"10.0.0.1",     "10.0.0.2",     "10.0.0.3",    "10.0.0.4",
                                                "93.184.216.1", "93.184.216.2", "93.184.216.3"};
  return parse_ip(hosts[i], i == 1 ? 444 : 443).value();
}

void World::begin(uint64_t seed, string_view extra, bool two) {
  start_libraries();
  random_source.seed(seed);
  two_ = two;
  authority_ = nullptr;
  next_id_ = 0;
  memory_ = sim::map_memory(memory_bytes);
  region_ = Region(memory_);
  const auto make = [this](size_t bytes) { return region_.carve(bytes).data(); };
  const sim::Simulation::Sizes sizes;
  uint8_t* place = make(sizeof(sim::Simulation));
  world_ = new (place) sim::Simulation(region_, sizes, seed);
  world_->set_wall(UnixTime{1'800'000'000});
  place = make(sizeof(sim::Disk));
  disk_ = new (place) sim::Disk(region_, {}, seed);
  disk_->put_directory("/var/lib");
  place = make(sizeof(sim::SimPort));
  port_ = new (place) sim::SimPort(region_, *world_, *disk_, 1);
  server_ = new (make(sizeof(FakeServer))) FakeServer("s3cr3t");
  for (FakeProvider*& provider : providers_)
    provider = new (make(sizeof(FakeProvider))) FakeProvider(*world_, identity, random_source);
  world_->names().set("xmpp.example.org", server_address());
  world_->names().set("api.push.example.org", provider_address(0));
  world_->names().set("localhost", provider_address(1));
  world_->network().listen(server_address(), *server_);
  world_->names().set("fcm.wild.example.org", provider_address(2));
  world_->names().set("oauth.wild.example.org", provider_address(3));
  world_->names().set("one.wild.example.org", provider_address(4));
  world_->names().set("two.wild.example.org", provider_address(5));
  world_->names().set("three.wild.example.org", provider_address(6));
  for (uint32_t i = 0; i < providers_max; ++i) world_->network().listen(provider_address(i), *providers_[i]);
  fcm().speak(FakeProvider::Speech::fcm);
  fcm().grant(100, 100);
  google().speak(FakeProvider::Speech::google_token);
  google().grant(100, 100);
  for (uint32_t i = 0; i < 3; ++i) {
    service(i).speak(FakeProvider::Speech::web_push);
    service(i).grant(100, 100);
    service(i).answer_all(201, "");
  }

  conf_ = usual_conf;
  extra_ = extra;
  override_count_ = 0;
  exited_ = false;
  for (bool& off : off_) off = false;
  for (bool& spoilt : spoilt_) spoilt = false;
  bundle_ = cert_ec_root;
  show_certificate(cert_push_rsa, key_push_rsa);
  gateway_memory_ = region_.carve(gateway_bytes);
  log_ = new (make(sizeof(Log))) Log(port_->console(), Level::info);
  planned_ = 0;
}

void World::read_conf() {
  new (&settings_) Settings;
  faults_.~Faults();
  new (&faults_) Faults;
  files_ = LoadedFiles{};
  const Environment environment{};
  ConfParser parser(environment, settings_, faults_);
  parser.parse(conf_, "usual.conf");
  if (two_) parser.parse(second_section, "second.conf");
  parser.parse(extra_, "extra.conf");
  for (uint32_t i = 0; i < override_count_; ++i) parser.override(overrides_[i]);
  validate(settings_, parser.origins(), environment, faults_);
  for (uint32_t i = 0; i < faults_.count(); ++i)
    print_error("%.*s\n", static_cast<int>(faults_[i].text.size()), faults_[i].text.data());
  GW_CHECK(faults_.count() == 0);
  for (uint32_t i = 0; i < settings_.section_count(); ++i) {
    files_.sections[i].off = off_[i];
    files_.sections[i].ca = pem(bundle_);  // read for sections that are off as well
    if (off_[i]) continue;
    if (settings_.is_webpush(i)) {
      ++files_.providers_on;
      continue;
    }
    files_.sections[i].key = spoilt_[i]             ? pem("no key at all")
                             : settings_.is_apns(i) ? pem(push_key_1)
                                                    : bytes_of(service_account());
    if (settings_.is_apns(i) && !settings_.apns[i].certificate.empty()) {
      files_.sections[i].certificate = pem(own_chain_);
      files_.sections[i].key = pem(own_key_);
    }
    ++files_.providers_on;
  }
  if (settings_.listen.on && settings_.listen.tls) {
    files_.listen.chain = pem(cert_ec_leaf);
    files_.listen.key = pem(key_ec_leaf);
  }
  log_->set_level(settings_.log.level);
  Plan plan;
  plan_memory(settings_, files_, plan);
  planned_ = plan.region_total();
  GW_CHECK(planned_ <= gateway_memory_.size());
}

void World::set(const char* override) {
  GW_CHECK(override_count_ < overrides_kept);
  overrides_[override_count_++] = override;
}

void World::wire() {
  exited_ = false;
  read_conf();
  std::memset(gateway_memory_.data(), 0, planned_);
  Region region(gateway_memory_.first(planned_));
  void* place = region.carve(sizeof(Wiring)).data();
  wiring_ = new (place) Wiring(region, {.settings = settings_,
                                        .files = files_,
                                        .port = port_->port(),
                                        .log = *log_,
                                        .version = "test",
                                        .authority = authority_});
  GW_CHECK(region.used() == planned_);
  State state;
  if (!open_state(settings_, port_->storage(), port_->port().entropy, state).ok()) {
    print_error("%s\n", state.problem.c_str());
    GW_CHECK(false && "the state directory can be opened");
  }
  wiring_->set_key(state.key);
  wiring_->set_endpoint_key(state.endpoint_key);
  const Status opened = wiring_->open_registry(settings_.registry.path.c_str(), state.registry_directory.c_str());
  if (!opened.ok()) print_error("registry: %s %s\n", describe(opened.error()), wiring_->registry().problem());
  GW_CHECK(opened.ok());
  VapidKeyFile vapid;
  const Status unlocked = wiring_->open_vapid_key(vapid);
  vapid_strangers_ = vapid.strangers;
  if (!unlocked.ok()) files_.sections[wiring_->web_push_section()].off = true;
  GW_CHECK(vapid_problem_.assign(vapid.problem.view()));
  for (uint32_t i = 0; i < settings_.section_count(); ++i) {
    const char* culprit = "";
    const char* problem = "";
    if (files_.sections[i].off) continue;
    if (wiring_->arm(i, files_, &culprit, &problem)) continue;
    if (!spoilt_[i]) print_error("%s: %s\n", culprit, problem);
    files_.sections[i].off = true;
  }
  const char* culprit = "";
  const char* problem = "";
  const char* fault = nullptr;  // their names are not our domain's
  if (!wiring_->arm_listener(files_, &culprit, &problem, &fault)) print_error("%s: %s\n", culprit, problem);
  uint8_t room[300];
  Writer sentence(room);
  const Status listening = wiring_->open_listeners(sentence);
  if (!listening.ok()) print_error("%.*s\n", static_cast<int>(sentence.size()), sentence.view().data());
  GW_CHECK(listening.ok());
  LogLine(*log_, Level::info, "ready");
  port_->drive(this);
}

void World::turn() {
  wiring_->loop().turn();
  if (!wiring_->loop().stopped()) return;
  exited_ = true;
  port_->drive(nullptr);
}

void World::terminate() {
  wiring_->loop().stop();
  port_->wake();
}

void World::start_alone() { wire(); }

void World::start() {
  const uint32_t before = server_->connects();  // the end of an earlier gateway may still be on its way
  wire();
  assert_true(run_until([&] { return server_->connects() > before && server_->up(); }));
}

void World::crash() {
  port_->kill(sim::Death::process);
  wiring_->~Wiring();
  wiring_ = nullptr;
}

void World::lose_power() {
  port_->kill(sim::Death::power);
  wiring_->~Wiring();
  wiring_ = nullptr;
  disk_->crash(sim::random_crash(world_->random()), world_->random());
}

void World::end() {
  if (wiring_ != nullptr) crash();
  for (FakeProvider* provider : providers_) provider->drop_connections();
  sim::unmap_memory(memory_);
  world_ = nullptr;
}

void World::send_register(string_view from, string_view id, string_view provider, string_view token,
                          string_view second) {
  uint8_t room[8192];
  Writer out(room);
  out.text("<iq type='set' from='").xml(from).text("' to='push.example.org' id='").text(id);
  out.text(
      "'><command xmlns='http://jabber.org/protocol/commands' node='register-device'><x xmlns='jabber:x:data' "
      "type='submit'>");
  out.text("<field var='provider'><value>")
      .xml(provider)
      .text("</value></field><field var='device-token'><value>")
      .xml(token);
  out.text("</value></field>");
  if (!second.empty()) out.text("<field var='device-second-token'><value>").xml(second).text("</value></field>");
  out.text("</x></command></iq>");
  server_->send(out.view());
}

void World::send_unregister(string_view from, string_view id, string_view provider, string_view token) {
  uint8_t room[8192];
  Writer out(room);
  out.text("<iq type='set' from='").xml(from).text("' to='push.example.org' id='").text(id);
  out.text(
      "'><command xmlns='http://jabber.org/protocol/commands' node='unregister-device'><x xmlns='jabber:x:data' "
      "type='submit'>");
  out.text("<field var='provider'><value>")
      .xml(provider)
      .text("</value></field><field var='device-token'><value>")
      .xml(token);
  out.text("</value></field></x></command></iq>");
  server_->send(out.view());
}

NodeText World::register_device(string_view from, string_view token, string_view provider) {
  uint8_t room[32];
  Writer id(room);
  id.text("reg-").unsigned_number(next_id_++);
  send_register(from, id.view(), provider, token);
  assert_true(run_until([&] { return server_->answers(id.view()) > 0; }));
  const string_view answer = server_->answer(id.view());
  const string_view mark = "<field var='node' type='text-single'><value>";
  const size_t at = answer.find(mark);
  if (at == string_view::npos) print_error("%.*s\n", static_cast<int>(answer.size()), answer.data());
  assert_true(at != string_view::npos);
  NodeText node;
  assert_true(node.text.assign(slice(answer, at + mark.size(), NodeId::text_size)));
  return node;
}

void World::publish_and_wait(string_view node, string_view id, string_view body) {
  server_->publish(node, id, body);
  assert_true(run_until([&] { return server_->answers(id) > 0; }));
}

World::Footprint World::footprint() {
  Publish& publish = wiring_->gateway().publish();
  return {.xml = wiring_->xml_heap().live(),
          .json = wiring_->json_heap().live(),
          .jobs = publish.jobs_open(),
          .pushes = publish.pushes_alive()};
}

void World::expect_at_rest() {
  Publish& publish = wiring_->gateway().publish();
  assert_int_equal(publish.jobs_open(), 0);
  assert_int_equal(publish.pushes_alive(), 0);
  assert_int_equal(publish.pending(), 0);
  assert_false(wiring_->registry().commit_wanted());
  for (uint32_t i = 0; i < wiring_->section_count(); ++i) {
    const Section& section = wiring_->section(i);
    assert_int_equal(section.jobs(), 0);
    for (const Lane& lane : section.lanes) assert_true(lane.idle());
  }
  assert_int_equal(wiring_->json_heap().live(), 0);
}

time_t World::library_time() const { return world_ == nullptr ? 0 : static_cast<time_t>(world_->wall().s); }

World& world() { return the_world; }

TokenText token_number(uint32_t n) {
  uint8_t room[64];
  Writer out(room);
  uint8_t bytes[32] = {0xd0};
  put_u32(bytes + 28, n);
  out.hex(bytes);
  TokenText token;
  GW_CHECK(token.text.assign(out.view()));
  return token;
}

int begin_world(void** state) {
  const Configured usual;
  const Configured& configured = *state == nullptr ? usual : *static_cast<const Configured*>(*state);
  the_world.begin(1, configured.extra, configured.two);
  return 0;
}

int end_world(void**) {
  the_world.end();
  return 0;
}

}  // namespace tocsin::test

// mbed TLS 2.28 puts the time into its hello, and would put chance into the simulation.
extern "C" time_t time(time_t* where) {
  const time_t now = tocsin::test::world().library_time();
  if (where != nullptr) *where = now;
  return now;
}
