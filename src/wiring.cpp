#include "wiring.h"

#include <new>

namespace tocsin {
namespace {

static_assert(section_count_max == sections_max && section_ids_max == provider_ids_max &&
                  section_modules_max == modules_max,
              "the gateway's bounds are those of the conf");

Payload payload_of(ApnsPayload payload) { return payload == ApnsPayload::wake ? Payload::wake : Payload::tigase; }

Empty empty_of(EmptyPush empty) {
  switch (empty) {
    case EmptyPush::high: return Empty::high;
    case EmptyPush::normal: return Empty::normal;
    case EmptyPush::drop: return Empty::drop;
  }
  return Empty::normal;
}

HostPort apns_host(const ApnsSettings& apns) {
  if (!apns.endpoint.host.empty()) return apns.endpoint;
  return host_and_port(
      apns.environment == ApnsEnvironment::sandbox ? "api.sandbox.push.apple.com" : "api.push.apple.com", 443);
}

bool has_id(const ApnsSettings& apns, string_view id) {
  for (const auto& each : apns.provider) {
    if (each.view() == id) return true;
  }
  return false;
}

// Both environments of one app.
bool are_pair(const ApnsSettings& a, const ApnsSettings& b) {
  if (a.environment == b.environment || a.topic.view() != b.topic.view()) return false;
  for (const auto& id : a.provider) {
    if (has_id(b, id.view())) return true;
  }
  return false;
}

// Whom liveness pings go to: a domain of our users, which this server most likely serves itself (by default the
// parent). One to our own domain would come back to ourselves.
string_view ping_domain(const XmppSettings& xmpp) {
  if (!xmpp.all_accounts()) return xmpp.accounts[0].view();
  const string_view domain = xmpp.domain.view();
  const size_t dot = domain.find('.');
  return dot == string_view::npos ? domain : slice(domain, dot + 1);
}

}  // namespace

Registry::Options Wiring::registry_options(const Settings& settings) {
  return {.max_devices = settings.registry.max_devices, .devices_per_account = settings.limits.devices_per_account};
}

Throttle::Options Wiring::throttle_options(const Settings& settings) {
  const uint32_t devices = settings.registry.max_devices;
  return {.devices = devices < 64     ? 64
                     : devices > 4096 ? 4096
                                      : devices,
          .burst = settings.limits.device_burst,
          .interval = settings.limits.device_interval};
}

PublishLimits Wiring::publish_limits(const Settings& settings) {
  bool stateless = false;
  for (const ApnsSettings& apns : settings.apns) stateless = stateless || !apns.modules.empty();
  return {.max_inflight = settings.limits.max_inflight,
          .max_pending = settings.limits.max_pending,
          .dead_tokens = stateless ? Publish::dead_tokens_kept : 0,
          .brake_devices = settings.limits.brake_devices,
          .brake_percent = settings.limits.brake_percent};
}

Wiring::Wiring(Region& region, const WiringInputs& in)
    : settings_(in.settings), port_(in.port), log_(in.log), journal_(in.port.storage), loop_(in.port, in.log) {
  const HeapSizes heaps = heap_sizes(settings_);
  xml_heap_.emplace(region.carve(heaps.xml), "xml");
  json_heap_.emplace(region.carve(heaps.json), "json");

  GW_CHECK(ping_domain_.assign(ping_domain(settings_.xmpp)));
  component_.emplace(region, *xml_heap_,
                     ComponentLinkOptions{.server = settings_.xmpp.server,
                                          .domain = settings_.xmpp.domain.view(),
                                          .secret = settings_.xmpp.secret.view(),
                                          .ping_to = ping_domain_.view(),
                                          .stanza_bytes_max = settings_.xmpp.max_stanza_bytes,
                                          .max_inflight = settings_.limits.max_inflight},
                     port_, log_);
  Registry::Options registry = registry_options(settings_);
  in.port.entropy.fill(registry.creation_id);
  if (in.authority != nullptr) in.authority->stand_before(journal_);
  Journal& journal = in.authority != nullptr ? *in.authority : static_cast<Journal&>(journal_);
  registry_.emplace(region, registry, journal, &journal_);
  upkeep_.emplace(*registry_, log_, settings_.registry.expire_after);
  throttle_.emplace(region, throttle_options(settings_));

  uint32_t account_count = 0;
  for (const Domain& domain : settings_.xmpp.accounts) accounts_[account_count++] = domain.view();
  uint32_t publisher_count = 0;
  for (const Domain& domain : settings_.xmpp.publishers) publishers_[publisher_count++] = domain.view();
  const AccessRules access{.accounts = {accounts_, account_count}, .publishers = {publishers_, publisher_count}};
  section_count_ = settings_.apns.count;
  const std::span<Section> sections{sections_, section_count_};
  publish_.emplace(region, publish_limits(settings_), *throttle_,
                   PublishTools{.registry = *registry_,
                                .sections = sections,
                                .access = access,
                                .outbox = *component_,
                                .dispatch = loop_,
                                .random = port_.entropy,
                                .json_heap = *json_heap_,
                                .log = log_});
  enroll_.emplace(region, settings_.limits.devices_per_account,
                  EnrollTools{.registry = *registry_,
                              .sections = sections,
                              .access = access,
                              .throttle = *throttle_,
                              .outbox = *component_,
                              .random = port_.entropy,
                              .log = log_});
  scratch_.cipher = region.carve(LinkScratch::cipher_bytes);
  scratch_.plain = region.carve(LinkScratch::plain_bytes);
  for (uint32_t i = 0; i < section_count_; ++i) wire_section(i, region, in);
  choose_services(sections);
  for (const Section& section : sections) {
    if (section.takes_service) services_[service_count_++] = section.kind();
  }

  const ServiceFacts service{.domain = settings_.xmpp.domain.view(),
                             .version = in.version,
                             .providers = {facts_, fact_count_},
                             .services = {services_, service_count_}};
  gateway_.emplace(service, *publish_, *enroll_, *registry_, *upkeep_, *component_, port_.entropy);
  component_->serve(*gateway_);
  loop_.serve(*gateway_, *component_, {links_, section_count_}, journal);
}

void Wiring::wire_section(uint32_t i, Region& region, const WiringInputs& in) {
  const ApnsSettings& apns = settings_.apns[i];
  Section& section = sections_[i];
  Origin& origin = origins_[i];
  uint8_t room[40];
  Writer name(room);
  name.text("apns/").text(apns.name.view());
  GW_CHECK(origin.name.assign(name.view()));
  names_[i] = origin.name.view();
  section.name = origin.name.view();
  section.number = static_cast<uint8_t>(i);
  section.partner = static_cast<uint8_t>(i);
  for (uint32_t other = 0; other < section_count_; ++other) {
    const ApnsSettings& there = settings_.apns[other];
    if (!are_pair(apns, there)) continue;
    section.partner = static_cast<uint8_t>(other);
    section.second_choice = apns.environment == ApnsEnvironment::sandbox;
  }
  for (const auto& id : apns.provider) {
    section.ids[section.id_count++] = id.view();
    if (section.second_choice && has_id(settings_.apns[section.partner], id.view())) continue;
    facts_[fact_count_++] = {.id = id.view(), .label = apns.label.empty() ? section.name : apns.label.view()};
  }
  for (const auto& module : apns.modules) section.modules[section.module_count++] = module.view();
  section.takes_service = apns.dialect == SectionDialect::p2;
  section.sandbox = apns.environment == ApnsEnvironment::sandbox;
  origin.apns.emplace(ApnsOptions{.topic = apns.topic.view(),
                                  .team_id = apns.team_id.view(),
                                  .key_id = apns.key_id.view(),
                                  .sandbox = apns.environment == ApnsEnvironment::sandbox,
                                  .payload = payload_of(apns.payload),
                                  .clear_text = apns.clear_text,
                                  .empty = empty_of(apns.empty),
                                  .empty_wake = empty_of(apns.empty_wake),
                                  .alert_title = apns.alert_title.view(),
                                  .alert_body = apns.alert_body.view(),
                                  .sound = apns.sound.view(),
                                  .category = apns.category.view()});
  section.provider = &*origin.apns;
  section.fingerprint = origin.apns->fingerprint();
  section.off = in.files.apns[i].off;
  if (section.off) return;

  const HeapSizes heaps = heap_sizes(settings_);
  const uint32_t owner = origin.roots_owner = roots_owner(in.files, i);
  if (owner == i) origin.roots_heap.emplace(region.carve(heaps.roots(in.files.apns[i].ca.size())), "roots");
  origin.key_heap.emplace(region.carve(heaps.key), "key");
  // Heaps neither move nor copy, so a pair is made in place.
  for (uint32_t n = 0; n < 2; ++n) new (origin.tls_room + n * sizeof(Heap)) Heap(region.carve(heaps.tls), "tls");
  for (uint32_t n = 0; n < 2; ++n) new (origin.h2_room + n * sizeof(Heap)) Heap(region.carve(heaps.h2), "h2");
  origin.heaps = true;
  origin.link.emplace(region, origin.tls_heaps(), origin.h2_heaps(),
                      OriginOptions{.host = apns_host(apns),
                                    .roots = &origins_[owner].roots,
                                    .h2 = {.first_streams = 1, .streams_max = heaps.streams}},
                      section, *publish_, port_, scratch_, log_);
}

Wiring::~Wiring() {
  for (uint32_t i = 0; i < section_count_; ++i) {
    Origin& origin = origins_[i];
    if (origin.link) origin.link->close();
    origin.link.reset();
    if (!origin.heaps) continue;
    for (uint32_t n = 0; n < 2; ++n) {
      origin.tls_heaps()[n].~Heap();
      origin.h2_heaps()[n].~Heap();
    }
  }
  journal_.shut();
}

void Wiring::set_key(const HashKey& key) {
  throttle_->set_key(key);
  publish_->set_key(key);
  enroll_->set_key(key);
}

bool Wiring::arm(uint32_t i, const LoadedFiles& files, const char** culprit, const char** problem) {
  Section& section = sections_[i];
  if (section.off) return false;
  section.off = true;
  Origin& origin = origins_[i];
  *culprit = "key";
  if (!origin.key.load(files.apns[i].key, *origin.key_heap, port_.entropy).ok()) {
    *problem = origin.key.problem();
    return false;
  }
  const ApnsSettings& apns = settings_.apns[i];
  origin.token.emplace(origin.key, apns.key_id.view(), apns.team_id.view());
  const uint32_t owner = origin.roots_owner;  // as it was wired: sections may have been turned off since
  TlsRoots& roots = origins_[owner].roots;
  *culprit = "ca_file";
  if (roots.count() == 0 && !roots.load(files.apns[i].ca, *origins_[owner].roots_heap).ok()) {
    *problem = roots.problem();
    return false;
  }
  section.token = &*origin.token;
  links_[i] = &*origin.link;
  section.off = false;
  return true;
}

Status Wiring::open_registry(const char* path, const char* directory) {
  if (const Status opened = journal_.open(path, directory); !opened.ok()) return opened;
  registry_->sections({names_, section_count_});
  if (const Status replayed = registry_->replay(scratch_.cipher); !replayed.ok()) return replayed;
  // The configuration may have changed since devices were held.
  for (uint32_t i = 0; const Device* device = registry_->device_at(i); ++i) {
    if (device->held && device->section < section_count_) sections_[device->section].probe_now = true;
  }
  return {};
}

}  // namespace tocsin
