// What a stranger's domain may take of the gateway, in a bounded table: so many
// pushes a second, and a share of the pools. No stranger's flood then makes
// anybody else wait. The domains that the conf names as its own are not limited:
// theirs is an ordinary busy server, however busy.
#pragma once

#include <cstdint>

#include "base/siphash.h"
#include "base/time.h"
#include "gateway/access.h"
#include "mem/region.h"

namespace tocsin {

struct Publisher {
  uint64_t domain = 0;  // a keyed hash; 0: free
  bool own = false;
  uint32_t jobs = 0;     // of its publishes that wait for their answer
  uint32_t pushes = 0;   // of its publishes that are not over
  Instant paid_until{};  // the time that its pushes so far have used up: one interval each
};

class Publishers {
 public:
  static constexpr uint32_t domains_kept = 64;

  struct Options {
    uint32_t burst = 200;
    Duration interval = milliseconds(20);  // 0: no limits at all
    uint32_t jobs = 64;                    // of the pools
    uint32_t pushes = 320;
  };
  static size_t bytes_for() { return region_rounded(sizeof(Publisher) * domains_kept); }
  Publishers(Region& region, const Options& options, const AccessRules& access);
  void set_key(const HashKey& key) { key_ = key; }  // before the first publish

  // from: a JID. The entry stays where it is as long as it has jobs or pushes. When as many domains as there are
  // entries have some, the others share one.
  Publisher& of(string_view from, Instant now);

  // When its next push may leave: now, or later. It counts only when it is kept: count() says so.
  Instant leaves_at(const Publisher& publisher, Instant now) const;
  void count(Publisher& publisher, Instant now) const;
  // A quarter of either pool; a call that comes when it is used up finds as much again.
  bool may_wait(const Publisher& publisher) const {
    return is_free(publisher) || publisher.jobs < share(options_.jobs);
  }
  bool may_have_push(const Publisher& publisher, bool call) const {
    return is_free(publisher) || publisher.pushes < share(options_.pushes) * (call ? 2 : 1);
  }
  // True once an hour: worth a word in the log.
  bool say_limited(Instant now);

 private:
  static uint32_t share(uint32_t pool) { return pool < 8 ? 2 : pool / 4; }
  bool is_free(const Publisher& publisher) const { return publisher.own || options_.interval.us <= 0; }
  bool is_own(string_view domain) const;
  Options options_;
  AccessRules access_;
  HashKey key_;
  Publisher* entries_;  // the last two are for all that find no place: strangers, and our own
  Instant say_after_{};
};

}  // namespace tocsin
