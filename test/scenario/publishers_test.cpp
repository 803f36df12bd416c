// One story for each server that publishes: its stanza as it was recorded or as its source writes it, to a device of
// Siskin's, to one of p2's and to a stateless one.
#include "base/encode.h"
#include "base/writer.h"
#include "test/scenario/clients.h"

namespace tocsin::test {
namespace {

constexpr Configured with_module = {.extra = "[apns siskin]\nmodules = monalProdiOS\nempty = high\n"};

struct Devices {
  NodeText siskin;
  Given p2;
};

Devices register_devices() {
  World& w = world();
  w.start();
  Devices devices;
  devices.siskin = w.register_device("ann@example.org/phone", token_a);
  const FormField form[] = {{"token", token_b}, {"android-id", "d"}};
  ask_command("ann@example.org/conversations", "r1", "register-push-apns", " action='execute'", form);
  devices.p2 = given("r1");
  return devices;
}

// What one server sends; the options as the client gave them.
struct Server {
  const char* iq;            // the start tag: %id stands for the id
  const char* notification;  // the item with what is in it
  const char* options;       // <publish-options> up to the fields, "" when this server has none
  string_view from;
};

void send(const Server& server, string_view id, string_view node, string_view fields) {
  static uint8_t room[16 * 1024];
  Writer out{Bytes(room)};
  const string_view iq = server.iq;
  const size_t at = iq.find("%id");
  out.text(slice(iq, 0, at)).text(id).text(slice(iq, at + 3));
  out.text("<pubsub xmlns='http://jabber.org/protocol/pubsub'><publish node='").text(node).text("'>");
  out.text(server.notification).text("</publish>");
  if (!fields.empty()) out.text(server.options).text(fields).text("</x></publish-options>");
  out.text("</pubsub></iq>");
  world().server().send(out.view());
  world().wait_for_answer(id);
}

// Rings a device of every kind and compares addresses and ids.
void expect_served(const Server& server, const Devices& devices, string_view suffix) {
  World& w = world();
  const uint64_t before = w.provider().requests();
  uint8_t secret_room[512], ids_room[3][80];
  Writer secret(secret_room);
  secret.text("<field var='secret'><value>").text(devices.p2.secret.view()).text("</value></field>");
  constexpr string_view module = "<field var='pushModule'><value>monalProdiOS</value></field>";
  const string_view nodes[] = {devices.siskin, devices.p2.node.view(), token_c};
  const string_view fields[] = {"", secret.view(), module};
  for (int i = 0; i < 3; ++i) {
    Writer id(ids_room[i]);
    id.character(static_cast<char>('a' + i)).text(suffix);
    send(server, id.view(), nodes[i], fields[i]);
    w.expect_result(id.view());
    assert_true(attribute_of(w.server().answer(id.view()), "from") == "push.example.org");
    assert_true(attribute_of(w.server().answer(id.view()), "to") == server.from);
    assert_int_equal(w.provider().requests(), before + static_cast<uint64_t>(i) + 1);
    assert_string_equal(w.provider().last().push_type.c_str(), "alert");
    const bool siskin = i == 0;
    assert_true(contains(w.provider().last().body.view(), R"("account":"ann@example.org")") == siskin);
  }
  // A secret that is wrong, in the form that this server makes of it.
  if (*server.options != '\0') {
    Writer id(ids_room[0]);
    id.text("wrong-").text(suffix);
    send(server, id.view(), devices.p2.node.view(), "<field var='secret'><value>wrong</value></field>");
    w.expect_gone(id.view());
  }
  w.run_for(seconds(10));
  w.expect_at_rest();
}

constexpr char publish_options[] =
    "<publish-options><x type='submit' xmlns='jabber:x:data'><field type='hidden' var='FORM_TYPE'>"
    "<value>http://jabber.org/protocol/pubsub#publish-options</value></field>";

void prosody_is_served(void**) {
  const Devices devices = register_devices();
  expect_served(
      {.iq = "<iq to='push.example.org' id='%id' type='set' from='example.org'>",
       .notification = "<item><notification xmlns='urn:xmpp:push:0'><x type='form' xmlns='jabber:x:data'>"
                       "<field type='hidden' var='FORM_TYPE'><value>urn:xmpp:push:summary</value></field>"
                       "<field type='text-single' var='message-count'><value>1</value></field>"
                       "<field type='text-single' var='pending-subscription-count'/>"
                       "<field type='jid-single' var='last-message-sender'/>"
                       "<field type='text-single' var='last-message-body'><value>New Message!</value></field></x>"
                       "<priority xmlns='tigase:push:priority:0'>high</priority></notification></item>",
       .options = publish_options,
       .from = "example.org"},
      devices, "9f4bc0d1e2f3a4b5");
}

// No count, and for everything without a body an empty notification; ids hold what base64 does.
void ejabberd_is_served(void**) {
  const Devices devices = register_devices();
  const Server with_body{
      .iq = "<iq xml:lang='en' to='push.example.org' from='example.org' type='set' id='%id'>",
      .notification =
          "<item><notification xmlns='urn:xmpp:push:0'><x type='submit' xmlns='jabber:x:data'>"
          "<field var='FORM_TYPE' type='hidden'><value>urn:xmpp:push:summary</value></field>"
          "<field var='last-message-body' type='text-single' label='The body text of the last received "
          "message'><value>New message</value></field></x></notification></item>",
      .options =
          "<publish-options><x type='submit' xmlns='jabber:x:data'><field var='FORM_TYPE'>"
          "<value>http://jabber.org/protocol/pubsub#publish-options</value></field>",
      .from = "example.org"};
  expect_served(with_body, devices, "rr-1755-1234-AbC+/x=-ejabberd@localhost");
  Server empty = with_body;
  empty.notification = "<item><notification xmlns='urn:xmpp:push:0'/></item>";
  expect_served(empty, devices, "rr-1756-1234-AbC+/x=-ejabberd@localhost");
}

void mongooseim_is_served(void**) {
  const Devices devices = register_devices();
  expect_served(
      {.iq = "<iq type='set' id='%id' from='example.org' to='push.example.org'>",
       .notification = "<item><notification xmlns='urn:xmpp:push:0'><x xmlns='jabber:x:data' type='submit'>"
                       "<field var='FORM_TYPE' type='hidden'><value>urn:xmpp:push:summary</value></field>"
                       "<field var='message-count'><value>2</value></field>"
                       "<field var='last-message-sender'><value>bob@example.net</value></field>"
                       "<field var='last-message-body'><value>the real text</value></field></x></notification></item>",
       .options = "<publish-options><x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE' type='hidden'>"
                  "<value>http://jabber.org/protocol/pubsub#publish-options</value></field>",
       .from = "example.org"},
      devices, "mim");
  for (uint64_t i = 0; i < world().provider().requests(); ++i) {
    assert_false(contains(world().provider().request(i).body.view(), "the real text"));
  }
}

// The domain with a resource, which is to come back; a form without a type; children that only Tigase sends.
void tigase_is_served(void**) {
  const Devices devices = register_devices();
  const Server with_body{
      .iq =
          "<iq xmlns='jabber:client' type='set' id='%id' to='push.example.org' "
          "from='example.org/5e884898da28047151d0e56f8dc6292773603d0d6aabbdd62a11ef721d1542d8'>",
      .notification =
          "<item><notification xmlns='urn:xmpp:push:0'><x xmlns='jabber:x:data'>"
          "<field var='FORM_TYPE'><value>urn:xmpp:push:summary</value></field>"
          "<field var='message-count'><value>3</value></field>"
          "<field var='last-message-sender'><value>bob@example.net/desk</value></field>"
          "<field var='last-message-body'><value>Hello</value></field></x>"
          "<groupchat xmlns='http://tigase.org/protocol/muc#offline'><nickname>bob</nickname></groupchat>"
          "<priority xmlns='tigase:push:priority:0'>high</priority></notification></item>",
      .options = publish_options,
      .from = "example.org/5e884898da28047151d0e56f8dc6292773603d0d6aabbdd62a11ef721d1542d8"};
  expect_served(with_body, devices, "0b4e-uuid");
  Server call = with_body;
  call.notification =
      "<item><notification xmlns='urn:xmpp:push:0'><priority xmlns='tigase:push:priority:0'>high</priority>"
      "<jingle xmlns='tigase:push:jingle:0' action='propose' sid='s-1'><media>audio</media></jingle>"
      "<encrypted xmlns='tigase:push:encrypt:0' type='voip' "
      "iv='q83vASNFZ4mrze8B'>pX3+</encrypted></notification></item>";
  expect_served(call, devices, "0b4f-uuid");
  Server event = with_body;
  event.notification =
      "<item><notification xmlns='urn:xmpp:push:0'><meet xmlns='tigase:push:meet:0' id='m' jid='m@meet.example.org'>"
      "<media>audio</media></meet><event xmlns='http://tigase.org/protocol/account#event' name='account-removed'/>"
      "</notification></item>";
  expect_served(event, devices, "0b50-uuid");
}

void openfire_is_served(void**) {
  const Devices devices = register_devices();
  expect_served(
      {.iq = "<iq type='set' id='%id' from='example.org' to='push.example.org'>",
       .notification = "<item><notification xmlns='urn:xmpp:push:0'><x xmlns='jabber:x:data' type='form'>"
                       "<field var='FORM_TYPE' type='hidden'><value>urn:xmpp:push:summary</value></field>"
                       "<field var='message-count' type='text-single'><value>1</value></field>"
                       "<field var='last-message-sender' type='text-single'/>"
                       "<field var='last-message-body' type='text-single'><value>New Message</value></field></x>"
                       "</notification></item>",
       .options = publish_options,
       .from = "example.org"},
      devices, "123-456");
}

// The summary beside the notification: Debian 11's prosody-modules.
void old_prosody_modules_are_served(void**) {
  const Devices devices = register_devices();
  expect_served({.iq = "<iq to='push.example.org' id='%id' type='set' from='example.org'>",
                 .notification =
                     "<item><notification xmlns='urn:xmpp:push:0'/><x type='form' xmlns='jabber:x:data'>"
                     "<field type='hidden' var='FORM_TYPE'><value>urn:xmpp:push:summary</value></field>"
                     "<field type='text-single' var='message-count'><value>1</value></field>"
                     "<field type='text-single' var='last-message-body'><value>New Message!</value></field></x></item>",
                 .options = publish_options,
                 .from = "example.org"},
                devices, "old");
}

// XEP-0357's own example: the options' form has no type.
void the_specification_is_served(void**) {
  const Devices devices = register_devices();
  expect_served({.iq = "<iq type='set' from='example.org' to='push.example.org' id='%id'>",
                 .notification = "<item><notification xmlns='urn:xmpp:push:0'><x xmlns='jabber:x:data'>"
                                 "<field var='FORM_TYPE'><value>urn:xmpp:push:summary</value></field>"
                                 "<field var='message-count'><value>1</value></field>"
                                 "<field var='last-message-sender'><value>bob@example.net/balcony</value></field>"
                                 "<field var='last-message-body'><value>Wherefore art thou, Romeo?</value></field></x>"
                                 "<additional xmlns='http://example.com/custom'>Additional custom "
                                 "elements</additional></notification></item>",
                 .options = "<publish-options><x xmlns='jabber:x:data'><field var='FORM_TYPE'>"
                            "<value>http://jabber.org/protocol/pubsub#publish-options</value></field>",
                 .from = "example.org"},
                devices, "n12");
}

TESTS(publishers, SCENARIO_WITH(prosody_is_served, with_module), SCENARIO_WITH(ejabberd_is_served, with_module),
      SCENARIO_WITH(mongooseim_is_served, with_module), SCENARIO_WITH(tigase_is_served, with_module),
      SCENARIO_WITH(openfire_is_served, with_module), SCENARIO_WITH(old_prosody_modules_are_served, with_module),
      SCENARIO_WITH(the_specification_is_served, with_module));

}  // namespace
}  // namespace tocsin::test
