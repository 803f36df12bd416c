#include "port/sim/names.h"

#include "base/check.h"

namespace tocsin::sim {

const NameTable::Name* NameTable::find(string_view host) const {
  for (uint32_t i = 0; i < count_; ++i) {
    if (same_ignoring_case(names_[i].host.view(), host)) return &names_[i];
  }
  return nullptr;
}

NameTable::Name& NameTable::make(string_view host) {
  const Name* known = find(host);
  Name& name = known != nullptr ? names_[known - names_] : names_[count_];
  if (known == nullptr) {
    GW_CHECK(count_ < names_max);
    ++count_;
    GW_CHECK(name.host.assign(host));
  }
  name.lookup = port::Lookup{};
  return name;
}

void NameTable::set(string_view host, std::span<const Address> addresses, Duration latency) {
  Name& name = make(host);
  GW_CHECK(addresses.size() <= port::addresses_max);
  for (const Address& address : addresses) name.lookup.addresses[name.lookup.count++] = address;
  if (addresses.empty()) name.lookup.error = Error::not_found;
  name.latency = latency;
}

void NameTable::fails(string_view host, Error error, Duration latency) {
  Name& name = make(host);
  name.lookup.error = error;
  name.latency = latency;
}

Duration NameTable::latency(string_view host) const {
  const Name* name = find(host);
  return name == nullptr ? usual_latency : name->latency;
}

port::Lookup NameTable::answer(string_view host, uint16_t port) const {
  port::Lookup lookup;
  const Name* name = find(host);
  if (name == nullptr) {
    lookup.error = Error::not_found;
    return lookup;
  }
  lookup = name->lookup;
  for (uint32_t i = 0; i < lookup.count; ++i) lookup.addresses[i].port = port;
  return lookup;
}

}  // namespace tocsin::sim
