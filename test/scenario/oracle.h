// Ten phones with accounts at five servers, in a storm of faults: whatever the
// provider, the network, the disk, the clock and restarts do, no server ends the
// registration of a living phone; and what the provider declared dead is dropped.
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
  old_word_is_new,                 // a 410 from before the registration counts
  death_becomes_wait,              // what is dead is never said
  answers_get_lost,
  answers_come_twice,
  answers_lose_the_resource,
  answers_come_late,
};
inline constexpr uint32_t mutations_count = 11;
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
inline constexpr Configured oracle_conf = {.extra = "[xmpp]\naccounts = *\n[limits]\nmax_inflight = 24\n"};
OracleReport run_oracle(World& world, uint64_t seed, Mutation mutation = Mutation::none);

class Oracle : public AnswerListener, public FakeProvider::Decider {
 public:
  Oracle(World& world, uint64_t seed, Mutation mutation);
  OracleReport run();

  void answered(string_view stanza) override;
  const FakeProvider::Rule& decide(string_view path) override;

 private:
  static constexpr uint32_t phones_count = 2 * peers_count;
  static constexpr uint32_t publishes_max = 4096;
  static constexpr Duration answered_within = seconds(6);  // 5 s and the way
  static constexpr uint32_t brake_devices = 5;             // of the usual conf

  enum class Last : uint8_t { nothing, result, wait, gone };
  struct Phone {
    Peer peer{};
    TokenText token;
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
  void kill_phone(uint32_t number);
  void reinstall(uint32_t number);
  void change_mood();
  void change_network();
  void change_disk();
  void change_clock();
  void stop();
  void start();
  void change_topic();
  void heal();
  Phone& any_phone() { return phones_[random_.below(phones_count)]; }
  uint32_t number_of(const Phone& phone) const { return static_cast<uint32_t>(&phone - phones_); }

  World& w_;
  sim::Random random_;
  sim::Random provider_random_;
  Mutation mutation_;
  OracleReport report_;
  Phone phones_[phones_count];
  uint32_t life_ = 1;
  bool wrong_topic_ = false;
  bool suspicion_ = false;  // somewhere in this run
  bool clock_right_ = true;
  FakeProvider::Rule mood_;
  uint32_t mood_share_ = 0;  // of requests, per million
  FakeProvider::Rule said_;
  uint32_t next_register_ = 0;
  uint32_t late_ = 0;
  Publication publications_[publishes_max];
};

}  // namespace tocsin::test
