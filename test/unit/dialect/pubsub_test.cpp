#include "dialect/pubsub.h"

#include "base/writer.h"
#include "test/unit/dialect/ask.h"

namespace tocsin::test {

namespace {

void expect_words(const Asked& asked, string_view want) {
  static uint8_t room[4096];
  expect_text(words_of(asked.command, Bytes(room)), want);
}

// The words of a publish to n1 with this inside of <item/>.
void expect_item(string_view item, string_view want) {
  static uint8_t room[8192];
  Writer out{Bytes(room)};
  out.text("<item>").text(item).text("</item>");
  assert_false(out.overflowed());
  expect_words(ask_publish(out.view()), want);
}
void expect_notification(string_view content, string_view want) {
  static uint8_t room[8192];
  Writer out{Bytes(room)};
  out.text("<notification xmlns='urn:xmpp:push:0'>").text(content).text("</notification>");
  assert_false(out.overflowed());
  expect_item(out.view(), want);
}
void expect_field(string_view field, string_view want) {
  static uint8_t room[4096];
  Writer out{Bytes(room)};
  out.text("<x xmlns='jabber:x:data' type='submit'>").text(field).text("</x>");
  expect_notification(out.view(), want);
}

// ---- shapes of servers that could not be captured

void mongooseim_publishes_the_real_text(void**) {
  expect_words(
      ask("<iq type='set' id='1' from='example.org' to='push.example.org'>"
          "<pubsub xmlns='http://jabber.org/protocol/pubsub'><publish node='k3Jq0Zt'><item>"
          "<notification xmlns='urn:xmpp:push:0'><x xmlns='jabber:x:data' type='submit'>"
          "<field var='FORM_TYPE' type='hidden'><value>urn:xmpp:push:summary</value></field>"
          "<field var='message-count'><value>2</value></field>"
          "<field var='last-message-sender'><value>bob@example.net</value></field>"
          "<field var='last-message-body'><value>the real text</value></field></x></notification></item></publish>"
          "<publish-options><x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE' type='hidden'>"
          "<value>http://jabber.org/protocol/pubsub#publish-options</value></field>"
          "<field var='secret'><value>KK4+H5WM</value></field></x></publish-options></pubsub></iq>"),
      "publish k3Jq0Zt secret=KK4+H5WM count=2 sender=bob@example.net body=the real text");
}

void openfire_publishes_a_form_with_an_empty_sender(void**) {
  expect_words(ask("<iq type='set' id='1' from='example.org' to='push.example.org'>"
                   "<pubsub xmlns='http://jabber.org/protocol/pubsub'><publish node='k3Jq0Zt'><item>"
                   "<notification xmlns='urn:xmpp:push:0'><x xmlns='jabber:x:data' type='form'>"
                   "<field var='FORM_TYPE' type='hidden'><value>urn:xmpp:push:summary</value></field>"
                   "<field var='message-count' type='text-single'><value>1</value></field>"
                   "<field var='last-message-sender' type='text-single'/>"
                   "<field var='last-message-body' type='text-single'><value>New Message</value></field></x>"
                   "</notification></item></publish></pubsub></iq>"),
               "publish k3Jq0Zt count=1 body=New Message");
}

void tigase_publishes_from_a_resource_of_its_domain_without_form_type(void**) {
  const Asked asked =
      ask("<iq xmlns='jabber:client' type='set' id='0b4e' to='push.example.org' from='example.org/5e8848'>"
          "<pubsub xmlns='http://jabber.org/protocol/pubsub'><publish node='k3Jq0Zt'><item>"
          "<notification xmlns='urn:xmpp:push:0'><x xmlns='jabber:x:data'>"
          "<field var='FORM_TYPE'><value>urn:xmpp:push:summary</value></field>"
          "<field var='message-count'><value>3</value></field>"
          "<field var='last-message-sender'><value>bob@example.net/desk</value></field>"
          "<field var='last-message-body'><value>Hello</value></field></x>"
          "<groupchat xmlns='http://tigase.org/protocol/muc#offline'><nickname>bob</nickname></groupchat>"
          "<priority xmlns='tigase:push:priority:0'>high</priority>"
          "<jingle xmlns='tigase:push:jingle:0' action='propose' sid='s-1'><media>audio</media></jingle>"
          "</notification></item></publish></pubsub></iq>");
  expect_words(asked, "publish k3Jq0Zt count=3 sender=bob@example.net/desk body=Hello high call");
  expect_text(asked.command.iq.from, "example.org/5e8848");
}

void tigase_calls_come_encrypted_beside_the_proposal(void**) {
  expect_notification(
      "<priority xmlns='tigase:push:priority:0'>high</priority>"
      "<jingle xmlns='tigase:push:jingle:0' action='propose' sid='s-1'><media>audio</media></jingle>"
      "<encrypted xmlns='tigase:push:encrypt:0' type='voip' iv='q83vASNFZ4mrze8B'>pX3=</encrypted>",
      "publish n1 high iv=q83vASNFZ4mrze8B ciphertext=pX3= voip");
}

void tigase_tells_of_messages_read_elsewhere(void**) {
  expect_field(
      "<field var='FORM_TYPE'><value>urn:xmpp:push:summary</value></field>"
      "<field var='message-count'><value>0</value></field>",
      "publish n1 count=0");
}

void old_prosody_modules_write_the_summary_beside_the_notification(void**) {
  expect_item(
      "<notification xmlns='urn:xmpp:push:0'/><x xmlns='jabber:x:data' type='form'>"
      "<field var='message-count'><value>1</value></field><field var='last-message-sender'/></x>"
      "<priority xmlns='tigase:push:priority:0'>high</priority>",
      "publish n1 count=1 high");
}

// ---- the parts

void only_digits_are_a_count(void**) {
  expect_field("<field var='message-count'><value>0</value></field>", "publish n1 count=0");
  expect_field("<field var='message-count'><value> 12\n</value></field>", "publish n1 count=12");
  expect_field("<field var='message-count'><value>4294967295</value></field>", "publish n1 count=4294967295");
  for (const string_view field : {
           "<field var='message-count'><value>4294967296</value></field>",
           "<field var='message-count'><value>99999999999999999999999</value></field>",
           "<field var='message-count'><value>-1</value></field>",
           "<field var='message-count'><value>+1</value></field>",
           "<field var='message-count'><value>1.0</value></field>",
           "<field var='message-count'><value>one</value></field>",
           "<field var='message-count'><value/></field>",
           "<field var='message-count'/>",
       }) {
    expect_field(field, "publish n1");
  }
}

void the_first_value_of_a_field_counts(void**) {
  expect_field(
      "<field var='last-message-body'><value>a</value><value>b</value></field>"
      "<field var='last-message-body'><value>c</value></field>"
      "<field var='message-count'><value>1</value></field>"
      "<field var='message-count'><value>2</value></field>",
      "publish n1 count=1 body=a");
  expect_notification(
      "<x xmlns='jabber:x:data'><field var='message-count'><value>3</value></field></x>"
      "<x xmlns='jabber:x:data'><field var='message-count'><value>0</value></field></x>",
      "publish n1 count=3");
}

void encrypted_needs_both_iv_and_ciphertext(void**) {
  expect_notification("<encrypted xmlns='tigase:push:encrypt:0' iv='aXY='>Y3Q=</encrypted>",
                      "publish n1 iv=aXY= ciphertext=Y3Q=");
  expect_notification("<encrypted xmlns='tigase:push:encrypt:0' iv=' aXY= '>\n  Y3Q=\n</encrypted>",
                      "publish n1 iv=aXY= ciphertext=Y3Q=");
  for (const string_view broken : {
           "<encrypted xmlns='tigase:push:encrypt:0' type='voip'>Y3Q=</encrypted>",
           "<encrypted xmlns='tigase:push:encrypt:0' type='voip' iv=''>Y3Q=</encrypted>",
           "<encrypted xmlns='tigase:push:encrypt:0' type='voip' iv='aXY='/>",
           "<encrypted xmlns='tigase:push:encrypt:0' type='voip' iv='aXY='> </encrypted>",
           "<encrypted xmlns='tigase:push:encrypt:1' type='voip' iv='aXY='>Y3Q=</encrypted>",
       }) {
    expect_notification(broken, "publish n1");
  }
  // The first one that can be decrypted stays.
  expect_notification(
      "<encrypted xmlns='tigase:push:encrypt:0'>eA==</encrypted>"
      "<encrypted xmlns='tigase:push:encrypt:0' iv='aXY='>Y3Q=</encrypted>"
      "<encrypted xmlns='tigase:push:encrypt:0' iv='' type='voip'>eA==</encrypted>"
      "<encrypted xmlns='tigase:push:encrypt:0' iv='eA==' type='voip'>eA==</encrypted>",
      "publish n1 iv=aXY= ciphertext=Y3Q=");
}

void priority_is_high_low_or_unsaid(void**) {
  expect_notification("<priority xmlns='tigase:push:priority:0'>high</priority>", "publish n1 high");
  expect_notification("<priority xmlns='tigase:push:priority:0'> low\n</priority>", "publish n1 low");
  expect_notification("<priority xmlns='tigase:push:priority:0'>normal</priority>", "publish n1");
  expect_notification("<priority xmlns='tigase:push:priority:0'>HIGH</priority>", "publish n1");
  expect_notification("<priority xmlns='tigase:push:priority:1'>high</priority>", "publish n1");
}

void a_proposal_and_a_meeting_are_calls(void**) {
  expect_notification("<jingle xmlns='tigase:push:jingle:0' action='propose' sid='s'/>", "publish n1 call");
  expect_notification("<meet xmlns='tigase:push:meet:0' id='m' jid='meet.example.org'/>", "publish n1 call");
  for (const string_view other : {
           "<jingle xmlns='tigase:push:jingle:0' action='retract' sid='s'/>",
           "<jingle xmlns='tigase:push:jingle:0' action='accept' sid='s'/>",
           "<jingle xmlns='tigase:push:jingle:0' sid='s'/>",
           "<jingle xmlns='urn:xmpp:jingle:1' action='propose' sid='s'/>",
           "<meet xmlns='tigase:push:meet:1'/>",
       }) {
    expect_notification(other, "publish n1");
  }
  // What can not be decrypted leaves the proposal, which still rings.
  expect_notification(
      "<encrypted xmlns='tigase:push:encrypt:0' type='voip'>Y3Q=</encrypted>"
      "<jingle xmlns='tigase:push:jingle:0' action='propose' sid='s'/>",
      "publish n1 call");
}

void what_is_no_notification_is_a_wake_up(void**) {
  constexpr string_view full =
      "<notification xmlns='urn:xmpp:push:0'><x xmlns='jabber:x:data'>"
      "<field var='message-count'><value>1</value></field></x></notification>";
  for (const string_view item : {
           "",
           "<notification xmlns='urn:xmpp:push:0'/>",
           "<notification/>",
           "<notification xmlns='urn:xmpp:push:1'><x xmlns='jabber:x:data'><field var='message-count'>"
           "<value>1</value></field></x></notification>",
           "<notification xmlns='urn:xmpp:push:0'><x><field var='message-count'><value>1</value></field></x>"
           "</notification>",
           "<notification xmlns='urn:xmpp:push:0'><x xmlns='jabber:x:data'><field xmlns='urn:other' "
           "var='message-count'><value xmlns='jabber:x:data'>1</value></field></x></notification>",
           "<event xmlns='http://tigase.org/protocol/account#event' name='account-removed'/>",
           "text",
       }) {
    expect_item(item, "publish n1");
  }
  // No item, or several of them; one of another namespace is none.
  expect_words(ask_publish(""), "publish n1");
  static uint8_t room[2048];
  Writer two{Bytes(room)};
  two.text("<item>").text(full).text("</item><item>").text(full).text("</item>");
  expect_words(ask_publish(two.view()), "publish n1");
  Writer one{Bytes(room)};
  one.text("<item xmlns='urn:other'/><item>").text(full).text("</item>");
  expect_words(ask_publish(one.view()), "publish n1 count=1");
}

// ---- the frame

void the_secret_is_taken_verbatim_from_options_of_any_type(void**) {
  expect_words(ask_set("<pubsub xmlns='http://jabber.org/protocol/pubsub'><publish-options>"
                       "<x xmlns='jabber:x:data'><field var='secret'><value> s&amp;1 </value></field></x>"
                       "</publish-options><publish node='n1'/></pubsub>"),
               "publish n1 secret= s&1 ");
  expect_words(ask_set("<pubsub xmlns='http://jabber.org/protocol/pubsub'><publish node='n1'/>"
                       "<publish-options/></pubsub>"),
               "publish n1");
  expect_words(ask_set("<pubsub xmlns='http://jabber.org/protocol/pubsub'><publish node='n1'/>"
                       "<publish-options xmlns='urn:other'><x xmlns='jabber:x:data'><field var='secret'>"
                       "<value>s</value></field></x></publish-options></pubsub>"),
               "publish n1");
}

void a_node_is_taken_verbatim(void**) {
  expect_words(ask_set("<pubsub xmlns='http://jabber.org/protocol/pubsub'><publish node='01#A &apos;&lt;&#10;'/>"
                       "</pubsub>"),
               "publish 01#A '<\n");
}

void a_publish_without_node_is_gone(void**) {
  for (const string_view publish :
       {"<publish/>", "<publish node=''/>", "<publish><item><notification xmlns='urn:xmpp:push:0'/></item></publish>",
        // Of two the first counts.
        "<publish/><publish node='n1'/>"}) {
    static uint8_t room[1024];
    Writer out{Bytes(room)};
    out.text("<pubsub xmlns='http://jabber.org/protocol/pubsub'>").text(publish).text("</pubsub>");
    expect_answer(ask_set(out.view()), "error", not_found);
  }
}

void other_pubsub_is_not_supported(void**) {
  for (const string_view payload : {
           "<pubsub xmlns='http://jabber.org/protocol/pubsub'/>",
           "<pubsub xmlns='http://jabber.org/protocol/pubsub'><create node='n1'/></pubsub>",
           "<pubsub xmlns='http://jabber.org/protocol/pubsub'><publish xmlns='urn:other' node='n1'/></pubsub>",
           "<pubsub xmlns='http://jabber.org/protocol/pubsub#owner'><publish node='n1'/></pubsub>",
       }) {
    expect_answer(ask_set(payload), "error", unsupported);
  }
  expect_answer(ask_get("<pubsub xmlns='http://jabber.org/protocol/pubsub'><publish node='n1'/></pubsub>"), "error",
                unsupported);
}

void prefixes_instead_of_default_namespaces_are_the_same(void**) {
  expect_words(
      ask_set("<p:pubsub xmlns:p='http://jabber.org/protocol/pubsub'><p:publish node='n1'><p:item>"
              "<n:notification xmlns:n='urn:xmpp:push:0' xmlns:d='jabber:x:data'><d:x><d:field "
              "var='last-message-body'><d:value>hi</d:value></d:field></d:x></n:notification></p:item></p:publish>"
              "</p:pubsub>"),
      "publish n1 body=hi");
}

}  // namespace

TESTS(pubsub, cmocka_unit_test(mongooseim_publishes_the_real_text),
      cmocka_unit_test(openfire_publishes_a_form_with_an_empty_sender),
      cmocka_unit_test(tigase_publishes_from_a_resource_of_its_domain_without_form_type),
      cmocka_unit_test(tigase_calls_come_encrypted_beside_the_proposal),
      cmocka_unit_test(tigase_tells_of_messages_read_elsewhere),
      cmocka_unit_test(old_prosody_modules_write_the_summary_beside_the_notification),
      cmocka_unit_test(only_digits_are_a_count), cmocka_unit_test(the_first_value_of_a_field_counts),
      cmocka_unit_test(encrypted_needs_both_iv_and_ciphertext), cmocka_unit_test(priority_is_high_low_or_unsaid),
      cmocka_unit_test(a_proposal_and_a_meeting_are_calls), cmocka_unit_test(what_is_no_notification_is_a_wake_up),
      cmocka_unit_test(the_secret_is_taken_verbatim_from_options_of_any_type),
      cmocka_unit_test(a_node_is_taken_verbatim), cmocka_unit_test(a_publish_without_node_is_gone),
      cmocka_unit_test(other_pubsub_is_not_supported),
      cmocka_unit_test(prefixes_instead_of_default_namespaces_are_the_same));

}  // namespace tocsin::test
