// Strangers' stanzas: changed by chance from a known seed, and built by chance from the words that the dialects
// look for. Whatever comes, the answer is whole, goes back to who asked, and says what the command says.
#include "base/text.h"
#include "base/writer.h"
#include "test/unit/dialect/ask.h"

namespace tocsin::test {

namespace {

using Kind = Command::Kind;

struct Dice {
  uint64_t state;
  uint32_t roll(size_t sides) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return static_cast<uint32_t>((state >> 33) % sides);
  }
  template <size_t size>
  string_view any(const string_view (&words)[size]) {
    return words[roll(size)];
  }
};

constexpr string_view seeds[] = {
    "<iq type='set' id='a+/=@-' from='example.org/5e88' to='push.example.org'>"
    "<pubsub xmlns='http://jabber.org/protocol/pubsub'><publish node='n1'><item><notification xmlns='urn:xmpp:push:0'>"
    "<x xmlns='jabber:x:data' type='form'><field var='FORM_TYPE'><value>urn:xmpp:push:summary</value></field>"
    "<field var='message-count'><value>1</value></field><field var='last-message-sender'/>"
    "<field var='last-message-body'><value>Grüße &lt;b&gt; &amp; é</value></field></x>"
    "<priority xmlns='tigase:push:priority:0'>high</priority>"
    "<encrypted xmlns='tigase:push:encrypt:0' type='voip' iv='aXY='>Y3Q=</encrypted>"
    "<jingle xmlns='tigase:push:jingle:0' action='propose' sid='s'/></notification></item></publish>"
    "<publish-options><x xmlns='jabber:x:data' type='submit'><field var='secret'><value>s</value></field></x>"
    "</publish-options></pubsub></iq>",
    "<iq type='set' id='r1' from='ann@example.org/phone' to='push.example.org'>"
    "<command xmlns='http://jabber.org/protocol/commands' node='register-device' action='execute' sessionid='s1'>"
    "<x xmlns='jabber:x:data' type='submit'><field var='provider'><value>tigase:messenger:apns:1</value></field>"
    "<field var='device-token'><value>0A1BFF</value></field><field var='device-second-token'><value>c0</value></field>"
    "</x></command></iq>",
    "<iq type='set' id='u1' from='ann@example.org/phone' to='push.example.org'>"
    "<command xmlns='http://jabber.org/protocol/commands' node='unregister-device'><x xmlns='jabber:x:data'>"
    "<field var='device-token'><value>0A1BFF</value></field><field var='provider'><value>fcm-xmpp-api</value></field>"
    "</x></command></iq>",
    "<iq type='set' id='c1' from='ann@example.org/phone' to='push.example.org'>"
    "<command xmlns='http://jabber.org/protocol/commands' node='register-push-fcm' action='complete'>"
    "<x xmlns='jabber:x:data' type='submit'><field var='token'><value>fcm:APA91b</value></field>"
    "<field var='android-id'><value>92afd7a9</value></field><field var='muc'><value>tea@muc.example.org</value></field>"
    "</x></command></iq>",
    "<iq type='set' id='v1' from='ann@example.org/phone' to='push.example.org'>"
    "<command xmlns='http://jabber.org/protocol/commands' node='v1-register-push'><x xmlns='jabber:x:data'>"
    "<field var='type'><value>apns</value></field><field var='node'><value>d1</value></field>"
    "<field var='token'><value>0a1b</value></field></x></command></iq>",
    "<iq type='set' id='p1' from='ann@example.org/phone' to='push.example.org'>"
    "<register xmlns='http://gultsch.de/xmpp/drafts/unified-push' "
    "application='AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=' "
    "instance='//////////////////////////////////////////8='/></iq>",
    "<iq type='error' id='p2' from='ann@example.org/phone' to='push.example.org'><error type='cancel'><item-not-found "
    "xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>",
    "<presence from='ann@example.org/phone' to='push.example.org'/>",
    "<iq type='get' id='d1' from='ann@example.org/phone' to='push.example.org'>"
    "<query xmlns='http://jabber.org/protocol/disco#items' node='http://jabber.org/protocol/commands'/></iq>",
};

constexpr string_view names[] = {"pubsub",  "publish", "item", "notification",    "x",         "field",    "value",
                                 "command", "query",   "ping", "publish-options", "encrypted", "priority", "jingle",
                                 "meet",    "error",   "other"};
constexpr string_view namespaces[] = {"http://jabber.org/protocol/pubsub",
                                      "urn:xmpp:push:0",
                                      "jabber:x:data",
                                      "urn:other",
                                      "http://jabber.org/protocol/commands",
                                      "http://jabber.org/protocol/disco#info",
                                      "http://jabber.org/protocol/disco#items",
                                      "urn:xmpp:ping",
                                      "jabber:iq:version",
                                      "tigase:push:encrypt:0",
                                      "tigase:push:priority:0",
                                      "tigase:push:jingle:0",
                                      "tigase:push:meet:0"};
constexpr string_view keys[] = {"node", "var", "type", "action", "sessionid", "iv", "id", "from", "to"};
constexpr string_view values[] = {"n1",
                                  "register-device",
                                  "unregister-device",
                                  "execute",
                                  "complete",
                                  "next",
                                  "prev",
                                  "cancel",
                                  "provider",
                                  "device-token",
                                  "device-second-token",
                                  "message-count",
                                  "secret",
                                  "last-message-sender",
                                  "last-message-body",
                                  "propose",
                                  "voip",
                                  "high",
                                  "low",
                                  "0",
                                  "17",
                                  "&#10;&apos;&lt;",
                                  "",
                                  "é",
                                  "http://jabber.org/protocol/commands",
                                  "submit",
                                  "get",
                                  "set",
                                  "result"};

uint8_t xml_room[64 * 1024];

// A tree by chance; half of the time of the children that the dialects expect there.
void grow(Writer& out, Dice& dice, unsigned depth) {
  const uint32_t place = dice.roll(std::size(names));
  out.text("<").text(names[place]);
  if (dice.roll(2) == 0) out.text(" xmlns='").text(dice.any(namespaces)).text("'");
  const size_t first = dice.roll(std::size(keys));
  for (uint32_t i = 0; i < dice.roll(4); ++i) {
    const size_t key = (first + i) % std::size(keys);
    out.text(" ").text(keys[key]).text("='").text(dice.any(values)).text("'");
  }
  out.text(">");
  if (dice.roll(2) == 0) out.text(dice.any(values));
  if (depth < 8) {
    for (uint32_t i = 0; i < dice.roll(4); ++i) grow(out, dice, depth + 1);
  }
  out.text("</").text(names[place]).text(">");
}

string_view grown(Dice& dice) {
  Writer out{Bytes(xml_room)};
  out.text("<iq type='").text(dice.roll(4) == 0 ? "get" : "set").text("' id='").text(dice.any(values));
  out.text("' from='ann@example.org/").text(dice.any(values)).text("' to='push.example.org'>");
  grow(out, dice, 0);
  out.text("</iq>");
  assert_false(out.overflowed());
  return out.view();
}

// A seed with one of the words in it replaced by another, a few times.
string_view reworded(Dice& dice) {
  static uint8_t other_room[2][8192];
  string_view text = dice.any(seeds);
  unsigned turn = 0;
  for (uint32_t i = 0; i <= dice.roll(4); ++i) {
    const string_view old = dice.roll(2) == 0 ? dice.any(values) : dice.any(namespaces);
    const size_t from = dice.roll(text.size());
    const size_t at = text.find(old, from);
    if (old.empty() || at == string_view::npos) continue;
    Writer out{Bytes(other_room[turn++ % 2])};
    out.text(slice(text, 0, at)).text(dice.roll(2) == 0 ? dice.any(values) : dice.any(namespaces));
    out.text(slice(text, at + old.size()));
    assert_false(out.overflowed());
    text = out.view();
  }
  return text;
}

// A seed with bytes changed, doubled or lost.
string_view garbled(Dice& dice) {
  const string_view seed = dice.any(seeds);
  Writer out{Bytes(xml_room)};
  const uint32_t rarity = 50 + dice.roll(2000);
  for (size_t i = 0; i < seed.size(); ++i) {
    if (dice.roll(rarity) != 0) {
      out.character(seed[i]);
      continue;
    }
    switch (dice.roll(4)) {
      case 0: out.character(static_cast<char>(dice.roll(256))); break;
      case 1: out.character(seed[i]).character(seed[i]); break;
      case 2: out.character(seed[dice.roll(seed.size())]); break;
      case 3: out.text(slice(seed, dice.roll(seed.size()), dice.roll(200))); break;
    }
  }
  assert_false(out.overflowed());
  return out.view();
}

struct Tally {
  uint32_t read = 0;
  uint32_t kinds[8] = {};
  uint32_t odd = 0;
};

void check(string_view xml, size_t bytes_max, Tally& tally) {
  static uint8_t answer_room[64 * 1024];
  const Stanza* stanza = try_stanza_of(xml, bytes_max);
  if (stanza == nullptr) return;
  const Element& root = *stanza->root;
  Writer answer{Bytes(answer_room)};
  ServiceFacts offering = rich_service;
  offering.unified_push = true;
  const Command command = read_stanza(*stanza, offering, fresh_session, answer);
  assert_false(answer.overflowed());
  ++tally.read;
  ++tally.kinds[static_cast<size_t>(command.kind)];
  if (stanza->odd) ++tally.odd;

  const string_view type = root.value("type");
  const bool asks = root.name == "iq" && (type == "get" || type == "set") && !root.value("from").empty();
  const bool told = command.kind == Kind::reply || command.kind == Kind::presence;
  assert_true(asks == (command.kind != Kind::ignore && !told));
  if (told) {
    assert_true(command.kind == Kind::reply ? root.name == "iq" : root.name == "presence");
    expect_text(command.iq.from, root.value("from"));
    expect_text(command.iq.id, root.value("id"));
    assert_true(command.condition.empty() == (type != "error"));
  }
  assert_true((command.kind == Kind::answered) == (answer.size() > 0));
  if (!asks) return;
  expect_text(command.iq.id, root.value("id"));
  expect_text(command.iq.from, root.value("from"));
  expect_text(command.iq.to, root.has("to") && !root.value("to").empty() ? root.value("to") : service.domain);

  switch (command.kind) {
    case Kind::ignore:
    case Kind::reply:
    case Kind::presence: break;
    case Kind::register_endpoint:
      expect_text(type, "set");
      assert_false(stanza->odd);
      break;
    case Kind::answered: {
      const Element& reply = *stanza_of(answer.view()).root;
      expect_text(reply.name, "iq");
      expect_text(reply.value("id"), command.iq.id);
      expect_text(reply.value("from"), command.iq.to);
      expect_text(reply.value("to"), command.iq.from);
      if (reply.value("type") == "result") break;
      expect_text(reply.value("type"), "error");
      assert_ptr_equal(reply.first_child, reply.last_child);
      expect_text(reply.first_child->name, "error");
      expect_text(reply.first_child->first_child->ns, error_ns);
      if (stanza->odd) expect_text(reply.first_child->value("type"), "wait");
      break;
    }
    case Kind::publish:
      expect_text(type, "set");
      assert_false(command.node.empty());
      assert_true(command.notice.encrypted == (!command.notice.iv.empty() && !command.notice.ciphertext.empty()));
      assert_true(command.notice.encrypted || !command.notice.voip);
      assert_true(command.notice.has_count || command.notice.count == 0);
      if (stanza->odd)
        assert_true(!command.notice.has_count && command.notice.body.empty() && !command.notice.encrypted);
      break;
    case Kind::register_device:
    case Kind::unregister_device:
      expect_text(type, "set");
      assert_false(stanza->odd);
      assert_false(command.session.empty() || command.asked.empty());
      assert_true(command.provider.empty() == (command.dialect != DialectId::tigase));
      assert_true(command.provider.empty() == !command.service.empty());
      assert_true(command.service.empty() ||
                  (has_service(rich_service, command.service) && !command.device_id.empty()));
      if (command.kind == Kind::register_device || command.dialect == DialectId::tigase)
        assert_false(command.token.empty());
      assert_true(command.kind == Kind::register_device || command.second_token.empty());
      break;
  }
}

void stanzas_by_chance_are_answered_well(void**) {
  Dice dice{20'240'817};
  Tally tally;
  for (int i = 0; i < 4000; ++i) {
    check(reworded(dice), 64 * 1024, tally);
    check(grown(dice), 64 * 1024, tally);
    check(garbled(dice), 64 * 1024, tally);
  }
  // The test is worth something only if all of it was reached.
  assert_true(tally.read > 6000);
  for (const uint32_t count : tally.kinds) assert_true(count > 20);
}

void stanzas_cut_anywhere_are_answered_well(void**) {
  Tally tally;
  for (const string_view seed : seeds) {
    for (size_t bytes_max = 1; bytes_max <= seed.size(); ++bytes_max) check(seed, bytes_max, tally);
  }
  assert_true(tally.odd > 1000);
  assert_true(tally.kinds[static_cast<size_t>(Kind::publish)] > 500);
}

}  // namespace

TESTS(mutation, cmocka_unit_test(stanzas_by_chance_are_answered_well),
      cmocka_unit_test(stanzas_cut_anywhere_are_answered_well));

}  // namespace tocsin::test
