// The way of a publish, down and up: from a Command to a Push that leaves, from
// a provider's reply to one answer and to what the registry learns.
//
//   meant.cpp      whom a Command is for
//   publish.cpp    down: what a Command becomes, when it leaves
//   pushes.cpp     pushes and jobs: where they wait, how they are answered, time
//   verdicts.cpp   up: what a reply means
//   trouble.cpp    sections that can not send, devices that are held
#pragma once

#include <cstdint>

#include "base/due_queue.h"
#include "base/log.h"
#include "base/random.h"
#include "base/siphash.h"
#include "gateway/access.h"
#include "gateway/dead_tokens.h"
#include "gateway/publishers.h"
#include "gateway/request_source.h"
#include "gateway/section.h"
#include "gateway/throttle.h"
#include "mem/pool.h"
#include "proto/json.h"
#include "push/retry.h"
#include "registry/registry.h"

namespace tocsin {

struct PublishLimits {
  uint32_t max_inflight = 64;
  uint32_t max_pending = 256;
  uint32_t dead_tokens = 0;  // stateless devices that are remembered as dead or held; 0: no section has any
  // More drops than this many and this share of a section within an hour are taken for a mistake of ours.
  uint32_t brake_devices = 5;
  uint32_t brake_percent = 10;
  // What one publisher's domain may have sent: so many at once, and one in each interval. 0: no limit.
  uint32_t domain_burst = 200;
  Duration domain_interval = milliseconds(20);
};

// What Publish works with; all of it outlives it.
struct PublishTools {
  Registry& registry;
  std::span<Section> sections;
  AccessRules access;
  Outbox& outbox;
  Dispatch& dispatch;
  RandomSource& random;
  Heap& json_heap;
  Log& log;
};

class Publish final : public RequestSource {
 public:
  static constexpr Duration answer_within = seconds(5);

  static uint32_t pushes_for(const PublishLimits& limits) { return limits.max_inflight + limits.max_pending; }
  static constexpr uint32_t dead_tokens_kept = 4096;  // where there are stateless devices
  Publish(Region& region, const PublishLimits& limits, Throttle& throttle, const PublishTools& tools);

  void set_key(const HashKey& key) {
    key_ = key;
    publishers_.set_key(key);
  }  // pseudonyms and collapse ids; before the first publish

  // ---- down
  // False: there is no free Job, so nothing may be read from the component stream; or we are stopping.
  bool ready_for_input() const { return jobs_.free_count() > 0 && !stopping_; }
  // Exactly one answer follows, now or later.
  void start(const Command& command, Instant now, UnixTime wall);
  Instant wanted_at(const Lane& lane) const override;
  Push* next(Lane& lane, Instant now) override;
  void put_back(Push& push) override;

  // ---- up
  void over(Push& push, Instant now, UnixTime wall) override;
  void lane_down(Lane& lane, string_view sentence, Instant until, Instant now) override;
  void lane_up(Lane& lane) override;
  void lane_refused(Lane& lane, string_view why, Instant now) override;
  void section_paused(uint8_t section, string_view reason, string_view advice, Duration pause, Instant now) override;

  void tick(Instant now);
  Instant due() const;
  // One whose provider said that it is gone, now that it is durable.
  void say_end(const EndOfDevice& end);
  // Changes became durable, or failed: answers `gone` that waited leave.
  void commits_decided(Instant now);
  // TERM: every open publish is answered (`result` only if its request has left), nothing else leaves.
  void stop(Instant now);

  uint32_t jobs_open() const { return jobs_.count() - jobs_.free_count(); }
  uint32_t pushes_alive() const { return pushes_.count() - pushes_.free_count(); }
  uint32_t pending() const { return pending_; }
  uint32_t jobs_low_water() const { return jobs_.low_water(); }
  string_view pseudonym(const NodeId& node, FixedText<16>& room) const;

 private:
  // whom it is for
  struct Meant {
    Section* section = nullptr;  // nullptr: refusal and reason say how the publish is answered
    Outcome refusal{};
    string_view reason;
    string_view provider;            // for the log
    NodeId node;                     // of stateless devices a hash
    const Device* device = nullptr;  // nullptr: stateless
    bool stateless = false;
    Registration registration;  // views into record_room_
    void refuse(Outcome outcome, string_view why) {
      section = nullptr;
      refusal = outcome;
      reason = why;
    }
  };
  Meant meant(const Command& command, Instant now);
  void find_registered(const Command& command, const Device& device, Meant& meant);
  void find_stateless(const Command& command, bool ours, Instant now, Meant& meant);
  NodeId stateless_node(const Section& section, ByteView token) const;
  uint32_t token_tag(ByteView token) const { return static_cast<uint32_t>(siphash(key_, token)); }
  static void name_addressee(const Meant& meant, Notice& notice);

  // down
  Push* take_push(Push* old, const NodeId& node, uint8_t section, Instant now);
  Status map(Push& push, const Registration& registration, const Notice& notice, const Outgoing& outgoing,
             UnixTime wall);
  void hand_to(Push& push, Publisher& publisher);
  Outcome known_at_once(const Section& section, const Lane* lane, const Publisher& publisher, Instant leaves,
                        Instant now) const;

  // pushes and jobs
  Lane* lane_for(Section& section, string_view origin, Instant now) const;
  void enter(Push& push, Lane* lane);
  bool room_for_pending() const { return pending_ < limits_.max_pending; }
  uint32_t jobs_when_slow() const { return limits_.max_inflight < 4 ? 1 : limits_.max_inflight / 4; }
  bool open_job(const Command& command, Push& push, Instant now);
  void goes_on_alone(Push& push);
  void make_ready(Push& push, Instant now);
  void delay(Push& push, Instant until);
  void unplace(Push& push);
  void move(Push& push, uint8_t section);
  void leaves_device(Push& push);
  void give_back(Push& push);
  void forget(Push& push);
  // How it ended, for the answer and the log. reason: the provider's word or ours; ref: the provider's id.
  struct Ending {
    Outcome outcome;
    string_view reason;
    string_view ref;
  };
  void answer(const IqHead& iq, const NodeId* node, string_view provider, const Ending& ending, Duration took);
  void answer_command(const Command& command, Outcome outcome, string_view reason, string_view provider);
  void answer_job(Job& job, const Ending& ending, Instant now);
  void answer_superseded(Push& push, Instant now);
  void answer_waiting(Lane& lane, Outcome outcome, string_view reason, Instant now);
  void end_push(Push& push, Outcome outcome, string_view reason, Instant now);
  void stop_waiting(Job& job, Instant now);
  void relieve(Section& section, Instant now);
  void log_push(string_view event, const IqHead* iq, const NodeId* node, string_view provider, const Ending& ending,
                Duration took);

  // up
  bool of_another_app(const Push& push) const;
  bool of_another_token(const Push& push) const;
  bool patience_ends(const Push& push, const Verdict& verdict, Instant now);
  void judged(Push& push, const Verdict& verdict, Instant now, UnixTime wall);
  void delivered(Push& push, Instant now, UnixTime wall);
  void gone(Push& push, const Verdict& verdict, Instant now, UnixTime wall);
  void limited(Push& push, const Verdict& verdict, Instant now);
  void suspected(Push& push, const Verdict& verdict, Instant now, UnixTime wall);
  void drop(Push& push, string_view reason, Instant now, UnixTime wall);
  void second_refused(Push& push, const Verdict& verdict, Instant now);
  void to_present_token(Push& push, string_view reason, Instant now, UnixTime wall);
  void drop_stateless(Push& push, string_view reason, Instant now, UnixTime wall);
  void shrink(Push& push, const Verdict& verdict, Instant now, UnixTime wall);
  Status map_wake_up(Push& push, const Registration& registration, Instant now, UnixTime wall);
  void go_again(Push& push, const RetryPlan& plan, Outcome outcome, string_view reason, Instant now);
  void retry(Push& push, RetryClass retry_class, Duration told, Outcome outcome, string_view reason, Instant now);

  // trouble
  bool brake(Section& section, Instant now);
  void hold(Push& push, string_view reason, string_view advice, Instant now, UnixTime wall);
  void say_held(const Push& push, string_view reason, string_view advice, Instant now);
  void release_slice(Section& section);
  void say_limited(Instant now);
  void say_trouble(Lane& lane, string_view event, string_view reason, string_view advice);

  PublishTools tools_;
  PublishLimits limits_;
  HashKey key_;
  Throttle& throttle_;
  Pool<Job> jobs_;
  Pool<Push> pushes_;
  DueQueue<Push> delayed_;
  List<Job, &Job::hook> open_jobs_;
  uint32_t pending_ = 0;  // pushes without a job
  Instant ticked_{};
  bool stopping_ = false;
  Bytes record_room_;
  DeadTokens dead_;
  Publishers publishers_;
};

}  // namespace tocsin
