// The memory of a gateway, from its settings: every row of the plan, and the
// sizes of the fences. wiring.cpp carves exactly what stands here; a test and a
// check at start-up hold the two together.
#pragma once

#include "link/origin_connection.h"
#include "load.h"
#include "mem/plan.h"
#include "settings/settings.h"

namespace tocsin {

struct HeapSizes {
  size_t process = 0;      // the C library and everything outside a scope; a reservation of its own
  size_t library = 0;      // process-wide state of mbed TLS and jansson
  size_t resolver = 0;     // c-ares
  size_t xml = 0;          // one expat parser
  size_t tls = 0;          // one TLS session
  size_t h2 = 0;           // one HTTP/2 session with APNs
  size_t h2_fcm = 0;       // … with FCM
  size_t h2_token = 0;     // … with the endpoint of access tokens
  size_t h2_web_push = 0;  // … with a push service
  size_t json = 0;         // one answer of a provider
  size_t key = 0;          // one signing key of APNs
  size_t rsa_key = 0;      // … of a service account
  size_t certificate = 0;  // what is shown to Apple in place of a token, with its key
  size_t roots(size_t pem_bytes) const { return 48 * 1024 + 4 * pem_bytes; }
  uint32_t streams = 0;      // in flight per HTTP/2 session with APNs
  uint32_t streams_fcm = 0;  // … with FCM
  uint32_t streams_web_push = 0;
};

// Of a connection to a push service. A request's head: a path and a token of 1,000 bytes each, and some headers.
inline constexpr OriginConnection::Sizes web_push_sizes{.output_bytes = 48 * 1024, .http1_head_bytes = 4 * 1024};

HeapSizes heap_sizes(const Settings& settings);

inline constexpr size_t process_heap_bytes = 1024 * 1024;
// Measured with 16 names at once: 92 KiB with c-ares 1.18, 191 KiB with 1.34.
inline constexpr size_t resolver_heap_bytes = 416 * 1024;

// Sections that are not off and name the same bundle share its roots: index of the first such section.
uint32_t roots_owner(const LoadedFiles& files, uint32_t section);

void plan_memory(const Settings& settings, const LoadedFiles& files, Plan& plan);

}  // namespace tocsin
