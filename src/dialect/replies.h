// How answers are written: from, to and id swapped byte for byte. The defined
// condition is the first child of <error>, <text/> follows it (TigaseSwift
// 2.1.3 takes the first child whatever it is).
#pragma once

#include "base/writer.h"
#include "dialect/command.h"
#include "model/answer.h"

namespace tocsin {

struct ErrorReply {
  string_view type;        // cancel wait auth modify
  string_view condition;   // item-not-found …
  string_view text = {};   // a sentence for the user or operator; "" for none
  string_view extra = {};  // an application-specific condition, whole element, literal
};

void write_result(Writer& out, const IqHead& iq);
void write_error(Writer& out, const IqHead& iq, const ErrorReply& error);
// The answer to a publish.
void write_answer(Writer& out, const IqHead& iq, Answer answer);
// register-device: node, features, max-payload-size in a result form.
void write_registered(Writer& out, const IqHead& iq, string_view session, string_view node, uint32_t payload_bytes_max);
// An ad-hoc command as the answer names it.
struct CommandHead {
  string_view node;     // as the client wrote it
  string_view session;  // "" is left out
};
struct NodeAndSecret {
  string_view jid;  // where the server is to publish
  string_view node;
  string_view secret;  // "" is left out
};
// register-push-… and v1-register-push: jid, node, secret. Conversations up to 2.12 reads jid, newer ones insist on
// the status. Without a secret it is the answer to v1-unregister-push.
void write_registered(Writer& out, const IqHead& iq, const CommandHead& command, const NodeAndSecret& given);
// unregister-push-…: completed, without a form.
void write_completed(Writer& out, const IqHead& iq, const CommandHead& command);
// unregister-device: completed, with an empty result form.
void write_unregistered(Writer& out, const IqHead& iq, string_view session);

// For the rest of the dialect: start tags without their '>', so that the caller closes or fills them.
void open_reply(Writer& out, const IqHead& iq, string_view type);
// The same with a <command/> inside; session "" is left out.
void open_command(Writer& out, const IqHead& iq, string_view node, string_view session, string_view status);

}  // namespace tocsin
