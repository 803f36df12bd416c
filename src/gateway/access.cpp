#include "gateway/access.h"

#include "base/domain_name.h"
#include "base/text.h"

namespace tocsin {

JidParts split_jid(string_view jid) {
  // The resource starts at the first slash, the domain behind the first @ before it (RFC 7622 §3.1).
  const size_t slash = jid.find('/');
  JidParts parts;
  parts.bare = slash == string_view::npos ? jid : slice(jid, 0, slash);
  const size_t at = parts.bare.find('@');
  parts.local = at == string_view::npos ? string_view() : slice(parts.bare, 0, at);
  parts.domain = at == string_view::npos ? parts.bare : slice(parts.bare, at + 1);
  return parts;
}

bool may_register(const AccessRules& rules, string_view jid) {
  const JidParts parts = split_jid(jid);
  if (parts.local.empty() || parts.domain.empty()) return false;
  for (const string_view domain : rules.accounts) {
    if (domain == "*" || same_domain(domain, parts.domain)) return true;
  }
  return false;
}

bool may_publish(const AccessRules& rules, string_view from, string_view account, string_view channel) {
  const string_view publisher = split_jid(from).domain;
  const string_view home = split_jid(account).domain;
  // Group chats publish from a subdomain of the registrant's.
  if (same_domain(publisher, home) || is_subdomain(publisher, home)) return true;
  if (!channel.empty() && same_domain(publisher, split_jid(channel).domain)) return true;
  for (const string_view domain : rules.publishers) {
    if (same_domain(domain, publisher)) return true;
  }
  return false;
}

}  // namespace tocsin
