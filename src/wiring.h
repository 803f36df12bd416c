// Builds the object graph of one gateway from its settings: the only file that
// knows every class. Several gateways may exist in one process; nothing here
// is global.
#pragma once

#include <optional>

#include "base/siphash.h"
#include "crypto/certificate.h"
#include "crypto/crypto.h"
#include "gateway/forget.h"
#include "gateway/token_desk.h"
#include "link/health.h"
#include "link/journal_file.h"
#include "link/listener_link.h"
#include "link/loop.h"
#include "load.h"
#include "mem/heap.h"
#include "memory_plan.h"
#include "push/apns.h"
#include "push/apns_token.h"
#include "push/fcm.h"
#include "push/origin_token.h"
#include "push/web_push.h"
#include "settings/settings.h"
#include "vapid_key.h"

namespace tocsin {

inline Empty empty_of(EmptyPush empty) {
  switch (empty) {
    case EmptyPush::high: return Empty::high;
    case EmptyPush::normal: return Empty::normal;
    case EmptyPush::drop: return Empty::drop;
  }
  return Empty::normal;
}

struct WiringInputs {
  const Settings& settings;
  const LoadedFiles& files;  // only read while wiring
  port::Port& port;
  Log& log;
  string_view version;
  RequestSource* source = nullptr;  // takes the place of Publish towards the providers: `check --online`
  Authority* authority = nullptr;   // decides about the registry's changes; nullptr: the local file alone
};

class Wiring {
 public:
  static Registry::Options registry_options(const Settings& settings);
  static Throttle::Options throttle_options(const Settings& settings);
  static PublishLimits publish_limits(const Settings& settings);
  static ListenerOptions public_listener(const Settings& settings);
  static ListenerOptions metrics_listener(const Settings& settings);
  static RelayLimits relay_limits(const Settings& settings);
  static size_t fcm_bytes() { return sizeof(FcmParts); }
  static size_t web_push_bytes() { return sizeof(WebPushParts); }
  // Origins that are connected to at the same time: browsers have four makers, and most distributors are few people's.
  static constexpr uint32_t web_push_lanes = 8;
  // Origins whose token is kept, connected or not: each is a signature less.
  static constexpr uint32_t vapid_tokens = 128;

  // Carves everything from region (as plan_memory says) and wires it. Nothing is opened yet.
  Wiring(Region& region, const WiringInputs& inputs);
  Wiring(const Wiring&) = delete;
  Wiring& operator=(const Wiring&) = delete;
  ~Wiring();

  // The key of pseudonyms and collapse ids, from the state directory; before the first turn.
  void set_key(const HashKey& key);
  // Opens the key of Web Push, which is made where there is none and no device depends on one; after open_registry,
  // before arm. Upon an error the section is off, and file.problem says why.
  Status open_vapid_key(VapidKeyFile& file);
  // The same for a check, which makes none (Error::not_found leaves the section on), with the gateway's registry as it
  // could be read, or nullptr. Only where the conf has Web Push.
  Status look_at_vapid_key(VapidKeyFile& file, const Registry* registry);
  uint8_t web_push_section() const;  // Device::no_section: the conf has none
  bool has_vapid_key() const { return web_push_->vapid->has_key(); }
  // It was opened. Error::damaged: it signs, and the signature is not good.
  Status try_vapid_key() { return web_push_->vapid->try_key(port_.entropy); }
  // The key of endpoints' names, likewise.
  void set_endpoint_key(const EndpointKey& key) { enroll_->set_endpoint_key(key); }
  // Loads keys and roots of section i, so that it can push. Else the section is off and problem is a
  // sentence about the conf key `culprit` names ("key", "certificate", "service_account", "ca_file" …).
  bool arm(uint32_t section, const LoadedFiles& files, const char** culprit, const char** problem);
  // Reads the certificate of [listen], if it needs one; what is wrong is about the conf's key `culprit`, and fault is
  // what clients will find wrong with a pair that can be used.
  bool arm_listener(const LoadedFiles& files, const char** culprit, const char** problem, const char** fault);
  // Opens the sockets of [listen] and [metrics]; behind open_registry.
  Status open_listeners(Writer& problem);
  void look_at_certificate();  // HUP
  // About the certificate that an armed section shows: a sentence when it ends soon, else "".
  string_view certificate_remark(uint32_t section) const { return origins_[section].apns.remark.view(); }
  // Opens and replays the registry, then says `ready`.
  Status open_registry(const char* path, const char* directory);
  void name_sections(Registry& registry) const;
  Registry& registry() { return *registry_; }
  JournalFile& journal() { return journal_; }
  Gateway& gateway() { return *gateway_; }
  ComponentLink& component() { return *component_; }
  Loop& loop() { return loop_; }
  ListenerLink& listener() { return *public_listener_; }  // of [listen], which the conf must have
  Section& section(uint32_t i) { return sections_[i]; }
  uint32_t section_count() const { return section_count_; }
  std::span<OriginLink*> links() { return {links_, 2 * size_t{section_count_}}; }  // nullptr where there is none
  Heap& json_heap() { return *json_heap_; }
  Heap& xml_heap() { return *xml_heap_; }
  // Of the two connections of a section that is not off.
  Heap& tls_heap(uint32_t section, uint32_t which) { return origins_[section].way.tls_heaps()[which]; }
  Heap& h2_heap(uint32_t section, uint32_t which) { return origins_[section].way.h2_heaps()[which]; }
  // Of the lanes of Web Push, and what seals their messages.
  Heap& lane_tls_heap(uint32_t lane) { return *web_push_->ways[lane].tls_heaps(); }
  Heap& lane_h2_heap(uint32_t lane) { return *web_push_->ways[lane].h2_heaps(); }
  Heap& curve_heap() { return *web_push_->curve_heap; }

 private:
  // A link with the heaps of its two connections.
  class Way {
   public:
    ~Way() { end(); }
    void end();  // closes the link
    void make(Region& region, size_t tls_bytes, size_t h2_bytes, uint32_t connections = 2);
    Heap* tls_heaps() { return reinterpret_cast<Heap*>(tls_room_); }
    Heap* h2_heaps() { return reinterpret_cast<Heap*>(h2_room_); }
    std::optional<OriginLink> link;

   private:
    alignas(Heap) uint8_t tls_room_[2 * sizeof(Heap)];
    alignas(Heap) uint8_t h2_room_[2 * sizeof(Heap)];
    uint32_t heaps_ = 0;  // of each kind
  };
  struct ApnsParts {
    std::optional<Apns> provider;
    Es256Key key;
    std::optional<ApnsToken> token;
    ClientCertificate certificate;  // in place of both
    FixedText<200> remark;          // what is wrong with it, or soon will be
  };
  // Large, so only sections of this kind have one, carved.
  struct FcmParts {
    FcmAccount account;
    const char* problem = "";  // of the account
    std::optional<Fcm> provider;
    Rs256Key key;
    std::optional<FcmToken> token;
    std::optional<TokenDesk> desk;
    Way way;  // to where tokens are fetched
  };
  // The same, of the one section of its kind.
  struct WebPushParts {
    std::optional<Heap> curve_heap;
    OwnP256 curve;
    std::optional<Vapid> vapid;
    std::optional<WebPush> provider;
    Lane lanes[web_push_lanes];
    std::optional<OriginToken> tokens[web_push_lanes];
    Way ways[web_push_lanes];
  };
  // What one provider section needs beside its Section.
  struct Origin {
    Lane lane;
    std::optional<Heap> key_heap;
    std::optional<Heap> roots_heap;
    TlsRoots roots;
    uint32_t roots_owner = 0;  // the section whose roots this one shares
    ApnsParts apns;
    FcmParts* fcm = nullptr;
    Way way;
    FixedText<40> name;  // "apns/siskin"
  };
  EndpointRules endpoint_rules(const AccessRules& access);
  void wire_section(uint32_t i, Region& region, const WiringInputs& inputs);
  void wire_listeners(Region& region);
  void find_partner(Section& section);
  const Provider& make_apns(const ApnsSettings& settings, Origin& origin);
  const Provider& make_fcm(const FcmSettings& settings, const LoadedFiles::Provider& files, Region& region,
                           Origin& origin);
  RequestSource& source() { return source_ != nullptr ? *source_ : *publish_; }
  void wire_token(const FcmSettings& settings, Section& section, Origin& origin, Region& region);
  const Provider& make_web_push(const WebPushSettings& settings, Section& section, Region& region);
  void wire_pool(Section& section, const TlsRoots& roots, Region& region);
  Status open_vapid_key(VapidKeyFile& file, const Registry* registry, bool read_only);
  Status load_key(uint32_t i, const LoadedFiles& files, const char** culprit, const char** problem);
  Status load_certificate(uint32_t i, const LoadedFiles& files, const char** culprit, const char** problem);

  const Settings& settings_;
  port::Port& port_;
  RequestSource* source_;
  Log& log_;
  JournalFile journal_;
  Loop loop_;
  LinkScratch scratch_;
  uint32_t section_count_ = 0;
  Section sections_[section_count_max];
  Origin origins_[section_count_max];
  // By section; behind them those that fetch tokens, and the pool of Web Push.
  OriginLink* links_[Loop::links_max] = {};
  WebPushParts* web_push_ = nullptr;
  ProviderFacts facts_[section_count_max * section_ids_max];
  uint32_t fact_count_ = 0;
  string_view services_[section_count_max];
  string_view undecided_[2];  // apns, fcm
  uint32_t service_count_ = 0;
  string_view names_[section_count_max + 1];  // of the registry's sections: endpoints have the last one
  Registry::FormerName former_names_[section_count_max * former_names_max];
  FixedText<40> former_texts_[section_count_max * former_names_max];  // "apns/siskin"
  uint32_t former_count_ = 0;
  string_view accounts_[domains_max];
  string_view publishers_[domains_max];
  string_view endpoint_accounts_[domains_max];
  FixedText<domain_bytes_max> ping_domain_;
  std::optional<Heap> xml_heap_;
  std::optional<Heap> json_heap_;
  std::optional<Registry> registry_;
  std::optional<Upkeep> upkeep_;
  std::optional<Throttle> throttle_;
  std::optional<ComponentLink> component_;
  std::optional<Publish> publish_;
  std::optional<Enroll> enroll_;
  std::optional<Relay> relay_;
  std::optional<Gateway> gateway_;
  std::optional<Health> health_;
  std::optional<Forget> forget_;
  std::optional<WebCertificate> certificate_;
  std::optional<ListenerLink> public_listener_;
  std::optional<ListenerLink> metrics_listener_;
  ListenerLink* listeners_[Loop::listeners_max] = {};
  uint32_t listener_count_ = 0;
};

}  // namespace tocsin
