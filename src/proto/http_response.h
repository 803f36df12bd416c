// The head of a response as a server writes it.
#pragma once

#include "base/bytes.h"
#include "base/result.h"

namespace tocsin {

struct HttpResponse;

bool may_have_body(uint16_t status);  // RFC 9112 §6.3: not 204 and 304

// Status line, fields, empty line; returns the size. Content-Length is that of response.body, for HEAD as well; 204 and
// 304 have none. Error::malformed: a field's name or value that would say something else on the wire; Error::too_long.
Result<size_t> write_response_head(const HttpResponse& response, bool close, Bytes room);

}  // namespace tocsin
