#include "proto/http_framing.h"

#include "base/text.h"

namespace tocsin {

namespace {

using Kind = HttpFraming::Kind;

HttpFraming malformed(const char* problem) { return {Kind::malformed, 0, problem}; }

HttpFraming coding_of(string_view codings) {
  if (same_ignoring_case(codings, "chunked")) return {Kind::chunked};
  bool chunked = false;
  bool more = true;
  while (more) {
    more = codings.find(',') != string_view::npos;
    const string_view coding = trim(take_until(codings, ','));
    if (chunked) return malformed("chunked is not the last transfer coding");
    // Parameters too: no coding that is left has any.
    if (!is_http_token(coding)) return malformed("not a transfer coding");
    chunked = same_ignoring_case(coding, "chunked");
  }
  return {Kind::unknown_coding, 0, "a transfer coding other than chunked"};
}

}  // namespace

HttpFraming framing_of(const HttpFields& fields) {
  const string_view length = fields.value("content-length");
  const string_view codings = fields.value("transfer-encoding");
  if (fields.count("content-length") > 1) return malformed("two content lengths");
  if (fields.count("transfer-encoding") > 1) return malformed("two fields of transfer codings");
  if (length.data() != nullptr && codings.data() != nullptr)
    return malformed("a content length with a transfer coding");
  if (codings.data() != nullptr) return coding_of(codings);
  if (length.data() == nullptr) return {};
  const Result<uint64_t> number = parse_number(length);
  if (!number.ok() && number.error() != Error::too_long) return malformed("not a content length");
  return {Kind::length, number.ok() ? number.value() : UINT64_MAX};
}

}  // namespace tocsin
