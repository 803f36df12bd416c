#include "link/health.h"

namespace tocsin {

// A pool of lanes is to many services, of which a stranger may have made one: none of them is our trouble.
static bool can_send(const Section& section, Instant now) {
  if (section.off || section.paused_until > now) return false;
  return section.lanes.size() != 1 || section.lanes[0].down_until <= now;
}

bool Health::look(Writer& line, Instant now) const {
  if (stopping_) {
    line.text("stopping");
    return false;
  }
  if (!component_.up()) {
    line.text("not connected to the XMPP server");
    return false;
  }
  // One provider's trouble is not the gateway's as long as another one works.
  const Section* troubled = nullptr;
  for (const Section& section : sections_) {
    if (can_send(section, now)) {
      line.text("ok");
      return true;
    }
    if (troubled == nullptr) troubled = &section;
  }
  if (troubled == nullptr) {
    line.text("no provider");
  } else {
    line.text(troubled->name).text(troubled->off ? " is off" : " can not send");
  }
  return false;
}

}  // namespace tocsin
