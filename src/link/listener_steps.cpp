// Whose handshake goes on, and when.
#include "link/listener_link.h"

namespace tocsin {

namespace {

// A handshake costs 1 to 7 ms: no flood of them may take more than a tenth of a slow processor.
constexpr int64_t handshake_burst = 25;
constexpr Duration handshake_interval = milliseconds(40);
// A push that comes during a step waits until it is over. In a flood fewer than one in a hundred shall, so that p99
// knows nothing of it; else handshakes may have their tenth.
constexpr int64_t rest_per_step = 9, rest_per_step_in_flood = 150;
constexpr uint32_t flood_from = 12;  // handshakes that wait for a step

}  // namespace

Instant ListenerLink::step_due() const {
  return later(step_again_, handshakes_full_ - handshake_interval * (handshake_burst - 1));
}

// Whose handshake goes on in this turn: what was begun comes to its end first.
WebConnection* ListenerLink::choose_step(uint32_t& wanting, Instant now) {
  WebConnection* found = nullptr;
  for (uint32_t n = 0; n < options_.connections; ++n) {
    const uint32_t i = (next_ + n) % options_.connections;
    if (!connections_[i].wants_step()) continue;
    ++wanting;
    if (found == nullptr || (connections_[i].stepped && !found->stepped)) found = &connections_[i];
  }
  if (found == nullptr || !may_step(*found, now)) return nullptr;
  next_ = static_cast<uint32_t>(found - connections_) + 1;
  return found;
}

// Its first step is paid for from what a second allows.
bool ListenerLink::may_step(WebConnection& connection, Instant now) {
  if (now < step_again_) return false;
  if (connection.stepped) return true;
  handshakes_full_ = later(handshakes_full_, now);
  if (handshakes_full_ - now > handshake_interval * (handshake_burst - 1)) return false;
  handshakes_full_ = handshakes_full_ + handshake_interval;
  connection.stepped = true;
  return true;
}

void ListenerLink::step(WebConnection& connection, uint32_t disturbing, Instant now) {
  const Instant began = port_.clock.now();
  bool may_step = true;
  work(connection, may_step, now);
  const Instant end = port_.clock.now();
  step_again_ = end + (end - began) * (disturbing >= flood_from ? rest_per_step_in_flood : rest_per_step);
}

}  // namespace tocsin
