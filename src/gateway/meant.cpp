// Who is meant by a publish, and may it be sent there: registered devices by
// their node, stateless ones (fpush) by token and pushModule.
#include "base/encode.h"
#include "gateway/identity.h"
#include "gateway/publish.h"

namespace tocsin {
namespace {

// fpush takes a publish without options for this module.
constexpr string_view default_module = "default";

}  // namespace

Publish::Meant Publish::meant(const Command& command, Instant now) {
  Meant meant;
  const bool ours = meant.node.parse(command.node);
  const Device* device = ours ? tools_.registry.find(meant.node) : nullptr;
  if (device != nullptr) {
    meant.device = device;
    find_registered(command, *device, meant);
  } else {
    find_stateless(command, ours, now, meant);
  }
  if (meant.section != nullptr && meant.section->off) meant.refuse(Outcome::config, "section off");
  return meant;
}

void Publish::find_registered(const Command& command, const Device& device, Meant& meant) {
  Registration& registration = meant.registration;
  if (const Status read = tools_.registry.read(device, record_room_, registration); !read.ok()) {
    return meant.refuse(Outcome::busy, describe(read.error()));
  }
  if (registration.is_endpoint()) return meant.refuse(Outcome::unknown, "");  // its node is for HTTPS
  if (!may_publish(tools_.access, command.iq.from, registration.account, registration.channel)) {
    return meant.refuse(Outcome::unknown, "");
  }
  const ByteView secret = bytes_of(registration.secret);
  if (!secret.empty() && !same_in_constant_time(secret, bytes_of(command.secret))) {
    // What was cut off may have held it: a stranger's long stanza must not cost anybody a registration.
    if (command.incomplete) return meant.refuse(Outcome::retry, "incomplete");
    return meant.refuse(Outcome::unknown, "secret");
  }
  meant.provider = registration.section;
  if (device.section >= tools_.sections.size()) return meant.refuse(Outcome::config, "section missing");
  meant.section = &tools_.sections[device.section];
  if (!command.sandbox || meant.section->sandbox || meant.section->kind() != "apns") return;
  // Production would call a token of the sandbox a bad one, and a device could end for it.
  Section& partner = tools_.sections[meant.section->partner];
  if (!partner.sandbox) return meant.refuse(Outcome::config, "no section for the sandbox");
  meant.section = &partner;
}

// The node is a token as the provider knows it; nothing of it is kept. ours: it has the form of our own nodes.
void Publish::find_stateless(const Command& command, bool ours, Instant now, Meant& meant) {
  const bool named = !command.module.empty();
  if (!named && command.incomplete && !ours) return meant.refuse(Outcome::retry, "incomplete");
  Section* section = nullptr;
  if (named || !ours) {
    for (Section& candidate : tools_.sections) {
      if (candidate.has_module(named ? command.module : default_module)) section = &candidate;
    }
  }
  // Without pushModule it is a node like any other, and not known.
  if (section == nullptr && !named) return meant.refuse(Outcome::unknown, "");
  // A section may be missing for a while only, or be spelt wrong in the conf.
  if (section == nullptr) return meant.refuse(Outcome::config, "no section for this pushModule");
  meant.provider = section->name;
  Arena scratch(record_room_);
  const Result<ByteView> token = section->provider->normalise_token(command.node, scratch);
  if (!token.ok()) {
    // The module may be listed in the wrong section: with one named, the node is not called unknown for that.
    return named ? meant.refuse(Outcome::config, "no token of this section") : meant.refuse(Outcome::unknown, "");
  }
  meant.section = section;
  meant.stateless = true;
  meant.node = stateless_node(*section, token.value());
  meant.registration.node = meant.node;
  meant.registration.section = section->name;
  meant.registration.token = token.value();
  switch (dead_.state(meant.node, now)) {
    case DeadTokens::State::unknown: return;
    case DeadTokens::State::dead: return meant.refuse(Outcome::dead, "known as dead");
    case DeadTokens::State::held: return meant.refuse(Outcome::held, "");
  }
}

// By what limits, judgements and the log know a stateless device: a keyed hash, which nobody can choose.
NodeId Publish::stateless_node(const Section& section, ByteView token) const {
  uint8_t room[1 + 64 + token_bytes_max];
  GW_CHECK(section.name.size() <= 64 && token.size() <= token_bytes_max);
  NodeId node;
  for (uint8_t half = 0; half < 2; ++half) {
    room[0] = half;
    copy_bytes(room + 1, bytes_of(section.name));
    copy_bytes(room + 1 + section.name.size(), token);
    put_u64(node.bytes + 8 * half, siphash(key_, ByteView(room).first(1 + section.name.size() + token.size())));
  }
  return node;
}

void Publish::name_addressee(const Meant& meant, Notice& notice) {
  if (meant.stateless) {
    notice.addressee = Notice::Addressee::nobody;
  } else {
    address(notice, meant.registration);
  }
}

}  // namespace tocsin
