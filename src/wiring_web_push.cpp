// Web Push: one key for all push services, and a pool of lanes for those that
// devices name.
#include "crypto/crypto.h"
#include "wiring.h"

namespace tocsin {
namespace {

constexpr Duration idle_close = minutes(5);

template <class Function>
void for_devices(const Registry* registry, uint8_t section, Function function) {
  if (registry == nullptr) return;
  for (uint32_t i = 0; const Device* device = registry->device_at(i); ++i) {
    if (device->section == section) function(*device);
  }
}

}  // namespace

const Provider& Wiring::make_web_push(const WebPushSettings& settings, Section& section, Region& region) {
  web_push_ = new (region.carve(sizeof(WebPushParts)).data()) WebPushParts;
  WebPushParts& parts = *web_push_;
  parts.curve_heap.emplace(region.carve(OwnP256::heap_bytes), "p256");
  GW_CHECK(parts.curve.start(*parts.curve_heap, port_.entropy).ok());  // its heap is as large as it wants
  const Bytes room = region.carve(vapid_tokens * sizeof(VapidToken));
  VapidToken* const tokens = reinterpret_cast<VapidToken*>(room.data());
  for (uint32_t i = 0; i < vapid_tokens; ++i) new (tokens + i) VapidToken;
  parts.vapid.emplace(std::span<VapidToken>(tokens, vapid_tokens), parts.curve, settings.contact.view());
  section.pooled = true;
  section.curve = &parts.curve;
  // The curve's heap is empty between its calls, and as large as the cipher needs.
  return parts.provider.emplace(
      WebPushOptions{.clear_text = settings.clear_text,
                     .empty = empty_of(settings.empty),
                     .allow_private = {settings.allow_private.items, settings.allow_private.count}},
      EceTools{.curve = parts.curve, .heap = *parts.curve_heap}, *parts.vapid);
}

void Wiring::wire_pool(Section& section, const TlsRoots& roots, Region& region) {
  const HeapSizes heaps = heap_sizes(settings_);
  const WebPushSettings& settings = settings_.webpush[0];
  WebPushParts& parts = *web_push_;
  section.lanes = parts.lanes;
  for (uint32_t i = 0; i < web_push_lanes; ++i) {
    Lane& lane = parts.lanes[i];
    lane.name = section.name;
    lane.section = section.number;
    lane.link = static_cast<uint8_t>(2 * section_count_ + i);
    lane.credential = &parts.tokens[i].emplace(*parts.vapid, lane.origin);
    parts.ways[i].make(region, heaps.tls, heaps.h2_web_push, OriginLink::connections_of(true));
    parts.ways[i].link.emplace(
        region, parts.ways[i].tls_heaps(), parts.ways[i].h2_heaps(),
        OriginOptions{.roots = &roots,
                      .h2 = {.first_streams = heaps.streams_web_push, .streams_max = heaps.streams_web_push},
                      .idle_close = idle_close,
                      .sizes = web_push_sizes,
                      .pooled = true,
                      .rules = {.allowed = {settings.allow_private.items, settings.allow_private.count}}},
        lane, source(), port_, scratch_, log_);
  }
}

uint8_t Wiring::web_push_section() const {
  uint8_t number = Device::no_section;
  for (uint32_t i = 0; i < section_count_; ++i) {
    if (sections_[i].pooled) number = sections_[i].number;
  }
  return number;
}

Status Wiring::open_vapid_key(VapidKeyFile& file) {
  if (web_push_ == nullptr) return {};
  return open_vapid_key(file, &*registry_, false);
}

Status Wiring::look_at_vapid_key(VapidKeyFile& file, const Registry* registry) {
  return open_vapid_key(file, registry, true);
}

Status Wiring::open_vapid_key(VapidKeyFile& file, const Registry* registry, bool read_only) {
  Section& section = sections_[web_push_section()];
  uint32_t devices = 0;
  for_devices(registry, section.number, [&devices](const Device&) { ++devices; });
  const char* const path = settings_.webpush[0].vapid_key.c_str();
  Status opened;
  {
    Heap heap(scratch_.cipher.first(vapid_key_heap_bytes), "vapid key");  // nothing is received yet
    opened = read_only
                 ? read_vapid_key(path, port_.storage, heap, port_.entropy, devices, file)
                 : tocsin::open_vapid_key(path, port_.storage, web_push_->curve, heap, port_.entropy, devices, file);
  }
  wipe(scratch_.cipher.first(vapid_key_heap_bytes));
  if (opened.ok()) {
    web_push_->vapid->set_key(file.pair);
    gateway_->set_vapid_key(web_push_->vapid->public_key());
    section.fingerprint = section.provider->fingerprint();
    for_devices(registry, section.number, [&file, &section](const Device& device) {
      file.strangers += device.accepted_under != 0 && device.accepted_under != section.fingerprint;
    });
  } else if (!read_only || opened.error() != Error::not_found) {
    section.off = true;
  }
  wipe(file.pair.secret);
  return opened;
}

}  // namespace tocsin
