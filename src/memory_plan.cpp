#include "memory_plan.h"

#include "gateway/enroll.h"
#include "gateway/publish.h"
#include "link/component_link.h"
#include "link/origin_connection.h"
#include "wiring.h"

namespace tocsin {

HeapSizes heap_sizes(const Settings& settings) {
  const uint32_t pushes = settings.limits.max_inflight + settings.limits.max_pending;
  HeapSizes sizes;
  sizes.process = process_heap_bytes;
  sizes.library = 64 * 1024;
  sizes.resolver = resolver_heap_bytes;
  // expat doubles its buffer until the longest token fits, and interns names up to half the fence.
  sizes.xml = 192 * 1024 + 4 * size_t{settings.xmpp.max_stanza_bytes};
  // Measured peak of a handshake: 47 KiB (EC chain) to 59 KiB (RSA-4096, three certificates) with
  // mbed TLS 2.28, 57 to 61 KiB with 3.6; a chain that also sends its root needs some more.
  sizes.tls = 80 * 1024;
  sizes.streams = pushes < 1000 ? pushes : 1000;
  sizes.h2 = region_rounded(h2_session_bytes(sizes.streams));  // carved in pairs
  // Google's own library stops there "to respect backend limit". A request carries an access token of up to 2,048
  // bytes.
  sizes.streams_fcm = pushes < 100 ? pushes : 100;
  sizes.h2_fcm = region_rounded(h2_session_bytes(sizes.streams_fcm, 2600, 8));
  sizes.streams_web_push = pushes < 32 ? pushes : 32;  // of each origin
  sizes.h2_web_push = region_rounded(h2_session_bytes(sizes.streams_web_push, 2600, 12));
  sizes.h2_token = region_rounded(h2_session_bytes(1));
  sizes.json = 16 * 1024;
  sizes.key = 16 * 1024;          // measured: 6 KiB while it is read, 2 KiB afterwards
  sizes.certificate = 64 * 1024;  // measured: 11 KiB with RSA-2048; text of the largest file, and several of them, fit
  sizes.rsa_key = 32 * 1024;      // measured: 8.4 KB while it signs, 2.8 KB afterwards; with 4,096 bits 15.9 and 5.0
  return sizes;
}

uint32_t roots_owner(const LoadedFiles& files, uint32_t section) {
  for (uint32_t i = 0; i < section; ++i) {
    if (!files.sections[i].off && files.sections[i].ca.data() == files.sections[section].ca.data()) return i;
  }
  return section;
}

static void plan_listener(const ListenerOptions& listener, Plan& plan) {
  plan.add("clients", 1, ClientLimits::bytes_for(), "how often each of the last clients came");
  plan.add("web connections", listener.connections, sizeof(WebConnection), "those that connect to us");
  plan.add("web rooms", listener.connections, WebConnection::room_bytes(listener.connection),
           "a request and its answer, and ciphertext that waits to leave");
  if (listener.connection.tls)
    plan.add("web tls heaps", listener.connections, WebConnection::heap_bytes(listener.connection),
             "mbed TLS: one session of a client");
}

static void plan_listeners(const Settings& settings, Plan& plan) {
  if (settings.listen.on) {
    plan.add("unregistrations", 1, Forget::bytes_for(settings.listen.max_connections), "answers that wait for a sync");
    plan_listener(Wiring::public_listener(settings), plan);
    if (settings.listen.tls)
      plan.add("web certificates", 2, TlsServerCertificate::heap_bytes, "the pair in use and the one that is tried");
  }
  if (settings.metrics.on) plan_listener(Wiring::metrics_listener(settings), plan);
}

void plan_memory(const Settings& settings, const LoadedFiles& files, Plan& plan) {
  const HeapSizes heaps = heap_sizes(settings);
  const LimitSettings& limits = settings.limits;
  const PublishLimits publish = Wiring::publish_limits(settings);
  const uint32_t pushes = Publish::pushes_for(publish);

  plan.add_apart("process heap", 1, heaps.process, "the C library, and what libraries allocate outside their sessions");
  plan.add_apart("library heap", 1, heaps.library, "state that mbed TLS keeps for the whole process");
  plan.add_apart("resolver heap", 1, heaps.resolver, "c-ares: name look-ups under way");
  plan.add("wiring", 1, sizeof(Wiring), "every object that exists once, and the sections");
  plan.add("xml heap", 1, heaps.xml, "expat: names it keeps and the longest token of max_stanza_bytes");
  plan.add("json heap", 1, heaps.json, "jansson: one answer of a provider");
  plan.add("stanza tree", 1, ComponentLink::arena_bytes(settings.xmpp.max_stanza_bytes),
           "the stanza that is being read");
  plan.add("component output", 1, ComponentLink::output_bytes(limits.max_inflight), "answers that wait to leave");
  plan.add("component input", 1, ComponentLink::input_bytes, "one receive");
  plan.add("registry", 1, Registry::bytes_for(Wiring::registry_options(settings)),
           "max_devices index entries and two staging buffers");
  plan.add("throttle", 1, Throttle::bytes_for(Wiring::throttle_options(settings)),
           "limits of the devices that were active last");
  plan.add("publishers", 1, Publishers::bytes_for(), "limits of the domains that published last");
  plan.add("jobs", limits.max_inflight, Pool<Job>::slot_bytes, "max_inflight publishes that wait for their answer");
  plan.add("pushes", pushes, Pool<Push>::slot_bytes, "max_inflight + max_pending requests with their bytes");
  plan.add("push deadlines", pushes, sizeof(Push*), "what waits for its retry, by time");
  plan.add("record (publish)", 1, Registry::record_bytes_max, "one registration read from the registry");
  if (publish.dead_tokens > 0) {
    plan.add("dead tokens", 1, DeadTokens::bytes_for(publish.dead_tokens), "stateless devices that are gone or held");
  }
  plan.add("waiting registrations", 1, Enroll::waiting_bytes, "answers that wait for a sync");
  plan.add("record (register)", 1, Registry::record_bytes_max, "one registration read from the registry");
  plan.add("token scratch", 1, 2 * token_bytes_max, "tokens of one registration, normalised");
  if (const RelayLimits relays = Wiring::relay_limits(settings); relays.waiting > 0) {
    plan.add("relays", 1, Relay::bytes_for(relays), "posts to endpoints that wait for their client, with their bytes");
  }
  plan.add("ciphertext", 1, LinkScratch::cipher_bytes, "one receive of any provider");
  plan.add("plaintext", 1, LinkScratch::plain_bytes, "one TLS record of any provider");
  plan_listeners(settings, plan);
  for (uint32_t i = 0; i < settings.section_count(); ++i) {
    const bool apns = settings.is_apns(i);
    const bool web_push = settings.is_webpush(i);
    if (web_push) {
      plan.add("web push section", 1, Wiring::web_push_bytes(),
               "its key, and the lanes to the origins that devices name");
      plan.add("p256 heap", 1, OwnP256::heap_bytes, "one message's or token's arithmetic");
      plan.add("vapid tokens", 1, Wiring::vapid_tokens * sizeof(VapidToken), "origins that were signed for last");
    }
    if (settings.is_fcm(i)) plan.add("fcm section", 1, Wiring::fcm_bytes(), "its service account and access token");
    if (files.sections[i].off) continue;
    if (roots_owner(files, i) == i) {
      plan.add("roots", 1, heaps.roots(files.sections[i].ca.size()), "certificates a provider may be signed by");
    }
    if (web_push) {
      constexpr uint32_t lanes = Wiring::web_push_lanes;
      plan.add("origin tls heaps", lanes, heaps.tls, "mbed TLS: one connection for each origin at a time");
      plan.add("origin h2 heaps", lanes, heaps.h2_web_push, "nghttp2: streams in flight on each");
      plan.add("origin tls output", lanes, web_push_sizes.output_bytes, "ciphertext that waits to leave");
      plan.add("origin http/1.1", lanes, web_push_sizes.http1_head_bytes, "the head of one request");
      continue;
    }
    const bool certificate = apns && !files.sections[i].certificate.empty();
    if (certificate) {
      plan.add("certificate", 1, heaps.certificate, "what the section shows to Apple, and its key");
    } else {
      plan.add("key", 1, apns ? heaps.key : heaps.rsa_key, "the section's signing key");
    }
    plan.add("tls heaps", 2, heaps.tls, "mbed TLS: the section's connection and one that drains");
    plan.add("h2 heaps", 2, apns ? heaps.h2 : heaps.h2_fcm, "nghttp2: streams in flight on either");
    plan.add("tls output", 2, OriginConnection::Sizes{}.output_bytes, "ciphertext that waits to leave");
    if (apns) continue;
    plan.add("token tls heaps", 2, heaps.tls, "the same for where the section's access tokens are fetched");
    plan.add("token h2 heaps", 2, heaps.h2_token, "one request at a time");
    plan.add("token tls output", 2, OriginConnection::Sizes{}.output_bytes, "ciphertext that waits to leave");
  }
}

}  // namespace tocsin
