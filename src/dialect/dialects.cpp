#include "dialect/dialects.h"

#include "dialect/adhoc.h"
#include "dialect/disco.h"
#include "dialect/pubsub.h"
#include "dialect/replies.h"
#include "dialect/unified_push.h"

namespace tocsin {
namespace {

bool keepable(const IqHead& iq) {
  return iq.id.size() <= iq_id_bytes_max && iq.from.size() <= jid_bytes_max && iq.to.size() <= jid_bytes_max;
}

void read_get(const Element& child, const ServiceFacts& service, const IqHead& iq, Writer& answer) {
  if (child.name == "query" && child.ns == "http://jabber.org/protocol/disco#info") {
    return answer_disco_info(answer, iq, child.value("node"), service);
  }
  if (child.name == "query" && child.ns == "http://jabber.org/protocol/disco#items") {
    return answer_disco_items(answer, iq, child.value("node"), service);
  }
  if (child.name == "ping" && child.ns == "urn:xmpp:ping") return write_result(answer, iq);
  if (child.name == "query" && child.ns == "jabber:iq:version") return answer_version(answer, iq, service);
  write_answer(answer, iq, Answer::unsupported);
}

void read_set(const Element& child, bool odd, const ServiceFacts& service, string_view fresh_session, Command& command,
              Writer& answer) {
  if (child.name == "pubsub" && child.ns == "http://jabber.org/protocol/pubsub") {
    if (!read_publish(child, command)) {
      return write_answer(answer, command.iq, odd ? Answer::wait_unavailable : Answer::unsupported);
    }
    // Over a limit the rest is missing and may have said otherwise: if we know for whom, a wake-up remains.
    if (odd) command.notice = Notice{};
    command.incomplete = odd;
    if (command.node.empty()) return write_answer(answer, command.iq, odd ? Answer::wait_unavailable : Answer::gone);
    command.kind = Command::Kind::publish;
    return;
  }
  if (odd) return write_answer(answer, command.iq, Answer::wait_unavailable);
  if (child.name == "command" && child.ns == commands_ns) {
    return read_adhoc_command(child, service, fresh_session, command, answer);
  }
  if (child.name == "register" && child.ns == unified_push_ns) {
    if (service.unified_push) return read_endpoint(child, command, answer);
    command.dialect = DialectId::unified_push;
    command.refusal = Refusal::missing;
  }
  write_answer(answer, command.iq, Answer::unsupported);
}

}  // namespace

Command read_stanza(const Stanza& stanza, const ServiceFacts& service, string_view fresh_session, Writer& answer) {
  Command command;
  const Element& root = *stanza.root;
  if (!is_stanza_namespace(root.ns)) return command;
  // Results and errors are never answered, or two gateways would talk for ever.
  if (service.unified_push && read_event(stanza, command)) return command;
  const string_view type = root.value("type");
  if (root.name != "iq" || (type != "get" && type != "set")) return command;
  command.iq = {.id = root.value("id"), .from = root.value("from"), .to = root.value("to")};
  if (command.iq.from.empty()) return command;
  if (command.iq.to.empty()) command.iq.to = service.domain;

  const size_t start = answer.size();
  command.kind = Command::Kind::answered;
  if (!keepable(command.iq)) {
    write_answer(answer, command.iq, Answer::wait_internal);
  } else if (root.first_child == nullptr || (type == "get" && stanza.odd)) {
    write_answer(answer, command.iq, stanza.odd ? Answer::wait_unavailable : Answer::unsupported);
  } else if (type == "set") {
    read_set(*root.first_child, stanza.odd, service, fresh_session, command, answer);
  } else {
    read_get(*root.first_child, service, command.iq, answer);
  }
  if (answer.overflowed()) {
    answer.rewind(start);
    write_answer(answer, command.iq, Answer::wait_internal);
    if (answer.overflowed()) {
      answer.rewind(start);
      command.kind = Command::Kind::ignore;
    }
  }
  return command;
}

}  // namespace tocsin
