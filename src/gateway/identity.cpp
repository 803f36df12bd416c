#include "gateway/identity.h"

#include "base/check.h"
#include "crypto/crypto.h"

namespace tocsin {
namespace {

// In the registry's file: never change. The last byte is the kind. p2 and Openfire's words are one kind: the same
// client may use either name for its device id.
constexpr uint8_t p2_mark[] = {0, 'i', 'd', 'p'};
constexpr uint8_t v1_mark[] = {0, 'i', 'd', 'v'};
constexpr uint8_t endpoint_mark[] = {0, 'i', 'd', 'u'};
constexpr size_t sha1_bytes = 20;
constexpr size_t part_bytes_max = 4096;  // of a field; the dialects refuse more

// SHA-1 of a, NUL, b: so p2 makes it and Conversations compares it.
void hash_pair(string_view a, string_view b, uint8_t out[20]) {
  GW_CHECK(a.size() <= part_bytes_max && b.size() <= part_bytes_max);
  uint8_t room[2 * part_bytes_max + 1];
  copy_bytes(room, bytes_of(a));
  room[a.size()] = 0;
  copy_bytes(room + a.size() + 1, bytes_of(b));
  sha1(ByteView(room).first(a.size() + 1 + b.size()), out);
}

bool is_p2(DialectId dialect) { return dialect == DialectId::p2 || dialect == DialectId::openfire; }

}  // namespace

Identity::Identity(const Command& command, string_view account) {
  const bool p2 = is_p2(command.dialect);
  if (!p2 && command.dialect != DialectId::v1) return;
  copy_bytes(bytes_, p2 ? ByteView(p2_mark) : ByteView(v1_mark));
  hash_pair(account, command.device_id, bytes_ + mark_bytes);
  size_ = mark_bytes + hash_bytes;
  if (command.channel.empty()) return;
  hash_pair(command.channel, command.device_id, bytes_ + size_);
  size_ += hash_bytes;
}

Identity::Identity(const NodeId& endpoint) : size_(mark_bytes + NodeId::size) {
  copy_bytes(bytes_, endpoint_mark);
  copy_bytes(bytes_ + mark_bytes, endpoint.view());
}

bool looks_like_identity(ByteView token) {
  constexpr size_t mark = sizeof p2_mark;
  if (token.size() == mark + NodeId::size && same(token.first(mark), endpoint_mark)) return true;
  if (token.size() != mark + sha1_bytes && token.size() != mark + 2 * sha1_bytes) return false;
  return same(token.first(mark), p2_mark) || same(token.first(mark), v1_mark);
}

void address(Notice& notice, const Registration& registration) {
  const ByteView hashes = registration.identity;
  switch (registration.dialect) {
    case DialectId::tigase:
    case DialectId::web_push: notice.addressee = Notice::Addressee::account; return;
    case DialectId::v1:
    case DialectId::unified_push: notice.addressee = Notice::Addressee::nobody; return;
    case DialectId::p2:
    case DialectId::openfire: break;
  }
  notice.addressee = Notice::Addressee::hashed;
  if (hashes.size() >= sizeof p2_mark + sha1_bytes) notice.account_hash = hashes.subspan(sizeof p2_mark, sha1_bytes);
  if (hashes.size() == sizeof p2_mark + 2 * sha1_bytes) notice.channel_hash = hashes.last(sha1_bytes);
}

}  // namespace tocsin
