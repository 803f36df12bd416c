#include "gateway/lane.h"

#include "base/check.h"

namespace tocsin {
namespace {

constexpr string_view scheme = "https://";

}  // namespace

Instant Lane::waiting_since() const {
  // never() + 1 s must not overflow.
  Instant since = Instant::never() - slow_after;
  if (const Push* left = in_flight.first()) since = earlier(since, left->sent);
  if (const Push* waiting = ready.first()) since = earlier(since, waiting->ready_since);
  return since;
}

void Lane::move_to(string_view to) {
  GW_CHECK(idle() && starts_with(to, scheme));
  GW_CHECK(origin.assign(to));
  const Result<HostPort> where = parse_host_port(slice(to, scheme.size()), 443);
  GW_CHECK(where.ok());  // an origin is part of an endpoint that was normalised
  host = where.value();
  ++moves;
  gives_way = false;
  down_until = Instant{};
  trouble.clear();
}

}  // namespace tocsin
