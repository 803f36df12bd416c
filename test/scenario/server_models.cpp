#include "test/scenario/server_models.h"

#include "base/check.h"
#include "base/text.h"
#include "test/scenario/fake_server.h"

namespace tocsin::test {
namespace {

struct Words {
  string_view name;
  string_view domain;
  string_view from;
};
constexpr Words words[peers_count] = {
    {"Prosody", "prosody.example.net", "prosody.example.net"},
    {"ejabberd", "ejabberd.example.net", "ejabberd.example.net"},
    {"MongooseIM", "mongooseim.example.net", "mongooseim.example.net"},
    // Behind the domain stands the hash of the node of the cluster that wants the answer back.
    {"Tigase", "tigase.example.net",
     "tigase.example.net/5e884898da28047151d0e56f8dc6292773603d0d6aabbdd62a11ef721d1542d8"},
    {"Openfire", "openfire.example.net", "openfire.example.net"},
};

string_view tag_name(string_view tag) {  // tag starts behind its <
  return slice(tag, 0, tag.find_first_of(" />"));
}

// Tigase looks at the condition alone: these keep the registration, as does what it does not know.
bool tigase_ends(string_view condition) {
  for (const string_view ending :
       {"conflict", "feature-not-implemented", "forbidden", "gone", "item-not-found", "jid-malformed", "not-acceptable",
        "not-allowed", "not-authorized", "payment-required", "policy-violation", "recipient-unavailable", "redirect",
        "registration-required", "remote-server-not-found", "resource-constraint", "subscription-required",
        "undefined-condition", "unexpected-request"}) {
    if (condition == ending) return true;
  }
  return false;
}

// The router of the server that the component belongs to, or of the user's own when that is another.
PeerReply from_router(Peer peer, string_view push_jid) {
  // With ejabberd the stanza goes out by s2s; a name with DNS is then a server that does not answer.
  return {.kind = PeerReply::Kind::error,
          .type = "wait",
          .condition = "remote-server-timeout",
          .from = push_jid,
          .to = from_of(peer)};
}

void field(Writer& out, string_view var, string_view type, string_view value) {
  out.text("<field");
  if (!type.empty()) out.text(" type='").text(type).text("'");
  out.text(" var='").text(var).text("'");
  if (value.empty()) {
    out.text("/>");
  } else {
    out.text("><value>").text(value).text("</value></field>");
  }
}

struct Form {
  string_view open = {};   // of x
  string_view count = {};  // "": the field is not there
  string_view sender = {};
  string_view body = {};
  bool typed = false;
  bool empty_fields = false;  // fields without a value are there all the same
};

void write_form(Writer& out, const Form& form) {
  out.text("<x xmlns='jabber:x:data'").text(form.open).text(">");
  field(out, "FORM_TYPE", form.typed ? "hidden" : "", "urn:xmpp:push:summary");
  const string_view text = form.typed ? "text-single" : "";
  if (!form.count.empty()) field(out, "message-count", text, form.count);
  if (!form.sender.empty() || form.empty_fields)
    field(out, "last-message-sender", form.typed ? "jid-single" : "", form.sender);
  if (!form.body.empty() || form.empty_fields) field(out, "last-message-body", text, form.body);
  out.text("</x>");
}

constexpr string_view high = "<priority xmlns='tigase:push:priority:0'>high</priority>";
constexpr string_view low = "<priority xmlns='tigase:push:priority:0'>low</priority>";
constexpr string_view sealed_words = "iv='q83vASNFZ4mrze8B'>cFgzY2lwaGVydGV4dA==</encrypted>";

void write_sealed(Writer& out, bool call) {
  out.text("<encrypted xmlns='tigase:push:encrypt:0' ").text(call ? "type='voip' " : "").text(sealed_words);
}

void write_notification(Writer& out, Peer peer, Occasion occasion) {
  const bool says_words = occasion == Occasion::message || occasion == Occasion::sealed;
  const bool seals = occasion == Occasion::sealed || occasion == Occasion::call;
  switch (peer) {
    case Peer::prosody:
      if (seals) return write_sealed(out.text(high), occasion == Occasion::call);
      write_form(out, {.open = " type='form'",
                       .count = "1",
                       .body = says_words ? "New Message!" : "",
                       .typed = true,
                       .empty_fields = true});
      if (says_words) out.text(high);
      return;
    case Peer::ejabberd:
      if (says_words) write_form(out, {.open = " type='submit'", .body = "New message", .typed = true});
      return;  // all else is an empty notification
    case Peer::mongooseim:
      return write_form(out,
                        {.open = " type='submit'", .count = "2", .sender = "bob@example.net", .body = "the real text"});
    case Peer::tigase:
      if (seals) {
        out.text(high);
        if (occasion == Occasion::call)
          out.text("<jingle xmlns='tigase:push:jingle:0' action='propose' sid='s-1'><media>audio</media></jingle>");
        return write_sealed(out, occasion == Occasion::call);
      }
      if (occasion == Occasion::read_elsewhere) return write_form(out, {.count = "0"});
      write_form(out, {.count = "3", .sender = "bob@example.net/desk", .body = says_words ? "Hello" : ""});
      out.text(says_words ? high : low);
      return;
    case Peer::openfire:
      return write_form(out, {.open = " type='form'", .count = "1", .body = "New Message", .empty_fields = true});
  }
}

}  // namespace

string_view name_of(Peer peer) { return words[static_cast<size_t>(peer)].name; }
string_view domain_of(Peer peer) { return words[static_cast<size_t>(peer)].domain; }
string_view from_of(Peer peer) { return words[static_cast<size_t>(peer)].from; }

PeerReply read_reply(string_view stanza) {
  PeerReply reply;
  reply.from = attribute_of(stanza, "from");
  reply.to = attribute_of(stanza, "to");
  const string_view type = attribute_of(stanza, "type");
  if (type == "result") reply.kind = PeerReply::Kind::result;
  if (type != "error") return reply;
  reply.kind = PeerReply::Kind::error;
  const size_t at = stanza.find("<error");
  if (at == string_view::npos) return reply;
  string_view rest = slice(stanza, at);
  reply.type = attribute_of(rest, "type");
  (void)take_until(rest, '>');
  while (starts_with(rest, "<") && !starts_with(rest, "</")) {
    reply.condition = tag_name(slice(rest, 1));
    if (reply.condition != "text") break;
    reply.condition = {};
    const size_t end = rest.find("</text>");
    if (end == string_view::npos) break;
    rest = slice(rest, end + 7);
  }
  return reply;
}

void react(Peer peer, const PeerReply& reply, string_view push_jid, Standing& standing) {
  using Kind = PeerReply::Kind;
  if (reply.kind == Kind::unreachable) return react(peer, from_router(peer, push_jid), push_jid, standing);
  // An answer that is not for the one who asked never reaches it.
  const bool missed = reply.kind == Kind::silence || reply.to != from_of(peer);
  if (missed) ++standing.forgotten;
  if (missed || !standing.enabled) return;
  const bool error = reply.kind == Kind::error;
  switch (peer) {
    case Peer::prosody:
      if (reply.from != push_jid) return;  // of another address: no word about this registration
      if (!error) standing.errors = 0;
      if (error && reply.type != "wait" && ++standing.errors >= prosody_errors_max) standing.enabled = false;
      return;
    case Peer::ejabberd:
      if (error && reply.type != "wait") standing.enabled = false;
      return;
    case Peer::mongooseim:
      if (error && reply.type == "cancel") standing.enabled = false;
      return;
    case Peer::tigase:
      if (error && tigase_ends(reply.condition)) standing.enabled = false;
      return;
    case Peer::openfire: return;  // reads no answer
  }
}

void write_publish(Writer& out, Peer peer, string_view push_jid, string_view node, string_view id, Occasion occasion) {
  out.text("<iq").text(peer == Peer::ejabberd ? " xml:lang='en'" : "").text(" to='").text(push_jid);
  out.text("' from='").text(from_of(peer)).text("' type='set' id='").text(id);
  out.text("'><pubsub xmlns='http://jabber.org/protocol/pubsub'><publish node='").text(node);
  out.text("'><item><notification xmlns='urn:xmpp:push:0'>");
  write_notification(out, peer, occasion);
  out.text("</notification></item></publish></pubsub></iq>");
  GW_CHECK(!out.overflowed());
}

}  // namespace tocsin::test
