#include "gateway/publishers.h"

#include <new>

#include "base/domain_name.h"
#include "base/text.h"

namespace tocsin {
namespace {

constexpr Duration say_every = hours(1);
constexpr size_t domain_hashed_max = 255;  // longer ones are no names

}  // namespace

Publishers::Publishers(Region& region, const Options& options, const AccessRules& access)
    : options_(options),
      access_(access),
      entries_(reinterpret_cast<Publisher*>(region.carve(sizeof(Publisher) * domains_kept).data())) {
  for (uint32_t i = 0; i < domains_kept; ++i) new (entries_ + i) Publisher;
  entries_[domains_kept - 1].own = true;
}

bool Publishers::is_own(string_view domain) const {
  for (const string_view own : access_.accounts) {
    if (own != "*" && (same_domain(domain, own) || is_subdomain(domain, own))) return true;
  }
  for (const string_view own : access_.publishers) {
    if (same_domain(domain, own)) return true;
  }
  return false;
}

Publisher& Publishers::of(string_view from, Instant now) {
  const string_view domain = slice(split_jid(from).domain, 0, domain_hashed_max);
  uint8_t lower[domain_hashed_max];
  for (size_t i = 0; i < domain.size(); ++i) lower[i] = static_cast<uint8_t>(to_lower(domain[i]));
  uint64_t hash = siphash(key_, ByteView(lower).first(domain.size()));
  if (hash == 0) hash = 1;
  Publisher* calmest = nullptr;
  for (uint32_t i = 0; i + 2 < domains_kept; ++i) {
    Publisher& each = entries_[i];
    if (each.domain == hash) return each;
    // Whoever has not paid for its past pushes yet is remembered, or it would begin anew each time.
    const bool bound = each.jobs > 0 || each.pushes > 0 || each.paid_until > now;
    if (!bound && (calmest == nullptr || each.paid_until < calmest->paid_until)) calmest = &each;
  }
  if (calmest == nullptr) return entries_[domains_kept - (is_own(domain) ? 1 : 2)];
  *calmest = Publisher{.domain = hash, .own = is_own(domain)};
  return *calmest;
}

Instant Publishers::leaves_at(const Publisher& publisher, Instant now) const {
  if (is_free(publisher)) return now;
  return later(now, publisher.paid_until - options_.interval * (int64_t{options_.burst} - 1));
}

void Publishers::count(Publisher& publisher, Instant now) const {
  if (!is_free(publisher)) publisher.paid_until = later(publisher.paid_until, now) + options_.interval;
}

bool Publishers::say_limited(Instant now) {
  if (now < say_after_) return false;
  say_after_ = now + say_every;
  return true;
}

}  // namespace tocsin
