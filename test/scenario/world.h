// A whole gateway in a simulated world: one XMPP server, one provider per
// section, a disk. A scenario reads like the story it tells:
//
//   World& world = world_of(state);
//   const Node node = world.register_device("ann@example.org/phone", token_a);
//   world.provider().answer_all(503, "ServiceUnavailable");
//   world.server().publish(node, "p1");
//   world.run_for(seconds(2));
//   world.expect_wait("p1");
#pragma once

#include <cstdint>
#include <ctime>

#include "load.h"
#include "port/sim/sim_port.h"
#include "test/scenario/fake_provider.h"
#include "test/scenario/fake_server.h"
#include "test/support/tests.h"
#include "wiring.h"

namespace tocsin::test {

inline constexpr string_view token_a = "aa00000000000000000000000000000000000000000000000000000000000a01";
inline constexpr string_view token_b = "bb00000000000000000000000000000000000000000000000000000000000b02";
inline constexpr string_view token_c = "cc00000000000000000000000000000000000000000000000000000000000c03";

// A node as text, by value.
struct NodeText {
  FixedText<NodeId::text_size> text;
  operator string_view() const { return text.view(); }
};

// Device token number n, in hex; never one of the above.
struct TokenText {
  FixedText<64> text;
  operator string_view() const { return text.view(); }
};
TokenText token_number(uint32_t n);

// What a scenario's gateway is configured with; see SCENARIO_WITH.
// A section fcm/play beside the usual one, as `extra` of a scenario; its devices register fcm_token_a and the like.
inline constexpr const char* with_fcm =
    "[fcm play]\nprovider = fcm-xmpp-api\nservice_account = /etc/account.json\n"
    "endpoint = https://fcm.wild.example.org\nca_file = /etc/ca.pem\n";
inline constexpr string_view fcm_token_a = "dKx0aaaaaaaaaaaaaaaa:APA91bAAA";
inline constexpr string_view fcm_token_b = "dKx0bbbbbbbbbbbbbbbb:APA91bBBB";

struct Configured {
  const char* extra = "";  // conf text behind the usual one: further keys of [limits], further sections
  bool two = false;        // two sections, apns/siskin and apns/other
};

class World : public sim::Turner {
 public:
  // apns/siskin, apns/other; the third and fourth are fcm/play and where its access tokens are fetched; behind them
  // three push services, one.wild.example.org and so on.
  static constexpr uint32_t providers_max = 7;
  // Starts from nothing; both texts outlive the scenario.
  void begin(uint64_t seed = 1, string_view extra = "", bool two = false);
  void end();

  // The usual conf but for what is added to it, from the next start on; outlives the scenario.
  void write_conf(const char* text) { conf_ = text; }
  // "section.key=value", from the next start on; the last of several wins. The text outlives the scenario.
  void set(const char* override);
  void turn_off(uint32_t section, bool off = true) { off_[section] = off; }  // its key can not be read
  void ask(Authority* authority) { authority_ = authority; }  // about the registry's changes, from the next start on
  void trust(const char* bundle) { bundle_ = bundle; }        // from the next start on; outlives the scenario
  // What a section whose conf names a certificate finds in its files, from the next start on.
  void show_certificate(const char* chain, const char* key) {
    own_chain_ = chain;
    own_key_ = key;
  }
  void spoil_key(uint32_t section) { spoilt_[section] = true; }  // its key turns out to be none, after the wiring

  // ---- the gateway's life
  void start();        // wires the gateway and waits until the stream is up
  void start_alone();  // … without waiting
  void crash();        // kill -9: sockets end, the page cache stays
  void lose_power();   // … and what was not synced may be lost
  void restart() {     // kill -9 and start again
    crash();
    start();
  }
  void one_section() { two_ = false; }  // from the next start on
  void terminate();                     // TERM: the gateway ends by itself; see exited()
  bool exited() const { return exited_; }
  bool running() const { return wiring_ != nullptr; }
  void turn() override;

  void run_for(Duration duration) { world_->run_for(duration); }
  template <class Predicate>
  bool run_until(Predicate&& reached, Duration limit = seconds(60)) {
    return world_->run_while([&] { return !reached(); }, limit);
  }
  Instant now() const { return world_->now(); }

  FakeServer& server() { return *server_; }
  FakeProvider& provider(uint32_t i = 0) { return *providers_[i]; }
  FakeProvider& fcm() { return *providers_[2]; }
  FakeProvider& google() { return *providers_[3]; }  // where access tokens are fetched
  FakeProvider& service(uint32_t i) { return *providers_[4 + i]; }
  Wiring& gateway() { return *wiring_; }
  // Of the last start: what was wrong with the key of Web Push, and how many devices were accepted under another one.
  string_view vapid_problem() const { return vapid_problem_.view(); }
  uint32_t vapid_strangers() const { return vapid_strangers_; }
  sim::Simulation& simulation() { return *world_; }
  sim::Disk& disk() { return *disk_; }
  sim::SimPort& port() { return *port_; }
  sim::SimConsole& log() { return port_->console(); }
  static Address server_address();
  static Address provider_address(uint32_t i);

  // ---- words for stories
  // Registers and waits for the answer; fails the test when it is no node.
  NodeText register_device(string_view from, string_view token, string_view provider = "tigase:messenger:apns:1");
  NodeText register_android(string_view from, string_view token) {
    return register_device(from, token, "fcm-xmpp-api");
  }
  void send_register(string_view from, string_view id, string_view provider, string_view token,
                     string_view second = "");
  void send_unregister(string_view from, string_view id, string_view provider, string_view token);
  // Publishes and waits until it is answered.
  void publish_and_wait(string_view node, string_view id, string_view body = "New Message!");
  void wait_for_answer(string_view id) {
    assert_true(run_until([&] { return server_->answers(id) > 0; }));
  }
  void expect_no_answer(string_view id) { assert_int_equal(server_->answers(id), 0); }

  void expect_result(string_view id);
  void expect_gone(string_view id);
  void expect_wait(string_view id, string_view condition = "service-unavailable");
  // Any answer, byte by byte in it.
  void expect_answer(string_view id, string_view part);
  void expect_requests(uint64_t count) { assert_int_equal(provider().requests(), count); }
  // Pools full, library heaps empty but for what a connection keeps, nothing staged.
  void expect_at_rest();

  time_t library_time() const;  // what time() says to libraries

  static constexpr size_t memory_bytes = size_t{1} << 30;

  // What libraries and pools hold at this moment; equal at rest whatever happened in between.
  struct Footprint {
    size_t xml = 0;
    size_t json = 0;
    uint32_t jobs = 0;
    uint32_t pushes = 0;
    bool operator==(const Footprint&) const = default;
  };
  Footprint footprint();

 private:
  static constexpr size_t gateway_bytes = size_t{256} << 20;  // address space; touched as the plan says
  static constexpr uint32_t overrides_kept = 8;
  void read_conf();
  void wire();
  string_view conf_;
  string_view extra_;
  const char* overrides_[overrides_kept] = {};
  uint32_t override_count_ = 0;
  bool off_[providers_max] = {};
  bool spoilt_[providers_max] = {};
  Authority* authority_ = nullptr;
  const char* bundle_ = nullptr;
  const char* own_chain_ = nullptr;
  const char* own_key_ = nullptr;
  bool exited_ = false;
  Settings settings_;
  Faults faults_;
  LoadedFiles files_;
  Region region_;
  Bytes memory_;
  Bytes gateway_memory_;
  size_t planned_ = 0;
  sim::Simulation* world_ = nullptr;
  sim::Disk* disk_ = nullptr;
  sim::SimPort* port_ = nullptr;
  FakeServer* server_ = nullptr;
  FakeProvider* providers_[providers_max] = {};
  Wiring* wiring_ = nullptr;
  Log* log_ = nullptr;
  bool two_ = false;
  uint32_t next_id_ = 0;
  FixedText<900> vapid_problem_;
  uint32_t vapid_strangers_ = 0;
};

// One world per program, begun anew by each scenario: setup and teardown for cmocka. *state: its Configured, or
// nullptr.
World& world();
int begin_world(void** state);
int end_world(void** state);

// SCENARIO_WITH(story, {.extra = …}): the conf of this scenario is a static constexpr Configured.
#define SCENARIO_WITH(story, configured) \
  { #story, story, ::tocsin::test::begin_world, ::tocsin::test::end_world, const_cast < Configured*>(&configured) }
#define SCENARIO(story) cmocka_unit_test_setup_teardown(story, ::tocsin::test::begin_world, ::tocsin::test::end_world)

}  // namespace tocsin::test
