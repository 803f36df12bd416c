// Who may register and who may publish.
#pragma once

#include "base/bytes.h"

namespace tocsin {

// Parts of a JID (RFC 7622 §3.1) as views into it; a part that is absent is empty.
struct JidParts {
  string_view local;
  string_view domain;
  string_view bare;  // local@domain, or domain
};
JidParts split_jid(string_view jid);

struct AccessRules {
  std::span<const string_view> accounts;    // domains whose users may register; "*" = all
  std::span<const string_view> publishers;  // further domains that may publish
};
// jid: full or bare JID of the registrant; without a local part: false.
bool may_register(const AccessRules& rules, string_view jid);
// from: the publisher; account: the registrant's bare JID; channel: of the group chat that the device registered
// for, or "": its domain may publish as well.
bool may_publish(const AccessRules& rules, string_view from, string_view account, string_view channel = {});

}  // namespace tocsin
