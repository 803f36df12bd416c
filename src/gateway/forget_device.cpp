// What Enroll does for those who come without a login.
#include "gateway/enroll.h"

namespace tocsin {

uint8_t Enroll::number_of(string_view name) const {
  for (const Section& section : tools_.sections) {
    if (section.name == name) return section.number;
  }
  return Device::no_section;
}

Result<Forgotten> Enroll::forget(string_view account, string_view token, string_view provider, UnixTime now) {
  account = split_jid(account).bare;
  uint8_t room[account_bytes_max];
  Writer lower(room);  // servers send JIDs prepared (RFC 7622 §3); a person may have typed this one
  for (const char c : account) lower.character(to_lower(c));
  if (lower.overflowed()) return Error::not_found;
  Command command;
  command.kind = Command::Kind::unregister_device;
  command.token = token;
  command.provider = provider;
  Registration known;
  Ticket staged = 0;
  if (const Status found = find_named(command, lower.view(), known, staged); !found.ok()) return found.error();
  if (known.is_endpoint()) return Error::not_found;
  const Result<Ticket> ticket = tools_.registry.end(known.node, EndReason::https, "", now);
  if (!ticket.ok()) return ticket.error() == Error::not_found ? Error::busy : ticket.error();
  return Forgotten{.ticket = ticket.value(), .node = known.node, .section = number_of(known.section)};
}

void Enroll::forgotten(const Forgotten& device) { log_change("unregistered", "https", device.node, device.section); }

}  // namespace tocsin
