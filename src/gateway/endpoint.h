// UnifiedPush endpoints: who may have some, and how they are called. An endpoint's
// name is a keyed MAC over account, application and instance, so that it stays the same
// whenever the client asks for it again, and nobody guesses one. It is the node of
// its record in the registry; that it is held there means that the client called it gone.
#pragma once

#include <cstdint>

#include "base/time.h"
#include "base/writer.h"
#include "gateway/access.h"
#include "model/node_id.h"

namespace tocsin {

struct EndpointKey {
  uint8_t bytes[32] = {};
};

struct EndpointRules {
  bool offered = false;
  AccessRules access;            // whose users may have some
  string_view section;           // their section's name in the registry …
  uint8_t section_number = 255;  // … and its number there
  string_view public_url;        // "https://push.example.org": before the path
  Duration expiry = days(30);    // from a registration on
  uint32_t per_account = 50;
};

inline constexpr string_view endpoint_path = "/up/";
inline constexpr size_t endpoint_url_bytes_max = 400;  // "https://", a name, a port; path and node

// application and instance: as many bytes each as UnifiedPush says.
NodeId endpoint_node(const EndpointKey& key, string_view account, ByteView application, ByteView instance);
void write_endpoint_url(Writer& out, string_view public_url, const NodeId& node);
// The path of a URL that write_endpoint_url wrote, without a query. False: it is none.
bool read_endpoint_path(string_view path, NodeId& node);

}  // namespace tocsin
