// One turn: wait, read, tick, commit, write. Links ask for what they want anew
// every turn, so there is nothing to unregister.
#pragma once

#include <cstdint>

#include "link/component_link.h"
#include "link/listener_link.h"
#include "link/origin_link.h"
#include "registry/journal.h"

namespace tocsin {

class Loop : public Dispatch {
 public:
  // A section may have two, and one may have a pool.
  static constexpr uint32_t links_max = 2 * section_count_max + lane_count_max;
  Loop(port::Port& port, Log& log) : port_(port), log_(log) {}
  // Everything outlives the loop. origins: lanes know them by their place here; nullptr where there is none.
  void serve(Gateway& gateway, ComponentLink& component, std::span<OriginLink*> origins, Journal& journal);

  // Before the first turn: who listens, at most two.
  void serve(std::span<ListenerLink*> listeners) { listeners_ = listeners; }
  static constexpr uint32_t listeners_max = 2;

  void turn();
  // TERM: answers what is open, says goodbye; stopped() is true when everything left, after 3 s at most.
  void stop();
  bool stopped() const { return stopped_; }

  void wake(Lane&) override {}  // the write step of this turn asks every origin anyway
  void cancel(Push& push) override;
  void reconnect(Lane& lane) override;

 private:
  Instant due(Instant now) const;
  void finish(Instant now);
  void account(Duration took, Instant now);
  port::Port& port_;
  Log& log_;
  Gateway* gateway_ = nullptr;
  ComponentLink* component_ = nullptr;
  std::span<OriginLink*> origins_;
  std::span<ListenerLink*> listeners_;
  Journal* journal_ = nullptr;
  bool stopping_ = false;
  bool stopped_ = false;
  Instant stop_deadline_{};
  Instant server_spoke_ = Instant::never();
  uint32_t slow_turns_ = 0;  // since the last one that was logged
  Duration slowest_{};
  Instant say_slow_after_{};
};

}  // namespace tocsin
