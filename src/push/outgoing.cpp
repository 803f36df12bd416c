#include "push/outgoing.h"

#include "base/check.h"

namespace tocsin {
namespace {

constexpr Duration message_ttl = hours(24);
constexpr Duration call_ttl = seconds(30);  // a phone that rings later rings for nobody

constexpr Outgoing nothing{.send = false};
constexpr Outgoing alert{.ttl = message_ttl};
constexpr Outgoing background{.alert = false, .urgent = false, .ttl = message_ttl};
constexpr Outgoing sealed{.content = true, .ciphertext = true, .ttl = message_ttl};
constexpr Outgoing sealed_quietly{
    .alert = false, .urgent = false, .content = true, .ciphertext = true, .ttl = message_ttl};
constexpr Outgoing sealed_call{.call = true, .content = true, .ciphertext = true, .ttl = call_ttl};
constexpr Outgoing in_clear{.content = true, .clear_text = true, .ttl = message_ttl};
constexpr Outgoing call_in_clear{.call = true, .content = true, .clear_text = true, .ttl = call_ttl};
constexpr Outgoing call{.call = true, .ttl = call_ttl};
constexpr Outgoing unread_none{.alert = false, .urgent = false, .unread_zero = true, .ttl = message_ttl};

struct Cell {
  constexpr Cell(const Outgoing& what_leaves, bool asks_empty = false) : outgoing(what_leaves), by_empty(asks_empty) {}
  Outgoing outgoing;
  bool by_empty;
};
// The setting `empty` decides: high as in the cell, normal in the background, drop nothing.
constexpr Cell by_empty(const Outgoing& high) { return {high, true}; }

struct Row {
  Situation situation;
  Cell tigase;
  Cell wake;
};

// in_clear: sender and body go where the section allows it, else it is a plain alert. A voip publish is an
// alert like any call, or goes to the second token where the device has one. Background pushes do not start the
// extension of a wake-up client, so nothing goes there in the background unless `empty` says so.
constexpr Row table[] = {
    {Situation::voip, sealed_call, call},
    {Situation::encrypted, sealed, alert},
    {Situation::encrypted_low, sealed_quietly, by_empty(alert)},
    {Situation::read_elsewhere, unread_none, nothing},
    {Situation::call, call_in_clear, call},
    {Situation::body, in_clear, alert},
    {Situation::low, background, by_empty(alert)},
    {Situation::rest, by_empty(in_clear), by_empty(alert)},
};

constexpr bool in_order_of_situations() {
  size_t i = 0;
  for (const Row& row : table) {
    if (static_cast<size_t>(row.situation) != i++) return false;
  }
  return i == static_cast<size_t>(Situation::rest) + 1;
}
static_assert(in_order_of_situations());

}  // namespace

Situation situation_of(const Notice& notice) {
  const bool low = notice.priority == Notice::Priority::low;
  if (notice.encrypted && notice.voip) return Situation::voip;
  if (notice.encrypted) return low ? Situation::encrypted_low : Situation::encrypted;
  // ejabberd sends no count, which is not 0.
  if (notice.has_count && notice.count == 0 && notice.sender.empty() && notice.body.empty()) {
    return Situation::read_elsewhere;
  }
  if (notice.call_in_clear) return Situation::call;
  if (!notice.body.empty() || notice.priority == Notice::Priority::high) return Situation::body;
  return low ? Situation::low : Situation::rest;
}

Outgoing outgoing_for(Situation situation, Payload payload, Empty empty, bool clear_text_allowed) {
  const Row& row = table[static_cast<size_t>(situation)];
  GW_CHECK(row.situation == situation);
  const Cell& cell = payload == Payload::tigase ? row.tigase : row.wake;
  Outgoing outgoing = cell.outgoing;
  if (cell.by_empty && empty == Empty::normal) outgoing = background;
  if (cell.by_empty && empty == Empty::drop) outgoing = nothing;
  if (outgoing.clear_text && !clear_text_allowed) outgoing.clear_text = outgoing.content = false;
  outgoing.payload = payload;
  return outgoing;
}

}  // namespace tocsin
