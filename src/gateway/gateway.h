// The gateway in the middle: it knows register, unregister, publish and
// verdict; words of XMPP and of providers are the translators' business.
#pragma once

#include "dialect/dialects.h"
#include "gateway/enroll.h"
#include "gateway/publish.h"
#include "gateway/relay.h"
#include "gateway/upkeep.h"

namespace tocsin {

class Gateway {
 public:
  Gateway(const ServiceFacts& service, Publish& publish, Enroll& enroll, Relay& relay, Registry& registry,
          Upkeep& upkeep, Outbox& outbox, RandomSource& random)
      : service_(service),
        publish_(publish),
        enroll_(enroll),
        relay_(relay),
        registry_(registry),
        upkeep_(upkeep),
        outbox_(outbox),
        random_(random) {}

  // Nothing may be read from the component stream while this is false.
  bool ready_for_input() const { return publish_.ready_for_input(); }
  void handle(const Stanza& stanza, Instant now, UnixTime wall);

  // Once a turn, after the reading: what is staged goes to the journal unless one batch is under way, or nobody waits
  // for it.
  void commit(Instant now);
  // The journal decided.
  void committed(Status outcome, Instant now);
  // Behind that: one slice of the registry's housekeeping.
  void keep_up(Instant now, UnixTime wall) { upkeep_.tick(now, wall); }

  void tick(Instant now) {
    publish_.tick(now);
    relay_.tick(now);
  }
  Instant due() const {
    return earlier(earlier(publish_.due(), relay_.due()),
                   earlier(upkeep_.due(), registry_.committing() ? Instant::never() : commit_at_));
  }
  void stop(Instant now);
  // The public key of Web Push, which is read after the wiring; outlives this.
  void set_vapid_key(string_view key) { service_.vapid_key = key; }

  Publish& publish() { return publish_; }
  Relay& relay() { return relay_; }

 private:
  void say_ends();
  ServiceFacts service_;
  Publish& publish_;
  Enroll& enroll_;
  Relay& relay_;
  Registry& registry_;
  Upkeep& upkeep_;
  Outbox& outbox_;
  RandomSource& random_;
  Instant commit_at_ = Instant::never();  // of what nobody waits for
};

}  // namespace tocsin
