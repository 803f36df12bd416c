// Reading XEP-0004 forms as clients and servers really send them: field types
// and FORM_TYPE are advisory, the first of several fields of one name counts.
#pragma once

#include "proto/stanza.h"

namespace tocsin {

inline constexpr string_view data_ns = "jabber:x:data";

// First <value> of field `var`; "" when the field or its value is absent.
string_view form_value(const Element* form, string_view var);

}  // namespace tocsin
