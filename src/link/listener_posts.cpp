// The listener's part of UnifiedPush: endpoints are push resources of RFC 8030, as far as a service without storage can
// be one. What the request says of TTL, urgency, topic and VAPID (RFC 8292) is allowed, and means nothing here: the
// client is asked at once, and who may post is who knows the endpoint.
#include "link/listener_link.h"

namespace tocsin {

namespace {

// How applications and distributors ask whether this is a push server (UnifiedPush, "push server").
constexpr string_view probe = R"({"unifiedpush":{"version":1}})";

string_view words_of(uint16_t status) {
  switch (status) {
    case 400: return "There is nothing in it.\n";
    case 404: return "There is no such endpoint, or it is gone.\n";
    case 413: return "It is too large.\n";
    case 429: return "Too many requests.\n";
    case 503: return "The client is not there; try again later.\n";
    default: return "The client did not take it.\n";
  }
}

}  // namespace

bool ListenerLink::serves_endpoints(string_view path) const {
  return services_.relay != nullptr && (starts_with(path, endpoint_path) || path == "/" || path == "/up");
}

void ListenerLink::handle_endpoint(WebConnection& connection, ByteView body, Instant now) {
  using Method = HttpRequest::Method;
  const HttpRequest& request = connection.request();
  if (request.method == Method::get || request.method == Method::head)
    return answer(connection, 200, "application/json", probe, now);
  if (request.method != Method::post) {
    constexpr HttpField allowed[] = {{.name = "Allow", .value = "GET, HEAD, POST"}};
    return connection.respond({.status = 405, .fields = allowed, .close = stopping_}, now);
  }
  const Relay::Outcome outcome =
      services_.relay->post(request.path, body, waiter_of(connection), now, port_.clock.wall());
  if (outcome.status != 0) answer_post(connection, outcome, now);
}

void ListenerLink::answer_post(WebConnection& connection, const Relay::Outcome& outcome, Instant now) {
  if (outcome.status == 201) {
    // The message resource of RFC 8030 §5: it was delivered, so there is none to ask about; nothing is kept (TTL 0).
    const HttpField fields[] = {{.name = "TTL", .value = "0"},
                                {.name = "Location", .value = connection.request().path}};
    return connection.respond({.status = 201, .fields = fields, .close = stopping_}, now);
  }
  uint8_t room[8];
  Writer after(room);
  after.unsigned_number(outcome.retry_after);
  const HttpField fields[] = {{.name = "Retry-After", .value = after.view()}};
  connection.respond({.status = outcome.status,
                      .type = "text/plain",
                      .fields = std::span(fields).first(outcome.retry_after > 0 ? 1 : 0),
                      .body = bytes_of(words_of(outcome.status)),
                      .close = stopping_},
                     now);
}

}  // namespace tocsin
