#include "gateway/forget.h"

#include <new>

#include "gateway/access.h"
#include "proto/http_form.h"
#include "proto/json.h"

namespace tocsin {

namespace {

// Siskin asks the first, then the second (the documented one).
constexpr string_view prefixes[] = {"/unregister-device/", "/rest/push/unregister-device/"};
// A sync of a good disk takes less; whoever comes shortly before a tick waits for the next.
constexpr Duration at_least = milliseconds(200);
constexpr size_t jid_room = 3072;

string_view jid_in(string_view path) {
  for (const string_view prefix : prefixes) {
    if (starts_with(path, prefix)) return slice(path, prefix.size());
  }
  return {};
}

Instant next_tick(Instant from) { return {(from.us / Forget::tick.us + 1) * Forget::tick.us}; }

}  // namespace

Forget::Forget(Region& region, uint32_t waiting_max, Enroll& enroll, Registry& registry, Heap& json_heap,
               string_view domain)
    : waiting_(reinterpret_cast<Waiting*>(region.carve(bytes_for(waiting_max)).data())),
      waiting_max_(waiting_max),
      enroll_(enroll),
      registry_(registry),
      json_heap_(json_heap),
      domain_(domain) {
  for (uint32_t i = 0; i < waiting_max; ++i) new (&waiting_[i]) Waiting;
}

bool Forget::is_path(string_view path) {
  for (const string_view prefix : prefixes) {
    if (starts_with(path, prefix)) return true;
  }
  return false;
}

bool Forget::is_ours(string_view path) const {
  uint8_t room[jid_room];
  const Result<string_view> jid = percent_decode(jid_in(path), room);
  return jid.ok() && same_ignoring_case(jid.value(), domain_);
}

Status Forget::read_json(string_view text, Fields& out, Bytes room) {
  JsonDocument json(json_heap_);
  if (const Status parsed = json.parse(text); !parsed.ok()) return parsed;
  Writer kept(room);  // the document's own texts end with it
  const auto keep = [&](const char* name) {
    const size_t start = kept.size();
    kept.text(json.text({name}));
    return slice(kept.view(), start);
  };
  out.account = keep("account");
  out.token = keep("device-token");
  out.provider = keep("provider");
  return kept.overflowed() ? Status(Error::too_long) : Status();
}

static Status read_form(string_view text, string_view name, Bytes& room, string_view& out) {
  const Result<string_view> value = form_field(text, name, room);
  if (!value.ok()) return value.error();
  out = value.value();
  room = room.subspan(out.size());
  return {};
}

Forget::Outcome Forget::post(const HttpRequest& request, ByteView body, uint64_t waiter, Instant now, UnixTime wall) {
  constexpr Outcome no_such{.status = 404}, later_please{.status = 503};
  if (stopping_) return later_please;
  if (!is_ours(request.path)) return no_such;
  Fields fields;
  uint8_t room[body_bytes_max];
  Status read;
  if (is_media_type(request.fields.value("content-type"), "application/x-www-form-urlencoded")) {
    Bytes left(room);
    read = read_form(text_of(body), "account", left, fields.account);
    if (read.ok()) read = read_form(text_of(body), "device-token", left, fields.token);
    if (read.ok()) read = read_form(text_of(body), "provider", left, fields.provider);
  } else {
    read = read_json(text_of(body), fields, room);
  }
  if (!read.ok()) return read.error() == Error::exhausted ? later_please : no_such;
  if (fields.account.empty() || fields.token.empty() || fields.provider.empty()) return no_such;

  Waiting* slot = nullptr;
  for (uint32_t i = 0; i < waiting_max_ && slot == nullptr; ++i) {
    if (!waiting_[i].used) slot = &waiting_[i];
  }
  if (slot == nullptr) return later_please;
  Waiting waiting{.used = true, .waiter = waiter, .due = next_tick(now + at_least), .device = {}};
  const Result<Forgotten> ended = enroll_.forget(fields.account, fields.token, fields.provider, wall);
  if (ended.ok()) {
    waiting.known = true;
    waiting.device = ended.value();
    waiting.from = waiting.to = ended.value().ticket;
  } else if (ended.error() != Error::not_found) {
    return later_please;
  } else if (registry_.committing() || registry_.commit_wanted()) {
    // It may be unknown because its end is on its way to the disk.
    waiting.from = registry_.committed_ticket() + 1;
    waiting.to = waiting.from + (registry_.committing() && registry_.commit_wanted() ? 1 : 0);
  }
  *slot = waiting;
  ++count_;
  return {.status = 0, .waiter = waiter};
}

bool Forget::decided(const Waiting& waiting) const {
  return registry_.committed_ticket() >= waiting.to ||
         (!waiting.known && !registry_.committing() && !registry_.commit_wanted());
}

uint16_t Forget::status_of(const Waiting& waiting) const {
  if (!decided(waiting)) return 503;
  for (Ticket ticket = waiting.from; ticket != 0 && ticket <= waiting.to; ++ticket) {
    if (registry_.ticket_failed(ticket)) return 503;
  }
  return 200;
}

bool Forget::next(Outcome& out, Instant now) {
  for (uint32_t i = 0; i < waiting_max_ && count_ > 0; ++i) {
    Waiting& waiting = waiting_[i];
    if (!waiting.used || (!stopping_ && (now < waiting.due || !decided(waiting)))) continue;
    out = {.status = status_of(waiting), .waiter = waiting.waiter};
    if (waiting.known && out.status == 200) enroll_.forgotten(waiting.device);
    waiting.used = false;
    --count_;
    return true;
  }
  return false;
}

Instant Forget::due() const {
  Instant when = Instant::never();
  for (uint32_t i = 0; i < waiting_max_ && count_ > 0; ++i) {
    if (waiting_[i].used && decided(waiting_[i])) when = earlier(when, waiting_[i].due);
  }
  return when;
}

}  // namespace tocsin
