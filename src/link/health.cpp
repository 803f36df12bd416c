#include "link/health.h"

namespace tocsin {

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
    if (!section.off && section.paused_until <= now && section.down_until <= now) {
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
