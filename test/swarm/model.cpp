#include "test/swarm/model.h"

#include <iterator>

#include "base/encode.h"
#include "base/siphash.h"
#include "registry/record.h"

namespace tocsin::swarm {
namespace {

constexpr const char* sections[] = {"apns/siskin", "fcm/conversations", "webpush"};
constexpr const char* providers[] = {"push", "push.example.org", "a provider with a rather long name"};
constexpr uint64_t not_of_any_model = 0x6d697373;

// Everything of a device that a client was told, or that the disk must keep.
uint64_t digest_of_device(const Registration& r, uint32_t stored, uint32_t accepted_under, bool held) {
  uint8_t text[full_record_bytes_max + 64];
  Writer all(text);
  uint8_t numbers[8 + 12 * 4];
  put_u64(numbers, static_cast<uint64_t>(r.registered.s));
  const size_t words[] = {
      stored,           accepted_under,    held,           static_cast<size_t>(r.dialect), r.account.size(),
      r.section.size(), r.provider.size(), r.token.size(), r.second_token.size(),          r.identity.size(),
      r.secret.size(),  r.channel.size()};
  for (size_t i = 0; i < std::size(words); ++i) put_u32(numbers + 8 + 4 * i, static_cast<uint32_t>(words[i]));
  all.bytes(r.node.view()).bytes(numbers).text(r.account).text(r.section).text(r.provider).bytes(r.token);
  all.bytes(r.second_token).bytes(r.identity).text(r.secret).text(r.channel);
  GW_CHECK(!all.overflowed());
  return siphash(HashKey{}, all.written());
}

void fill_from(uint64_t seed, Bytes room) {
  sim::Random random(seed);
  random.fill(room);
}

}  // namespace

Content random_content(sim::Random& random, uint32_t slot) {
  Content content;
  content.token = random.next();
  // Mostly as APNs and FCM have them; now and then one that makes a batch span several sectors.
  const uint64_t dice = random.below(16);
  content.token_bytes = static_cast<uint16_t>(dice == 0  ? random.between(1, token_bytes_max)
                                              : dice < 5 ? random.between(140, 180)
                                                         : 32);
  content.second_bytes = static_cast<uint16_t>(random.below(8) == 0 ? 32 : 0);
  content.account = static_cast<uint8_t>(slot / slots_per_account);
  content.section = static_cast<uint8_t>(random.below(3));
  content.provider = static_cast<uint8_t>(random.below(3));
  content.has_identity = random.below(4) == 0;
  content.identity = random.next();
  content.endpoint = is_endpoint(slot);
  if (content.endpoint) {
    content.token = content.identity = slot;
    content.token_bytes = 64;
    content.has_identity = true;
  }
  return content;
}

Registration Known::registration(Bytes room) const {
  GW_CHECK(room.size() >= content_room);
  Writer name(room.first(64));
  name.text("ann").unsigned_number(content.account).text("@example.org");
  const Bytes token = room.subspan(64, content.token_bytes);
  const Bytes second = room.subspan(64 + content.token_bytes, content.second_bytes);
  const Bytes identity = room.subspan(64 + content.token_bytes + content.second_bytes, content.has_identity ? 24 : 0);
  fill_from(content.token, token);
  fill_from(content.token + 1, second);
  fill_from(content.identity, identity);
  if (content.endpoint) {
    return {.node = node,
            .account = name.view(),
            .section = "unifiedpush",
            .token = token,
            .second_token = second,
            .registered = registered,
            .identity = identity,
            .dialect = DialectId::unified_push};
  }
  return {.node = node,
          .account = name.view(),
          .section = sections[content.section],
          .provider = providers[content.provider],
          .token = token,
          .second_token = second,
          .registered = registered,
          .identity = identity,
          .secret = content.has_identity ? "a secret of some length" : "",
          .channel = content.has_identity && content.section == 1 ? "room@chat.example.net" : "",
          .dialect = content.has_identity ? DialectId::p2 : DialectId::tigase};
}

void Model::set(uint32_t slot, const Known& known) {
  Known& was = known_[slot];
  if (was.in) {
    digest_ -= was.digest;
    --count_;
  }
  was = known;
  if (!was.in) return;
  uint8_t room[content_room];
  was.digest = digest_of_device(was.registration(room), was.stored, was.accepted_under, was.held);
  digest_ += was.digest;
  ++count_;
}

uint64_t digest_of(const Registry& registry, Bytes room) {
  uint64_t sum = 0;
  for (uint32_t i = 0; i < registry.count(); ++i) {
    const Device& device = *registry.device_at(i);
    Registration found;
    if (!registry.read(device, room, found).ok()) return not_of_any_model;
    sum += digest_of_device(found, device.refreshed_stored, device.accepted_under, device.held);
    uint8_t again[Registry::record_bytes_max];
    Registration same_device;
    const Status by_key = registry.find_device(found.account, found.key(), again, same_device, nullptr);
    if (!by_key.ok() || !(same_device.node == device.node)) return not_of_any_model;
    if (registry.find(device.node) != &device) return not_of_any_model;
  }
  return sum;
}

void describe_difference(const Model& model, const Registry& registry, Bytes room, Writer& out) {
  uint32_t common = 0;
  uint32_t missing = 0;
  uint32_t different = 0;
  uint32_t unreadable = 0;
  for (uint32_t slot = 0; slot < slots; ++slot) {
    const Known& known = model.at(slot);
    if (!known.in) continue;
    const Device* device = registry.find(known.node);
    if (device == nullptr) {
      ++missing;
      continue;
    }
    ++common;
    Registration found;
    if (!registry.read(*device, room, found).ok()) {
      ++unreadable;
    } else if (digest_of_device(found, device->refreshed_stored, device->accepted_under, device->held) !=
               known.digest) {
      ++different;
    }
  }
  out.unsigned_number(model.count()).text(" devices acknowledged: ").unsigned_number(missing).text(" missing, ");
  out.unsigned_number(different).text(" different, ").unsigned_number(unreadable).text(" unreadable, ");
  out.unsigned_number(registry.count() - common).text(" others there");
}

}  // namespace tocsin::swarm
