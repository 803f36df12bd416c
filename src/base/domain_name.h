// Domains compared as names: ASCII case and a trailing dot are ignored, U-labels
// compare equal to their A-labels (RFC 5891 §2.3, RFC 3492) after simple case
// folding of Latin, Greek and Cyrillic letters.
#pragma once

#include "base/bytes.h"

namespace tocsin {

bool same_domain(string_view a, string_view b);
// True for "muc.example.org" of "example.org", not for equal names.
bool is_subdomain(string_view name, string_view of);

}  // namespace tocsin
