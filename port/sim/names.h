// The name table of the simulated network.
#pragma once

#include <cstdint>
#include <span>

#include "base/address.h"
#include "base/text.h"
#include "base/time.h"
#include "port/port.h"

namespace tocsin::sim {

class NameTable {
 public:
  static constexpr uint32_t names_max = 32;
  static constexpr Duration usual_latency = milliseconds(5);

  // Later words replace earlier ones. Looked up when the answer is due, so that a
  // change during a lookup counts.
  void set(string_view host, std::span<const Address> addresses, Duration latency = usual_latency);
  void set(string_view host, const Address& address) { set(host, {&address, 1}); }
  void fails(string_view host, Error error, Duration latency = usual_latency);

  // A latency of silence: no answer ever comes. Unknown names are Error::not_found.
  Duration latency(string_view host) const;
  port::Lookup answer(string_view host, uint16_t port) const;
  static constexpr Duration silence = {INT64_MAX};

 private:
  struct Name {
    FixedText<255> host;
    port::Lookup lookup;
    Duration latency;
  };
  const Name* find(string_view host) const;
  Name& make(string_view host);

  uint32_t count_ = 0;
  Name names_[names_max];
};

}  // namespace tocsin::sim
