#include "proto/http_response.h"

#include "base/check.h"
#include "base/writer.h"
#include "proto/http_server.h"

namespace tocsin {

namespace {

// RFC 9110 §15; clients ignore it, people with a packet dump do not.
string_view reason_of(uint16_t status) {
  switch (status) {
    case 200: return "OK";
    case 201: return "Created";
    case 202: return "Accepted";
    case 204: return "No Content";
    case 304: return "Not Modified";
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 408: return "Request Timeout";
    case 410: return "Gone";
    case 411: return "Length Required";
    case 413: return "Content Too Large";
    case 414: return "URI Too Long";
    case 415: return "Unsupported Media Type";
    case 417: return "Expectation Failed";
    case 421: return "Misdirected Request";
    case 429: return "Too Many Requests";
    case 431: return "Request Header Fields Too Large";
    case 500: return "Internal Server Error";
    case 501: return "Not Implemented";
    case 503: return "Service Unavailable";
    case 505: return "HTTP Version Not Supported";
    default: return "";
  }
}

}  // namespace

bool may_have_body(uint16_t status) { return status != 204 && status != 304; }

Result<size_t> write_response_head(const HttpResponse& response, bool close, Bytes room) {
  GW_CHECK(response.status >= 200 && response.status <= 599);
  Writer head(room);
  bool good = true;
  const auto field = [&](string_view name, string_view value) {
    good = good && is_http_token(name) && is_http_value(value);
    head.text(name).text(": ").text(value).text("\r\n");
  };
  head.text("HTTP/1.1 ").unsigned_number(response.status).character(' ').text(reason_of(response.status)).text("\r\n");
  if (!response.date.empty()) field("Date", response.date);
  if (!response.type.empty()) field("Content-Type", response.type);
  if (may_have_body(response.status)) {
    head.text("Content-Length: ").unsigned_number(response.body.size()).text("\r\n");
  }
  for (const HttpField& f : response.fields) field(f.name, f.value);
  if (close) field("Connection", "close");
  head.text("\r\n");
  if (!good) return Error::malformed;
  if (head.overflowed()) return Error::too_long;
  return head.size();
}

}  // namespace tocsin
