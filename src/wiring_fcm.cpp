// FCM: its service account, and the way to where its access tokens are fetched.
#include <new>

#include "wiring.h"

namespace tocsin {
namespace {

// One token an hour: nobody needs the connection in between.
constexpr Duration token_idle_close = seconds(10);

}  // namespace

// The account is read here, because it names the project and a host; whether it is good is said by arm().
const Provider& Wiring::make_fcm(const FcmSettings& settings, const LoadedFiles::Provider& files, Region& region,
                                 Origin& origin) {
  FcmParts& fcm = *new (region.carve(sizeof(FcmParts)).data()) FcmParts;
  origin.fcm = &fcm;
  if (!files.off) {
    JsonDocument json(*json_heap_);
    string_view pem;
    (void)fcm.account.read(text_of(files.key), json, pem, fcm.problem).ok();
  }
  return fcm.provider.emplace(FcmOptions{.clear_text = settings.clear_text, .empty = empty_of(settings.empty)},
                              fcm.account.project);
}

void Wiring::wire_token(const FcmSettings& settings, Section& section, Origin& origin, Region& region) {
  const HeapSizes heaps = heap_sizes(settings_);
  FcmParts& fcm = *origin.fcm;
  fcm.token.emplace(fcm.key, fcm.account);
  fcm.desk.emplace(*fcm.token, section, source(), port_.entropy, *json_heap_, log_);
  fcm.way.make(region, heaps.tls, heaps.h2_token);
  const bool moved = !settings.token_endpoint.host.empty();
  fcm.desk->lane().link = static_cast<uint8_t>(section_count_ + section.number);
  fcm.desk->lane().host = moved ? settings.token_endpoint : fcm.account.token_host;
  fcm.way.link.emplace(region, fcm.way.tls_heaps(), fcm.way.h2_heaps(),
                       OriginOptions{.roots = &origins_[origin.roots_owner].roots,
                                     .h2 = {.first_streams = 1, .streams_max = 1},
                                     .idle_close = token_idle_close},
                       fcm.desk->lane(), *fcm.desk, port_, scratch_, log_);
}

}  // namespace tocsin
