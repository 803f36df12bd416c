// UnifiedPush: who may have endpoints, and how much of everything else they may take.
#include "wiring.h"

namespace tocsin {
namespace {

// Posts to endpoints that wait for their client: each is looked for among all of them.
constexpr uint32_t relays_max = 256;
// What the registry calls the section of endpoints.
constexpr string_view endpoint_section = "unifiedpush";

}  // namespace

RelayLimits Wiring::relay_limits(const Settings& settings) {
  if (!settings.unified_push.offered) return {};
  const uint32_t inflight = settings.limits.max_inflight;
  return {.waiting = inflight < relays_max ? inflight : relays_max, .body_bytes_max = settings.unified_push.max_body};
}

EndpointRules Wiring::endpoint_rules(const AccessRules& access) {
  const UnifiedPushSettings& settings = settings_.unified_push;
  EndpointRules rules;
  rules.offered = settings.offered;
  rules.access.accounts = access.accounts;
  uint32_t count = 0;
  for (const Domain& domain : settings.accounts) endpoint_accounts_[count++] = domain.view();
  if (count > 0) rules.access.accounts = {endpoint_accounts_, count};
  names_[section_count_] = rules.section = endpoint_section;
  rules.section_number = static_cast<uint8_t>(section_count_);
  rules.public_url = settings_.listen.public_url.view();
  rules.expiry = settings.expiry;
  rules.per_account = settings.endpoints_per_account;
  return rules;
}

}  // namespace tocsin
