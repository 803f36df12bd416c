#include "gateway/endpoint.h"

#include "base/check.h"
#include "crypto/crypto.h"
#include "dialect/command.h"

namespace tocsin {

NodeId endpoint_node(const EndpointKey& key, string_view account, ByteView application, ByteView instance) {
  GW_CHECK(account.size() <= jid_bytes_max && application.size() == endpoint_part_bytes &&
           instance.size() == endpoint_part_bytes);
  // The two of known size in front: no two triples make one text.
  uint8_t room[2 * endpoint_part_bytes + jid_bytes_max];
  Writer text(room);
  text.bytes(application).bytes(instance).text(account);
  uint8_t mac[32];
  hmac_sha256(key.bytes, text.written(), mac);
  NodeId node;
  copy_bytes(node.bytes, ByteView(mac).first(NodeId::size));
  return node;
}

void write_endpoint_url(Writer& out, string_view public_url, const NodeId& node) {
  out.text(public_url).text(endpoint_path).base64url(node.view());
}

bool read_endpoint_path(string_view path, NodeId& node) {
  return starts_with(path, endpoint_path) && node.parse(slice(path, endpoint_path.size()));
}

}  // namespace tocsin
