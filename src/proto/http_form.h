// Percent-encoding and forms: what clients put into paths and bodies, decoded into the caller's room. Whatever could be
// read in two ways is refused.
#pragma once

#include "base/bytes.h"
#include "base/result.h"

namespace tocsin {

// Decodes %XX of one path segment (split at '/' first: %2F is a slash that separates nothing). Error::malformed: a '%'
// without two hex digits, or a NUL in any spelling; Error::too_long: over the room. The view is into the room.
Result<string_view> percent_decode(string_view text, Bytes room);

// The value of a field in an application/x-www-form-urlencoded body ('+' is a blank), decoded into the room; names are
// compared decoded. Error::not_found; Error::exists: it is there twice; Error::malformed and too_long as above,
// malformed for the fields that are not asked for, too. The view is into the room.
Result<string_view> form_field(string_view body, string_view name, Bytes room);

}  // namespace tocsin
