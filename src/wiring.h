// Builds the object graph of one gateway from its settings: the only file that
// knows every class. Several gateways may exist in one process; nothing here
// is global.
#pragma once

#include <optional>

#include "base/siphash.h"
#include "crypto/crypto.h"
#include "link/journal_file.h"
#include "link/loop.h"
#include "load.h"
#include "mem/heap.h"
#include "memory_plan.h"
#include "push/apns.h"
#include "settings/settings.h"

namespace tocsin {

struct WiringInputs {
  const Settings& settings;
  const LoadedFiles& files;  // only read while wiring
  port::Port& port;
  Log& log;
  string_view version;
  Authority* authority = nullptr;  // decides about the registry's changes; nullptr: the local file alone
};

class Wiring {
 public:
  static Registry::Options registry_options(const Settings& settings);
  static Throttle::Options throttle_options(const Settings& settings);
  static PublishLimits publish_limits(const Settings& settings);

  // Carves everything from region (as plan_memory says) and wires it. Nothing is opened yet.
  Wiring(Region& region, const WiringInputs& inputs);
  Wiring(const Wiring&) = delete;
  Wiring& operator=(const Wiring&) = delete;
  ~Wiring();

  // The key of pseudonyms and collapse ids, from the state directory; before the first turn.
  void set_key(const HashKey& key);
  // Loads keys and roots of section i, so that it can push. Else the section is off and problem is a
  // sentence about the conf key `culprit` names ("key" or "ca_file").
  bool arm(uint32_t section, const LoadedFiles& files, const char** culprit, const char** problem);
  // Opens and replays the registry, then says `ready`.
  Status open_registry(const char* path, const char* directory);
  Registry& registry() { return *registry_; }
  JournalFile& journal() { return journal_; }
  Gateway& gateway() { return *gateway_; }
  ComponentLink& component() { return *component_; }
  Loop& loop() { return loop_; }
  Section& section(uint32_t i) { return sections_[i]; }
  uint32_t section_count() const { return section_count_; }
  Heap& json_heap() { return *json_heap_; }
  Heap& xml_heap() { return *xml_heap_; }
  // Of the two connections of a section that is not off.
  Heap& tls_heap(uint32_t section, uint32_t which) { return origins_[section].tls_heaps()[which]; }
  Heap& h2_heap(uint32_t section, uint32_t which) { return origins_[section].h2_heaps()[which]; }

 private:
  // What one provider section needs beside its Section.
  struct Origin {
    std::optional<Apns> apns;
    Es256Key key;
    std::optional<ApnsToken> token;
    std::optional<Heap> key_heap;
    std::optional<Heap> roots_heap;
    TlsRoots roots;
    Heap* tls_heaps() { return reinterpret_cast<Heap*>(tls_room); }
    Heap* h2_heaps() { return reinterpret_cast<Heap*>(h2_room); }
    alignas(Heap) uint8_t tls_room[2 * sizeof(Heap)];
    alignas(Heap) uint8_t h2_room[2 * sizeof(Heap)];
    bool heaps = false;
    uint32_t roots_owner = 0;  // the section whose roots this one shares
    std::optional<OriginLink> link;
    FixedText<40> name;  // "apns/siskin"
  };
  void wire_section(uint32_t i, Region& region, const WiringInputs& inputs);

  const Settings& settings_;
  port::Port& port_;
  Log& log_;
  JournalFile journal_;
  Loop loop_;
  LinkScratch scratch_;
  uint32_t section_count_ = 0;
  Section sections_[section_count_max];
  Origin origins_[section_count_max];
  OriginLink* links_[section_count_max] = {};
  ProviderFacts facts_[section_count_max * section_ids_max];
  uint32_t fact_count_ = 0;
  string_view services_[section_count_max];
  uint32_t service_count_ = 0;
  string_view names_[section_count_max];
  string_view accounts_[domains_max];
  string_view publishers_[domains_max];
  FixedText<domain_bytes_max> ping_domain_;
  std::optional<Heap> xml_heap_;
  std::optional<Heap> json_heap_;
  std::optional<Registry> registry_;
  std::optional<Upkeep> upkeep_;
  std::optional<Throttle> throttle_;
  std::optional<ComponentLink> component_;
  std::optional<Publish> publish_;
  std::optional<Enroll> enroll_;
  std::optional<Gateway> gateway_;
};

}  // namespace tocsin
