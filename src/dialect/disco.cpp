#include "dialect/disco.h"

#include "dialect/adhoc.h"
#include "dialect/form.h"
#include "dialect/replies.h"
#include "dialect/unified_push.h"

namespace tocsin {
namespace {

constexpr string_view info_ns = "http://jabber.org/protocol/disco#info";
constexpr string_view items_ns = "http://jabber.org/protocol/disco#items";

void open_query(Writer& out, const IqHead& iq, string_view ns, string_view node) {
  open_reply(out, iq, "result");
  out.text("><query xmlns='").text(ns).text("'");
  if (!node.empty()) out.text(" node='").xml(node).text("'");
}

void feature(Writer& out, string_view var) { out.text("<feature var='").xml(var).text("'/>"); }

void identity(Writer& out, string_view category, string_view type, string_view name) {
  out.text("<identity category='").text(category).text("' type='").text(type).text("' name='").xml(name).text("'/>");
}

}  // namespace

void answer_disco_info(Writer& out, const IqHead& iq, string_view node, const ServiceFacts& service) {
  const AdhocCommand* command = find_command(service, node);
  const bool commands = node == commands_ns;
  if (!node.empty() && command == nullptr && !commands) {
    return write_answer(out, iq, Answer::gone);
  }
  open_query(out, iq, info_ns, node);
  out.text(">");
  if (command != nullptr) {
    identity(out, "automation", "command-node", command->name);
    feature(out, info_ns);
    feature(out, commands_ns);
    feature(out, data_ns);
  } else if (commands) {
    identity(out, "automation", "command-list", "Commands");
    feature(out, info_ns);
    feature(out, items_ns);
    feature(out, commands_ns);
  } else {
    // Siskin and its family choose the first item with this identity and these features.
    identity(out, "pubsub", "push", "Push gateway");
    feature(out, info_ns);
    feature(out, items_ns);
    feature(out, commands_ns);
    feature(out, "urn:xmpp:push:0");
    feature(out, "urn:xmpp:ping");
    feature(out, "jabber:iq:version");
    if (service.unified_push) feature(out, unified_push_ns);
    for (size_t i = 0; i < service.providers.size(); ++i) {
      if (first_of_its_id(service, i)) feature(out, service.providers[i].id);
    }
    if (has_web_push(service)) {  // a form of ours, as XEP-0128 allows
      out.text("<x xmlns='jabber:x:data' type='result'><field var='FORM_TYPE' type='hidden'><value>");
      out.text("tocsin:webpush:0</value></field><field var='vapid-key'><value>").xml(service.vapid_key);
      out.text("</value></field></x>");
    }
  }
  out.text("</query></iq>");
}

void answer_disco_items(Writer& out, const IqHead& iq, string_view node, const ServiceFacts& service) {
  // The commands are leaves, and so are we; every other node does not exist.
  if (!node.empty() && node != commands_ns && find_command(service, node) == nullptr) {
    return write_answer(out, iq, Answer::gone);
  }
  open_query(out, iq, items_ns, node);
  if (node != commands_ns) {
    out.text("/></iq>");
    return;
  }
  out.text(">");
  for (size_t place = 0; const AdhocCommand* command = offered_command(service, place); ++place) {
    out.text("<item jid='").xml(service.domain).text("' node='").text(command->node).text(command->service);
    out.text("' name='").text(command->name).text("'/>");
  }
  out.text("</query></iq>");
}

void answer_version(Writer& out, const IqHead& iq, const ServiceFacts& service) {
  open_query(out, iq, "jabber:iq:version", "");
  out.text("><name>").xml(service.name).text("</name><version>").xml(service.version).text("</version></query></iq>");
}

}  // namespace tocsin
