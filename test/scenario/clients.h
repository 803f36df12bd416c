// What clients of every dialect send, and what servers publish for them, in
// few words. Quoted stanzas stand in the stories themselves.
#pragma once

#include "test/scenario/world.h"

namespace tocsin::test {

struct FormField {
  string_view var;
  string_view value;
};
using Fields = std::span<const FormField>;

// An ad-hoc command with a submitted form. attributes: of <command/> beside node, with a blank in front.
void send_command(string_view from, string_view id, string_view node, string_view attributes, Fields fields);
// The same, until it is answered.
void ask_command(string_view from, string_view id, string_view node, string_view attributes, Fields fields);

// What register-push-… gave; fails the test when it is incomplete or its status is not `completed`.
struct Given {
  FixedText<64> jid;
  FixedText<NodeId::text_size> node;
  FixedText<64> secret;
};
Given given(string_view id);

// A publish with these options ("" for none), until it is answered. notification: whole.
struct Published {
  string_view id;
  string_view node;
  string_view from = "example.org";
  string_view notification = "<notification xmlns='urn:xmpp:push:0'/>";
  Fields options{};
};
void send_publish(const Published& published);
void publish(const Published& published);

// As Prosody writes it for a message with a body.
inline constexpr string_view prosody_message =
    "<notification xmlns='urn:xmpp:push:0'><x type='form' xmlns='jabber:x:data'>"
    "<field type='hidden' var='FORM_TYPE'><value>urn:xmpp:push:summary</value></field>"
    "<field type='text-single' var='message-count'><value>1</value></field>"
    "<field type='text-single' var='pending-subscription-count'/><field type='jid-single' var='last-message-sender'/>"
    "<field type='text-single' var='last-message-body'><value>New Message!</value></field></x>"
    "<priority xmlns='tigase:push:priority:0'>high</priority></notification>";

inline constexpr string_view wake_up_body =
    R"({"aps":{"alert":{"body":"New message!"},"mutable-content":1,"sound":"default"}})";

}  // namespace tocsin::test
