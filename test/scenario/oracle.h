// Ten phones and ten browsers with accounts at five servers, in a storm of faults:
// whatever the provider, the push services, the network, the disk, the clock and
// restarts do, no server ends the registration of a living one; and what its
// provider declared dead is dropped. The browsers, of which every other one has no
// keys, are at more origins than the section has lanes.
//
//   const OracleReport report = run_oracle(world, seed);
//   report.complaint.empty()
#pragma once

#include <cstdint>

#include "test/scenario/server_models.h"
#include "test/scenario/world.h"

namespace tocsin::test {

// Planted mistakes, between the gateway and the servers or the provider: the oracle must see each.
enum class Mutation : uint8_t {
  none,
  wait_becomes_cancel,
  unavailable_becomes_constraint,  // wait/resource-constraint, of which Tigase makes an end
  trouble_is_death,                // a 503 counts as the word of death
  wrong_topic_is_death,            // what is to be held is dropped
  refused_token_is_death,          // 401 and 403 of a push service, about what we sign
  old_word_is_new,                 // a 410 from before the registration counts
  death_becomes_wait,              // what is dead is never said
  gone_is_trouble,                 // 404 and 410 of a push service count for nothing
  answers_get_lost,
  answers_come_twice,
  answers_lose_the_resource,
  answers_come_late,
};
inline constexpr uint32_t mutations_count = 13;
string_view name_of(Mutation mutation);

struct OracleReport {
  FixedText<240> complaint;  // empty: everything was right
  uint32_t publishes = 0;
  uint32_t results = 0;
  uint32_t waits = 0;
  uint32_t gones = 0;
  uint32_t silences = 0;  // the link broke before the answer
  uint32_t deaths = 0;
  uint32_t restarts = 0;
  uint32_t held = 0;  // at the end
};
// The world has begun with oracle_conf, and has not started.
inline constexpr Configured oracle_conf = {.extra =
                                               "[xmpp]\naccounts = *\n[limits]\nmax_inflight = 24\n"
                                               "[webpush]\ncontact = mailto:ops@push.example.org\n"
                                               "ca_file = /etc/ca.pem\n"};
OracleReport run_oracle(World& world, uint64_t seed, Mutation mutation = Mutation::none);

class Oracle : public AnswerListener, public FakeProvider::Decider {
 public:
  Oracle(World& world, uint64_t seed, Mutation mutation);
  OracleReport run();

  void answered(string_view stanza) override;
  const FakeProvider::Rule& decide(string_view path) override;

 private:
  static constexpr uint32_t browsers_from = 2 * peers_count;  // behind the phones
  static constexpr uint32_t phones_count = 4 * peers_count;
  static constexpr uint32_t origins_count = 9;  // the tenth browser shares one
  static constexpr uint32_t services_count = 3;
  static_assert(origins_count > Wiring::web_push_lanes && origins_count == phones_count - browsers_from - 1);
  static constexpr uint32_t publishes_max = 8192;
  static constexpr Duration answered_within = seconds(6);  // 5 s and the way
  static constexpr uint32_t brake_devices = 5;             // of the usual conf

  enum class Last : uint8_t { nothing, result, wait, gone };
  struct Phone {
    Peer peer{};
    bool browser = false;
    TokenText token;  // of a browser: the end of its endpoint
    NodeText node;
    bool registered = false;
    Standing standing;
    Last last{};
    // ---- the truth about it
    bool dead = false;
    FakeProvider::Rule word;  // of its death
    bool stale = false;       // the provider still says a 410 from before the registration
    bool foreign = false;     // of another app: never accepted, and nobody's proof of anything
    // ---- what the gateway may know
    bool accepted = false;  // under the right topic, by its present node
    bool declared = false;  // the word of its death was said about its present node
    bool suspected = false;
    UnixTime registered_at{};
    uint32_t registered_life = 0;
    bool registered_well = false;  // with a clock that was not far off
  };
  struct Publication {
    uint32_t phone = 0;
    NodeText node;
    Instant sent{};
    bool answered = false;
    bool orphaned = false;  // its stream is gone
  };

  // oracle.cpp: what is right
  void complain(string_view what, const Phone* phone);
  bool fine() const { return report_.complaint.empty(); }
  void publish(uint32_t number, Occasion occasion);
  void plant_mistake(const Phone& phone);
  void judge_reply(Publication& publication, string_view stanza);
  void look_at_open();
  void orphan_open();
  void end_in_peace();
  void look_at_all();
  bool must_be_dropped(const Phone& phone) const;
  const Device* device_of(const Phone& phone);

  // oracle_storm.cpp: what happens
  void storm(uint32_t steps);
  void step();
  void enroll(uint32_t number);
  void subscribe(const Phone& phone, string_view from, string_view id);
  void kill_phone(uint32_t number);
  void choose_death(Phone& phone);
  void reinstall(uint32_t number);
  void stop();
  void start();
  void change_topic();

  // oracle_trouble.cpp: what goes wrong
  static void load_identities();
  void change_mood();
  void calm(uint32_t side);
  void change_network();
  void mend(uint32_t side);
  void set_names(uint32_t side, Error error);
  void change_disk();
  void change_clock();
  void heal();

  Phone& any_phone() { return phones_[random_.below(phones_here_)]; }
  uint32_t any_side() { return phones_here_ > browsers_from ? static_cast<uint32_t>(random_.below(sides_count)) : 0; }
  uint32_t number_of(const Phone& phone) const { return static_cast<uint32_t>(&phone - phones_); }
  uint32_t origin_of(const Phone& phone) const { return (number_of(phone) - browsers_from) % origins_count; }
  // Who speaks for it: 0 is Apple, the others are push services with three origins each.
  static constexpr uint32_t sides_count = 1 + services_count;
  uint32_t side_of(const Phone& phone) const { return phone.browser ? 1 + origin_of(phone) % services_count : 0; }
  FakeProvider& provider_of(uint32_t side) { return side == 0 ? w_.provider() : w_.service(side - 1); }
  static Address address_of(uint32_t side) { return World::provider_address(side == 0 ? 0 : 3 + side); }

  World& w_;
  sim::Random random_;
  sim::Random provider_random_;
  Mutation mutation_;
  OracleReport report_;
  Phone phones_[phones_count];
  uint32_t phones_here_ = 0;  // of them, those that are there
  uint32_t life_ = 1;
  bool wrong_topic_ = false;
  bool suspicion_[2] = {};           // somewhere in this run: of phones, of browsers
  uint32_t section_deaths_[2] = {};  // the same
  bool clock_right_ = true;
  struct Mood {
    FakeProvider::Rule rule;
    uint32_t share = 0;  // of requests, per million
  };
  Mood moods_[sides_count];
  FakeProvider::Rule said_;
  uint32_t next_register_ = 0;
  uint32_t late_ = 0;
  Publication publications_[publishes_max];
};

}  // namespace tocsin::test
