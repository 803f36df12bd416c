#include "wiring.h"

#include <new>

namespace tocsin {
namespace {

static_assert(section_count_max == sections_max && section_ids_max == provider_ids_max &&
                  section_modules_max == modules_max,
              "the gateway's bounds are those of the conf");

Payload payload_of(ApnsPayload payload) { return payload == ApnsPayload::wake ? Payload::wake : Payload::tigase; }

HostPort apns_host(const ApnsSettings& apns) {
  if (!apns.endpoint.host.empty()) return apns.endpoint;
  return host_and_port(
      apns.environment == ApnsEnvironment::sandbox ? "api.sandbox.push.apple.com" : "api.push.apple.com", 443);
}

HostPort fcm_host(const FcmSettings& fcm) {
  return fcm.endpoint.host.empty() ? host_and_port("fcm.googleapis.com", 443) : fcm.endpoint;
}

bool has_id(const ProviderSettings& section, string_view id) {
  for (const auto& each : section.provider) {
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
  for (uint32_t i = 0; i < settings.section_count(); ++i) {
    stateless = stateless || !settings.section(i).modules.empty();
  }
  return {.max_inflight = settings.limits.max_inflight,
          .max_pending = settings.limits.max_pending,
          .dead_tokens = stateless ? Publish::dead_tokens_kept : 0,
          .brake_devices = settings.limits.brake_devices,
          .brake_percent = settings.limits.brake_percent,
          .domain_burst = settings.limits.domain_burst,
          .domain_interval = settings.limits.domain_interval};
}

Wiring::Wiring(Region& region, const WiringInputs& in)
    : settings_(in.settings),
      port_(in.port),
      source_(in.source),
      log_(in.log),
      journal_(in.port.storage),
      loop_(in.port, in.log) {
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
  throttle_.emplace(region, throttle_options(settings_));

  uint32_t account_count = 0;
  for (const Domain& domain : settings_.xmpp.accounts) accounts_[account_count++] = domain.view();
  uint32_t publisher_count = 0;
  for (const Domain& domain : settings_.xmpp.publishers) publishers_[publisher_count++] = domain.view();
  const AccessRules access{.accounts = {accounts_, account_count}, .publishers = {publishers_, publisher_count}};
  section_count_ = settings_.section_count();
  const std::span<Section> sections{sections_, section_count_};
  const EndpointRules endpoints = endpoint_rules(access);
  upkeep_.emplace(*registry_, log_, settings_.registry.expire_after, endpoints);
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
                              .json_heap = *json_heap_,
                              .log = log_,
                              .endpoints = endpoints});
  relay_.emplace(region, relay_limits(settings_),
                 RelayTools{.registry = *registry_,
                            .outbox = *component_,
                            .random = port_.entropy,
                            .log = log_,
                            .domain = settings_.xmpp.domain.view(),
                            .endpoints = endpoints});
  scratch_.cipher = region.carve(LinkScratch::cipher_bytes);
  scratch_.plain = region.carve(LinkScratch::plain_bytes);
  for (uint32_t i = 0; i < section_count_; ++i) wire_section(i, region, in);
  choose_services(sections);
  for (const Section& section : sections) {
    if (section.takes_service && !section.pooled) services_[service_count_++] = section.kind();
  }
  uint32_t undecided_count = 0;
  for (const string_view kind : {"apns", "fcm"}) {
    if (is_undecided(sections, kind)) undecided_[undecided_count++] = kind;
  }

  const ServiceFacts service{.domain = settings_.xmpp.domain.view(),
                             .version = in.version,
                             .providers = {facts_, fact_count_},
                             .services = {services_, service_count_},
                             .undecided = {undecided_, undecided_count},
                             .unified_push = endpoints.offered};
  gateway_.emplace(service, *publish_, *enroll_, *relay_, *registry_, *upkeep_, *component_, port_.entropy);
  component_->serve(*gateway_);
  wire_listeners(region);
  loop_.serve(*gateway_, *component_,
              {links_, 2 * size_t{section_count_} + (web_push_ == nullptr ? 0 : web_push_lanes)}, journal);
}

void Wiring::wire_section(uint32_t i, Region& region, const WiringInputs& in) {
  const bool apns = settings_.is_apns(i);
  const bool web_push = settings_.is_webpush(i);
  const ProviderSettings& settings = settings_.section(i);
  const LoadedFiles::Provider& files = in.files.sections[i];
  Section& section = sections_[i];
  Origin& origin = origins_[i];
  uint8_t room[40];
  Writer name(room);
  name.text(web_push ? "webpush" : apns ? "apns/" : "fcm/").text(settings.name.view());
  GW_CHECK(origin.name.assign(name.view()));
  names_[i] = origin.name.view();
  section.name = origin.name.view();
  for (const auto& former : settings.formerly) {
    name.rewind(0);
    name.text(section.kind()).character('/').text(former.view());
    GW_CHECK(former_texts_[former_count_].assign(name.view()));
    former_names_[former_count_] = {.name = former_texts_[former_count_].view(), .section = static_cast<uint8_t>(i)};
    ++former_count_;
  }
  section.number = static_cast<uint8_t>(i);
  section.lanes = {&origin.lane, 1};
  origin.lane.name = section.name;
  origin.lane.section = origin.lane.link = section.number;
  if (!web_push) origin.lane.host = apns ? apns_host(settings_.apns[i]) : fcm_host(settings_.fcm_of(i));
  section.partner = static_cast<uint8_t>(i);
  if (apns) find_partner(section);
  for (const auto& id : settings.provider) {
    section.ids[section.id_count++] = id.view();
    if (section.second_choice && has_id(settings_.section(section.partner), id.view())) continue;
    facts_[fact_count_++] = {.id = id.view(), .label = settings.label.empty() ? section.name : settings.label.view()};
  }
  for (const auto& module : settings.modules) section.modules[section.module_count++] = module.view();
  section.takes_service = settings.dialect == SectionDialect::p2;
  section.sandbox = apns && settings_.apns[i].environment == ApnsEnvironment::sandbox;
  section.provider = web_push ? &make_web_push(settings_.webpush[0], section, region)
                     : apns   ? &make_apns(settings_.apns[i], origin)
                              : &make_fcm(settings_.fcm_of(i), files, region, origin);
  section.fingerprint = section.provider->fingerprint();
  section.off = files.off;
  if (section.off) return;

  const HeapSizes heaps = heap_sizes(settings_);
  const uint32_t owner = origin.roots_owner = roots_owner(in.files, i);
  if (owner == i) origin.roots_heap.emplace(region.carve(heaps.roots(files.ca.size())), "roots");
  if (web_push) return wire_pool(section, origins_[owner].roots, region);
  const bool certificate = apns && !files.certificate.empty();
  origin.key_heap.emplace(region.carve(certificate ? heaps.certificate : apns ? heaps.key : heaps.rsa_key), "key");
  origin.way.make(region, heaps.tls, apns ? heaps.h2 : heaps.h2_fcm);
  // APNs grants one stream until it has seen a token; Google says how many, and nghttp2 assumes as many until then.
  const H2Options h2{.first_streams = apns ? 1 : heaps.streams_fcm,
                     .streams_max = apns ? heaps.streams : heaps.streams_fcm};
  origin.way.link.emplace(
      region, origin.way.tls_heaps(), origin.way.h2_heaps(),
      OriginOptions{
          .roots = &origins_[owner].roots, .h2 = h2, .certificate = certificate ? &origin.apns.certificate : nullptr},
      origin.lane, source(), port_, scratch_, log_);
  if (!apns) wire_token(settings_.fcm_of(i), section, origin, region);
}

void Wiring::find_partner(Section& section) {
  const ApnsSettings& here = settings_.apns[section.number];
  for (uint32_t other = 0; other < settings_.apns.count; ++other) {
    if (!are_pair(here, settings_.apns[other])) continue;
    section.partner = static_cast<uint8_t>(other);
    section.second_choice = here.environment == ApnsEnvironment::sandbox;
  }
}

const Provider& Wiring::make_apns(const ApnsSettings& settings, Origin& origin) {
  return origin.apns.provider.emplace(ApnsOptions{.topic = settings.topic.view(),
                                                  .team_id = settings.team_id.view(),
                                                  .key_id = settings.key_id.view(),
                                                  .sandbox = settings.environment == ApnsEnvironment::sandbox,
                                                  .payload = payload_of(settings.payload),
                                                  .clear_text = settings.clear_text,
                                                  .empty = empty_of(settings.empty),
                                                  .empty_wake = empty_of(settings.empty_wake),
                                                  .alert_title = settings.alert_title.view(),
                                                  .alert_body = settings.alert_body.view(),
                                                  .sound = settings.sound.view(),
                                                  .category = settings.category.view()});
}

// Heaps neither move nor copy, so a pair is made in place.
void Wiring::Way::make(Region& region, size_t tls_bytes, size_t h2_bytes, uint32_t connections) {
  heaps_ = connections;
  for (uint32_t n = 0; n < heaps_; ++n) new (tls_room_ + n * sizeof(Heap)) Heap(region.carve(tls_bytes), "tls");
  for (uint32_t n = 0; n < heaps_; ++n) new (h2_room_ + n * sizeof(Heap)) Heap(region.carve(h2_bytes), "h2");
}

void Wiring::Way::end() {
  if (link) link->close();
  link.reset();
  for (; heaps_ > 0; --heaps_) {
    tls_heaps()[heaps_ - 1].~Heap();
    h2_heaps()[heaps_ - 1].~Heap();
  }
}

Wiring::~Wiring() {
  if (public_listener_) public_listener_->close();
  for (uint32_t i = 0; i < section_count_; ++i) {
    origins_[i].way.end();
    if (origins_[i].fcm != nullptr) origins_[i].fcm->~FcmParts();
  }
  if (web_push_ != nullptr) web_push_->~WebPushParts();
  journal_.shut();
}

void Wiring::set_key(const HashKey& key) {
  throttle_->set_key(key);
  publish_->set_key(key);
  enroll_->set_key(key);
  for (uint32_t i = 0; i < listener_count_; ++i) listeners_[i]->set_key(key);
  relay_->set_key(key);
}

bool Wiring::arm(uint32_t i, const LoadedFiles& files, const char** culprit, const char** problem) {
  Section& section = sections_[i];
  if (section.off) return false;
  section.off = true;
  Origin& origin = origins_[i];
  *culprit = origin.fcm == nullptr ? "key" : "service_account";
  if (!section.pooled && !load_key(i, files, culprit, problem).ok()) return false;
  const uint32_t owner = origin.roots_owner;  // as it was wired: sections may have been turned off since
  TlsRoots& roots = origins_[owner].roots;
  *culprit = "ca_file";
  if (roots.count() == 0 && !roots.load(files.sections[i].ca, *origins_[owner].roots_heap).ok()) {
    *problem = roots.problem();
    return false;
  }
  section.off = false;
  for (const Lane& lane : section.lanes) {
    if (section.pooled) links_[lane.link] = &*web_push_->ways[&lane - section.lanes.data()].link;
  }
  if (section.pooled) return true;
  links_[i] = &*origin.way.link;
  if (origin.fcm != nullptr) links_[section_count_ + i] = &*origin.fcm->way.link;
  return true;
}

Status Wiring::load_key(uint32_t i, const LoadedFiles& files, const char** culprit, const char** problem) {
  Origin& origin = origins_[i];
  if (!files.sections[i].certificate.empty()) return load_certificate(i, files, culprit, problem);
  if (origin.fcm == nullptr) {
    const Status loaded = origin.apns.key.load(files.sections[i].key, *origin.key_heap, port_.entropy);
    if (!loaded.ok()) {
      *problem = origin.apns.key.problem();
      return loaded;
    }
    const ApnsSettings& settings = settings_.apns[i];
    origin.lane.credential =
        &origin.apns.token.emplace(origin.apns.key, settings.key_id.view(), settings.team_id.view());
    return {};
  }
  FcmParts& fcm = *origin.fcm;
  *problem = fcm.problem;
  if (fcm.problem[0] != '\0') return Error::malformed;
  JsonDocument json(*json_heap_);
  FcmAccount again;
  string_view pem;
  if (const Status read = again.read(text_of(files.sections[i].key), json, pem, *problem); !read.ok()) return read;
  const Status loaded = fcm.key.load(bytes_of(pem), *origin.key_heap, port_.entropy);
  *problem = fcm.key.problem();
  if (loaded.ok()) origin.lane.credential = &*fcm.token;
  return loaded;
}

void Wiring::name_sections(Registry& registry) const {
  registry.sections({names_, section_count_ + 1}, {former_names_, former_count_});
}

Status Wiring::open_registry(const char* path, const char* directory) {
  if (const Status opened = journal_.open(path, directory); !opened.ok()) return opened;
  name_sections(*registry_);
  if (const Status replayed = registry_->replay(scratch_.cipher); !replayed.ok()) return replayed;
  // The configuration may have changed since devices were held.
  for (uint32_t i = 0; const Device* device = registry_->device_at(i); ++i) {
    if (device->held && device->section < section_count_) sections_[device->section].probe_now = true;
  }
  return {};
}

}  // namespace tocsin
