#include "test/scenario/fake_server.h"

#include "base/check.h"
#include "crypto/crypto.h"

namespace tocsin::test {

bool contains(string_view text, string_view part) { return text.find(part) != string_view::npos; }

string_view attribute_of(string_view stanza, string_view name) {
  const size_t end = stanza.find('>');
  const string_view tag = slice(stanza, 0, end);
  uint8_t room[80];
  Writer wanted(room);
  wanted.text(" ").text(name).text("='");
  const size_t at = tag.find(wanted.view());
  if (at == string_view::npos) return {};
  string_view rest = slice(tag, at + wanted.size());
  return take_until(rest, '\'');
}

void FakeServer::accepted(sim::Connection& connection) {
  ++connects_;
  connection_ = &connection;
  framer_.reset();
  buffered_ = 0;
  up_ = false;
  connection.handle(*this);
}

void FakeServer::received(sim::Connection&, ByteView bytes) {
  ++deliveries_;
  while (!bytes.empty() && connection_ != nullptr) {
    const size_t piece = bytes.size() < sizeof buffer_ / 4 ? bytes.size() : sizeof buffer_ / 4;
    take(bytes.first(piece));
    bytes = bytes.subspan(piece);
  }
}

void FakeServer::take(ByteView bytes) {
  GW_CHECK(buffered_ + bytes.size() <= sizeof buffer_);
  copy_bytes(reinterpret_cast<uint8_t*>(buffer_) + buffered_, bytes);
  // The framer sees every byte once; a stanza is cut out of the buffer when it is whole.
  ByteView rest = bytes;
  size_t start = 0;
  size_t looked = buffered_;
  buffered_ += bytes.size();
  while (!rest.empty()) {
    const Framer::Step step = framer_.feed(rest);
    rest = rest.subspan(step.used);
    looked += step.used;
    if (step.found == Framer::Found::more) break;
    const string_view piece(buffer_ + start, looked - start);
    start = looked;
    if (step.found == Framer::Found::stream_open) stream_opened(piece);
    if (step.found == Framer::Found::blank) ++blanks_;
    if (step.found == Framer::Found::stanza) stanza_arrived(piece);
    if (step.found == Framer::Found::stream_close) {
      ++goodbyes_;
      connection_->send("</stream:stream>");
      drop();
    }
    if (connection_ == nullptr) return;
  }
  std::memmove(buffer_, buffer_ + start, buffered_ - start);
  buffered_ -= start;
}

void FakeServer::stream_opened(string_view tag) {
  if (greeting_ == Greeting::silent) return;
  GW_CHECK(contains(tag, "jabber:component:accept"));
  if (greeting_ == Greeting::unknown_domain || greeting_ == Greeting::other_port) {
    const bool other = greeting_ == Greeting::other_port;
    connection_->send(
        other ? "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' id='1'>"
              : "<stream:stream xmlns='jabber:component:accept' "
                "xmlns:stream='http://etherx.jabber.org/streams' id=''>");
    connection_->send(other ? "<stream:error><invalid-namespace xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>"
                            : "<stream:error><host-unknown xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>");
    connection_->send("</stream:error></stream:stream>");
    connection_->close();
    connection_ = nullptr;
    return;
  }
  connection_->send(
      "<?xml version='1.0'?><stream:stream xmlns='jabber:component:accept' "
      "xmlns:stream='http://etherx.jabber.org/streams' "
      "id='a&amp;b-1' from='push.example.org'>");
}

void FakeServer::stanza_arrived(string_view stanza) {
  ++stanzas_;
  if (!up_) {
    GW_CHECK(contains(stanza, "<handshake"));
    if (greeting_ == Greeting::mute) return;
    uint8_t room[300];
    Writer joined(room);
    joined.text("a&b-1").text(secret_);
    uint8_t digest[20];
    sha1(joined.written(), digest);
    uint8_t hex_room[40];
    Writer hex(hex_room);
    hex.hex(digest);
    if (greeting_ == Greeting::conflict) return kick();
    if (greeting_ == Greeting::wrong_secret || !contains(stanza, hex.view())) {
      connection_->send(
          "<stream:error><not-authorized xmlns='urn:ietf:params:xml:ns:xmpp-streams'/><text "
          "xmlns='urn:ietf:params:xml:ns:xmpp-streams'>Secret key mismatch</text></stream:error></stream:stream>");
      connection_->close();
      connection_ = nullptr;
      return;
    }
    up_ = true;
    connection_->send("<handshake/>");
    if (greeting_ == Greeting::brief) drop();
    return;
  }
  if (contains(stanza, "urn:xmpp:ping") && attribute_of(stanza, "type") == "get") {
    ++pings_;
    GW_CHECK(pinged_.assign(attribute_of(stanza, "to")));
    if (!answer_pings_) return;
    // What a component sends to itself comes back to it, as with Prosody and ejabberd.
    if (attribute_of(stanza, "to") == attribute_of(stanza, "from")) return connection_->send(stanza);
    if (only_own_pings_) return;
    uint8_t room[512];
    Writer out(room);
    out.text("<iq type='result' from='")
        .text(attribute_of(stanza, "to"))
        .text("' to='")
        .text(attribute_of(stanza, "from"));
    connection_->send(out.text("' id='").text(attribute_of(stanza, "id")).text("'/>").view());
    return;
  }
  if (listener_ != nullptr) listener_->answered(stanza);
  remember(stanza);
}

void FakeServer::remember(string_view stanza) {
  const string_view id = attribute_of(stanza, "id");
  (void)last_.assign(slice(stanza, 0, kept_bytes));
  if (starts_with(id, "n")) {
    const Result<uint64_t> number = parse_number(slice(id, 1), numbered_max - 1);
    if (number.ok()) {
      uint8_t& count = numbered_[number.value()];
      if (++count == 1) ++numbered_answered_;
      if (count > 1) ++numbered_twice_;
      if (contains(stanza, "type='wait'")) ++numbered_waits_;
      return;
    }
  }
  for (Kept& kept : kept_) {
    if (kept.count > 0 && kept.id.view() == id) {
      ++kept.count;
      (void)kept.text.assign(slice(stanza, 0, kept_bytes));
      return;
    }
  }
  Kept& kept = kept_[next_kept_++ % answers_kept];
  kept.count = 1;
  GW_CHECK(kept.id.assign(slice(id, 0, 64)));
  GW_CHECK(kept.text.assign(slice(stanza, 0, kept_bytes)));
}

void FakeServer::closed(sim::Connection& connection, Error) {
  if (connection_ != &connection) return;
  connection_ = nullptr;
  up_ = false;
}

void FakeServer::send(string_view stanza) {
  GW_CHECK(connection_ != nullptr);
  connection_->send(stanza);
}

void FakeServer::drop() {
  if (connection_ != nullptr) connection_->close();
  connection_ = nullptr;
  up_ = false;
}

void FakeServer::reset() {
  if (connection_ != nullptr) connection_->reset();
  connection_ = nullptr;
  up_ = false;
}

void FakeServer::kick() {
  connection_->send(
      "<stream:error><conflict xmlns='urn:ietf:params:xml:ns:xmpp-streams'/><text "
      "xmlns='urn:ietf:params:xml:ns:xmpp-streams'>"
      "Component already connected</text></stream:error></stream:stream>");
  drop();
}

void FakeServer::publish(string_view node, string_view id, string_view body) {
  uint8_t room[4096];
  Writer form(room);
  form.text(
      "<notification xmlns='urn:xmpp:push:0'><x type='form' xmlns='jabber:x:data'><field type='hidden' "
      "var='FORM_TYPE'><value>"
      "urn:xmpp:push:summary</value></field><field type='text-single' "
      "var='message-count'><value>1</value></field><field "
      "type='text-single' var='pending-subscription-count'/><field type='jid-single' var='last-message-sender'/>");
  if (body.empty()) {
    form.text("<field type='text-single' var='last-message-body'/>");
  } else {
    form.text("<field type='text-single' var='last-message-body'><value>").xml(body).text("</value></field>");
  }
  form.text("</x></notification>");
  GW_CHECK(!form.overflowed());
  publish_raw(node, id, form.view());
}

void FakeServer::publish_raw(string_view node, string_view id, string_view notification, string_view from) {
  static uint8_t room[256 * 1024];
  Writer out(room);
  out.text("<iq to='push.example.org' id='").text(id).text("' from='").text(from).text("' type='set'><pubsub xmlns='");
  out.text("http://jabber.org/protocol/pubsub'><publish node='").text(node).text("'><item>").text(notification);
  out.text("</item></publish></pubsub></iq>");
  GW_CHECK(!out.overflowed());
  send(out.view());
}

void FakeServer::publish_numbered(string_view node, uint32_t number) {
  uint8_t room[16];
  Writer id(room);
  id.character('n').unsigned_number(number);
  publish(node, id.view());
}

string_view FakeServer::answer(string_view id) const {
  for (const Kept& kept : kept_) {
    if (kept.count > 0 && kept.id.view() == id) return kept.text.view();
  }
  return {};
}

uint32_t FakeServer::answers(string_view id) const {
  for (const Kept& kept : kept_) {
    if (kept.count > 0 && kept.id.view() == id) return kept.count;
  }
  return 0;
}

}  // namespace tocsin::test
