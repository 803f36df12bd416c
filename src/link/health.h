// How the gateway is, in one line: for load balancers and service managers.
#pragma once

#include <span>

#include "base/writer.h"
#include "gateway/section.h"
#include "link/component_link.h"

namespace tocsin {

class Health {
 public:
  Health(const ComponentLink& component, std::span<const Section> sections)
      : component_(component), sections_(sections) {}
  void stop() { stopping_ = true; }
  // True: it does what it is for. The line says what is wrong, or "ok".
  bool look(Writer& line, Instant now) const;

 private:
  const ComponentLink& component_;
  std::span<const Section> sections_;
  bool stopping_ = false;
};

}  // namespace tocsin
