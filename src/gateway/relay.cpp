#include "gateway/relay.h"

#include <new>

#include "dialect/unified_push.h"
#include "gateway/pseudonym.h"

namespace tocsin {
namespace {

constexpr uint16_t accepted = 201;
constexpr uint16_t empty = 400;
constexpr uint16_t gone = 404;
constexpr uint16_t too_large = 413;
constexpr uint16_t too_many = 429;
constexpr uint16_t unexpected = 500;
constexpr uint16_t unavailable = 503;

}  // namespace

size_t Relay::bytes_for(const RelayLimits& limits) {
  if (limits.waiting == 0) return 0;
  return region_rounded(sizeof(Slot) * limits.waiting) +
         region_rounded(size_t{limits.body_bytes_max} * limits.waiting) + region_rounded(sizeof(Bucket) * buckets) +
         region_rounded(sizeof(Present) * presences) + region_rounded(push_stanza_bytes(limits.body_bytes_max)) +
         region_rounded(Registry::record_bytes_max);
}

Relay::Relay(Region& region, const RelayLimits& limits, const RelayTools& tools) : tools_(tools), limits_(limits) {
  if (limits.waiting == 0) return;
  uint8_t* slots = region.carve(sizeof(Slot) * limits.waiting).data();
  const Bytes bodies = region.carve(size_t{limits.body_bytes_max} * limits.waiting);
  for (uint32_t i = 0; i < limits.waiting; ++i) {
    Slot* slot = new (slots + sizeof(Slot) * i) Slot;
    slot->body = bodies.subspan(size_t{limits.body_bytes_max} * i, limits.body_bytes_max);
    free_.push_back(*slot);
  }
  buckets_ = reinterpret_cast<Bucket*>(region.carve(sizeof(Bucket) * buckets).data());
  for (uint32_t i = 0; i < buckets; ++i) new (buckets_ + i) Bucket;
  presences_ = reinterpret_cast<Present*>(region.carve(sizeof(Present) * presences).data());
  for (uint32_t i = 0; i < presences; ++i) new (presences_ + i) Present;
  stanza_room_ = region.carve(push_stanza_bytes(limits.body_bytes_max));
  record_room_ = region.carve(Registry::record_bytes_max);
}

// ---- a post ----------------------------------------------------------------

// An endpoint that there is, that is not gone and not over.
const Device* Relay::find(string_view path, UnixTime wall) const {
  NodeId node;
  if (!read_endpoint_path(path, node)) return nullptr;
  const Device* device = tools_.registry.find(node);
  if (device == nullptr || device->section != tools_.endpoints.section_number || device->held) return nullptr;
  const UnixTime until = UnixTime{int64_t{device->refreshed}} + tools_.endpoints.expiry;
  return plausible(wall) && wall > until ? nullptr : device;
}

Relay::Outcome Relay::post(string_view path, ByteView body, uint64_t waiter, Instant now, UnixTime wall) {
  const Device* device = limits_.waiting == 0 ? nullptr : find(path, wall);
  if (device == nullptr) return {.status = gone};
  if (body.empty()) return {.status = empty};
  if (body.size() > limits_.body_bytes_max) return {.status = too_large};
  const auto refuse = [&](uint16_t status, string_view reason, uint16_t after) {
    log_relay(device->node, status, reason, {});
    return Outcome{.status = status, .retry_after = after};
  };
  Registration endpoint;
  if (!tools_.registry.read(*device, record_room_, endpoint).ok()) return refuse(unavailable, "registry", 0);
  if (const uint16_t after = limit(device->node, now); after > 0) return refuse(too_many, "limit", after);
  FixedText<jid_bytes_max> to;
  uint8_t room[jid_bytes_max];
  Writer client(room);
  client.text(endpoint.account).character('/').bytes(endpoint.second_token);
  const bool whole =
      endpoint.token.size() == 2 * endpoint_part_bytes && !client.overflowed() && to.assign(client.view());
  if (!whole) return refuse(unexpected, "record", 0);
  FixedText<id_bytes> id;
  make_id(id);
  if (!send(id.view(), to.view(), endpoint.token, body)) return refuse(unavailable, "server", 0);
  if (!may_wait(*device)) {
    log_relay(device->node, accepted, "not awaited", {});
    return {.status = accepted};
  }
  Slot& slot = *free_.first();
  free_.remove(slot);
  slot.elsewhere = false;
  slot.status = 0;
  slot.account = device->account_hash;
  slot.waiter = waiter;
  slot.posted = now;
  slot.node = device->node;
  slot.id = id;
  slot.to = to;
  copy_bytes(slot.parts, endpoint.token);
  copy_bytes(slot.body.data(), body);
  slot.body_bytes = static_cast<uint32_t>(body.size());
  open_.push_back(slot);
  return {.waiter = waiter};
}

bool Relay::may_wait(const Device& device) const {
  if (free_.empty()) return false;
  uint32_t of_endpoint = 0;
  uint32_t of_account = 0;
  for (const Slot* slot = open_.first(); slot != nullptr; slot = open_.after(*slot)) {
    of_endpoint += slot->node == device.node ? 1 : 0;
    of_account += slot->account == device.account_hash ? 1 : 0;
  }
  return of_endpoint < waiting_of_endpoint && of_account < (limits_.waiting + 3) / 4;
}

// A full neighbourhood forgets whose bucket is fullest, which errs on the side of sending. Nobody chooses where an
// endpoint is: its name is a MAC.
uint16_t Relay::limit(const NodeId& node, Instant now) {
  Bucket* const first = buckets_ + get_u32(node.bytes) % (buckets / ways) * ways;
  Bucket* mine = first;
  for (Bucket* each = first; each != first + ways; ++each) {
    if (each->node == node) {
      mine = each;
      break;
    }
    if (each->full < mine->full) mine = each;
  }
  if (!(mine->node == node)) *mine = {.node = node};
  const Instant full = later(mine->full, now) + interval;
  if (full > now + interval * burst) return static_cast<uint16_t>((full - now - interval * burst).whole_seconds() + 1);
  mine->full = full;
  return 0;
}

// 96 bits by chance: nobody answers what was not sent to him.
void Relay::make_id(FixedText<id_bytes>& id) {
  uint8_t random[id_bytes / 4 * 3];
  tools_.random.fill(random);
  uint8_t text[id_bytes];
  Writer out(text);
  out.base64url(random);
  GW_CHECK(id.assign(out.view()));
}

bool Relay::send(string_view id, string_view to, ByteView parts, ByteView body) {
  Writer out(stanza_room_);
  write_push(out, {.id = id, .from = to, .to = tools_.domain}, parts.first(endpoint_part_bytes),
             parts.subspan(endpoint_part_bytes), body);
  GW_CHECK(!out.overflowed());
  return tools_.outbox.roomy(out.size()) && tools_.outbox.send(out.view());
}

bool Relay::next(Outcome& out) {
  Slot* slot = done_.first();
  if (slot == nullptr) return false;
  done_.remove(*slot);
  out = {.status = slot->status, .waiter = slot->waiter};
  free_.push_back(*slot);
  return true;
}

// ---- its answer ------------------------------------------------------------

void Relay::heard(const Command& reply, Instant now, UnixTime wall) {
  Slot* slot = open_.first();
  while (slot != nullptr && (slot->id.view() != reply.iq.id || slot->to.view() != reply.iq.from)) {
    slot = open_.after(*slot);
  }
  if (slot == nullptr) return;
  if (const uint16_t status = judge(*slot, reply, wall); status != 0) finish(*slot, status, reply.condition, now);
}

// 0: another client is asked.
uint16_t Relay::judge(Slot& slot, const Command& reply, UnixTime wall) {
  const string_view condition = reply.condition;
  if (condition.empty()) {
    if (slot.elsewhere) store_client(slot);
    return accepted;
  }
  // What another client than the one that registered says is no word about the endpoint.
  if (slot.elsewhere) return unavailable;
  if (condition == "item-not-found") {
    // Not durable or not even staged, it is asked again with the next post.
    (void)tools_.registry.hold(slot.node, condition, wall).ok();
    return gone;
  }
  if (condition == "feature-not-implemented") return gone;
  if (condition == "service-unavailable" || condition == "recipient-unavailable") {
    return try_elsewhere(slot) ? 0 : unavailable;
  }
  return reply.error_type == "wait" ? too_many : unexpected;
}

// The client is not there under its former name; perhaps it is under the one that the account showed last.
bool Relay::try_elsewhere(Slot& slot) {
  const Present* now = present(split_jid(slot.to.view()).bare);
  if (now == nullptr || now->jid.view() == slot.to.view()) return false;
  FixedText<id_bytes> id;
  make_id(id);
  if (!send(id.view(), now->jid.view(), slot.parts, ByteView(slot.body).first(slot.body_bytes))) return false;
  slot.elsewhere = true;
  slot.id = id;
  GW_CHECK(slot.to.assign(now->jid.view()));
  return true;
}

// It took the push: from now on they go there.
void Relay::store_client(const Slot& slot) {
  const Device* device = tools_.registry.find(slot.node);
  Registration endpoint;
  if (device == nullptr || !tools_.registry.read(*device, record_room_, endpoint).ok()) return;
  const JidParts jid = split_jid(slot.to.view());
  const string_view resource = slice(slot.to.view(), jid.bare.size() + 1);
  if (endpoint.account != jid.bare || resource.size() > token_bytes_max) return;
  endpoint.second_token = bytes_of(resource);
  // The client did not register again: its expiry stays.
  (void)tools_.registry.change(endpoint, UnixTime{int64_t{device->refreshed}}).ok();
}

// ---- who is there ----------------------------------------------------------

Relay::Present* Relay::present(string_view account) {
  for (uint32_t i = 0; i < presences; ++i) {
    if (!presences_[i].jid.empty() && split_jid(presences_[i].jid.view()).bare == account) return &presences_[i];
  }
  return nullptr;
}

void Relay::presence(const Command& presence) {
  if (limits_.waiting == 0) return;
  const string_view from = presence.iq.from;
  const JidParts jid = split_jid(from);
  if (jid.local.empty() || jid.bare.size() + 1 >= from.size() || from.size() > presence_bytes_max) return;
  Present* entry = present(jid.bare);
  if (!presence.available) {
    if (entry != nullptr && entry->jid.view() == from) *entry = {};
    return;
  }
  if (!tools_.registry.has_any(jid.bare)) return;
  if (entry == nullptr) {
    entry = presences_;
    for (uint32_t i = 0; i < presences; ++i) {
      if (presences_[i].used < entry->used) entry = &presences_[i];
    }
  }
  GW_CHECK(entry->jid.assign(from));
  entry->used = ++clock_;
}

// ---- time ------------------------------------------------------------------

void Relay::tick(Instant now) {
  while (Slot* slot = open_.first()) {
    if (slot->posted + answer_within > now) return;
    // It is with the server, which gives it to the client when that is there again; unless the server is gone.
    finish(*slot, tools_.outbox.roomy(0) ? accepted : unavailable, "no answer", now);
  }
}

Instant Relay::due() const { return open_.empty() ? Instant::never() : open_.first()->posted + answer_within; }

void Relay::stop(Instant now) {
  while (Slot* slot = open_.first()) finish(*slot, accepted, "stopping", now);
}

void Relay::finish(Slot& slot, uint16_t status, string_view reason, Instant now) {
  slot.status = status;
  open_.remove(slot);
  done_.push_back(slot);
  log_relay(slot.node, status, reason, now - slot.posted);
}

void Relay::log_relay(const NodeId& node, uint16_t status, string_view reason, Duration took) {
  // An application that posts too much fills no log.
  const Level level = status == too_many ? Level::debug : Level::info;
  if (!tools_.log.enabled(level)) return;
  uint8_t text[10];
  Writer device(text);
  write_pseudonym(device, key_, node);
  LogLine line(tools_.log, level, "relay");
  line.field("device", device.view()).field("status", int64_t{status});
  if (!reason.empty()) line.field("reason", reason);
  line.field("ms", took.ms());
}

}  // namespace tocsin
