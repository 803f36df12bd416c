// Enroll's part of UnifiedPush: an endpoint for an application's instance.
#include "dialect/unified_push.h"
#include "gateway/enroll.h"
#include "gateway/identity.h"

namespace tocsin {

void Enroll::register_endpoint(const Command& command, Instant now, UnixTime wall) {
  const EndpointRules& rules = tools_.endpoints;
  if (!may_register(tools_.access, command.iq.from) || !may_register(rules.access, command.iq.from)) {
    say_refused(command, Refusal::accounts, now);
    return refuse(command, "auth", "forbidden", "This push service is not for accounts of your domain.");
  }
  const string_view account = split_jid(command.iq.from).bare;
  // What is posted goes to this very client, so it must be one.
  const string_view resource = slice(command.iq.from, account.size() + 1);
  if (account.size() > account_bytes_max || resource.empty() || resource.size() > token_bytes_max) {
    return refuse_value(command, "from", command.iq.from, "is not a client that a push can be sent to");
  }
  const NodeId node = endpoint_node(endpoint_key_, account, command.application, command.instance);
  uint8_t token[2 * endpoint_part_bytes];
  copy_bytes(token, command.application);
  copy_bytes(token + endpoint_part_bytes, command.instance);
  const Identity identity(node);
  Registration wanted{.node = node,
                      .account = account,
                      .section = rules.section,
                      .token = token,
                      .second_token = bytes_of(resource),
                      .registered = wall,
                      .identity = identity.view(),
                      .dialect = DialectId::unified_push};
  Registration known;
  Ticket staged = 0;
  const Status found = tools_.registry.find_device(account, wanted.identity, record_room_, known, &staged);
  if (!found.ok() && found.error() != Error::not_found) return refuse_unreadable(command);

  Acknowledgement what{.kind = Kind::registered,
                       .node = node,
                       .section = rules.section_number,
                       .changed = true,
                       .dialect = DialectId::unified_push,
                       .expires = wall + rules.expiry};
  Result<Ticket> ticket = Error::busy;
  if (found.ok()) {
    const Device* device = tools_.registry.find(node);
    const bool gone = device != nullptr && device->held;
    wanted.registered = known.registered;
    const bool identical = known.section == wanted.section && same(known.second_token, wanted.second_token);
    what.changed = !identical || gone;
    ticket = identical ? tools_.registry.refresh(node, wall, false) : tools_.registry.change(wanted, wall);
    if (ticket.ok() && ticket.value() < staged) ticket = staged;
  } else {
    if (!make_way_for_endpoint(command, account, now, wall, what.replaced)) return;
    what.replaced_section = rules.section_number;
    // Error::exists: its end is not durable yet.
    ticket = tools_.registry.add(wanted, wall);
    if (ticket.ok() && what.replaced != NodeId{} &&
        !tools_.registry.end(what.replaced, EndReason::replaced, "", wall).ok()) {
      what.replaced = NodeId{};
    }
  }
  if (!ticket.ok()) return refuse_ticket(command, ticket.error(), now);
  acknowledge(what, command, ticket.value());
}

// An endpoint that is gone or has expired goes for a new one; no other.
bool Enroll::make_way_for_endpoint(const Command& command, string_view account, Instant now, UnixTime wall,
                                   NodeId& replaced) {
  const EndpointRules& rules = tools_.endpoints;
  const Device* oldest = nullptr;
  if (tools_.registry.count_of_account(account, &oldest, true) < rules.per_account) return true;
  const bool over = oldest != nullptr && plausible(wall) && wall > UnixTime{int64_t{oldest->refreshed}} + rules.expiry;
  if (oldest == nullptr || (!oldest->held && !over)) {
    say_refused(command, Refusal::many, now);
    refuse(command, "wait", "resource-constraint", "This account has as many endpoints as it may have.");
    return false;
  }
  replaced = oldest->node;
  return true;
}

}  // namespace tocsin
